//! `LogStore`.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use domain::names::same;
use domain::ports::LogStore;
use domain::{
    Behaviour, BehaviourFilter, CameraId, Candidate, CaptureId, Clip, ClipState, ComparedFilter, Comparison, Entry,
    EntryKind, Error, NewEntry, NewRecord, Notice, ObjectCapture, Page, Record, RecordFilter, RecordKind, Removal,
    Result, Seq, SightingId, Thing, Timestamp, Usage, What, Window,
};

use super::{MemoryStore, State, next, window};

impl LogStore for MemoryStore {
    fn append(&self, new: &NewEntry) -> Result<Entry> {
        let mut state = self.write()?;
        state.check(new)?;
        let seq = Seq(next(&mut state.last.entry));
        let mut entry = new.clone().at_place(seq);
        state.erase_from(&mut entry);
        match &new.what {
            What::Record(record) => state.add_sightings(seq, record),
            What::Notice(notice) => state.update_standing(notice),
            What::Clip(clip) => state.settle_clip(clip),
            What::Correction(_) | What::Behaviour(_) | What::Opening(_) => {}
        }
        new.pictures().into_iter().for_each(|picture| state.unpin(picture));
        state.log.insert(seq, entry.clone());
        Ok(entry)
    }

    fn entries_after(&self, seq: Seq, kinds: &[EntryKind], limit: u32) -> Result<Vec<Entry>> {
        let state = self.read();
        let after = state.log.range(Seq(seq.0 + 1)..).map(|(_, entry)| entry);
        let wanted = after.filter(|entry| kinds.contains(&entry.what.kind()));
        Ok(wanted.take(limit.min(1000) as usize).cloned().collect())
    }

    fn count_between(&self, after: Seq, before: Seq) -> Result<u64> {
        Ok(self.read().log.keys().filter(|seq| after < **seq && **seq < before).count() as u64)
    }

    fn newest(&self) -> Result<Seq> {
        Ok(Seq(self.read().last.entry))
    }

    fn place_before(&self, time: Timestamp) -> Result<Seq> {
        let state = self.read();
        let later = state.log.values().filter(|entry| entry.at >= time);
        let first = later.min_by_key(|entry| (entry.at, entry.seq));
        Ok(first.map_or(Seq(state.last.entry), |first| Seq(first.seq.0 - 1)))
    }

    fn standing_notices(&self) -> Result<Vec<Notice>> {
        Ok(self.read().standing.values().cloned().collect())
    }

    fn records(&self, filter: &RecordFilter, wanted: Window) -> Result<Page<Record>> {
        let state = self.read();
        let mut rows: Vec<Record> = state.records().filter(|record| fits(filter, record)).cloned().collect();
        rows.sort_by_key(|record| Reverse((record.capture.at, record.seq)));
        Ok(Page { total: rows.len() as u64, rows: window(rows, wanted) })
    }

    fn record_of_capture(&self, capture: CaptureId) -> Result<Record> {
        let state = self.read();
        let found = state.records().find(|record| record.capture.id == capture);
        found.cloned().ok_or(Error::NotFound { what: Thing::Record })
    }

    fn behaviours(&self, filter: &BehaviourFilter, wanted: Window) -> Result<Page<ObjectCapture>> {
        let BehaviourFilter { object, camera, captured, cameras, kinds, fired_only, compared } = filter;
        let state = self.read();
        let mut rows: Vec<_> = state.behaviours().collect();
        rows.retain(|(_, found)| {
            let Behaviour { kind, object: class, fired, ref comparisons, .. } = found.behaviour;
            object.is_none_or(|object| object == class)
                && (cameras.is_empty() || cameras.contains(&found.camera))
                && (kinds.is_empty() || kinds.contains(&(kind, class)))
                && (fired || !fired_only)
                && compared.as_ref().is_none_or(|filter| comparisons.iter().any(|face| fits_comparison(filter, face)))
                && camera.is_none_or(|camera| found.camera == camera)
                && captured.as_ref().is_none_or(|captured| captured.contains(&found.at))
        });
        rows.sort_by_key(|(seq, found)| Reverse((found.at, *seq)));
        let rows: Vec<_> = rows.into_iter().map(|(_, found)| found).collect();
        Ok(Page { total: rows.len() as u64, rows: window(rows, wanted) })
    }

