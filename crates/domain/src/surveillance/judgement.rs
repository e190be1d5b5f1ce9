//! What the watches of a camera make of a face: who it may be, who it is, and what is recorded of it.

use super::duty::Order;
use super::presence::Stay;
use super::visit::{Look, Opinion};
use crate::gallery::{Query, Scope};
use crate::{
    Appliance, Calibration, Camera, Capture, CaptureId, Draft, Embedding, Library, LibraryFilter, Match, NewRecord,
    Person, PersonId, Result, Similarity, TaskKind, Timestamp, Verdict, WatchSettings, rules,
};

/// Candidates asked of the gallery: the best may already be in view elsewhere in the frame.
const CANDIDATES: usize = 5;

/// A watch and the person chosen for it.
pub(super) struct Question {
    pub(super) order: Order,
    pub(super) threshold: Similarity,
    pub(super) best: Option<(PersonId, Similarity)>,
}

/// The answer of a watch.
pub(super) struct Answer {
    pub(super) order: Order,
    pub(super) answer: Match,
    /// The candidate as it is now.
    pub(super) person: Option<Person>,
    /// Whether the watch records the visitor.
    pub(super) is_news: bool,
}

/// For each watch the people whom the probe is most like, and the similarity from which one is accepted. The gallery is
/// searched once for all of them. Blocking.
pub(super) fn opinions(appliance: &Appliance, orders: &[Order], probe: &Embedding) -> Result<Vec<Opinion>> {
    let query = |order: &Order| {
        let scope = Scope::libraries(order.settings.libraries.iter().copied());
        Query { scope, limit: CANDIDATES }
    };
    let found = appliance.gallery().search(probe, &orders.iter().map(query).collect::<Vec<_>>());
    let calibration = appliance.ports().analyzer.calibration();
    let everybody = appliance.gallery().len() as u64;
    let rises = appliance.options().thresholds_rise && everybody > Calibration::SMALL_LIBRARY;
    let libraries = if rises { appliance.ports().people.libraries(&LibraryFilter::default())? } else { Vec::new() };
    let threshold = |settings: &WatchSettings| match rises {
        true => calibration.raised(settings.threshold, watched(settings, &libraries).min(everybody)),
        false => settings.threshold,
    };
    let opinion = |(order, near): (&Order, Vec<crate::gallery::Neighbour>)| Opinion {
        watch: order.watch,
        candidates: near.into_iter().map(|near| (near.person, calibration.similarity(near.cosine))).collect(),
        threshold: threshold(&order.settings),
    };
    Ok(orders.iter().zip(found).map(opinion).collect())
}

/// How many people a watch looks for.
fn watched(settings: &WatchSettings, libraries: &[Library]) -> u64 {
    libraries.iter().filter(|library| settings.libraries.contains(&library.id)).map(|library| library.people).sum()
}

/// The answers of the watches, in the same order. Blocking.
pub(super) fn answers(appliance: &Appliance, questions: Vec<Question>, at: Timestamp) -> Result<Vec<Answer>> {
    let anybody = questions.iter().any(|question| question.best.is_some());
    let people = &appliance.ports().people;
    let libraries = if anybody { people.libraries(&LibraryFilter::default())? } else { Vec::new() };
    questions.into_iter().map(|question| answer(appliance, question, &libraries, at)).collect()
}

fn answer(appliance: &Appliance, question: Question, libraries: &[Library], at: Timestamp) -> Result<Answer> {
    let Question { order, threshold, best } = question;
    let ids: Vec<_> = best.iter().map(|(id, _)| *id).collect();
    let person = if ids.is_empty() { None } else { appliance.ports().people.people_by_id(&ids)?.pop() };
    let watched = &order.settings.libraries;
    let candidate = best.zip(person.as_ref());
    let best = candidate.and_then(|((_, similarity), who)| rules::candidate(who, similarity, watched, libraries));
    let task = order.task.as_ref().map(|(mark, _)| mark.clone());
    let answer = Match { watch: order.watch, threshold, best, task };
    let is_news = is_wanted(appliance, &order, &answer, at)?;
    Ok(Answer { order, answer, person, is_news })
}

/// To a sign-in only those count who are known and have not signed in today.
fn is_wanted(appliance: &Appliance, order: &Order, answer: &Match, at: Timestamp) -> Result<bool> {
    let Some((mark, TaskKind::SignIn)) = &order.task else { return Ok(true) };
    let Some(candidate) = answer.accepted() else { return Ok(false) };
    Ok(!appliance.has_signed_in(mark, candidate.person, at)?)
}

/// A record that is about to be kept, with its crop and scene.
pub(super) fn draft(camera: &Camera, look: Look, stay: Stay, matches: Vec<Match>, verdict: Verdict) -> Draft {
    let (id, camera, settings) = (CaptureId::random(), camera.id, camera.settings.clone());
    let Look { at, face, crop, scene, .. } = look;
    let record = move |crop, scene| NewRecord {
        capture: Capture {
            id,
            camera,
            camera_name: settings.name.clone(),
            camera_position: settings.position.clone(),
            at,
            first_seen: stay.first_seen,
            face_box: face.detection.face_box,
            landmarks: face.detection.landmarks,
            quality: face.detection.quality,
            attributes: face.attributes,
            liveness: face.liveness,
            embedding: face.embedding.clone(),
            crop,
            scene,
        },
        matches: matches.clone(),
        verdict,
    };
    Draft { crop, scene, record: Box::new(record) }
}
