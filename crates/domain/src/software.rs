//! The software of the machine: in two slots, or as packages.

use std::path::PathBuf;

use crate::Package;

/// Two places for the whole software of the machine, of which one runs and the other is written by an upgrade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slots {
    /// Name of the slot that runs, such as `A`.
    pub running: String,
    /// Whether the running slot is marked good. The boot loader leaves a slot that is not, when it is started again.
    pub is_good: bool,
    /// Another slot that is marked good, which the boot loader would fall back to.
    pub fallback: Option<String>,
    /// The kind of machine that bundles must be made for.
    pub compatible: String,
    /// Differs after each start of the machine.
    pub boot: String,
}

/// What a software bundle with a valid signature says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The kind of machine that it was made for.
    pub compatible: String,
    /// Its version, as written.
    pub version: String,
}

/// Software to be installed.
#[derive(Debug)]
pub enum Software {
    /// A signed package, for a machine without slots.
    Package(Package),
    /// The file of a bundle, for a machine with slots, which checks its signature itself.
    Bundle(PathBuf),
}

/// What the boot loader is told about a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotMark {
    /// The running slot works; it is started from now on.
    Good,
    /// The running slot does not work; it is not started again.
    Bad,
    /// The other slot does not work; it is not started again.
    OtherBad,
}