    fn behaviour(&self, id: CaptureId) -> Result<ObjectCapture> {
        let found = self.read().behaviours().find(|(_, found)| found.behaviour.id == id);
        found.map(|(_, found)| found).ok_or(Error::NotFound { what: Thing::Record })
    }

    fn awaited_clips(&self, limit: u32) -> Result<Vec<ObjectCapture>> {
        let state = self.read();
        let awaited = state.behaviours().filter(|(_, found)| found.behaviour.clip == ClipState::Awaited);
        Ok(awaited.map(|(_, found)| found).take(limit as usize).collect())
    }

    fn remove_entries(&self, removal: Removal, limit: u32) -> Result<u32> {
        // A full disk does not prevent removals.
        let mut state = self.read();
        let dated = dated_after(removal, &state.log);
        let mut matching: Vec<_> =
            state.log.values().filter(|entry| matches_removal(removal, dated, entry)).cloned().collect();
        if matches!(removal, Removal::Before { .. }) {
            matching.sort_by_key(|entry| (entry.at, entry.seq));
        }
        matching.truncate(limit.min(1000) as usize);
        matching.iter().for_each(|entry| state.remove(entry));
        Ok(matching.len() as u32)
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

impl State {
    pub(super) fn records(&self) -> impl Iterator<Item = &Record> {
        self.log.values().filter_map(Entry::record)
    }

    fn behaviours(&self) -> impl Iterator<Item = (Seq, ObjectCapture)> {
        self.log.values().filter_map(|entry| {
            let What::Behaviour(behaviour) = &entry.what else { return None };
            let (at, camera) = (entry.at, entry.camera.unwrap_or(CameraId(0)));
            Some((entry.seq, ObjectCapture { seq: entry.seq, at, camera, behaviour: behaviour.as_ref().clone() }))
        })
    }

    fn check(&self, new: &NewEntry) -> Result<()> {
        self.check_pictures(&new.pictures())?;
        match &new.what {
            What::Record(record) => {
                if self.records().any(|known| known.capture.id == record.capture.id) {
                    return Err(Error::AlreadyExists { what: Thing::Record });
                }
            }
            What::Correction(correction) => {
                let known = self.log.get(&correction.record).and_then(Entry::record);
                known.ok_or(Error::NotFound { what: Thing::Record })?;
            }
            What::Clip(clip) => {
                let found = self.behaviours().find(|(_, found)| found.behaviour.id == clip.of);
                let (_, found) = found.ok_or(Error::NotFound { what: Thing::Record })?;
                if found.behaviour.clip != ClipState::Awaited {
                    return Err(Error::AlreadyExists { what: Thing::Record });
                }
            }
            What::Behaviour(_) | What::Opening(_) | What::Notice(_) => {}
        }
        Ok(())
    }

    fn settle_clip(&mut self, clip: &Clip) {
        let behaviours = self.log.values_mut().filter_map(|entry| match &mut entry.what {
            What::Behaviour(behaviour) => Some(behaviour),
            _ => None,
        });
        for behaviour in behaviours.filter(|behaviour| behaviour.id == clip.of) {
            behaviour.clip = clip.video.clone().map_or(ClipState::Lost, ClipState::Stored);
        }
    }

    fn add_sightings(&mut self, seq: Seq, record: &NewRecord) {
        for position in (0..record.matches.len()).filter(|place| record.matches[*place].task.is_some()) {
            let id = SightingId(next(&mut self.last.sighting));
            self.sightings.insert(id, (seq, position));
        }
    }

    fn update_standing(&mut self, notice: &Notice) {
        let part = (notice.topic, notice.subject.clone());
        if notice.raised {
            self.standing.insert(part, notice.clone());
        } else {
            self.standing.remove(&part);
        }
    }

    fn remove(&mut self, entry: &Entry) {
        self.log.remove(&entry.seq);
        if let What::Behaviour(behaviour) = &entry.what {
            self.remove_unnamed(&behaviour.crop);
            self.remove_unnamed(&behaviour.scene);
            self.log.retain(|_, other| !matches!(&other.what, What::Clip(clip) if clip.of == behaviour.id));
            if let ClipState::Stored(video) = &behaviour.clip {
                self.remove_unnamed(video);
            }
        }
        let Some(record) = entry.record() else { return };
        self.sightings.retain(|_, (seq, _)| *seq != record.seq);
        let corrects =
            |other: &Entry| matches!(&other.what, What::Correction(correction) if correction.record == record.seq);
        self.log.retain(|_, other| !corrects(other));
        self.remove_unnamed(&record.capture.crop);
        self.remove_unnamed(&record.capture.scene);
    }
}

/// The newest entry that is known to be old enough for `Removal::Misdated`.
fn dated_after(removal: Removal, log: &BTreeMap<Seq, Entry>) -> Seq {
    let Removal::Misdated { earliest, before, .. } = removal else { return Seq(0) };
    let aged = log.values().filter(|entry| (earliest..before).contains(&entry.at));
    aged.map(|entry| entry.seq).max().unwrap_or(Seq(0))
}

fn matches_removal(removal: Removal, dated_after: Seq, entry: &Entry) -> bool {
    match removal {
        Removal::Misdated { earliest, latest, .. } => {
            entry.seq < dated_after && !(earliest..=latest).contains(&entry.at)
        }
        Removal::Oldest => true,
        Removal::UpTo(seq) => entry.seq <= seq,
        Removal::One(seq) => entry.seq == seq,
        Removal::Before { kind, from, time } => (from..time).contains(&entry.at) && is_of(kind, entry),
    }
}

fn is_of(kind: RecordKind, entry: &Entry) -> bool {
    match &entry.what {
        What::Record(record) => kind.verdicts().contains(&record.verdict),
        What::Opening(opening) => kind == RecordKind::People && opening.person.is_some(),
        What::Behaviour(_) => kind == RecordKind::Strangers,
        What::Correction(_) | What::Clip(_) | What::Notice(_) => false,
    }
}

fn fits(filter: &RecordFilter, record: &Record) -> bool {
    let best = record.best();
    filter.camera.is_none_or(|camera| record.capture.camera == camera)
        && filter.captured.as_ref().is_none_or(|captured| captured.contains(&record.capture.at))
        && (!filter.accepted_only || record.accepted().is_some())
        && filter.libraries.as_ref().is_none_or(|wanted| best.is_some_and(|best| wanted.contains(&best.library)))
        && filter.library_name.as_ref().is_none_or(|name| best.is_some_and(|best| same(&best.library_name, name)))
        && filter.library_kind.is_none_or(|kind| best.is_some_and(|best| best.library_kind == kind))
        && filter.person.is_none_or(|person| best.is_some_and(|best| best.person == person))
        && filter.verdict.is_none_or(|verdict| record.verdict == verdict)
        && (filter.cameras.is_empty() || filter.cameras.contains(&record.capture.camera))
        && fits_best(filter, record)
        && fits_face(filter, record)
}

fn fits_comparison(filter: &ComparedFilter, face: &Comparison) -> bool {
    let ComparedFilter { accepted, name_part, document_number_part, similarity } = filter;
    accepted.is_none_or(|accepted| face.accepted().is_some() == accepted)
        && name_part.as_ref().is_none_or(|part| face.best.name.contains(part))
        && document_number_part.as_ref().is_none_or(|part| face.best.document_number.contains(part))
        && similarity.as_ref().is_none_or(|range| range.contains(&face.best.similarity))
}

fn fits_best(filter: &RecordFilter, record: &Record) -> bool {
    let best = record.best();
    let holds = |text: fn(&Candidate) -> &String, part: &String| best.is_some_and(|best| text(best).contains(part));
    (!filter.compared_only || best.is_some())
        && (!filter.unaccepted_only || record.accepted().is_none())
        && filter.name_part.as_ref().is_none_or(|part| holds(|best| &best.name, part))
        && filter.document_number_part.as_ref().is_none_or(|part| holds(|best| &best.document_number, part))
        && filter.similarity.as_ref().is_none_or(|range| best.is_some_and(|best| range.contains(&best.similarity)))
}

fn fits_face(filter: &RecordFilter, record: &Record) -> bool {
    let attributes = &record.capture.attributes;
    filter.gender.is_none_or(|gender| attributes.gender == Some(gender))
        && (!filter.gender_unknown || attributes.gender.is_none())
        && filter.age.as_ref().is_none_or(|range| attributes.age.is_some_and(|age| range.contains(&age)))
}
