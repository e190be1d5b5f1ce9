//! One function for each REST operation, by chapter of the document.

pub(crate) mod devices;
pub(crate) mod gates;
pub(crate) mod groups;
pub(crate) mod later;
pub(crate) mod people;
pub(crate) mod permissions;
pub(crate) mod servers;
pub(crate) mod system;
