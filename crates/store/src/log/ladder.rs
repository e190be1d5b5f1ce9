//! Sampled positions of a filter's list, kept in memory, so that totals and deep pages cost the same on a log of any
//! length.
//!
//! A ladder contains a rung (a row's position) every [`STEP`] rows. It serves every time range of its filter: the ends
//! of a range are found between two rungs.
//!
//! The log only grows, so known positions stay valid, and each query adds the records since the last one. Positions
//! count from the oldest record, so appending does not change them, except for a late capture: then the ladder is
//! rebuilt from there. Removed records below the first rung are counted as if they still existed; any other removal
//! discards the ladder.

use std::ops::{Range, RangeInclusive};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use domain::{RecordFilter, Seq, Timestamp, Window};
use rusqlite::Connection;

use super::filter::{Resolved, select};
use super::newest;
use crate::connection::View;
use crate::error::Fault;
use crate::lists::{Order, Place, Selection, ascending, json};

/// Number of rows between rungs.
const STEP: u64 = 512;
/// Maximum number of ladders kept; 32 on a log of a million records take about 1.5 MB.
const FILTERS: usize = 32;

/// The ladders of the most recently used filters.
pub(crate) struct Ladders {
    by_filter: Mutex<Vec<(RecordFilter, Arc<Mutex<Ladder>>)>>,
    step: u64,
    /// Locked shared by queries for the duration of their database snapshot, and exclusively by removals.
    removal: RwLock<()>,
}

/// Positions that a removal takes from each ladder, ascending.
pub(crate) struct Losses(Vec<(Arc<Mutex<Ladder>>, Vec<Place>)>);

impl Default for Ladders {
    fn default() -> Self {
        Self { by_filter: Mutex::default(), step: STEP, removal: RwLock::default() }
    }
}

impl Ladders {
    /// Lock to take before opening a database snapshot, and to keep until [`Ladders::keys`] has returned.
    pub(crate) fn look(&self) -> RwLockReadGuard<'_, ()> {
        self.removal.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lock to take before removing records, and to keep until [`Ladders::lose`] has returned.
    pub(crate) fn change(&self) -> RwLockWriteGuard<'_, ()> {
        self.removal.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The positions of these records, which still exist, in each ladder.
    pub(crate) fn losses(&self, db: &View<'_>, seqs: &[i64]) -> Result<Losses, Fault> {
        let known = self.by_filter.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut losses = Vec::new();
        for (filter, ladder) in known {
            let mut selection = select(&Resolved::new(db, &filter)?);
            let listed = json(seqs.iter().copied());
            selection.and_from("record NOT INDEXED", "seq IN (SELECT value FROM json_each(?))", [listed.into()]);
            losses.push((ladder, selection.places(db, Order::Ascending, 0, i64::MAX as u64)?));
        }
        Ok(Losses(losses))
    }

    /// Removes the records from the ladders.
    pub(crate) fn lose(&self, losses: Losses) {
        for (ladder, places) in losses.0 {
            ladder.lock().unwrap_or_else(PoisonError::into_inner).lose(&places, self.step);
        }
    }

    /// Forgets the ladders of filters by person, name or document, after people were erased from records. To be called
    /// with the lock of [`Ladders::change`].
    pub(crate) fn forget_people(&self) {
        let about_people = |filter: &RecordFilter| {
            filter.person.is_some() || filter.name_part.is_some() || filter.document_number_part.is_some()
        };
        self.by_filter.lock().unwrap_or_else(PoisonError::into_inner).retain(|(filter, _)| !about_people(filter));
    }

