//! Background work, beside requests and pushes.

pub(crate) mod https;
