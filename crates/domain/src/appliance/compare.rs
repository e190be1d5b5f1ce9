//! Faces in photos: detect, compare, search. Nothing is stored.

use std::collections::HashMap;

use bytes::Bytes;

use super::Appliance;
use crate::face::CROP_SCALE;
use crate::gallery::{Query, Scope};
use crate::ports::{Lane, Search};
use crate::{Attributes, Detection, Error, Face, LibraryId, Person, Result, SeveralFaces, Similarity};

/// A face in a photo.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoFace {
    /// Position and quality.
    pub detection: Detection,
    /// Estimated attributes.
    pub attributes: Attributes,
    /// JPEG of the face with some margin.
    pub crop: Bytes,
}

/// A person similar to the probe.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The person.
    pub person: Person,
    /// Similarity to the probe.
    pub similarity: Similarity,
}

/// Result of a search by photo.
#[derive(Debug, Clone, PartialEq)]
pub struct HitList {
    /// The face that was searched for.
    pub probe: Detection,
    /// The most similar people, most similar first.
    pub hits: Vec<Hit>,
}

impl Appliance {
    /// Every face of a photo, the largest first. `BadPicture`, `NoFace`.
    pub async fn faces(&self, photo: Bytes) -> Result<Vec<PhotoFace>> {
        let analyzer = &self.ports().analyzer;
        let frame = analyzer.decode(photo, self.now()).await?;
        let detections = analyzer.detect(frame.clone(), Search::ANYWHERE, Lane::Photo).await?;
        if detections.is_empty() {
            return Err(Error::NoFace);
        }
        let mut faces = Vec::with_capacity(detections.len());
        for Face { detection, attributes, .. } in analyzer.describe(frame.clone(), detections, Lane::Photo).await? {
            let crop = analyzer.encode(frame.clone(), Some(detection.face_box.scaled(CROP_SCALE))).await?;
            faces.push(PhotoFace { detection, attributes, crop });
        }
        Ok(faces)
    }

    /// Similarity of the largest faces of two photos. `BadPicture`, `NoFace`, `LowQuality`.
    pub async fn compare(&self, first: Bytes, second: Bytes) -> Result<Similarity> {
        self.compare_faces(first, second, SeveralFaces::TakeLargest).await
    }

    /// Similarity of the faces of two photos that show one face each. `BadPicture`, `NoFace`, `ManyFaces`,
    /// `LowQuality`.
    pub async fn compare_portraits(&self, first: Bytes, second: Bytes) -> Result<Similarity> {
        self.compare_faces(first, second, SeveralFaces::Refuse).await
    }

    async fn compare_faces(&self, first: Bytes, second: Bytes, several: SeveralFaces) -> Result<Similarity> {
        let first = self.enrolment_face(first, several).await?;
        let second = self.enrolment_face(second, several).await?;
        // Embeddings of the same model always compare.
        let cosine = first.embedding.cosine(&second.embedding).unwrap_or(0.0);
        Ok(self.ports().analyzer.calibration().similarity(cosine))
    }

    /// The people of `libraries` most similar to the largest face of a photo: at most `limit`, none below
    /// `threshold`. `BadPicture`, `NoFace`, `LowQuality`.
    pub async fn search(
        &self,
        photo: Bytes,
        libraries: Vec<LibraryId>,
        limit: usize,
        threshold: Similarity,
    ) -> Result<HitList> {
        let face = self.enrolment_face(photo, SeveralFaces::TakeLargest).await?;
        let probe = face.detection;
        let hits = self
            .blocking(move |a| {
                let query = Query { scope: Scope::libraries(libraries), limit };
                let found = a.gallery().search(&face.embedding, &[query]).pop().unwrap_or_default();
                let similarity = |cosine| a.ports().analyzer.calibration().similarity(cosine);
                let ranked = found.iter().map(|n| (n.person, similarity(n.cosine)));
                let near: Vec<_> = ranked.filter(|(_, s)| *s >= threshold).collect();
                a.hits(&near)
            })
            .await?;
        Ok(HitList { probe, hits })
    }

    fn hits(&self, near: &[(crate::PersonId, Similarity)]) -> Result<Vec<Hit>> {
        let ids: Vec<_> = near.iter().map(|(person, _)| *person).collect();
        let people = self.ports().people.people_by_id(&ids)?;
        let mut by_id: HashMap<_, _> = people.into_iter().map(|person| (person.id, person)).collect();
        // A person removed since the search is left out.
        let hit = |&(id, similarity)| by_id.remove(&id).map(|person| Hit { person, similarity });
        Ok(near.iter().filter_map(hit).collect())
    }
}
