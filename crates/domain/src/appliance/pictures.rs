//! Pictures stored for later enrolment.

use bytes::Bytes;

use super::Acts;
use crate::{Act, PictureId, Result};

impl Acts<'_> {
    /// Stores a picture, without its metadata, until a person is enrolled with it or it is removed. `BadPicture` for data that is not a
    /// picture, `LimitReached(Picture)`.
    pub async fn keep_picture(self, picture: Bytes) -> Result<PictureId> {
        let actor = self.permit(Act::PICTURE_KEEP)?;
        self.appliance.ports().analyzer.decode(picture.clone(), self.appliance.now()).await?;
        let picture = self.appliance.bare_photo(picture).await?;
        self.blocking(move |a| {
            let kept = a.ports().pictures.keep(&picture, a.options().limits.pictures, a.now())?;
            a.audit(&actor, Act::PICTURE_KEEP, &kept);
            Ok(kept)
        })
        .await
    }

    /// Removes a picture, also one of a record; the record stays. `NotFound(Picture)`, `InUse(Person)` while a
    /// person has it.
    pub async fn remove_picture(self, id: PictureId) -> Result<()> {
        let actor = self.permit(Act::PICTURE_REMOVE)?;
        self.blocking(move |a| {
            a.ports().pictures.remove(&id)?;
            a.audit(&actor, Act::PICTURE_REMOVE, &id);
            Ok(())
        })
        .await
    }
}
