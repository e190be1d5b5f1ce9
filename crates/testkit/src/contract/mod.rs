//! The contract runner: holds what a device says against the catalogue of a vendor's document, and counts what of
//! the catalogue was seen.
//!
//! A contract test plays scenarios against a device, shows every answer, refusal and event to a [`Ledger`], and at
//! the end asks for the balance.

mod catalogue;
mod fields;
mod ledger;

pub use catalogue::{Catalogue, Unreadable};
pub use ledger::{Gap, Ledger, Part, Rules};
