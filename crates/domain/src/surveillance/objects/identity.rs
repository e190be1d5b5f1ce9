//! Who fires a rule: the faces of its targets, compared with the libraries of the camera's own watch.

use std::slice;

use crate::behaviour::Comparison;
use crate::camera::Camera;
use crate::error::Result;
use crate::face::{Attributes, Detection, Embedding, Face};
use crate::frame::Frame;
use crate::geometry::Rect;
use crate::ids::PersonId;
use crate::library::LibraryFilter;
use crate::ports::{Detail, Lane, Search};
use crate::rules;
use crate::similarity::Similarity;
use crate::surveillance::config::CameraWatch;
use crate::surveillance::faces::{MIN_QUALITY, opinions};
use crate::surveillance::handle::Handle;

/// Maximum number of faces that are compared for one behaviour.
const MOST: usize = 8;

/// A face of a target.
struct Shown {
    target: usize,
    attributes: Attributes,
    probe: Embedding,
}

/// The candidate for a face.
struct Choice {
    target: usize,
    person: PersonId,
    similarity: Similarity,
    threshold: Similarity,
}

/// Compares the faces of the targets in this frame: those that are visible, good enough and living. No person is found
/// in two of them.
///
/// # Errors
/// When the analyzer is busy or fails, or people cannot be read.
pub(super) async fn compare(
    handle: &Handle,
    camera: &Camera,
    frame: &Frame,
    targets: &[Rect],
) -> Result<Vec<Comparison>> {
    if camera.watch.settings.libraries.is_empty() || targets.is_empty() {
        return Ok(Vec::new());
    }
    let shown = faces(handle, camera, frame, targets).await?;
    let watch = CameraWatch { id: camera.watch.id, settings: camera.watch.settings.clone(), task: None };
    handle.blocking(move |handle| candidates(handle, &watch, &shown)).await
}

async fn faces(handle: &Handle, camera: &Camera, frame: &Frame, targets: &[Rect]) -> Result<Vec<Shown>> {
    let analyzer = &handle.ports().analyzer;
    let (min_face_px, max_face_px) = (camera.settings.min_face_px, camera.settings.max_face_px);
    let search = Search { region: None, min_face_px, max_face_px, detail: Detail::Full, tiles: None };
    let mut detections = analyzer.detect(frame.clone(), search, Lane::Live).await?;
    detections.retain(|face| face.quality.overall >= MIN_QUALITY);
    let owned: Vec<_> = owners(&detections, targets).into_iter().take(MOST).collect();
    if owned.is_empty() {
        return Ok(Vec::new());
    }
    let detections: Vec<_> = owned.iter().map(|(_, face)| detections[*face].clone()).collect();
    let described = analyzer.describe(frame.clone(), detections, Lane::Live).await?;
    let live_from = handle.live_from();
    let is_living = |(_, face): &(usize, Face)| rules::is_living(live_from, face.liveness);
    let faces = owned.into_iter().map(|(target, _)| target).zip(described).filter(is_living);
    let shown = |(target, face): (usize, Face)| Shown { target, attributes: face.attributes, probe: face.embedding };
    Ok(faces.map(shown).collect())
}

/// The face of each target that shows one, in the order of the targets: the nearest to the middle of its upper edge, of
/// those that are inside it and nearer to no other target.
fn owners(faces: &[Detection], targets: &[Rect]) -> Vec<(usize, usize)> {
    let distance = |face: usize, target: usize| {
        let (face, target) = (faces[face].face_box.center(), &targets[target]);
        let inside = target.contains(face);
        inside.then(|| (face.x - target.center().x).hypot(face.y - target.top))
    };
    let mut pairs: Vec<_> = (0..targets.len())
        .flat_map(|target| (0..faces.len()).map(move |face| (target, face)))
        .filter_map(|(target, face)| Some((distance(face, target)?, target, face)))
        .collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut owners: Vec<(usize, usize)> = Vec::new();
    for (_, target, face) in pairs {
        if owners.iter().all(|owner| owner.0 != target && owner.1 != face) {
            owners.push((target, face));
        }
    }
    owners.sort_unstable();
    owners
}

/// Blocking.
fn candidates(handle: &Handle, watch: &CameraWatch, shown: &[Shown]) -> Result<Vec<Comparison>> {
    let mut choices = Vec::new();
    for Shown { target, probe, .. } in shown {
        for opinion in opinions(handle, slice::from_ref(watch), slice::from_ref(probe), handle.matching()) {
            let (target, threshold) = (*target, opinion.threshold);
            choices.extend(opinion.candidates.into_iter().map(|(person, similarity)| Choice {
                target,
                person,
                similarity,
                threshold,
            }));
        }
    }
    let chosen = assigned(choices);
    let ids: Vec<_> = chosen.iter().map(|choice| choice.person).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let people = handle.ports().people.people_by_id(&ids)?;
    let libraries = handle.ports().people.libraries(&LibraryFilter::default())?;
    let comparison = |Choice { target, person, similarity, threshold }| {
        let person = people.iter().find(|known| known.id == person)?;
        let best = rules::candidate(person, similarity, &watch.settings.libraries, &libraries)?;
        let attributes = shown.iter().find(|face| face.target == target)?.attributes;
        Some(Comparison { target, attributes, threshold, best })
    };
    Ok(chosen.into_iter().filter_map(comparison).collect())
}

/// One candidate for each target and one target for each person, the most similar pair first; in the order of the targets.
fn assigned(mut choices: Vec<Choice>) -> Vec<Choice> {
    choices.sort_by(|a, b| b.similarity.value().total_cmp(&a.similarity.value()));
    let mut chosen: Vec<Choice> = Vec::new();
    for choice in choices {
        if chosen.iter().all(|other| other.target != choice.target && other.person != choice.person) {
            chosen.push(choice);
        }
    }
    chosen.sort_unstable_by_key(|choice| choice.target);
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::Quality;

    fn face(left: f32, top: f32) -> Detection {
        let face_box = Rect::new(left, top, left + 20.0, top + 20.0);
        Detection { face_box, landmarks: Default::default(), score: 0.9, quality: Quality::default() }
    }

    #[test]
    fn a_face_belongs_to_the_target_below_it() {
        let targets = [Rect::new(100.0, 100.0, 200.0, 400.0), Rect::new(150.0, 120.0, 260.0, 420.0)];
        let faces = [face(195.0, 125.0), face(140.0, 105.0), face(500.0, 100.0)];
        assert_eq!(owners(&faces, &targets), [(0, 1), (1, 0)]);
        assert_eq!(owners(&faces[2..], &targets), []);
        assert_eq!(owners(&faces[..1], &targets), [(1, 0)], "inside both");
    }

    #[test]
    fn nobody_is_found_in_two_faces() {
        let choice = |target, person, similarity| Choice {
            target,
            person: PersonId(person),
            similarity: Similarity::new(similarity),
            threshold: Similarity::new(0.8),
        };
        let chosen = assigned(vec![choice(0, 7, 0.9), choice(0, 8, 0.6), choice(1, 7, 0.95), choice(1, 8, 0.3)]);
        let chosen: Vec<_> = chosen.iter().map(|choice| (choice.target, choice.person.0)).collect();
        assert_eq!(chosen, [(0, 8), (1, 7)]);
    }
}
