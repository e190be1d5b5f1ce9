//! Whether pictures of those who pass are kept.

use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::{Acts, Appliance, Draft};
use crate::ports::{Pictures, Ports};
use crate::{Act, PictureId, Result};

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
        self.core.keeps_pictures.load(Ordering::Relaxed)
    }

    pub(super) fn use_keeping_pictures(&self, keep: bool) {
        self.core.keeps_pictures.store(keep, Ordering::Relaxed);
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

impl Draft {
    /// The same record, whose pictures nobody will ever see.
    pub(super) fn without_pictures(self) -> Self {
        Self { crop: Bytes::new(), scene: Bytes::new(), ..self }
    }
}

/// Keeps a picture of a draft, unless it is not to be kept.
pub(super) fn put_picture(pictures: &dyn Pictures, picture: &Bytes) -> Result<PictureId> {
    if picture.is_empty() { Ok(PictureId::not_kept()) } else { pictures.put(picture) }
}
