//! One function for each operation, by chapter of the document.

pub(crate) mod channels;
pub(crate) mod clothes;
pub(crate) mod device;
pub(crate) mod docking;
pub(crate) mod extended;
pub(crate) mod key;
pub(crate) mod libraries;
pub(crate) mod people;
pub(crate) mod pictures;
pub(crate) mod plans;
mod rules;
pub(crate) mod searches;
pub(crate) mod smart;
pub(crate) mod upgrade;
