//! Captures, their matches, and records.

use std::ops::RangeInclusive;

use crate::geometry::Rect;
use crate::{
    Attributes, CameraId, CaptureId, Category, Embedding, Gender, Landmarks, LibraryId, LibraryKind, PersonCode,
    PersonId, PictureId, Quality, Seq, Similarity, TaskMark, Timestamp, WatchId,
};

/// The best shot of one visit of one face in one camera.
#[derive(Debug, Clone, PartialEq)]
pub struct Capture {
    /// Globally unique.
    pub id: CaptureId,
    /// The camera's channel.
    pub camera: CameraId,
    /// The camera's name at that time.
    pub camera_name: String,
    /// The camera's position text at that time.
    pub camera_position: String,
    /// Time of the shot.
    pub at: Timestamp,
    /// When the face came into view.
    pub first_seen: Timestamp,
    /// Bounding box of the face, pixels of the scene picture.
    pub face_box: Rect,
    /// Landmarks of the face, pixels of the scene picture.
    pub landmarks: Landmarks,
    /// Quality of the shot.
    pub quality: Quality,
    /// Estimated attributes.
    pub attributes: Attributes,
    /// Liveness score, 0..=1, higher is more likely living; `None` when liveness is off.
    pub liveness: Option<f32>,
    /// Embedding of the face.
    pub embedding: Embedding,
    /// JPEG of the face with some margin; [`PictureId::not_kept`] while captures are recorded without pictures.
    pub crop: PictureId,
    /// JPEG of the whole scene, or as `crop`.
    pub scene: PictureId,
}

/// Result of comparing one capture for one watch.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// The watch.
    pub watch: WatchId,
    /// Its threshold at that time.
    pub threshold: Similarity,
    /// The most similar person of its libraries; `None` when they are empty.
    pub best: Option<Candidate>,
    /// The task of the watch; `None` for the camera's own.
    pub task: Option<TaskMark>,
}

impl Match {
    /// The candidate, if its similarity reaches the threshold.
    pub fn accepted(&self) -> Option<&Candidate> {
        self.best.as_ref().filter(|candidate| candidate.similarity >= self.threshold)
    }
}

/// A person that a capture was compared with, as stored at that time.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The person.
    pub person: PersonId,
    /// The platform's id.
    pub code: PersonCode,
    /// The library of the watch that the person is in (the lowest id of several).
    pub library: LibraryId,
    /// Its name.
    pub library_name: String,
    /// Its kind.
    pub library_kind: LibraryKind,
    /// Similarity to the capture.
    pub similarity: Similarity,
    /// Display name.
    pub name: String,
    /// Stated sex.
    pub gender: Option<Gender>,
    /// Stated age in years.
    pub age: Option<u8>,
    /// How the person is to be treated.
    pub category: Category,
    /// Document number.
    pub document_number: String,
    /// Address.
    pub address: String,
    /// The enrolment photo; removed from the store with the person.
    pub photo: PictureId,
    /// When enrolled.
    pub enrolled_at: Timestamp,
}

/// Result of the rules for a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// An expected person.
    Known,
    /// Not enrolled.
    Stranger,
    /// Not recognised, but the shot is too poor to rule out an enrolled person.
    Unclear,
    /// A person who must not be here.
    Blocked,
    /// A person who may be here at other times.
    NotAllowedNow,
    /// Not a living face.
    Spoof,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Known => "known",
            Self::Stranger => "stranger",
            Self::Unclear => "unclear",
            Self::Blocked => "blocked",
            Self::NotAllowedNow => "not allowed now",
            Self::Spoof => "spoof",
        })
    }
}

/// A record about to be appended.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRecord {
    /// The capture.
    pub capture: Capture,
    /// One per watch that records the visitor: the camera's own first, also when it does not, then those of tasks in
    /// order of id.
    pub matches: Vec<Match>,
    /// The verdict.
    pub verdict: Verdict,
}

impl NewRecord {
    /// The person recognised by the first watch: the camera's own, unless only tasks watch. `None` for a spoof.
    pub fn accepted(&self) -> Option<&Candidate> {
        own(&self.matches, self.verdict).and_then(Match::accepted)
    }

    /// As [`Record::best`].
    pub fn best(&self) -> Option<&Candidate> {
        own(&self.matches, self.verdict).and_then(|own| own.best.as_ref())
    }
}

/// A capture with its matches, its verdict and its place in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its place in the log.
    pub seq: Seq,
    /// The capture.
    pub capture: Capture,
    /// One per watch that records the visitor: the camera's own first, also when it does not, then those of tasks in
    /// order of id.
    pub matches: Vec<Match>,
    /// The verdict.
    pub verdict: Verdict,
}

impl Record {
    /// The match of the first watch: the camera's own, unless only tasks watch.
    pub fn own_match(&self) -> Option<&Match> {
        self.matches.first()
    }

    /// The person recognised by the first watch: the camera's own, unless only tasks watch. `None` for a spoof.
    pub fn accepted(&self) -> Option<&Candidate> {
        own(&self.matches, self.verdict).and_then(Match::accepted)
    }

    /// The person to report to a platform: the most similar one, recognised or not. `None` for a spoof, because the
    /// person shown by a picture was not present; [`own_match`](Self::own_match) has that person for operators.
    pub fn best(&self) -> Option<&Candidate> {
        own(&self.matches, self.verdict).and_then(|own| own.best.as_ref())
    }
}

/// The match of the first watch, except for a spoof.
fn own(matches: &[Match], verdict: Verdict) -> Option<&Match> {
    matches.first().filter(|_| verdict != Verdict::Spoof)
}

/// Which records to list; conditions are combined with AND, the newest capture comes first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordFilter {
    /// Of this camera.
    pub camera: Option<CameraId>,
    /// Captured in this time.
    pub captured: Option<RangeInclusive<Timestamp>>,
    /// Only records whose best candidate for the first watch reached the threshold. Here and below a spoof has no
    /// candidate.
    pub accepted_only: bool,
    /// The best candidate's library is one of these.
    pub libraries: Option<Vec<LibraryId>>,
    /// The best candidate's library had this whole name, as [`names::same`](crate::names::same) compares.
    pub library_name: Option<String>,
    /// The best candidate's library had this kind.
    pub library_kind: Option<LibraryKind>,
    /// The best candidate is this person.
    pub person: Option<PersonId>,
    /// With this verdict.
    pub verdict: Option<Verdict>,
    /// Of any of these cameras; of every camera when there is none.
    pub cameras: Vec<CameraId>,
    /// Only where there is a best candidate.
    pub compared_only: bool,
    /// Only where no best candidate reached the threshold.
    pub unaccepted_only: bool,
    /// With this, letter for letter, in the best candidate's name.
    pub name_part: Option<String>,
    /// With this, letter for letter, in the best candidate's document number.
    pub document_number_part: Option<String>,
    /// The best candidate is as similar as this.
    pub similarity: Option<RangeInclusive<Similarity>>,
    /// With this estimated sex.
    pub gender: Option<Gender>,
    /// Without an estimated sex.
    pub gender_unknown: bool,
    /// With an estimated age in this range, years.
    pub age: Option<RangeInclusive<f32>>,
}
