//! Rules over real people and vehicles: films, the real detector and the real rules. Needs the models and the film of
//! `models/fetch.sh --photos`, and ffmpeg.
//!
//! A film is searched once, frame by frame, as fast as that goes. What was found is then played to a device on fakes whose
//! time is made up, so that the outcome does not depend on how busy the machine is.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

mod device;
mod film;
mod street;
mod vehicles;
