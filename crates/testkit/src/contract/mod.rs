//! The contract runner: checks what a device sends against the catalogue of a vendor's document, and measures the
//! coverage of the catalogue.
//!
//! A contract test is a binary with `harness = false` whose `main` gives its table of scenarios to [`Contract::main`].
//! Each runs against a device of its own and reports every answer, refusal and event to one [`Ledger`], which returns
//! the coverage at the end.

mod catalogue;
mod fields;
mod ledger;
mod scenarios;

pub use catalogue::{Catalogue, Unreadable};
pub use ledger::{Gap, Ledger, Part, Rules};
pub use scenarios::{Contract, Scenario};
