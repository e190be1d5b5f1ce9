//! `RecordStore`.

use std::cmp::Reverse;

use domain::names::same;
use domain::ports::RecordStore;
use domain::{
    CaptureId, Error, NewRecord, Page, Record, RecordFilter, Removal, Result, Seq, SightingId, Thing, Usage, Window,
};

use super::{MemoryStore, next, window};

impl RecordStore for MemoryStore {
    fn append(&self, record: &NewRecord) -> Result<Record> {
        let mut state = self.write()?;
        let NewRecord { capture, matches, verdict } = record.clone();
        let mut pictures = vec![&record.capture.crop, &record.capture.scene];
        pictures.retain(|picture| picture.is_kept());
        state.check_pictures(&pictures)?;
        if state.records.values().any(|record| record.capture.id == capture.id) {
            return Err(Error::AlreadyExists { what: Thing::Record });
        }
        let seq = Seq(next(&mut state.last.record));
        let record = Record { seq, capture, matches, verdict };
        for position in (0..record.matches.len()).filter(|place| record.matches[*place].task.is_some()) {
            let id = SightingId(next(&mut state.last.sighting));
            state.sightings.insert(id, (seq, position));
        }
        state.records.insert(seq, record.clone());
        pictures.into_iter().for_each(|picture| state.unpin(picture));
        Ok(record)
    }

    fn records(&self, filter: &RecordFilter, wanted: Window) -> Result<Page<Record>> {
        let state = self.read();
        let mut rows: Vec<Record> = state.records.values().filter(|record| fits(filter, record)).cloned().collect();
        rows.sort_by_key(|record| Reverse((record.capture.at, record.seq)));
        Ok(Page { total: rows.len() as u64, rows: window(rows, wanted) })
    }

    fn record_of_capture(&self, capture: CaptureId) -> Result<Record> {
        let state = self.read();
        let found = state.records.values().find(|record| record.capture.id == capture);
        found.cloned().ok_or(Error::NotFound { what: Thing::Record })
    }

    fn records_after(&self, seq: Seq, limit: u32) -> Result<Vec<Record>> {
        let limit = limit.min(1000) as usize;
        let state = self.read();
        let after = state.records.iter().filter(|(place, _)| **place > seq);
        Ok(after.take(limit).map(|(_, record)| record.clone()).collect())
    }

    fn newest(&self) -> Result<Seq> {
        Ok(Seq(self.read().last.record))
    }

    fn remove_records(&self, removal: Removal, limit: u32) -> Result<u32> {
        // A full disk does not keep anybody from removing.
        let mut state = self.read();
        let mut doomed: Vec<_> = state.records.values().filter(|record| is_meant(removal, record)).cloned().collect();
        if matches!(removal, Removal::Before { .. }) {
            doomed.sort_by_key(|record| (record.capture.at, record.seq));
        }
        doomed.truncate(limit.min(1000) as usize);
        for record in &doomed {
            state.records.remove(&record.seq);
            state.sightings.retain(|_, (seq, _)| *seq != record.seq);
            state.remove_unnamed(&record.capture.crop);
            state.remove_unnamed(&record.capture.scene);
        }
        Ok(doomed.len() as u32)
    }

    fn usage(&self) -> Result<Usage> {
        let state = self.read();
        let used_bytes = state.pictures.values().map(|picture| picture.len() as u64).sum();
        Ok(Usage { used_bytes, free_bytes: if state.full { 0 } else { 1 << 40 }, read_only: state.read_only })
    }

    fn tidy(&self) -> Result<()> {
        Ok(())
    }
}

fn is_meant(removal: Removal, record: &Record) -> bool {
    match removal {
        Removal::Oldest => true,
        Removal::UpTo(seq) => record.seq <= seq,
        Removal::One(seq) => record.seq == seq,
        Removal::Before { kind, time } => kind.verdicts().contains(&record.verdict) && record.capture.at < time,
    }
}

fn fits(filter: &RecordFilter, record: &Record) -> bool {
    let best = record.best();
    filter.kind == record.capture.kind
        && filter.camera.is_none_or(|camera| record.capture.camera == camera)
        && filter.captured.as_ref().is_none_or(|captured| captured.contains(&record.capture.at))
        && (!filter.accepted_only || record.accepted().is_some())
        && filter.libraries.as_ref().is_none_or(|wanted| best.is_some_and(|best| wanted.contains(&best.library)))
        && filter.library_name.as_ref().is_none_or(|name| best.is_some_and(|best| same(&best.library_name, name)))
        && filter.library_kind.is_none_or(|kind| best.is_some_and(|best| best.library_kind == kind))
        && filter.person.is_none_or(|person| best.is_some_and(|best| best.person == person))
        && filter.verdict.is_none_or(|verdict| record.verdict == verdict)
}
