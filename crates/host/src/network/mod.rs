//! The machine's network: its current state, and its configuration as files of systemd-networkd.

pub(crate) mod files;
pub(crate) mod seen;
