//! The operations, one function each.

pub(crate) mod accounts;
pub(crate) mod cameras;
pub(crate) mod config;
pub(crate) mod libraries;
pub(crate) mod people;
pub(crate) mod pictures;
pub(crate) mod records;
pub(crate) mod session;
pub(crate) mod tasks;
