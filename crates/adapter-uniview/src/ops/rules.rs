//! The rules over moving objects that tasks are.

use std::collections::BTreeMap;

use domain::{CameraId, Error, RuleId, RuleSettings, Thing};

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
    let unwanted = now.iter().filter(|(name, _)| !wanted.iter().any(|settings| settings.name == **name));
    let mut unwanted: Vec<_> = unwanted.map(|(_, (id, _))| *id).collect();
    for settings in wanted {
        match now.get(&settings.name) {
            Some((_, same)) if same == settings => {}
            Some((id, _)) => drop(caller.acts().update_rule(*id, settings.clone()).await?),
            None => add(caller, camera, settings, &mut unwanted).await?,
        }
    }
    remove(caller, &mut unwanted).await
}

/// Adds a rule; only when there is no room for it, those that go make room first.
async fn add(
    caller: &Caller,
    camera: CameraId,
    settings: &RuleSettings,
    unwanted: &mut Vec<RuleId>,
) -> Result<(), Fault> {
    match caller.acts().add_rule(camera, settings.clone()).await {
        Err(Error::LimitReached { what: Thing::Rule }) if !unwanted.is_empty() => {
            remove(caller, unwanted).await?;
            caller.acts().add_rule(camera, settings.clone()).await?;
            Ok(())
        }
        added => Ok(added.map(drop)?),
    }
}

async fn remove(caller: &Caller, rules: &mut Vec<RuleId>) -> Result<(), Fault> {
    for id in rules.drain(..) {
        caller.acts().remove_rule(id).await?;
    }
    Ok(())
}
