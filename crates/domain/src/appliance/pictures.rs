//! Pictures that are kept for people who are still to be enrolled.

use bytes::Bytes;

use super::Appliance;
use crate::{PictureId, Result};

impl Appliance {
    /// Keeps a picture until somebody is enrolled with it or it is removed. `BadPicture` for what is none,
    /// `LimitReached(Picture)`.
    pub async fn keep_picture(&self, actor: &str, picture: Bytes) -> Result<PictureId> {
        self.ports().analyzer.decode(picture.clone(), self.now()).await?;
        let actor = actor.to_owned();
        self.blocking(move |a| {
            let kept = a.ports().pictures.keep(&picture, a.options().limits.pictures, a.now())?;
            a.audit(&actor, "picture.keep", &kept);
            Ok(kept)
        })
        .await
    }

    /// Removes a picture, also one of a record, which stays without it. `NotFound(Picture)`, `InUse(Person)` while a
    /// person has it.
    pub async fn remove_picture(&self, actor: &str, id: PictureId) -> Result<()> {
        let actor = actor.to_owned();
        self.blocking(move |a| {
            a.ports().pictures.remove(&id)?;
            a.audit(&actor, "picture.remove", &id);
            Ok(())
        })
        .await
    }
}
