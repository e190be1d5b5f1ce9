//! What a decided visit is recorded as.

use super::Recogniser;
use crate::surveillance::judgement::Answer;
use crate::surveillance::visit::Look;
use crate::{Verdict, rules};

impl Recogniser {
    /// `None`: nothing is to be recorded.
    pub(super) fn verdict(&self, living: bool, first: Option<&Answer>, look: &Look) -> Option<Verdict> {
        if !living {
            return Some(Verdict::Spoof);
        }
        let verdict = first.map_or(Verdict::Stranger, |Answer { answer, person, .. }| {
            rules::verdict(answer, person.as_ref(), look.at, &self.appliance.time_zone())
        });
        if verdict != Verdict::Stranger {
            return Some(verdict);
        }
        // Where there is nobody to be compared with, everybody is a stranger.
        let is_compared = first.is_some_and(|first| first.answer.best.is_some());
        let quality = look.face.detection.quality.overall;
        let is_clear = !is_compared || self.appliance.ports().analyzer.calibration().is_clear(quality);
        rules::unrecognised(is_clear, first.map(|first| first.order.settings.unclear).unwrap_or_default())
    }
}
