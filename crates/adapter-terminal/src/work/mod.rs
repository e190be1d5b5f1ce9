//! Background work, beside commands and pushes.

pub(crate) mod batches;
pub(crate) mod cameras;
pub(crate) mod connection;
pub(crate) mod enrolment;
pub(crate) mod session;
pub(crate) mod sounds;
mod trial;
pub(crate) mod wiegand;
