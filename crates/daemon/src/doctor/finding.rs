//! The result of a check.

use std::io::{self, Write};

use domain::names::printable;
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Ok,
    Warning,
    Problem,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// What was checked.
    pub(super) check: &'static str,
    pub(super) state: State,
    pub(super) found: String,
    /// What to do; empty when there is nothing to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) remedy: String,
}

impl Finding {
    pub(super) fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, state: State::Ok, found: found.into(), remedy: String::new() }
    }

    pub(super) fn warning(check: &'static str, found: impl Into<String>, remedy: &str) -> Self {
        Self { check, state: State::Warning, found: found.into(), remedy: remedy.to_owned() }
    }

    pub(super) fn problem(check: &'static str, found: impl Into<String>, remedy: &str) -> Self {
        Self { check, state: State::Problem, found: found.into(), remedy: remedy.to_owned() }
    }

    fn line(&self) -> String {
        let state = match self.state {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Problem => "problem",
        };
        let remedy = if self.remedy.is_empty() { String::new() } else { format!("; {}", self.remedy) };
        printable(&format!("{state:<8} {}: {}{remedy}", self.check, self.found)).into_owned()
    }
}

pub(super) fn print_lines(findings: &[Finding]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    findings.iter().try_for_each(|finding| writeln!(out, "{}", finding.line()))
}

pub(super) fn print_json(findings: &[Finding]) -> io::Result<()> {
    #[derive(Serialize)]
    struct Report<'a> {
        healthy: bool,
        checks: &'a [Finding],
    }
    let healthy = findings.iter().all(|finding| finding.state != State::Problem);
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &Report { healthy, checks: findings })?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line() {
        assert_eq!(Finding::ok("clock", "synchronised").line(), "ok       clock: synchronised");
        let problem = Finding::problem("camera", "2 \"a\nb\" does not answer", "check its cable");
        assert_eq!(problem.line().lines().count(), 1);
        assert!(problem.line().starts_with("problem  camera: 2 ") && problem.line().ends_with("; check its cable"));
    }
}
