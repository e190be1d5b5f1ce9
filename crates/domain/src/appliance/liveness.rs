//! The liveness rule.

use super::{Acts, Appliance};
use crate::{Act, LivenessRule, Result};

impl Appliance {
    /// When a face must be living; always while the rule cannot be read. Without effect while
    /// [`can_judge_liveness`](Self::can_judge_liveness) is false.
    pub fn liveness_rule(&self) -> LivenessRule {
        self.settings().liveness_rule()
    }

    /// Whether the device can distinguish living faces from pictures of them.
    pub fn can_judge_liveness(&self) -> bool {
        self.ports().analyzer.live_from().is_some()
    }
}

impl Acts<'_> {
    /// Sets when a face must be living, at once and over a restart.
    pub async fn set_liveness_rule(self, rule: LivenessRule) -> Result<()> {
        let actor = self.permit(Act::LIVENESS_SET)?;
        self.blocking(move |a| {
            a.change_settings(|settings| settings.liveness = Ok(Some(rule)))?;
            a.audit(&actor, Act::LIVENESS_SET, &"cameras");
            Ok(())
        })
        .await
    }
}
