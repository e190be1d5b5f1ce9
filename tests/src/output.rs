//! Where reports go.

use std::fs;
use std::path::PathBuf;

use serde::Serialize;

use crate::report::checkout;

/// Writes `NAME.json` and `NAME.log` into the folder named by `OUT` (default `target/reports`); a relative one lies in
/// the checkout.
pub fn write_report(name: &str, report: &impl Serialize, log: &str) {
    let wanted = std::env::var_os("OUT").filter(|out| !out.is_empty());
    let folder = checkout().join(wanted.map_or_else(|| PathBuf::from("target/reports"), PathBuf::from));
    fs::create_dir_all(&folder).expect("a folder for reports");
    let json = serde_json::to_vec_pretty(report).expect("a report in JSON");
    fs::write(folder.join(format!("{name}.json")), json).expect("the report is written");
    fs::write(folder.join(format!("{name}.log")), log).expect("the log is written");
}
