//! The built daemon against real counterparts: an RTSP server, platforms, callers with bad intentions.

#![allow(clippy::unwrap_used, reason = "tests may die of what they did not expect")]

mod backup;
mod capture;
mod doctor;
mod durability;
mod facebox;
mod hostile;
mod machine;
mod models;
mod outage;
mod platforms_day;
mod power_cuts;
mod process;
mod readers;
mod recognition;
mod repair;
mod reset;
mod soak;
mod sophon;
mod storage;
mod terminal;
mod torture;
mod uniview;
