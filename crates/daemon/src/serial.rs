//! The serial number of a device that was given none.

use std::fs;

/// The machine id; `"unknown"` where there is none.
pub(crate) fn machine_id() -> String {
    let read = |path| fs::read_to_string(path).ok().map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
    read("/etc/machine-id").or_else(|| read("/var/lib/dbus/machine-id")).unwrap_or_else(|| "unknown".into())
}
