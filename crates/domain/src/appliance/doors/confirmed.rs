//! Records about which a platform has decided.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::CaptureId;

/// Maximum number of records remembered; a record can be answered for ten seconds only.
const REMEMBERED: usize = 1024;

/// The door opens once to each: an answer that arrives twice is one answer.
#[derive(Default)]
pub(super) struct Confirmed {
    answers: Mutex<VecDeque<(CaptureId, Answer)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Open,
    Refuse,
}

impl Confirmed {
    /// Notes that the door opens to the person of this capture. False when it has opened already.
    pub(super) fn begin(&self, capture: CaptureId) -> bool {
        let mut answers = self.answers();
        if answers.contains(&(capture, Answer::Open)) {
            return false;
        }
        remember(&mut answers, (capture, Answer::Open));
        true
    }

    /// Notes that the door stays closed. False when that, or that it opens, is noted already.
    pub(super) fn refuse(&self, capture: CaptureId) -> bool {
        let mut answers = self.answers();
        if answers.iter().any(|(answered, _)| *answered == capture) {
            return false;
        }
        remember(&mut answers, (capture, Answer::Refuse));
        true
    }

    /// It did not open after all.
    pub(super) fn forget(&self, capture: CaptureId) {
        self.answers().retain(|answer| *answer != (capture, Answer::Open));
    }

    fn answers(&self) -> MutexGuard<'_, VecDeque<(CaptureId, Answer)>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remember(answers: &mut VecDeque<(CaptureId, Answer)>, answer: (CaptureId, Answer)) {
    if answers.len() == REMEMBERED {
        answers.pop_front();
    }
    answers.push_back(answer);
}
