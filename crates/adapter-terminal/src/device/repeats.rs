//! Commands that arrive more than once.
//!
//! A broker redelivers a message that was not acknowledged in time, a platform repeats one that was not answered in
//! time, bridges and overlapping subscriptions deliver twice. In none of these cases is the command to be executed
//! again. But one public gateway sends the same `messageId` with every command (Q-DEDUPE), and its second `Unlock`
//! means a second opening: an id that was used for different contents does not identify a command. And a command after
//! which another one changed something is sent again because it is to have its effect again.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

/// How long a message of the same `messageId` and content is the same command: longer than brokers and platforms wait
/// before they repeat it (10 to 20 seconds).
pub(crate) const SAME: Duration = Duration::from_secs(30);
/// How long a message that the broker redelivers is the same command: after that it may be a new one, of a platform
/// that sends the same content each time, whose first delivery was lost.
pub(crate) const REDELIVERED: Duration = Duration::from_secs(600);
/// Maximum number of commands remembered.
const REMEMBERED: usize = 4096;
/// Maximum number of answers remembered, to be sent again.
const ANSWERS: usize = 64;
/// Maximum number of ids remembered that were used for different contents; a platform has one.
const REUSED: usize = 64;

/// A hash of a command's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Content(u64);

/// Whether a command is new.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Novelty {
    /// A command to be executed.
    New(Content),
    /// A repeated command, with its answer; `None` while there is no answer, or when it may belong to another command.
    Repeat(Option<Value>),
}

/// A message that was received.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received<'a> {
    pub(crate) message_id: Option<&'a Value>,
    pub(crate) payload: &'a [u8],
    /// Whether the broker marked it as redelivered.
    pub(crate) redelivered: bool,
    /// Whether it may be executed any number of times, because that changes nothing.
    pub(crate) repeatable: bool,
}

/// The commands that were executed, across connections.
#[derive(Default)]
pub(crate) struct Repeats {
    hasher: RandomState,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// When each was executed.
    executed: HashMap<Content, Instant>,
    /// In the order of their last arrival.
    order: VecDeque<Content>,
    /// What each id was last used for.
    ids: HashMap<u64, Content>,
    /// The ids that were used for different contents.
    reused: HashSet<u64>,
    answers: VecDeque<(Content, Value)>,
}

impl Repeats {
    /// Whether a message is a new command; it counts as executed from then on.
    pub(crate) fn check(&self, message: Received<'_>, now: Instant) -> Novelty {
        let content = Content(self.hasher.hash_one(message.payload));
        let id = message.message_id.map(|id| self.hasher.hash_one(id.to_string()));
        let mut kept = self.kept();
        let identified = id.is_some_and(|id| kept.identifies(id, content));
        if message.repeatable {
            return Novelty::New(content);
        }
        let newest = kept.order.back() == Some(&content);
        let age = kept.executed.get(&content).map(|at| now.duration_since(*at));
        let same = |age| message.redelivered && age < REDELIVERED || identified && newest && age < SAME;
        if age.is_some_and(same) {
            // Without an id of its own it may be another command that was never executed, so it gets no answer.
            return Novelty::Repeat(identified.then(|| kept.answer(content)).flatten());
        }
        kept.remember(content, now);
        Novelty::New(content)
    }

    /// Remembers the answer to a command.
    pub(crate) fn answered(&self, content: Content, answer: Value) {
        let mut kept = self.kept();
        if kept.answers.len() == ANSWERS {
            kept.answers.pop_front();
        }
        kept.answers.push_back((content, answer));
    }

    /// Forgets a command that failed: sent again, it is a new attempt.
    pub(crate) fn forget(&self, content: Content) {
        self.kept().remove(content);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Whether this id identifies a command: it was never used for different contents.
    fn identifies(&mut self, id: u64, content: Content) -> bool {
        if self.ids.insert(id, content).is_some_and(|before| before != content) {
            if self.reused.len() == REUSED {
                self.reused.clear();
            }
            self.reused.insert(id);
        }
        if self.ids.len() > REMEMBERED {
            self.ids.clear();
            self.ids.insert(id, content);
        }
        !self.reused.contains(&id)
    }

    fn remember(&mut self, content: Content, now: Instant) {
        self.answers.retain(|(other, _)| *other != content);
        self.remove(content);
        self.executed.insert(content, now);
        self.order.push_back(content);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.executed.remove(&oldest);
        }
    }

    fn remove(&mut self, content: Content) {
        if self.executed.remove(&content).is_some() {
            self.order.retain(|other| *other != content);
        }
    }

