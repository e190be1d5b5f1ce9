//! Where every so many rows of a filter's list lie, kept in memory: the total and a deep page cost the same on a log
//! of any length.
//!
//! A ladder serves every range of time of its filter: where the range begins and ends is found between two rungs.
//!
//! The log only grows, so what is known of a list stays true, and a question adds the records that came since the
//! last one. Positions are counted from the oldest record: appending moves none of them, unless a capture comes late;
//! then the ladder is built anew from there. Whoever removes records must start with new [`Ladders`].

use std::ops::{Range, RangeInclusive};
use std::sync::{Arc, Mutex, PoisonError};

use domain::{RecordFilter, Seq, Timestamp, Window};
use rusqlite::Connection;

use super::filter::select;
use super::newest;
use crate::lists::{Order, Place, Selection, ascending};

/// Rows from one rung to the next.
const STEP: u64 = 512;
/// Filters remembered; 32 of them on a log of a million records take about 1.5 MB.
const FILTERS: usize = 32;

/// The ladders of the filters used last.
pub(crate) struct Ladders {
    by_filter: Mutex<Vec<(RecordFilter, Arc<Mutex<Ladder>>)>>,
    step: u64,
}

impl Default for Ladders {
    fn default() -> Self {
        Self { by_filter: Mutex::default(), step: STEP }
    }
}

impl Ladders {
    /// How many records there are, and the numbers of those in the window, newest capture first.
    /// Must come first in its view of the database: the view may not be older than the ladder.
    pub(crate) fn keys(
        &self,
        db: &Connection,
        wanted: &RecordFilter,
        window: Window,
    ) -> rusqlite::Result<(u64, Vec<i64>)> {
        let filter = &RecordFilter { captured: None, ..wanted.clone() };
        let ladder = self.of(filter);
        let mut ladder = ladder.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = ladder.extend(db, filter, self.step) {
            *ladder = Ladder::default();
            return Err(error);
        }
        let range = ladder.range(db, filter, self.step, wanted.captured.as_ref())?;
        let total = range.end.saturating_sub(range.start);
        let (below, rows) = ascending(window, total);
        let places = ladder.places(db, filter, self.step, range.start + below, rows)?;
        Ok((total, places.into_iter().rev().map(|(_, seq)| seq).collect()))
    }

    fn of(&self, filter: &RecordFilter) -> Arc<Mutex<Ladder>> {
        let mut known = self.by_filter.lock().unwrap_or_else(PoisonError::into_inner);
        let place = known.iter().position(|(other, _)| other == filter);
        let entry = place.map_or_else(|| (filter.clone(), Arc::default()), |place| known.remove(place));
        let ladder = entry.1.clone();
        known.insert(0, entry);
        known.truncate(FILTERS);
        ladder
    }
}

/// What is known of the list of one filter.
#[derive(Default)]
struct Ladder {
    /// The newest record looked at; 0 before the first look.
    seen: i64,
    /// The last row of every full step, ascending.
    rungs: Vec<Place>,
    /// All rows above the last rung, ascending: at least a step of them, when there are so many, so that the first
    /// pages of any filter are at hand.
    top: Vec<Place>,
}

impl Ladder {
    fn total(&self, step: u64) -> u64 {
        self.rungs.len() as u64 * step + self.top.len() as u64
    }

    /// Takes in the records that came since the last time.
    fn extend(&mut self, db: &Connection, filter: &RecordFilter, step: u64) -> rusqlite::Result<()> {
        let Seq(newest) = newest(db)?;
        if self.seen == 0 {
            self.climb(db, filter, step)?;
        } else if self.seen < newest {
            let news = self.news(db, filter)?;
            let sound = news.first().map_or(self.rungs.len(), |first| self.rungs.partition_point(|rung| rung < first));
            if sound < self.rungs.len() {
                self.rungs.truncate(sound);
                self.climb(db, filter, step)?;
            } else {
                self.top.extend(news);
                self.top.sort_unstable();
            }
        }
        self.fold(step as usize);
        self.seen = newest;
        Ok(())
    }

