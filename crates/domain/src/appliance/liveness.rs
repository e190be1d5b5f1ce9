//! When faces are checked for being alive, on a device that can.

use super::{Acts, Appliance};
use crate::ports::Ports;
use crate::{Act, LivenessRule, Result};

/// The setting that holds the rule.
pub(super) const LIVENESS: &str = "liveness.rule";

/// The rule that a platform has set.
pub(super) fn load(ports: &Ports) -> Result<LivenessRule> {
    Ok(ports.settings.setting(LIVENESS)?.as_deref().and_then(read).unwrap_or_default())
}

impl Appliance {
    /// When a face must be alive; without effect while [`can_judge_liveness`](Self::can_judge_liveness) is false.
    pub fn liveness_rule(&self) -> LivenessRule {
        **self.core.surveillance.liveness().load()
    }

    /// Whether the device can tell living faces from pictures of them.
    pub fn can_judge_liveness(&self) -> bool {
        self.ports().analyzer.live_from().is_some()
    }

    pub(super) fn use_liveness_rule(&self, rule: LivenessRule) {
        self.core.surveillance.liveness().store(rule.into());
    }
}

impl Acts<'_> {
    /// Sets when a face must be alive; from now on, also over a restart.
    pub async fn set_liveness_rule(self, rule: LivenessRule) -> Result<()> {
        let actor = self.permit(Act::LIVENESS_SET)?;
        self.blocking(move |a| {
            a.ports().settings.set_setting(LIVENESS, Some(&write(rule)))?;
            a.use_liveness_rule(rule);
            a.audit(&actor, Act::LIVENESS_SET, &"cameras");
            Ok(())
        })
        .await
    }
}

fn write(rule: LivenessRule) -> String {
    match rule {
        LivenessRule::Always => "always".to_owned(),
        LivenessRule::Never => "never".to_owned(),
        LivenessRule::Daily(from, to) => format!("{from} {to}"),
    }
}

fn read(kept: &str) -> Option<LivenessRule> {
    let time = |text: &str| text.parse().ok();
    match kept {
        "always" => Some(LivenessRule::Always),
        "never" => Some(LivenessRule::Never),
        daily => {
            let (from, to) = daily.split_once(' ')?;
            Some(LivenessRule::Daily(time(from)?, time(to)?))
        }
    }
}
