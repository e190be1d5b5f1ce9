//! What requests and commands of the platform have in common.

pub(crate) mod devices;
pub(crate) mod groups;
pub(crate) mod people;
pub(crate) mod permissions;
pub(crate) mod uploads;
pub(crate) mod wipe;
