//! The operations, one function each.

pub(crate) mod batches;
pub(crate) mod cameras;
pub(crate) mod compare;
pub(crate) mod device;
pub(crate) mod download;
pub(crate) mod exports;
pub(crate) mod https;
pub(crate) mod libraries;
pub(crate) mod network;
pub(crate) mod people;
pub(crate) mod push;
pub(crate) mod records;
pub(crate) mod relays;
pub(crate) mod session;
pub(crate) mod time;
pub(crate) mod upgrade;
