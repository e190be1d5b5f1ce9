//! The record log as the platform saw it.

use std::collections::{HashMap, HashSet};

use super::Report;
use crate::PushReceiver;

/// The captures that the platform acknowledged, in order of arrival.
pub(super) struct Deliveries(Vec<String>);

impl Deliveries {
    pub(super) fn of(receiver: &PushReceiver) -> Self {
        let id = |push: &crate::Push| push.field("snap_id").as_str().expect("an id").to_owned();
        Self(receiver.captures().iter().map(id).collect())
    }

    pub(super) fn distinct(&self) -> usize {
        self.0.iter().collect::<HashSet<_>>().len()
    }

    /// Every record of the log arrived, in order; only the last one before a kill may have come twice.
    pub(super) fn compare(&self, log: &[String], report: &mut Report) {
        let places: HashMap<_, _> = log.iter().zip(0..).collect();
        let mut next = 0;
        for id in &self.0 {
            match places.get(id) {
                None => report.faults.push(format!("capture {id} was pushed and is in no record")),
                Some(place) if *place == next => next += 1,
                Some(place) if *place + 1 == next => report.repeats += 1,
                Some(place) => report.faults.push(format!("record {place} arrived when {next} was due")),
            }
        }
        if next < log.len() {
            report.faults.push(format!("of {} records {next} arrived", log.len()));
        }
        (report.records, report.pushes) = (log.len(), self.0.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(arrived: &[&str]) -> Report {
        let log = ["a", "b", "c"].map(str::to_owned);
        let mut report = Report::default();
        Deliveries(arrived.iter().map(|id| (*id).to_owned()).collect()).compare(&log, &mut report);
        report
    }

    #[test]
    fn each_once_or_the_last_twice_is_fine() {
        assert!(compare(&["a", "b", "c"]).faults.is_empty());
        let report = compare(&["a", "a", "b", "c", "c"]);
        assert_eq!((report.faults.len(), report.repeats), (0, 2));
    }

    #[test]
    fn a_gap_an_older_one_or_a_missing_end_is_a_fault() {
        for arrived in [&["a", "c"][..], &["a", "b", "a", "c"], &["a", "b"], &["b", "c"], &["a", "x", "b", "c"]] {
            assert!(!compare(arrived).faults.is_empty(), "{arrived:?}");
        }
    }
}
