//! Decides a visit: the match of each watch, which watches record it, the verdict, the pass, and the record.

use std::collections::HashMap;
use std::sync::Arc;

use super::judgement::{Choice, is_living};
use super::presence::{Recorded, Stay, Visitor};
use super::visit::{Look, Visit};
use crate::camera::{Camera, SnapMode};
use crate::error::Result;
use crate::face::Embedding;
use crate::ids::{CaptureId, PersonId, WatchId};
use crate::library::{Library, LibraryFilter};
use crate::log::{Entry, NewEntry};
use crate::page::Window;
use crate::person::Person;
use crate::record::{Capture, Match, NewRecord, Record, Verdict};
use crate::rules;
use crate::similarity::Similarity;
use crate::surveillance::board;
use crate::surveillance::config::CameraWatch;
use crate::surveillance::doorkeeper::{Arrival, Pass, Turned};
use crate::surveillance::handle::Handle;
use crate::surveillance::recorder::Draft;
use crate::task::{SightingFilter, TaskKind, TaskMark};
use crate::time::Timestamp;

/// A watch and the candidate assigned to the visit for it.
struct Question {
    watch: CameraWatch,
    threshold: Similarity,
    people: u64,
    best: Option<Choice>,
}

/// The match of a watch.
struct Answer {
    watch: CameraWatch,
    answer: Match,
    /// The candidate as it is now.
    person: Option<Person>,
    /// Among how many people the candidate was looked for.
    people: u64,
    /// Whether the watch records the visitor.
    is_new: bool,
}

/// Decides the visits of one camera.
pub(super) struct Decider {
    handle: Handle,
    entry: Arc<board::Entry>,
    recorded: Recorded,
}

impl Decider {
    pub(super) fn new(handle: Handle, entry: Arc<board::Entry>) -> Self {
        Self { handle, entry, recorded: Recorded::default() }
    }

    /// The visitors that each watch has recorded.
    pub(super) fn recorded(&self) -> &Recorded {
        &self.recorded
    }

    /// As [`recorded`](Self::recorded).
    pub(super) fn recorded_mut(&mut self) -> &mut Recorded {
        &mut self.recorded
    }

    /// Decides a visit now and commits its record, unless every watch has recorded the visitor within its re-arm time.
    /// `chosen` is the candidate assigned to the visit for each watch. Returns whether nothing is left to be written:
    /// `false` when the record waits for the store.
    ///
    /// # Errors
    /// When the candidates cannot be read or the record cannot be written.
    pub(super) async fn decide(
        &mut self,
        camera: &Camera,
        visit: &mut Visit,
        (watches, chosen): (&[CameraWatch], &HashMap<WatchId, Choice>),
        now: Timestamp,
    ) -> Result<bool> {
        let live_from = self.handle.live_from();
        let living = is_living(visit, live_from);
        let stay = Stay { first_seen: visit.first_seen, last_seen: visit.last_seen };
        let (Some(look), Some(probe)) = (visit.best.take(), visit.probe().cloned()) else { return Ok(true) };
        let clarity = visit.clarity;
        let questions: Vec<_> = watches.iter().filter_map(|watch| question(visit, watch, chosen)).collect();
        visit.decided(now);
        let at = look.at;
        let answers = self.handle.blocking(move |handle| answers(handle, questions, at)).await?;
        let timed = camera.settings.snap_mode == SnapMode::Timed;
        let Some(new) = self.new_answers(answers, &probe, living, visit, timed) else { return Ok(true) };
        let Some(verdict) = self.verdict(camera, living, new.first(), (look.at, clarity)) else { return Ok(true) };
        let (verdict, pass) = self.pass(visit, verdict, new.first()).await;
        let known = new.first().filter(|_| verdict == Verdict::Known);
        self.report_to_doors(camera, visit, pass, known, live_from.is_some());
        let draft = draft(camera, look, stay, new.into_iter().map(|new| new.answer).collect(), verdict);
        let kept = self.handle.blocking(move |handle| handle.recorder().keep(draft)).await;
        // A visitor whose record was lost has to be recorded again.
        let committed = kept.inspect_err(|_| self.recorded.forget(visit.id))?;
        self.entry.records.count();
        committed.as_ref().and_then(Entry::record).into_iter().for_each(log_record);
        Ok(committed.is_some())
    }

