//! The contract runner: holds what a device says against the catalogue of a vendor's document, and counts what of
//! the catalogue was seen.
//!
//! A contract test is a binary with `harness = false` whose `main` gives its table of scenarios to [`Contract::main`].
//! Each plays against a device of its own and shows every answer, refusal and event to one [`Ledger`], which is asked
//! for the balance at the end.

mod catalogue;
mod fields;
mod ledger;
mod scenarios;

pub use catalogue::{Catalogue, Unreadable};
pub use ledger::{Gap, Ledger, Part, Rules};
pub use scenarios::{Contract, Scenario};
