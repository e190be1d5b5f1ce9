//! The log: reading, corrections, removal.

use std::thread;
use std::time::Duration;

use tokio::sync::watch;

use super::{Acts, Appliance};
use crate::{
    Act, BehaviourFilter, CaptureId, Correction, Entry, EntryKind, NamedPerson, NewEntry, ObjectCapture, Page,
    PersonId, Record, RecordFilter, RecordKind, Removal, Result, Seq, Timestamp, What, Window,
};

/// Records removed per transaction.
const BATCH: u32 = 128;
/// Pause between two of these transactions, in which others can write.
const PAUSE: Duration = Duration::from_millis(2);

impl Appliance {
    /// A page of records, newest capture first.
    pub async fn records(&self, filter: RecordFilter, window: Window) -> Result<Page<Record>> {
        self.blocking(move |a| a.ports().log.records(&filter, window)).await
    }

    /// The record of a capture. `NotFound(Record)`.
    pub async fn record_of_capture(&self, capture: CaptureId) -> Result<Record> {
        self.blocking(move |a| a.ports().log.record_of_capture(capture)).await
    }

    /// A page of behaviours, newest first.
    pub async fn behaviours(&self, filter: BehaviourFilter, window: Window) -> Result<Page<ObjectCapture>> {
        self.blocking(move |a| a.ports().log.behaviours(&filter, window)).await
    }

    /// The behaviour with this id. `NotFound(Record)`.
    pub async fn behaviour(&self, id: CaptureId) -> Result<ObjectCapture> {
        self.blocking(move |a| a.ports().log.behaviour(id)).await
    }

    /// Up to `limit` records after `seq`, in commit order.
    pub async fn records_after(&self, seq: Seq, limit: u32) -> Result<Vec<Record>> {
        self.blocking(move |a| a.ports().log.records_after(seq, limit)).await
    }

    /// Up to `limit` entries of these kinds after `seq`, in commit order.
    pub async fn entries_after(&self, seq: Seq, kinds: &[EntryKind], limit: u32) -> Result<Vec<Entry>> {
        let kinds = kinds.to_vec();
        self.blocking(move |a| a.ports().log.entries_after(seq, &kinds, limit)).await
    }

    /// Number of entries of any kind between these two places.
    pub async fn entries_between(&self, after: Seq, before: Seq) -> Result<u64> {
        self.blocking(move |a| a.ports().log.count_between(after, before)).await
    }

    /// The newest place in the log; changes when an entry is committed.
    pub fn newest_entry(&self) -> watch::Receiver<Seq> {
        self.core.surveillance.recorder().newest()
    }

    /// The place before the first entry of this time or later, from which a feed can resume; the newest place when
    /// there is no such entry.
    pub async fn place_before(&self, time: Timestamp) -> Result<Seq> {
        self.blocking(move |a| a.ports().log.place_before(time)).await
    }

    /// A person with code and name of now. Blocking. `NotFound(Person)`.
    pub(super) fn named(&self, id: PersonId) -> Result<NamedPerson> {
        let person = self.ports().people.person(id)?;
        Ok(NamedPerson { id, code: person.code, name: person.profile.name })
    }

    /// Removes entries in batches, so that others can write in between. Returns how many. Blocking.
    fn remove_in_batches(&self, removal: Removal) -> Result<u64> {
        let mut removed = 0;
        loop {
            let batch = self.ports().log.remove_entries(removal, BATCH)?;
            removed += u64::from(batch);
            if batch < BATCH {
                return Ok(removed);
            }
            thread::sleep(PAUSE);
        }
    }

    /// Commits an entry and wakes the feeds. Blocking.
    pub(crate) fn append(&self, entry: &NewEntry) -> Result<Entry> {
        self.core.surveillance.recorder().append(entry)
    }
}

impl Acts<'_> {
    /// States that a record shows this person, or nobody enrolled (`None`). The record stays as it was; the correction
    /// is an entry of its own, whose `Seq` is returned. `NotFound(Record)`, `NotFound(Person)`.
    pub async fn correct_record(self, record: Seq, shows: Option<PersonId>) -> Result<Seq> {
        let actor = self.permit(Act::RECORD_CORRECT)?;
        self.blocking(move |a| {
            let shows = shows.map(|person| a.named(person)).transpose()?;
            let correction = Correction { record, shows, actor: actor.name.clone() };
            let entry = a.append(&NewEntry { at: a.now(), camera: None, what: What::Correction(correction) })?;
            a.audit(&actor, Act::RECORD_CORRECT, &record);
            Ok(entry.seq)
        })
        .await
    }

    /// Removes all entries and their pictures; enrolled people stay. Returns how many entries were removed. Runs to its
    /// end even when this future is dropped.
    pub async fn remove_all_records(self) -> Result<u64> {
        let actor = self.permit(Act::RECORDS_REMOVE)?;
        self.blocking(move |a| {
            a.core.surveillance.recorder().discard_waiting();
            let removed = a.remove_in_batches(Removal::UpTo(a.ports().log.newest()?))?;
            a.audit(&actor, Act::RECORDS_REMOVE, &"all");
            Ok(removed)
        })
        .await
    }

    /// Removes every record of one kind captured until now, and with records of people also the openings for them;
    /// otherwise as [`remove_all_records`](Self::remove_all_records).
    pub async fn remove_records_of(self, kind: RecordKind) -> Result<u64> {
        let actor = self.permit(Act::RECORDS_REMOVE)?;
        self.blocking(move |a| {
            let removed = a.remove_in_batches(Removal::Before { kind, from: Timestamp::MIN, time: Timestamp::MAX })?;
            let kind = match kind {
                RecordKind::People => "people",
                RecordKind::Strangers => "strangers",
            };
            a.audit(&actor, Act::RECORDS_REMOVE, &kind);
            Ok(removed)
        })
        .await
    }
}