    fn answer(&self, content: Content) -> Option<Value> {
        self.answers.iter().find(|(other, _)| *other == content).map(|(_, answer)| answer.clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent<'a>(id: Option<&'a Value>, payload: &'a str) -> Received<'a> {
        Received { message_id: id, payload: payload.as_bytes(), redelivered: false, repeatable: false }
    }

    fn is_new(novelty: &Novelty) -> bool {
        matches!(novelty, Novelty::New(_))
    }

    #[test]
    fn the_same_command_within_half_a_minute_is_one() {
        let (repeats, now, id) = (Repeats::default(), Instant::now(), json!("17"));
        let Novelty::New(content) = repeats.check(sent(Some(&id), "open"), now) else { panic!("it is new") };
        assert_eq!(repeats.check(sent(Some(&id), "open"), now), Novelty::Repeat(None), "its answer is still to come");
        repeats.answered(content, json!("done"));
        let later = now + SAME - Duration::from_millis(1);
        assert_eq!(repeats.check(sent(Some(&id), "open"), later), Novelty::Repeat(Some(json!("done"))));
        assert!(is_new(&repeats.check(sent(Some(&id), "open"), now + SAME)));
        assert_eq!(repeats.check(sent(Some(&id), "open"), now + SAME), Novelty::Repeat(None), "of the second one");
    }

    #[test]
    fn another_content_is_another_command_and_its_id_identifies_none_from_then_on() {
        let (repeats, now, id) = (Repeats::default(), Instant::now(), json!(1));
        for _ in 0..2 {
            for command in ["enrol", "remove", "open", "open"] {
                let novelty = repeats.check(sent(Some(&id), command), now);
                assert!(is_new(&novelty), "{command}");
            }
        }
    }

    #[test]
    fn a_command_after_which_another_one_was_executed_is_new() {
        let (repeats, now, ids) = (Repeats::default(), Instant::now(), [json!(1), json!(2), json!(3)]);
        let sent = |number: usize, payload| sent(Some(&ids[number]), payload);
        assert!(is_new(&repeats.check(sent(0, "enrol"), now)));
        let question = Received { repeatable: true, ..sent(2, "who is there") };
        for _ in 0..2 {
            assert!(is_new(&repeats.check(question, now)), "it changes nothing");
        }
        assert_eq!(repeats.check(sent(0, "enrol"), now), Novelty::Repeat(None));
        let Novelty::New(refused) = repeats.check(sent(1, "remove"), now) else { panic!("it is new") };
        repeats.forget(refused);
        assert_eq!(repeats.check(sent(0, "enrol"), now), Novelty::Repeat(None), "the other one was refused");
        assert!(is_new(&repeats.check(sent(1, "remove"), now)));
        let redelivered = Received { redelivered: true, ..sent(0, "enrol") };
        assert_eq!(repeats.check(redelivered, now), Novelty::Repeat(None), "it is delivered again, not sent again");
        assert!(is_new(&repeats.check(sent(0, "enrol"), now)));
        assert!(is_new(&repeats.check(sent(1, "remove"), now)));
    }

    #[test]
    fn commands_without_an_id_are_all_new() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        assert!(is_new(&repeats.check(sent(None, "open"), now)) && is_new(&repeats.check(sent(None, "open"), now)));
    }

    #[test]
    fn a_redelivery_within_ten_minutes_is_not_a_new_command_whatever_its_id() {
        let (repeats, now, id) = (Repeats::default(), Instant::now(), json!(1));
        for (id, payload) in [(None, "open"), (Some(&id), "close"), (Some(&id), "enrol")] {
            let again = Received { redelivered: true, ..sent(id, payload) };
            assert!(is_new(&repeats.check(again, now)), "the first delivery may have been lost");
            let later = now + REDELIVERED - Duration::from_millis(1);
            assert_eq!(repeats.check(again, later), Novelty::Repeat(None), "{payload}");
            assert!(is_new(&repeats.check(again, now + REDELIVERED)), "{payload}");
        }
    }

    #[test]
    fn an_answer_is_sent_again_only_to_a_command_with_an_id_of_its_own() {
        let (repeats, now, own, constant) = (Repeats::default(), Instant::now(), json!("17"), json!(1));
        repeats.check(sent(Some(&constant), "enrol"), now);
        for (id, payload, answer) in
            [(Some(&own), "open", Some(json!("done"))), (Some(&constant), "open 1", None), (None, "open", None)]
        {
            let payload = format!("{payload} {id:?}");
            let Novelty::New(content) = repeats.check(sent(id, &payload), now) else { panic!("it is new") };
            repeats.answered(content, json!("done"));
            let again = Received { redelivered: true, ..sent(id, &payload) };
            assert_eq!(repeats.check(again, now), Novelty::Repeat(answer), "{payload}");
        }
    }

    #[test]
    fn a_command_that_failed_may_be_tried_again() {
        let (repeats, now, id) = (Repeats::default(), Instant::now(), json!("17"));
        let Novelty::New(content) = repeats.check(sent(Some(&id), "enrol"), now) else { panic!("it is new") };
        repeats.forget(content);
        assert!(is_new(&repeats.check(sent(Some(&id), "enrol"), now)));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        for number in 0..REMEMBERED + 100 {
            let id = json!(number);
            let novelty = repeats.check(sent(Some(&id), &number.to_string()), now);
            let Novelty::New(content) = novelty else { panic!("{number} is new") };
            repeats.answered(content, id);
        }
        let kept = repeats.kept();
        assert!(kept.executed.len() <= REMEMBERED && kept.order.len() <= REMEMBERED && kept.ids.len() <= REMEMBERED);
        assert_eq!(kept.answers.len(), ANSWERS);
    }
}
