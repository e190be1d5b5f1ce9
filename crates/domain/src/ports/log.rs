//! The log of what happened.

use crate::{
    BehaviourFilter, CaptureId, Entry, EntryKind, NewEntry, NewRecord, Notice, ObjectCapture, Page, Record,
    RecordFilter, Removal, Result, Seq, Timestamp, Usage, Window,
};

/// The log, durable.
pub trait LogStore: Send + Sync {
    /// Appends an entry under the next [`Seq`]. `AlreadyExists(Record)` for a capture or behaviour that is there already,
    /// `NotFound(Picture)` when one of its pictures was not put, `NotFound(Record)` for a correction of no record.
    fn append(&self, entry: &NewEntry) -> Result<Entry>;

    /// Appends a record, as [`append`](Self::append).
    fn append_record(&self, record: &NewRecord) -> Result<Record> {
        let NewRecord { capture, matches, verdict } = record.clone();
        let Entry { seq, .. } = self.append(&NewEntry::from(record.clone()))?;
        Ok(Record { seq, capture, matches, verdict })
    }

    /// Up to `limit` entries of these kinds after `seq`, in commit order.
    fn entries_after(&self, seq: Seq, kinds: &[EntryKind], limit: u32) -> Result<Vec<Entry>>;

    /// How many entries there are between these two places, whatever their kind.
    fn count_between(&self, after: Seq, before: Seq) -> Result<u64>;

    /// The newest place in the log; `Seq(0)` when it was always empty.
    fn newest(&self) -> Result<Seq>;

    /// The place before the first entry of this time or later; the newest place when there is none.
    fn place_before(&self, time: Timestamp) -> Result<Seq>;

    /// Notices that were raised and not cleared since.
    fn standing_notices(&self) -> Result<Vec<Notice>>;

    /// A page of records, newest capture first.
    fn records(&self, filter: &RecordFilter, window: Window) -> Result<Page<Record>>;

    /// `NotFound(Record)`.
    fn record_of_capture(&self, capture: CaptureId) -> Result<Record>;

    /// A page of behaviours, newest first.
    fn behaviours(&self, filter: &BehaviourFilter, window: Window) -> Result<Page<ObjectCapture>>;

    /// The behaviour with this id. `NotFound(Record)`.
    fn behaviour(&self, id: CaptureId) -> Result<ObjectCapture>;

    /// Up to `limit` records after `seq`, in commit order.
    fn records_after(&self, seq: Seq, limit: u32) -> Result<Vec<Record>> {
        let entries = self.entries_after(seq, &[EntryKind::Record], limit)?;
        Ok(entries.into_iter().filter_map(Entry::into_record).collect())
    }

    /// Removes up to `limit` (1000 at most) entries, and their pictures when nothing else names them. Returns how many
    /// of those meant went; fewer than `limit` when no more are to go. Corrections go with their record, uncounted.
    fn remove_entries(&self, removal: Removal, limit: u32) -> Result<u32>;

    /// What the store takes and what is left; cheap after the first time.
    fn usage(&self) -> Result<Usage>;

    /// A small piece of housekeeping (milliseconds), such as giving room back to the file system.
    fn tidy(&self) -> Result<()>;
}
