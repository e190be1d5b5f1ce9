//! Visits of people who may come only so many times.

use super::Recogniser;
use crate::surveillance::judgement::Answer;
use crate::surveillance::visit::VisitId;
use crate::{Pass, Verdict};

impl Recogniser {
    /// Counts the visit of a known person as a pass, once, and only where passes are counted; who has none left is not
    /// allowed now. A visit that was counted stays a known person's to its end.
    pub(super) async fn pass(&mut self, id: VisitId, verdict: Verdict, first: Option<&Answer>) -> (Verdict, Pass) {
        let person =
            first.and_then(|first| first.person.as_ref()).filter(|person| person.profile.validity.is_counted());
        let Some(person) = person else { return (verdict, Pass::AtTheDoor) };
        let counted = self.visits.get(id).is_some_and(|visit| visit.passed == Some(person.id));
        match verdict {
            Verdict::NotAllowedNow | Verdict::Known if counted => return (Verdict::Known, Pass::Counted),
            Verdict::Known => {}
            Verdict::NotAllowedNow | Verdict::Stranger | Verdict::Unclear | Verdict::Blocked | Verdict::Spoof => {
                return (verdict, Pass::AtTheDoor);
            }
        }
        let pass = self.appliance.count_pass(person.id).await.unwrap_or_else(|error| {
            // Nobody can say any more how many are left.
            tracing::error!(error = error.chain(), "failed to count a pass");
            Pass::NoneLeft
        });
        if let (Pass::Counted, Some(visit)) = (pass, self.visits.get_mut(id)) {
            visit.passed = Some(person.id);
        }
        (if pass == Pass::NoneLeft { Verdict::NotAllowedNow } else { verdict }, pass)
    }
}
