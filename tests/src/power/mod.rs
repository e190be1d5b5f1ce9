//! Power cuts, replayed from the log of everything that was written to a disk.
//!
//! A [`Medium`] is a disk of which every write and every flush is logged. A [`Replay`] makes of the log the disk as it was
//! after any number of them: what a power cut at that moment would have left, or, since a disk may write in any order
//! what it was not told to flush, something worse. [`Journal`] remembers what was acknowledged at which place of the
//! log; [`examine`] compares a replayed disk with that.

mod examination;
mod journal;
mod medium;
mod replay;
mod write_log;

pub use examination::{Examination, Sound, examine};
pub use journal::{Expected, Journal};
pub use medium::{Medium, Mounted};
pub use replay::{Cut, Replay};
pub use write_log::WriteLog;