    /// Total number of records, and the sequence numbers of those in the window, newest capture first. Must be the
    /// first query of its database snapshot, which must not be older than the ladder.
    pub(crate) fn keys(&self, db: &View<'_>, wanted: &RecordFilter, window: Window) -> Result<(u64, Vec<i64>), Fault> {
        let filter = &RecordFilter { captured: None, ..wanted.clone() };
        let ladder = self.of(filter);
        let filter = &Resolved::new(db, filter)?;
        let mut ladder = ladder.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = ladder.extend(db, filter, self.step) {
            *ladder = Ladder::default();
            return Err(error.into());
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

/// Known positions in the list of one filter.
#[derive(Default)]
struct Ladder {
    /// The newest record included; 0 before the first query.
    seen: i64,
    /// The last row of each full step, ascending.
    rungs: Vec<Place>,
    /// All rows above the last rung, ascending: at least one step, if there are that many, so that the first pages of
    /// any filter are in memory.
    top: Vec<Place>,
    /// Number of removed rows below the first rung; less than a step, and 0 without a rung.
    lost: u64,
}

impl Ladder {
    fn total(&self, step: u64) -> u64 {
        self.rungs.len() as u64 * step + self.top.len() as u64 - self.lost
    }

    /// Adds the records since the last query.
    fn extend(&mut self, db: &Connection, filter: &Resolved<'_>, step: u64) -> rusqlite::Result<()> {
        let Seq(newest) = newest(db)?;
        if self.seen == 0 {
            self.climb(db, filter, step)?;
        } else if self.seen < newest {
            let news = self.news(db, filter)?;
            let sound = news.first().map_or(self.rungs.len(), |first| self.rungs.partition_point(|rung| rung < first));
            if sound < self.rungs.len() {
                self.rungs.truncate(sound);
                self.lost = if sound == 0 { 0 } else { self.lost };
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

    /// The rows since the last query, ascending.
    fn news(&self, db: &Connection, filter: &Resolved<'_>) -> rusqlite::Result<Vec<Place>> {
        let mut selection = select(filter);
        selection.and_from("record NOT INDEXED", "seq > ?", [self.seen.into()]);
        selection.places(db, Order::Ascending, 0, i64::MAX as u64)
    }

    /// Finds all rungs above the last one, and the top rows.
    fn climb(&mut self, db: &Connection, filter: &Resolved<'_>, step: u64) -> rusqlite::Result<()> {
        while let Some(rung) = self.above(filter).places(db, Order::Ascending, step - 1, 1)?.pop() {
            self.rungs.push(rung);
        }
        // Drop the last rung, so that the top has at least one step.
        self.rungs.pop();
        if self.rungs.is_empty() {
            self.lost = 0;
        }
        self.top = self.above(filter).places(db, Order::Ascending, 0, 2 * step)?;
        Ok(())
    }

    /// The rows above the last rung.
    fn above(&self, filter: &Resolved<'_>) -> Selection {
        after(filter, self.rungs.last())
    }

    /// Accounts for removed rows.
    fn lose(&mut self, places: &[Place], step: u64) {
        for place in places.iter().filter(|(_, seq)| *seq <= self.seen) {
            match self.rungs.first() {
                None => self.top.retain(|row| row != place),
                Some(first) if place <= first => self.lost += 1,
                Some(_) => {
                    *self = Self::default();
                    return;
                }
            }
            if self.lost == step {
                self.rungs.remove(0);
                self.lost = 0;
            }
        }
    }

    /// Converts surplus top rows to rungs.
    fn fold(&mut self, step: usize) {
        let full = (self.top.len() / step).saturating_sub(1);
        self.rungs.extend(self.top.drain(..full * step).skip(step - 1).step_by(step));
    }

    /// Positions of the rows captured within this time range.
    fn range(
        &self,
        db: &Connection,
        filter: &Resolved<'_>,
        step: u64,
        captured: Option<&RangeInclusive<Timestamp>>,
    ) -> rusqlite::Result<Range<u64>> {
        let Some(captured) = captured else { return Ok(0..self.total(step)) };
        let before = |at| self.rows_before(db, filter, step, at);
        Ok(before(captured.start().as_millis())?..before(captured.end().as_millis().saturating_add(1))?)
    }

    /// Number of rows captured before a time; counts less than one step of rows in the database.
    fn rows_before(&self, db: &Connection, filter: &Resolved<'_>, step: u64, at: i64) -> rusqlite::Result<u64> {
        let is_before = |(time, _): &Place| *time < at;
        let passed = self.rungs.partition_point(is_before);
        let lost = if passed == 0 { 0 } else { self.lost };
        if passed == self.rungs.len() {
            return Ok(passed as u64 * step + self.top.partition_point(is_before) as u64 - lost);
        }
        let mut selection = after(filter, passed.checked_sub(1).map(|last| &self.rungs[last]));
        selection.and("captured_at < ?", [at.into()]);
        Ok(passed as u64 * step + selection.total(db)? - lost)
    }

    /// Rows from position `below`, ascending.
    fn places(
        &self,
        db: &Connection,
        filter: &Resolved<'_>,
        step: u64,
        below: u64,
        rows: u64,
    ) -> rusqlite::Result<Vec<Place>> {
        let below = below + self.lost;
        let Some(into_top) = below.checked_sub(self.rungs.len() as u64 * step) else {
            let rung = (below / step).checked_sub(1).and_then(|rung| self.rungs.get(rung as usize));
            let lost = if rung.is_none() { self.lost } else { 0 };
            return after(filter, rung).places(db, Order::Ascending, below % step - lost, rows);
        };
        Ok(self.top.iter().skip(into_top as usize).take(rows as usize).copied().collect())
    }
}

/// The rows of a filter after a position.
fn after(filter: &Resolved<'_>, place: Option<&Place>) -> Selection {
    let mut selection = select(filter);
    if let Some((time, seq)) = place {
        selection.and("(captured_at, seq) > (?, ?)", [(*time).into(), (*seq).into()]);
    }
    selection
}

#[cfg(test)]
mod tests {
    use domain::{CameraId, Verdict};
    use rusqlite::params;

    use super::*;
    use crate::connection::Database;

    fn append(db: &Connection, camera: u32, at: i64) -> Result<(), Fault> {
        db.execute("INSERT INTO entry (kind, at, camera) VALUES ('record', ?, ?)", params![at, camera])?;
        db.execute(
            "INSERT INTO record (seq, capture, captured_at, camera, verdict, accepted, crop, scene)
             VALUES (last_insert_rowid(), randomblob(16), ?, ?, 'stranger', 0, x'00', x'00')",
            params![at, camera],
        )?;
        Ok(())
    }

    fn remove(database: &Database, ladders: &Ladders, seqs: &[i64]) {
        let _alone = ladders.change();
        let losses = database.write("removing", |db| {
            let losses = ladders.losses(db, seqs)?;
            for seq in seqs {
                db.execute("DELETE FROM entry WHERE seq = ?", [seq])?;
            }
            Ok(losses)
        });
        ladders.lose(losses.unwrap());
    }

    /// Queries windows of a growing list and compares them with the fully sorted list. `gone`: records to remove after
    /// each append.
    fn check(times: &[i64], gone: impl Fn(i64) -> Vec<i64>) {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::testing(dir.path(), 1);
        let ladders = Ladders { step: 3, ..Ladders::default() };
        let filter = RecordFilter { camera: Some(CameraId(1)), ..RecordFilter::default() };
        let mut expected: Vec<Place> = Vec::new();
        for (number, at) in times.iter().enumerate() {
            let camera = u32::from(number % 4 != 3);
            database.write("appending", |db| append(db, camera, *at)).unwrap();
            expected.extend((camera == 1).then_some((*at, number as i64 + 1)));
            let gone = gone(number as i64 + 1);
            remove(&database, &ladders, &gone);
            expected.retain(|(_, seq)| !gone.contains(seq));
            expected.sort_unstable_by(|a, b| b.cmp(a));
            for (skip, limit) in [(0, 2), (1, 5), (4, 3), (7, 4), (11, 1000), (number as u64, 1)] {
                let window = Window { skip, limit };
                let (total, seqs) = database.read("reading", |db| ladders.keys(db, &filter, window)).unwrap();
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
            check(&times, |_| Vec::new());
            // The oldest in pairs, some from the middle, and now and then everything.
            check(&times, |newest| if newest > 9 && newest % 2 == 0 { vec![newest - 9, newest - 8] } else { vec![] });
            check(&times, |newest| if newest % 5 == 0 { vec![newest - 3, newest] } else { vec![] });
            check(&times, |newest| if newest % 17 == 0 { (1..=newest).collect() } else { vec![] });
        }
    }

    #[test]
    fn a_range_of_time_is_found_between_any_rungs() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::testing(dir.path(), 1);
        // Each time occurs three times, so that ranges begin and end within and at the edges of steps.
        (0..60).for_each(|n| database.write("appending", |db| append(db, 1 + n as u32 % 2, n / 3 * 10)).unwrap());
        let ladders = Ladders { step: 3, ..Ladders::default() };
        let window = Window { skip: 1, limit: 5 };
        let everything = RecordFilter { camera: Some(CameraId(1)), ..RecordFilter::default() };
        database.read("reading", |db| ladders.keys(db, &everything, window)).unwrap();
        remove(&database, &ladders, &[1, 2, 3, 4, 5, 6, 7]);
        for (from, to) in (-10..220).step_by(5).flat_map(|from| [-20, -1, 0, 1, 10, 35, 300].map(|l| (from, from + l)))
        {
            let captured = Some(Timestamp::from_millis(from)..=Timestamp::from_millis(to));
            let filter = RecordFilter { camera: Some(CameraId(1)), captured, ..RecordFilter::default() };
            let within = (7..60i64).rev().filter(|n| n % 2 == 0 && (from..=to).contains(&(n / 3 * 10)));
            let expected: Vec<i64> = within.map(|n| n + 1).collect();
            let (total, seqs) = database.read("reading", |db| ladders.keys(db, &filter, window)).unwrap();
            assert_eq!(total, expected.len() as u64, "{from}..={to}");
            assert_eq!(seqs, expected.into_iter().skip(1).take(5).collect::<Vec<_>>(), "{from}..={to}");
        }
        assert_eq!(ladders.by_filter.lock().unwrap().len(), 1, "one ladder serves them all");
    }

    #[test]
    fn a_ladder_is_built_from_any_length() {
        for length in 0..20 {
            let dir = tempfile::tempdir().unwrap();
            let database = Database::testing(dir.path(), 1);
            (0..length).for_each(|at| database.write("appending", |db| append(db, 1, at)).unwrap());
            let ladders = Ladders { step: 3, ..Ladders::default() };
            let window = Window { skip: 1, limit: 1000 };
            let answer = database.read("reading", |db| ladders.keys(db, &RecordFilter::default(), window)).unwrap();
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
