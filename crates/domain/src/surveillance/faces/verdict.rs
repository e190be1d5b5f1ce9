//! Decides a visit: what the watches answer, to whom it is news, the verdict, the pass, and the record.

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
use crate::surveillance::doorkeeper::{Arrival, Pass};
use crate::surveillance::duty::Order;
use crate::surveillance::handle::Handle;
use crate::surveillance::recorder::Draft;
use crate::task::{SightingFilter, TaskKind, TaskMark};
use crate::time::Timestamp;

/// A watch and the person chosen for it.
struct Question {
    order: Order,
    threshold: Similarity,
    people: u64,
    best: Option<Choice>,
}

/// The answer of a watch.
struct Answer {
    order: Order,
    answer: Match,
    /// The candidate as it is now.
    person: Option<Person>,
    /// Among how many people the candidate was looked for.
    people: u64,
    /// Whether the watch records the visitor.
    is_news: bool,
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

    /// Whom each watch has recorded.
    pub(super) fn recorded(&self) -> &Recorded {
        &self.recorded
    }

    /// As [`recorded`](Self::recorded).
    pub(super) fn recorded_mut(&mut self) -> &mut Recorded {
        &mut self.recorded
    }

    /// Decides a visit now and commits its record, unless every watch recorded the visitor a moment ago. `chosen` is
    /// whom each watch takes it for.
    pub(super) async fn decide(
        &mut self,
        camera: &Camera,
        visit: &mut Visit,
        (orders, chosen): (&[Order], &HashMap<WatchId, Choice>),
        now: Timestamp,
    ) -> Result<()> {
        let living = is_living(visit, self.handle.live_from());
        let stay = Stay { first_seen: visit.first_seen, last_seen: visit.last_seen };
        let (Some(look), Some(probe)) = (visit.best.take(), visit.probe().cloned()) else { return Ok(()) };
        let questions: Vec<_> = orders.iter().filter_map(|order| question(visit, order, chosen)).collect();
        visit.decided(now);
        let at = look.at;
        let answers = self.handle.blocking(move |handle| answers(handle, questions, at)).await?;
        let timed = camera.settings.snap_mode == SnapMode::Timed;
        let Some(news) = self.news(answers, &probe, living, visit, timed) else { return Ok(()) };
        let Some(verdict) = self.verdict(living, news.first(), &look) else { return Ok(()) };
        let (verdict, pass) = self.pass(visit, verdict, news.first()).await;
        self.let_in(camera, verdict, pass, news.first(), stay);
        let draft = draft(camera, look, stay, news.into_iter().map(|news| news.answer).collect(), verdict);
        let kept = self.handle.blocking(move |handle| handle.recorder().keep(draft)).await;
        // A visitor whose record was lost is news again.
        let committed = kept.inspect_err(|_| self.recorded.forget(visit.id))?;
        self.entry.records.count();
        committed.as_ref().and_then(Entry::record).into_iter().for_each(log_record);
        Ok(())
    }

    /// The answers of the watches to which the visitor is news, after that of the camera's own; `None` when it is news
    /// to nobody. In timed mode a visit is recorded again and again by intention.
    fn news(
        &mut self,
        answers: Vec<Answer>,
        probe: &Embedding,
        living: bool,
        visit: &Visit,
        timed: bool,
    ) -> Option<Vec<Answer>> {
        let calibration = self.handle.ports().analyzer.calibration();
        let stay = Stay { first_seen: visit.first_seen, last_seen: visit.last_seen };
        let (mut news, mut told) = (false, Vec::new());
        for mut answer in answers {
            let visitor = match answer.answer.accepted() {
                _ if !living => Visitor::Spoof(probe.clone()),
                Some(candidate) => Visitor::Person(candidate.person),
                None => Visitor::Stranger(probe.clone()),
            };
            let visitors = self.recorded.by(answer.order.watch);
            let fresh = visitors.arrive(visitor, visit.id, stay, answer.order.settings.rearm, calibration);
            answer.is_news &= fresh || timed;
            news |= answer.is_news;
            told.extend(Some(answer).filter(|answer| answer.is_news || answer.order.task.is_none()));
        }
        news.then_some(told)
    }

