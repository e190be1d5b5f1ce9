//! The command line of `polyfaced`, which the program and its manual share.

pub mod cli;
