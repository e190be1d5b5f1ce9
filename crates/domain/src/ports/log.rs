//! The port to the log.

use crate::{
    BehaviourFilter, CaptureId, Entry, EntryKind, NewEntry, NewRecord, Notice, ObjectCapture, Page, Record,
    RecordFilter, Removal, Result, Seq, Timestamp, Usage, Window,
};

/// The log, durable.
pub trait LogStore: Send + Sync {
    /// Appends an entry under the next [`Seq`]. `AlreadyExists(Record)` for a capture or behaviour that exists already
    /// and for a second clip, `NotFound(Picture)` when one of its pictures is not stored, `NotFound(Record)` for a
    /// correction of no record and for a clip of no behaviour.
    fn append(&self, entry: &NewEntry) -> Result<Entry>;

    /// Appends a record, as [`append`](Self::append).
    fn append_record(&self, record: &NewRecord) -> Result<Record> {
        let NewRecord { capture, matches, verdict } = record.clone();
        let Entry { seq, .. } = self.append(&NewEntry::from(record.clone()))?;
        Ok(Record { seq, capture, matches, verdict })
    }

    /// Up to `limit` entries of these kinds after `seq`, in commit order.
    fn entries_after(&self, seq: Seq, kinds: &[EntryKind], limit: u32) -> Result<Vec<Entry>>;

    /// Number of entries of any kind between these two places.
    fn count_between(&self, after: Seq, before: Seq) -> Result<u64>;

    /// The newest place in the log; `Seq(0)` when it was always empty.
    fn newest(&self) -> Result<Seq>;

    /// The place before the first entry of this time or later; the newest place when there is none.
    fn place_before(&self, time: Timestamp) -> Result<Seq>;

    /// Notices that were raised and have not been cleared.
    fn standing_notices(&self) -> Result<Vec<Notice>>;

    /// A page of records, newest capture first.
    fn records(&self, filter: &RecordFilter, window: Window) -> Result<Page<Record>>;

    /// The record of a capture. `NotFound(Record)`.
    fn record_of_capture(&self, capture: CaptureId) -> Result<Record>;

    /// A page of behaviours, newest first.
    fn behaviours(&self, filter: &BehaviourFilter, window: Window) -> Result<Page<ObjectCapture>>;

    /// The behaviour with this id. `NotFound(Record)`.
    fn behaviour(&self, id: CaptureId) -> Result<ObjectCapture>;

    /// Up to `limit` behaviours whose clip is awaited, in commit order.
    fn awaited_clips(&self, limit: u32) -> Result<Vec<ObjectCapture>>;

    /// Up to `limit` records after `seq`, in commit order.
    fn records_after(&self, seq: Seq, limit: u32) -> Result<Vec<Record>> {
        let entries = self.entries_after(seq, &[EntryKind::Record], limit)?;
        Ok(entries.into_iter().filter_map(Entry::into_record).collect())
    }

    /// Removes up to `limit` (at most 1000) entries, and their pictures unless something else names them. Returns how
    /// many were removed; fewer than `limit` when no more match. Corrections are removed with their record, clips with their
    /// behaviour, and neither is counted.
    fn remove_entries(&self, removal: Removal, limit: u32) -> Result<u32>;

    /// Used and free space; cheap after the first call.
    fn usage(&self) -> Result<Usage>;

    /// Does a few milliseconds of maintenance, such as returning space to the file system.
    fn tidy(&self) -> Result<()>;
}
