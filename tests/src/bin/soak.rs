//! A long run of the built daemon under ordinary load; says whether memory, threads and descriptors stay flat.
//! `MINUTES` (default 60) is how long. Writes `soak.json` and `soak.log` into `OUT`.

use std::process::ExitCode;
use std::time::Duration;

use polyface_tests::{soak, write_report};

#[tokio::main]
async fn main() -> ExitCode {
    let minutes = std::env::var("MINUTES").ok().and_then(|text| text.parse::<u64>().ok()).unwrap_or(60);
    let mut log = String::new();
    let plan = soak::Plan::of(Duration::from_secs(minutes * 60));
    let report = soak::run(&plan, |line| {
        println!("{line}");
        log.push_str(line);
        log.push('\n');
    })
    .await;
    let summary = report.summary();
    print!("{summary}");
    write_report("soak", &report, &format!("{log}{summary}"));
    if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
