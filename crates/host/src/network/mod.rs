//! The machine's network: as it is seen, and as files of systemd-networkd.

pub(crate) mod files;
pub(crate) mod seen;
