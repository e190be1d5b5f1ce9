//! Whether pictures of those who pass are kept.

use super::{Acts, Appliance};
use crate::ports::Ports;
use crate::{Act, Result};

/// The setting that says so while records are kept without pictures.
pub(super) const PICTURES: &str = "records.pictures";
const WITHOUT: &str = "without";

/// Whether records are kept with pictures.
pub(super) fn load(ports: &Ports) -> Result<bool> {
    Ok(ports.settings.setting(PICTURES)?.as_deref() != Some(WITHOUT))
}

impl Appliance {
    /// Whether crop and scene of a capture are kept with its record.
    pub fn keeps_pictures(&self) -> bool {
        self.core.surveillance.recorder().keeps_pictures()
    }

    pub(super) fn use_keeping_pictures(&self, keep: bool) {
        self.core.surveillance.recorder().keep_pictures(keep);
    }
}

impl Acts<'_> {
    /// Sets whether crop and scene of a capture are kept with its record: of records from now on, also over a restart.
    /// Records that are there keep theirs, and people keep their photos.
    pub async fn keep_pictures(self, keep: bool) -> Result<()> {
        let actor = self.permit(Act::RECORDS_PICTURES)?;
        self.blocking(move |a| {
            a.ports().settings.set_setting(PICTURES, (!keep).then_some(WITHOUT))?;
            a.use_keeping_pictures(keep);
            a.audit(&actor, Act::RECORDS_PICTURES, &if keep { "kept" } else { "not kept" });
            Ok(())
        })
        .await
    }
}