    /// The rows that came since the last time, ascending.
    fn news(&self, db: &Connection, filter: &RecordFilter) -> rusqlite::Result<Vec<Place>> {
        let mut selection = select(filter);
        selection.and_from("record NOT INDEXED", "seq > ?", [self.seen.into()]);
        selection.places(db, Order::Ascending, 0, i64::MAX as u64)
    }

    /// Finds all rungs above the last one, and the top.
    fn climb(&mut self, db: &Connection, filter: &RecordFilter, step: u64) -> rusqlite::Result<()> {
        while let Some(rung) = self.above(filter).places(db, Order::Ascending, step - 1, 1)?.pop() {
            self.rungs.push(rung);
        }
        // One step back, so that the top has at least one.
        self.rungs.pop();
        self.top = self.above(filter).places(db, Order::Ascending, 0, 2 * step)?;
        Ok(())
    }

    /// The rows above the last rung.
    fn above(&self, filter: &RecordFilter) -> Selection {
        after(filter, self.rungs.last())
    }

    /// Makes rungs of a top that has grown too long.
    fn fold(&mut self, step: usize) {
        let full = (self.top.len() / step).saturating_sub(1);
        self.rungs.extend(self.top.drain(..full * step).skip(step - 1).step_by(step));
    }

    /// The positions of the rows captured within these times.
    fn range(
        &self,
        db: &Connection,
        filter: &RecordFilter,
        step: u64,
        captured: Option<&RangeInclusive<Timestamp>>,
    ) -> rusqlite::Result<Range<u64>> {
        let Some(captured) = captured else { return Ok(0..self.total(step)) };
        let before = |at| self.rows_before(db, filter, step, at);
        Ok(before(captured.start().as_millis())?..before(captured.end().as_millis().saturating_add(1))?)
    }

    /// How many rows were captured before a time, counting less than a step of them.
    fn rows_before(&self, db: &Connection, filter: &RecordFilter, step: u64, at: i64) -> rusqlite::Result<u64> {
        let is_before = |(time, _): &Place| *time < at;
        let passed = self.rungs.partition_point(is_before);
        if passed == self.rungs.len() {
            return Ok(passed as u64 * step + self.top.partition_point(is_before) as u64);
        }
        let mut selection = after(filter, passed.checked_sub(1).map(|last| &self.rungs[last]));
        selection.and("captured_at < ?", [at.into()]);
        Ok(passed as u64 * step + selection.total(db)?)
    }

    /// Rows by position, ascending.
    fn places(
        &self,
        db: &Connection,
        filter: &RecordFilter,
        step: u64,
        below: u64,
        rows: u64,
    ) -> rusqlite::Result<Vec<Place>> {
        let Some(into_top) = below.checked_sub(self.rungs.len() as u64 * step) else {
            let rung = (below / step).checked_sub(1).and_then(|rung| self.rungs.get(rung as usize));
            return after(filter, rung).places(db, Order::Ascending, below % step, rows);
        };
        Ok(self.top.iter().skip(into_top as usize).take(rows as usize).copied().collect())
    }
}

/// The rows of a filter after a place.
fn after(filter: &RecordFilter, place: Option<&Place>) -> Selection {
    let mut selection = select(filter);
    if let Some((time, seq)) = place {
        selection.and("(captured_at, seq) > (?, ?)", [(*time).into(), (*seq).into()]);
    }
    selection
}

#[cfg(test)]
mod tests {
    use domain::{CameraId, Verdict};
    use rusqlite::{Transaction, params};

    use super::*;
    use crate::connection::Database;
    use crate::error::Fault;

    fn append(db: &Transaction<'_>, camera: u32, at: i64) -> Result<(), Fault> {
        db.execute(
            "INSERT INTO record (capture, captured_at, camera, verdict, accepted, crop, scene)
             VALUES (randomblob(16), ?, ?, 'stranger', 0, x'00', x'00')",
            params![at, camera],
        )?;
        Ok(())
    }

