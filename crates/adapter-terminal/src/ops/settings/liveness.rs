//! When faces must be alive.

use domain::{LivenessRule, Result};

use super::Values;
use crate::core::Core;

/// The setting that says when.
pub(super) const TYPE: &str = "LiveDetectType";
const BEGIN: &str = "LiveDetectTimeBeg";
const END: &str = "LiveDetectTimeEnd";
/// The settings that this depends on.
pub(super) const NAMES: [&str; 3] = [TYPE, BEGIN, END];

/// `LiveDetectType` as it is; `None` on a device that cannot tell living faces, where it is told as it was set.
pub(super) fn told(core: &Core) -> Option<&'static str> {
    core.appliance.can_judge_liveness().then(|| match core.appliance.liveness_rule() {
        LivenessRule::Always => "0",
        LivenessRule::Never => "1",
        LivenessRule::Daily(..) => "2",
    })
}

/// Has the cameras follow what was set.
pub(super) async fn follow(core: &Core, values: &Values) -> Result<()> {
    let time = |name| values.text(name).parse().unwrap_or_default();
    let rule = match values.number(TYPE) {
        0 => LivenessRule::Always,
        2 => LivenessRule::Daily(time(BEGIN), time(END)),
        _ => LivenessRule::Never,
    };
    core.acts().set_liveness_rule(rule).await
}

/// As on a new device.
pub(super) async fn forget(core: &Core) -> Result<()> {
    core.acts().set_liveness_rule(LivenessRule::default()).await
}
