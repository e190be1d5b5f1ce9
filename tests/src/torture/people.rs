//! Who must be enrolled and who must not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Report;
use super::disk::Truth;
use crate::{SenseTime, cast};

/// What the daemon acknowledged, and what it was asked for when it was killed.
#[derive(Clone, Default)]
pub(super) struct Register(Arc<Mutex<Entries>>);

#[derive(Default)]
pub(super) struct Entries {
    /// Acknowledged people and the number of the actor in their photo.
    pub(super) enrolled: BTreeMap<String, usize>,
    /// Acknowledged removals.
    pub(super) removed: BTreeSet<String>,
    /// Enrolments on their way.
    pub(super) coming: BTreeMap<String, usize>,
    /// Removals on their way.
    pub(super) going: BTreeSet<String>,
    /// Answers that were neither.
    pub(super) refusals: Vec<String>,
}

impl Register {
    pub(super) fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something more is acknowledged, but not for ever.
    pub(super) async fn wait_for_news(&self, patience: Duration) {
        let acknowledged = || {
            let entries = self.entries();
            entries.enrolled.len() + 2 * entries.removed.len()
        };
        let (before, started) = (acknowledged(), Instant::now());
        while acknowledged() == before && started.elapsed() < patience {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Compares the register with the disk and with what the daemon lists and finds, and takes over what became of
    /// the calls that were cut off.
    pub(super) async fn compare(&self, client: &SenseTime, library: i64, truth: &Truth, report: &mut Report) {
        self.settle(truth, report);
        let expected = self.entries().enrolled.clone();
        let listed = client.codes(library).await;
        if listed != expected.keys().cloned().collect() {
            report.faults.push(format!("listed are {listed:?}, enrolled {:?}", expected.keys()));
        }
        for (number, actor) in cast().iter().enumerate() {
            let enrolled = expected.iter().filter(|(_, shown)| **shown == number).map(|(code, _)| code.clone());
            let enrolled: BTreeSet<_> = enrolled.collect();
            if expected.is_empty() {
                continue;
            }
            let photo = std::fs::read(&actor.enrolled).expect("a photo");
            let found: BTreeSet<_> = client.search(library, &photo).await.into_iter().collect();
            if found != enrolled {
                report.faults.push(format!("a search for actor {number} finds {found:?}, enrolled are {enrolled:?}"));
            }
        }
    }

    /// Every acknowledgement must be on the disk; a call that was cut off may be.
    fn settle(&self, truth: &Truth, report: &mut Report) {
        let mut entries = self.entries();
        report.faults.append(&mut entries.refusals);
        let (coming, going) = (std::mem::take(&mut entries.coming), std::mem::take(&mut entries.going));
        report.cut_off += (coming.len() + going.len()) as u64;
        for (code, actor) in coming.into_iter().filter(|(code, _)| truth.people.contains(code)) {
            report.cut_off_committed += 1;
            entries.enrolled.insert(code, actor);
        }
        for code in going.into_iter().filter(|code| !truth.people.contains(code)) {
            report.cut_off_committed += 1;
            entries.enrolled.remove(&code);
            entries.removed.insert(code);
        }
        let lost = entries.enrolled.keys().filter(|code| !truth.people.contains(*code));
        report.faults.extend(lost.map(|code| format!("the acknowledged enrolment of {code} is lost")));
        let back = truth.people.iter().filter(|code| entries.removed.contains(*code));
        report.faults.extend(back.map(|code| format!("{code} was removed and is back")));
        let strange = truth.people.iter().filter(|code| !entries.enrolled.contains_key(*code));
        report.faults.extend(strange.map(|code| format!("nobody enrolled {code}")));
        report.removed = entries.removed.len() as u64;
        report.enrolled = report.removed + entries.enrolled.len() as u64;
    }
}
