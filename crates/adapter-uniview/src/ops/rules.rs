//! The rules over moving objects that tasks are.

use std::collections::BTreeMap;

use domain::{CameraId, RuleId, RuleSettings};

use crate::codes::Fault;
use crate::convert::smart;
use crate::request::Caller;
use crate::settings::Channel;

/// Gives a camera the rules of its tasks in place of those it had; one that stays the same goes on. When one cannot be
/// kept, those that it had are put back.
pub(super) async fn follow(caller: &Caller, camera: CameraId, kept: &Channel) -> Result<(), Fault> {
    let mut wanted = Vec::new();
    for task in kept.tasks.iter().filter(|_| kept.running) {
        wanted.extend(smart::rules(task, kept.tuning(&task.algo_model))?);
    }
    let before = own(caller, camera).await?;
    let outcome = change(caller, camera, &before, &wanted).await;
    if outcome.is_err() {
        let now = own(caller, camera).await?;
        let former: Vec<_> = before.into_values().map(|(_, settings)| settings).collect();
        change(caller, camera, &now, &former).await?;
    }
    outcome
}

type Rules = BTreeMap<String, (RuleId, RuleSettings)>;

/// The rules that this adapter has made, by name.
async fn own(caller: &Caller, camera: CameraId) -> Result<Rules, Fault> {
    let rules = caller.reading()?.rules(camera).await?.into_iter();
    let own = rules.filter(|rule| smart::is_own(&rule.settings.name));
    Ok(own.map(|rule| (rule.settings.name.clone(), (rule.id, rule.settings))).collect())
}

async fn change(caller: &Caller, camera: CameraId, now: &Rules, wanted: &[RuleSettings]) -> Result<(), Fault> {
    for settings in wanted {
        match now.get(&settings.name) {
            Some((_, same)) if same == settings => {}
            Some((id, _)) => drop(caller.acts().update_rule(*id, settings.clone()).await?),
            None => drop(caller.acts().add_rule(camera, settings.clone()).await?),
        }
    }
    for (name, (id, _)) in now {
        if !wanted.iter().any(|settings| settings.name == *name) {
            caller.acts().remove_rule(*id).await?;
        }
    }
    Ok(())
}
