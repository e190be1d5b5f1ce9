//! Re-embedding: describes the photos that have no template of the embedding model in use, which are all photos after a
//! change of the model, and single ones that could not be described at enrolment. It runs in the background while the
//! appliance serves; each person is found by searches from then on.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Appliance;
use crate::{
    Error, Event, ModelId, PersonId, PhotoFault, PhotoTemplate, PictureId, Reembedding, Result, SeveralFaces, Template,
    TemplateGaps, Thing,
};

/// People read from the store at a time.
const PAGE: u32 = 64;
/// Attempts for a photo while the device is busy or failing.
const TRIES: u32 = 3;
/// Delay between two attempts.
const BETWEEN_TRIES: Duration = Duration::from_secs(1);
/// Delay before photos whose attempts all failed are attempted again.
const POSTPONED_FOR: Duration = Duration::from_secs(300);

/// What became of one photo.
enum Outcome {
    Done,
    Unusable,
    Postponed,
}

impl Appliance {
    /// Progress of re-embedding.
    pub fn reembedding(&self) -> Reembedding {
        *self.core.reembedding.borrow()
    }

    /// Re-embeds photos whenever some need it, until cancelled.
    pub async fn describe_photos(&self, cancel: CancellationToken) {
        while !cancel.is_cancelled() {
            if let Err(error) = self.reembed(&cancel).await {
                tracing::error!(error = error.chain(), "re-embedding failed");
            }
            tokio::select! {
                () = cancel.cancelled() => {}
                () = self.core.pending_photo.notified() => {}
                () = tokio::time::sleep(POSTPONED_FOR), if self.reembedding().postponed > 0 => {}
            }
        }
    }

    /// Describes every photo without a template of the model in use. Returns when none is left or when cancelled. Each
    /// template is durable at once, so a restart resumes where it was interrupted.
    ///
    /// # Errors
    /// When the store cannot list the people without a template.
    pub async fn reembed(&self, cancel: &CancellationToken) -> Result<()> {
        let model = self.gallery().model().clone();
        let TemplateGaps { missing, unusable } = self.gaps(&model).await?;
        if unusable > 0 {
            tracing::warn!(people = unusable, model = %model, "photos without a usable face");
        }
        metrics::gauge!("polyface_people_unusable").set(unusable as f64);
        if missing == 0 {
            return Ok(());
        }
        tracing::info!(people = missing, model = %model, "re-embedding started");
        self.core.reembedding.send_replace(Reembedding { total: missing, ..Reembedding::default() });
        let mut after = PersonId(0);
        while let Some(last) = self.reembed_page(&model, after, cancel).await? {
            after = last;
        }
        let Reembedding { done, unusable, postponed, .. } = self.reembedding();
        tracing::info!(
            people.done = done,
            people.unusable = unusable,
            people.postponed = postponed,
            "re-embedding finished"
        );
        Ok(())
    }

    async fn gaps(&self, model: &ModelId) -> Result<TemplateGaps> {
        let model = model.clone();
        self.blocking(move |a| a.ports().people.template_gaps(&model)).await
    }

    /// Describes a page of photos. Returns the last person of the page; `None` when none is left or when cancelled.
    async fn reembed_page(
        &self,
        model: &ModelId,
        after: PersonId,
        cancel: &CancellationToken,
    ) -> Result<Option<PersonId>> {
        let wanted = model.clone();
        let page = self.blocking(move |a| a.ports().people.people_without_template(&wanted, after, PAGE)).await?;
        for (person, photo) in &page {
            // Checked between two people, so that nothing is stored after this has returned.
            if cancel.is_cancelled() {
                return Ok(None);
            }
            self.count(&self.reembed_person(model, *person, photo).await);
            // A fast analyzer may never suspend this task; let others run between two people.
            tokio::task::yield_now().await;
        }
        Ok(page.last().map(|(person, _)| *person))
    }

    async fn reembed_person(&self, model: &ModelId, person: PersonId, photo: &PictureId) -> Outcome {
        for _ in 0..TRIES {
            match self.embed_photo(model, person, photo).await {
                Ok(outcome) => return outcome,
                Err(Error::NotFound { what: Thing::Person }) => return Outcome::Postponed,
                Err(error) => {
                    tracing::warn!(person = person.0, error = error.chain(), "failed to describe photo, retrying");
                }
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
        Outcome::Postponed
    }

    async fn embed_photo(&self, model: &ModelId, person: PersonId, photo: &PictureId) -> Result<Outcome> {
        let described = match self.describe_stored(photo).await {
            Ok(described) => Ok(described),
            Err(Error::NotFound { what: Thing::Picture }) => Err(PhotoFault::BadPicture),
            // Only a fault of the photo itself is final; other errors are retried.
            Err(error) => Err(PhotoFault::of(&error).ok_or(error)?),
        };
        let outcome = if described.is_ok() { Outcome::Done } else { Outcome::Unusable };
        let model = model.clone();
        let photo = photo.clone();
        self.blocking(move |a| a.keep_template(&model, person, &photo, described)).await?;
        Ok(outcome)
    }

    /// Describes a stored photo. Its quality was checked at enrolment.
    async fn describe_stored(&self, photo: &PictureId) -> Result<PhotoTemplate> {
        let face = self.photo_face(self.picture(photo.clone()).await?, SeveralFaces::TakeLargest).await?;
        Ok(face.into())
    }

    /// Stores a template, unless the person was removed (`NotFound(Person)`) or the photo replaced meanwhile. Blocking.
    fn keep_template(
        &self,
        model: &ModelId,
        person: PersonId,
        photo: &PictureId,
        described: Result<PhotoTemplate, PhotoFault>,
    ) -> Result<()> {
        let _order = self.people_order();
        let now = self.ports().people.person(person)?;
        if now.photo != *photo {
            return Ok(());
        }
        self.ports().people.put_template(person, model, described.as_ref().map_err(|fault| *fault))?;
        if let Ok(PhotoTemplate { embedding, .. }) = described {
            self.gallery().insert(Template { person, membership: now.membership(), embedding });
        }
        Ok(())
    }

    fn count(&self, outcome: &Outcome) {
        self.core.reembedding.send_modify(|progress| match outcome {
            Outcome::Done => progress.done += 1,
            Outcome::Unusable => progress.unusable += 1,
            Outcome::Postponed => progress.postponed += 1,
        });
        let progress = self.reembedding();
        metrics::gauge!("polyface_reembedding_left").set(progress.left() as f64);
        match outcome {
            Outcome::Done => metrics::counter!("polyface_reembedded_total").increment(1),
            Outcome::Unusable => metrics::gauge!("polyface_people_unusable").increment(1.0),
            Outcome::Postponed => {}
        }
        self.announce(Event::Reembedding(progress));
    }
}
