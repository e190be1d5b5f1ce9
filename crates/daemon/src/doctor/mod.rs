//! `polyfaced doctor`: what is wrong with this device, in an installer's words.

mod finding;
mod machine;
mod peers;
mod service;
mod storage;

use std::path::Path;

use anyhow::{Context, Result};

use crate::config::Config;
use crate::models;
use finding::{Finding, State};
use service::Service;

/// Examines the device and prints one line for each check, or all of them as JSON. Returns whether there is no problem.
pub(crate) fn examine(file: &Path, json: bool) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    let findings = runtime.block_on(findings(file));
    let printed = if json { finding::print_json(&findings) } else { finding::print_lines(&findings) };
    printed.context("standard output cannot be written")?;
    Ok(findings.iter().all(|finding| finding.state != State::Problem))
}

async fn findings(file: &Path) -> Vec<Finding> {
    let (mut findings, config) = match Config::diagnose(file) {
        Ok((config, problems)) => (configuration(file, &config, problems), Some(config)),
        Err(problems) => (problems.into_iter().map(mistake).collect(), None),
    };
    if let Some(config) = &config {
        let service = service::find(config).await;
        findings.extend(self_test(config, &findings, &service).await);
        findings.extend(storage::examine(config));
        findings.push(storage::backups(config));
        findings.extend(machine::examine().await);
        findings.extend(peers::examine(config).await);
        findings.extend(service.findings());
    } else {
        findings.extend(machine::examine().await);
    }
    findings
}

fn configuration(file: &Path, config: &Config, problems: Vec<String>) -> Vec<Finding> {
    let warnings = config.warnings().into_iter().map(|warning| Finding::warning("configuration", warning, ""));
    if problems.is_empty() {
        let files = format!("{} is valid; its folders, files and devices can be opened", file.display());
        return std::iter::once(Finding::ok("configuration", files)).chain(warnings).collect();
    }
    problems.into_iter().map(mistake).chain(warnings).collect()
}

fn mistake(problem: String) -> Finding {
    Finding::problem("configuration", problem, "correct it, then restart the daemon")
}

/// The self-test of the models, unless a running daemon has passed it or the files are already known to be wrong.
async fn self_test(config: &Config, known: &[Finding], service: &Service) -> Option<Finding> {
    let about_models =
        |finding: &Finding| ["`models.", "`vision.liveness"].iter().any(|key| finding.found.contains(key));
    if known.iter().any(about_models) {
        return None;
    }
    let set = &config.models.set;
    if service.is_up() {
        return Some(Finding::ok("models", format!("the running daemon works with the set {set}")));
    }
    Some(match models::open(config).await {
        Ok(_) => Finding::ok("models", format!("the set {set} passes its self-test on this machine")),
        Err(error) => {
            let remedy =
                "install the models of this version again; for an accelerator, set inference.provider = \"cpu\"";
            Finding::problem("models", format!("{error:#}"), remedy)
        }
    })
}
