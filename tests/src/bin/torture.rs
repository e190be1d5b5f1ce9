//! Kills the built daemon at random moments under load and checks that nothing acknowledged is lost. `ROUNDS` (default
//! 200) is how often, `SEED` (default random, printed) gives the same moments again. Writes `torture.json` and
//! `torture.log` into `OUT`.

use std::process::ExitCode;

use polyface_tests::{torture, write_report};

#[tokio::main]
async fn main() -> ExitCode {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let rounds = number("ROUNDS").unwrap_or(200);
    let seed = number("SEED").unwrap_or_else(rand::random);
    println!("seed {seed}");
    let mut log = String::new();
    let report = torture::run(rounds as u32, seed, |line| {
        println!("{line}");
        log.push_str(line);
        log.push('\n');
    })
    .await;
    let summary = report.summary();
    print!("{summary}");
    write_report("torture", &report, &format!("{log}{summary}"));
    if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