    /// Asks for every window of a list that grows, in the order given, and compares with the list sorted at once.
    fn check(times: &[i64]) {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(dir.path(), 1).unwrap();
        let ladders = Ladders { step: 3, ..Ladders::default() };
        let filter = RecordFilter { camera: Some(CameraId(1)), ..RecordFilter::default() };
        let mut expected: Vec<Place> = Vec::new();
        for (number, at) in times.iter().enumerate() {
            let camera = u32::from(number % 4 != 3);
            database.write("appending", |db| append(db, camera, *at)).unwrap();
            expected.extend((camera == 1).then_some((*at, number as i64 + 1)));
            expected.sort_unstable_by(|a, b| b.cmp(a));
            for (skip, limit) in [(0, 2), (1, 5), (4, 3), (7, 4), (11, 1000), (number as u64, 1)] {
                let window = Window { skip, limit };
                let (total, seqs) = database.read("reading", |db| Ok(ladders.keys(db, &filter, window)?)).unwrap();
                let rows = expected.iter().skip(skip as usize).take(limit as usize);
                assert_eq!(total, expected.len() as u64);
                assert_eq!(seqs, rows.map(|(_, seq)| *seq).collect::<Vec<_>>(), "{number}: {window:?}");
            }
        }
    }

    #[test]
    fn a_page_is_the_same_however_the_log_grew() {
        let rising: Vec<i64> = (0..40).collect();
        let falling: Vec<i64> = (0..40).rev().collect();
        let mixed: Vec<i64> = (0..40).map(|i| i * 23 % 37).collect();
        let late: Vec<i64> = (0..40).map(|i| if i % 13 == 12 { 4 } else { i }).collect();
        for times in [rising, falling, mixed, late, vec![7; 40]] {
            check(&times);
        }
    }

    #[test]
    fn a_range_of_time_is_found_between_any_rungs() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(dir.path(), 1).unwrap();
        // Every time three times, so that ranges begin and end inside and beside steps.
        (0..60).for_each(|n| database.write("appending", |db| append(db, 1 + n as u32 % 2, n / 3 * 10)).unwrap());
        let ladders = Ladders { step: 3, ..Ladders::default() };
        let window = Window { skip: 1, limit: 5 };
        for (from, to) in (-10..220).step_by(5).flat_map(|from| [-20, -1, 0, 1, 10, 35, 300].map(|l| (from, from + l)))
        {
            let captured = Some(Timestamp::from_millis(from)..=Timestamp::from_millis(to));
            let filter = RecordFilter { camera: Some(CameraId(1)), captured, ..RecordFilter::default() };
            let within = (0..60i64).rev().filter(|n| n % 2 == 0 && (from..=to).contains(&(n / 3 * 10)));
            let expected: Vec<i64> = within.map(|n| n + 1).collect();
            let (total, seqs) = database.read("reading", |db| Ok(ladders.keys(db, &filter, window)?)).unwrap();
            assert_eq!(total, expected.len() as u64, "{from}..={to}");
            assert_eq!(seqs, expected.into_iter().skip(1).take(5).collect::<Vec<_>>(), "{from}..={to}");
        }
        assert_eq!(ladders.by_filter.lock().unwrap().len(), 1, "one ladder serves them all");
    }

    #[test]
    fn a_ladder_is_built_from_any_length() {
        for length in 0..20 {
            let dir = tempfile::tempdir().unwrap();
            let database = Database::open(dir.path(), 1).unwrap();
            (0..length).for_each(|at| database.write("appending", |db| append(db, 1, at)).unwrap());
            let ladders = Ladders { step: 3, ..Ladders::default() };
            let window = Window { skip: 1, limit: 1000 };
            let answer =
                database.read("reading", |db| Ok(ladders.keys(db, &RecordFilter::default(), window)?)).unwrap();
            assert_eq!(answer, (length as u64, (1..length).rev().collect()));
        }
    }

    #[test]
    fn only_the_filters_used_last_are_remembered() {
        let ladders = Ladders::default();
        let of = |camera| ladders.of(&RecordFilter { camera: Some(CameraId(camera)), ..RecordFilter::default() });
        let first = of(0);
        (1..FILTERS as u32).for_each(|camera| drop(of(camera)));
        assert!(Arc::ptr_eq(&first, &of(0)));
        ladders.of(&RecordFilter { verdict: Some(Verdict::Spoof), ..RecordFilter::default() });
        assert!(Arc::ptr_eq(&first, &of(0)));
        assert_eq!(ladders.by_filter.lock().unwrap().len(), FILTERS);
    }
}