    /// Returns the answer of the camera's own watch, followed by those of the tasks that record the visitor now; `None`
    /// when no watch does. In timed mode a visit is recorded repeatedly on purpose.
    fn new_answers(
        &mut self,
        answers: Vec<Answer>,
        probe: &Embedding,
        living: bool,
        visit: &Visit,
        timed: bool,
    ) -> Option<Vec<Answer>> {
        let calibration = self.handle.ports().analyzer.calibration();
        let stay = Stay { first_seen: visit.first_seen, last_seen: visit.last_seen };
        let (mut any_new, mut kept) = (false, Vec::new());
        for mut answer in answers {
            let visitor = match answer.answer.accepted() {
                _ if !living => Visitor::Spoof(probe.clone()),
                Some(candidate) => Visitor::Person(candidate.person),
                None => Visitor::Stranger(probe.clone()),
            };
            let visitors = self.recorded.by(answer.watch.id);
            let fresh = visitors.arrive(visitor, visit.id, stay, answer.watch.settings.rearm, calibration);
            answer.is_new &= fresh || timed;
            any_new |= answer.is_new;
            kept.extend(Some(answer).filter(|answer| answer.is_new || answer.watch.task.is_none()));
        }
        any_new.then_some(kept)
    }

    /// The verdict on a visit at the time of its best look, given the clarity of the clearest one; `None` when the visit
    /// is not to be recorded.
    fn verdict(
        &self,
        camera: &Camera,
        living: bool,
        first: Option<&Answer>,
        (at, clarity): (Timestamp, Option<f32>),
    ) -> Option<Verdict> {
        if !living {
            return Some(Verdict::Spoof);
        }
        let verdict = first.map_or(Verdict::Stranger, |Answer { answer, person, .. }| {
            rules::verdict(answer, person.as_ref(), &camera.permission_groups, at, &self.handle.zone())
        });
        if verdict != Verdict::Stranger {
            return Some(verdict);
        }
        let calibration = self.handle.ports().analyzer.calibration();
        let nearest = first.and_then(|first| Some((first.answer.best.as_ref()?.similarity, first.people)));
        // Without people to compare with, everyone is a stranger.
        let is_clear = nearest.is_none_or(|(nearest, people)| calibration.is_stranger(clarity, nearest, people));
        rules::unrecognised(is_clear, first.map(|first| first.watch.settings.unclear).unwrap_or_default())
    }

    /// Counts the visit of a known person as a pass, once, if the person's passes are counted; a person without passes
    /// left is not allowed now. After it was counted, the rest of the visit stays that of a known person.
    async fn pass(&self, visit: &mut Visit, verdict: Verdict, first: Option<&Answer>) -> (Verdict, Pass) {
        let person =
            first.and_then(|first| first.person.as_ref()).filter(|person| person.profile.validity.is_counted());
        let Some(person) = person.map(|person| person.id) else { return (verdict, Pass::AtTheDoor) };
        let counted = visit.passed == Some(person);
        match verdict {
            Verdict::NotAllowedNow | Verdict::Known if counted => return (Verdict::Known, Pass::Counted),
            Verdict::Known => {}
            Verdict::NotAllowedNow | Verdict::Stranger | Verdict::Unclear | Verdict::Blocked | Verdict::Spoof => {
                return (verdict, Pass::AtTheDoor);
            }
        }
        let pass = self.handle.blocking(move |handle| handle.doorkeeper().count_pass(person)).await;
        let pass = pass.unwrap_or_else(|error| {
            // The number of passes left is unknown now.
            tracing::error!(error = error.chain(), "failed to count a pass");
            Pass::NoneLeft
        });
        if pass == Pass::Counted {
            visit.passed = Some(person);
        }
        (if pass == Pass::NoneLeft { Verdict::NotAllowedNow } else { verdict }, pass)
    }

