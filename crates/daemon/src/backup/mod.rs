//! Backups: what `polyfaced backup` and the daily task write and `polyfaced restore` reads.
//!
//! A backup is a tar archive encrypted with age, so that `age --decrypt` and `tar` open it too:
//!
//! | member | content |
//! |---|---|
//! | `polyface.db` | a consistent copy of the database; what is sealed in it stays sealed |
//! | `seal.keys` | the data keys, wrapped by the next one |
//! | `store.key` | a key made for this backup; the storage key itself stays on the device |
//! | `tls/…`, `keys/…`, `sounds/…` | only with `--with-keys` |
//! | `pictures/ab/abcdef…` | the pictures that the database references, sealed |
//! | `manifest.json` | what the others are; the last, because it has their hashes |

mod archive;
mod daily;
mod manifest;
mod names;
mod reading;
mod restoring;
mod secrets;
mod writing;

pub(crate) use daily::{newest, run as daily};
pub(crate) use restoring::restore;
pub(crate) use writing::command;
