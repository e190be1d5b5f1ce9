//! Whether pictures of records are stored.

use super::{Acts, Appliance};
use crate::{Act, Result};

impl Appliance {
    /// Whether crop and scene of a capture are stored with its record; `false` while the setting cannot be read.
    pub fn keeps_pictures(&self) -> bool {
        self.settings().keeps_pictures()
    }
}

impl Acts<'_> {
    /// Sets whether crop and scene of a capture are stored with its record, for records from now on and over a restart.
    /// Existing records keep their pictures, and people keep their photos.
    pub async fn keep_pictures(self, keep: bool) -> Result<()> {
        let actor = self.permit(Act::RECORDS_PICTURES)?;
        self.blocking(move |a| {
            a.change_settings(|settings| settings.pictures = Ok(Some(keep)))?;
            a.audit(&actor, Act::RECORDS_PICTURES, &if keep { "kept" } else { "not kept" });
            Ok(())
        })
        .await
    }
}