    /// Reports a person known to the camera's own watch to the doors, before the record is written so that the door
    /// does not wait for the disk. A visit that only a task records opens nothing.
    fn report_to_doors(
        &self,
        camera: &Camera,
        visit: &mut Visit,
        pass: Pass,
        known: Option<&Answer>,
        checked_alive: bool,
    ) {
        let own = known.filter(|known| known.watch.task.is_none() && known.is_new);
        let Some(known) = own.and_then(|own| own.answer.accepted()) else { return };
        let (person, similarity) = (known.person, known.similarity);
        let (camera, seen, turned) = (camera.id, visit.last_seen, visit.turn.so_far());
        let arrival = Arrival { person, camera, similarity, checked_alive, seen, pass, turned };
        if turned == Turned::NotYet && self.handle.doorkeeper().wants_turned_heads() {
            visit.turn.wait_with(arrival.clone());
        }
        self.handle.doorkeeper().report(arrival);
    }
}

/// The question to a watch about a visit; `None` for a task that was started during the visit.
fn question(visit: &Visit, watch: &CameraWatch, chosen: &HashMap<WatchId, Choice>) -> Option<Question> {
    let opinion = visit.opinion(watch.id);
    if opinion.is_none() && watch.task.is_some() {
        return None;
    }
    let threshold = opinion.map_or(watch.settings.threshold, |opinion| opinion.threshold);
    let people = opinion.map_or(0, |opinion| opinion.people);
    Some(Question { watch: watch.clone(), threshold, people, best: chosen.get(&watch.id).copied() })
}

/// The answer to each question, in the same order. Blocking.
fn answers(handle: &Handle, questions: Vec<Question>, at: Timestamp) -> Result<Vec<Answer>> {
    let any_candidate = questions.iter().any(|question| question.best.is_some());
    let people = &handle.ports().people;
    let libraries = if any_candidate { people.libraries(&LibraryFilter::default())? } else { Vec::new() };
    questions.into_iter().map(|question| answer(handle, question, &libraries, at)).collect()
}

fn answer(handle: &Handle, question: Question, libraries: &[Library], at: Timestamp) -> Result<Answer> {
    let Question { watch, threshold, people, best } = question;
    let ids: Vec<_> = best.iter().map(|(id, _)| *id).collect();
    let person = if ids.is_empty() { None } else { handle.ports().people.people_by_id(&ids)?.pop() };
    let watched = &watch.settings.libraries;
    let candidate = best.zip(person.as_ref());
    let best = candidate.and_then(|((_, similarity), person)| rules::candidate(person, similarity, watched, libraries));
    let task = watch.task.as_ref().map(|(mark, _)| mark.clone());
    let answer = Match { watch: watch.id, threshold, best, task };
    let is_new = is_wanted(handle, &watch, &answer, at)?;
    Ok(Answer { watch, answer, person, people, is_new })
}

/// Whether the watch wants this answer: a sign-in task wants only known people who have not signed in today.
fn is_wanted(handle: &Handle, watch: &CameraWatch, answer: &Match, at: Timestamp) -> Result<bool> {
    let Some((mark, TaskKind::SignIn)) = &watch.task else { return Ok(true) };
    let Some(candidate) = answer.accepted() else { return Ok(false) };
    Ok(!has_signed_in(handle, mark, candidate.person, at)?)
}

/// Whether a person has signed in with a task today, in this direction.
fn has_signed_in(handle: &Handle, mark: &TaskMark, person: PersonId, at: Timestamp) -> Result<bool> {
    let zone = handle.zone();
    let filter = SightingFilter {
        task: Some(mark.task),
        person: Some(person),
        direction: Some(mark.direction),
        captured: Some(Timestamp::day_in(at.in_zone(&zone).date(), &zone)),
        ..SightingFilter::default()
    };
    let one = Window { skip: 0, limit: 1 };
    Ok(handle.ports().tasks.sightings(&filter, one)?.total > 0)
}

/// A record that is about to be kept, with its crop and scene.
fn draft(camera: &Camera, look: Look, stay: Stay, matches: Vec<Match>, verdict: Verdict) -> Draft {
    let (id, camera, settings) = (CaptureId::random(), camera.id, camera.settings.clone());
    let Look { at, face, crop, scene, .. } = look;
    let entry = move |crop, scene| {
        let capture = Capture {
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
        };
        NewEntry::from(NewRecord { capture, matches: matches.clone(), verdict })
    };
    Draft::new(crop, scene.jpeg(), entry)
}

fn log_record(record: &Record) {
    let similarity = record.own_match().and_then(|m| m.best.as_ref()).map(|best| best.similarity.value());
    tracing::info!(record.seq = record.seq.0, record.verdict = ?record.verdict, record.similarity = similarity, "record");
}