    /// What a visit is recorded as, `look` being the best look at it; `None`: nothing is to be recorded.
    fn verdict(&self, living: bool, first: Option<&Answer>, look: &Look) -> Option<Verdict> {
        if !living {
            return Some(Verdict::Spoof);
        }
        let verdict = first.map_or(Verdict::Stranger, |Answer { answer, person, .. }| {
            rules::verdict(answer, person.as_ref(), look.at, &self.handle.zone())
        });
        if verdict != Verdict::Stranger {
            return Some(verdict);
        }
        let calibration = self.handle.ports().analyzer.calibration();
        let quality = look.face.detection.quality.overall;
        let nearest = first.and_then(|first| Some((first.answer.best.as_ref()?.similarity, first.people)));
        // Where there is nobody to be compared with, everybody is a stranger.
        let is_clear = nearest.is_none_or(|(nearest, people)| calibration.is_stranger(quality, nearest, people));
        rules::unrecognised(is_clear, first.map(|first| first.order.settings.unclear).unwrap_or_default())
    }

    /// Counts the visit of a known person as a pass, once, and only where passes are counted; who has none left is not
    /// allowed now. A visit that was counted stays a known person's to its end.
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
            // Nobody can say any more how many are left.
            tracing::error!(error = error.chain(), "failed to count a pass");
            Pass::NoneLeft
        });
        if pass == Pass::Counted {
            visit.passed = Some(person);
        }
        (if pass == Pass::NoneLeft { Verdict::NotAllowedNow } else { verdict }, pass)
    }

    /// Opens the doors to a person known to the camera's own watch; before the record is written, for nobody waits for a
    /// disk. What is news to a task only opens nothing.
    fn let_in(&self, camera: &Camera, verdict: Verdict, pass: Pass, first: Option<&Answer>, stay: Stay) {
        let own = first.filter(|first| first.order.task.is_none() && first.is_news && verdict == Verdict::Known);
        let Some(known) = own.and_then(|own| own.answer.accepted()) else { return };
        let (person, similarity) = (known.person, known.similarity);
        self.handle.doorkeeper().let_in(Arrival { person, camera: camera.id, similarity, seen: stay.last_seen, pass });
    }
}

/// What a watch is to be asked of a visit. A task that was started while the visit lasted has not looked at it.
fn question(visit: &Visit, order: &Order, chosen: &HashMap<WatchId, Choice>) -> Option<Question> {
    let opinion = visit.opinion(order.watch);
    if opinion.is_none() && order.task.is_some() {
        return None;
    }
    let threshold = opinion.map_or(order.settings.threshold, |opinion| opinion.threshold);
    let people = opinion.map_or(0, |opinion| opinion.people);
    Some(Question { order: order.clone(), threshold, people, best: chosen.get(&order.watch).copied() })
}

/// The answers of the watches, in the same order. Blocking.
fn answers(handle: &Handle, questions: Vec<Question>, at: Timestamp) -> Result<Vec<Answer>> {
    let anybody = questions.iter().any(|question| question.best.is_some());
    let people = &handle.ports().people;
    let libraries = if anybody { people.libraries(&LibraryFilter::default())? } else { Vec::new() };
    questions.into_iter().map(|question| answer(handle, question, &libraries, at)).collect()
}

fn answer(handle: &Handle, question: Question, libraries: &[Library], at: Timestamp) -> Result<Answer> {
    let Question { order, threshold, people, best } = question;
    let ids: Vec<_> = best.iter().map(|(id, _)| *id).collect();
    let person = if ids.is_empty() { None } else { handle.ports().people.people_by_id(&ids)?.pop() };
    let watched = &order.settings.libraries;
    let candidate = best.zip(person.as_ref());
    let best = candidate.and_then(|((_, similarity), who)| rules::candidate(who, similarity, watched, libraries));
    let task = order.task.as_ref().map(|(mark, _)| mark.clone());
    let answer = Match { watch: order.watch, threshold, best, task };
    let is_news = is_wanted(handle, &order, &answer, at)?;
    Ok(Answer { order, answer, person, people, is_news })
}

/// To a sign-in only those count who are known and have not signed in today.
fn is_wanted(handle: &Handle, order: &Order, answer: &Match, at: Timestamp) -> Result<bool> {
    let Some((mark, TaskKind::SignIn)) = &order.task else { return Ok(true) };
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
    Draft { crop, scene, entry: Box::new(entry) }
}

fn log_record(record: &Record) {
    let similarity = record.own_match().and_then(|m| m.best.as_ref()).map(|best| best.similarity.value());
    tracing::info!(record.seq = record.seq.0, record.verdict = ?record.verdict, record.similarity = similarity, "record");
}
