//! Photos that the embedding model in use has not described: all of them after a change of the model, single ones that it
//! could not describe when they came. They are described in the background, while the appliance serves, and each person
//! is found from then on.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Appliance;
use crate::{
    Error, Event, ModelId, PersonId, PhotoFault, PhotoTemplate, PictureId, Reembedding, Result, SeveralFaces, Template,
    TemplateGaps, Thing,
};

/// People read from the store at a time.
const PAGE: u32 = 64;
/// A photo that the busy or failing device could not describe is tried so often,
const TRIES: u32 = 3;
/// after so long; then it is left
const BETWEEN_TRIES: Duration = Duration::from_secs(1);
/// for so long, or for the next start.
const POSTPONED_FOR: Duration = Duration::from_secs(300);

/// What became of one photo.
enum Outcome {
    Done,
    Unusable,
    Postponed,
}

impl Appliance {
    /// How far describing the stored photos anew has got.
    pub fn reembedding(&self) -> Reembedding {
        *self.core.reembedding.borrow()
    }

    /// Describes the photos that wait for it, whenever there are some, until `cancel`.
    pub async fn describe_photos(&self, cancel: CancellationToken) {
        while !cancel.is_cancelled() {
            if let Err(error) = self.reembed(&cancel).await {
                tracing::error!(error = error.chain(), "the stored photos cannot be described");
            }
            tokio::select! {
                () = cancel.cancelled() => {}
                () = self.core.pending_photo.notified() => {}
                () = tokio::time::sleep(POSTPONED_FOR), if self.reembedding().postponed > 0 => {}
            }
        }
    }

    /// Describes every photo that the model in use has not seen yet; returns when none is left or on `cancel`. What
    /// is described is durable at once, so a restart goes on where it was interrupted.
    ///
    /// # Errors
    /// Those of the store, when it cannot tell who is missing.
    pub async fn reembed(&self, cancel: &CancellationToken) -> Result<()> {
        let model = self.gallery().model().clone();
        let TemplateGaps { missing, unusable } = self.gaps(&model).await?;
        if unusable > 0 {
            tracing::warn!(people = unusable, model = %model, "photos in which the model finds no usable face");
        }
        metrics::gauge!("polyface_people_unusable").set(unusable as f64);
        if missing == 0 {
            return Ok(());
        }
        tracing::info!(people = missing, model = %model, "describing stored photos for another model");
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
            "photos described"
        );
        Ok(())
    }

    async fn gaps(&self, model: &ModelId) -> Result<TemplateGaps> {
        let model = model.clone();
        self.blocking(move |a| a.ports().people.template_gaps(&model)).await
    }

    /// Answers the last person of the page; `None` when there is none left or it was cancelled.
    async fn reembed_page(
        &self,
        model: &ModelId,
        after: PersonId,
        cancel: &CancellationToken,
    ) -> Result<Option<PersonId>> {
        let wanted = model.clone();
        let page = self.blocking(move |a| a.ports().people.people_without_template(&wanted, after, PAGE)).await?;
        for (person, photo) in &page {
            // Whoever is under way is finished, so that nothing is stored behind the back of the next start.
            if cancel.is_cancelled() {
                return Ok(None);
            }
            self.count(&self.reembed_person(model, *person, photo).await);
            // A quick device answers without ever waiting; everybody else has a turn between two people.
            tokio::task::yield_now().await;
        }
        Ok(page.last().map(|(person, _)| *person))
    }

    async fn reembed_person(&self, model: &ModelId, person: PersonId, photo: &PictureId) -> Outcome {
        for _ in 0..TRIES {
            match self.describe_anew(model, person, photo).await {
                Ok(outcome) => return outcome,
                Err(Error::NotFound { what: Thing::Person }) => return Outcome::Postponed,
                Err(error) => tracing::warn!(person = person.0, error = error.chain(), "a photo was not described"),
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
        Outcome::Postponed
    }

    async fn describe_anew(&self, model: &ModelId, person: PersonId, photo: &PictureId) -> Result<Outcome> {
        let described = match self.describe_stored(photo).await {
            Ok(described) => Ok(described),
            Err(Error::NotFound { what: Thing::Picture }) => Err(PhotoFault::BadPicture),
            // The photo's own fault, now and at every later try.
            Err(error) => Err(PhotoFault::of(&error).ok_or(error)?),
        };
        let outcome = if described.is_ok() { Outcome::Done } else { Outcome::Unusable };
        let model = model.clone();
        let photo = photo.clone();
        self.blocking(move |a| a.keep_template(&model, person, &photo, described)).await?;
        Ok(outcome)
    }

    /// The person was enrolled with this photo, so its quality is not judged again.
    async fn describe_stored(&self, photo: &PictureId) -> Result<PhotoTemplate> {
        let face = self.photo_face(self.picture(photo.clone()).await?, SeveralFaces::TakeLargest).await?;
        Ok(face.into())
    }

    /// In the people's order, so that nobody removed meanwhile comes back, nor a photo that was replaced meanwhile.
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
