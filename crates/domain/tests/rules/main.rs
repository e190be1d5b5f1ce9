//! Tests of the rules of the core, each named as a sentence, through the appliance with fakes and paused time.
#![allow(clippy::unwrap_used)]

mod accounts;
mod addresses;
mod batches;
mod behaviours;
mod camera_defaults;
mod cameras;
mod captures;
mod clips;
mod discovery;
mod doors;
mod enrolment;
mod gallery;
mod gallery_copy;
mod libraries;
mod liveness;
mod load;
mod log;
mod machine;
mod passes;
mod people;
mod pictures;
mod privacy;
mod progress;
mod proofs;
mod readers;
mod reembedding;
mod retention;
mod rights;
mod settings;
mod sources;
mod stage;
mod tasks;
mod verdicts;
mod visits;
mod watching;
