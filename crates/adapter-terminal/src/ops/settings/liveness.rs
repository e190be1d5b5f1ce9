//! When faces are checked for liveness.

use domain::{LivenessRule, Result};

use crate::device::Device;
use crate::settings::Values;

/// The setting of the rule.
pub(super) const TYPE: &str = "LiveDetectType";
const BEGIN: &str = "LiveDetectTimeBeg";
const END: &str = "LiveDetectTimeEnd";
/// The settings of the rule and its period.
pub(super) const NAMES: [&str; 3] = [TYPE, BEGIN, END];

/// `LiveDetectType` in force; `None` on a device without liveness detection, which reports it as it was set.
pub(super) fn in_force(device: &Device) -> Option<&'static str> {
    device.appliance.can_judge_liveness().then(|| match device.appliance.liveness_rule() {
        LivenessRule::Always => "0",
        LivenessRule::Never => "1",
        LivenessRule::Daily(..) => "2",
    })
}

/// Applies the settings to the cameras.
pub(super) async fn follow(device: &Device, values: &Values) -> Result<()> {
    let time = |name| values.text(name).parse().unwrap_or_default();
    let rule = match values.number(TYPE) {
        0 => LivenessRule::Always,
        2 => LivenessRule::Daily(time(BEGIN), time(END)),
        _ => LivenessRule::Never,
    };
    device.acts().set_liveness_rule(rule).await
}

/// Resets the rule to factory settings.
pub(super) async fn forget(device: &Device) -> Result<()> {
    device.acts().set_liveness_rule(LivenessRule::default()).await
}
