//! What the command line answers without serving. That this test exists also has the daemon built for the
//! end-to-end tests.

#![allow(clippy::unwrap_used, reason = "tests may die of what they did not expect")]

use std::process::{Command, Output};

fn polyfaced() -> Command {
    Command::new(env!("CARGO_BIN_EXE_polyfaced"))
}

fn check(text: &str) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("polyface.toml");
    std::fs::write(&file, text).unwrap();
    polyfaced().args(["check", "--config"]).arg(file).output().unwrap()
}

#[test]
fn check_accepts_the_documented_file_and_tells_every_problem_of_another() {
    assert!(check(include_str!("../../../config/polyface.toml")).status.success());
    let output = check("[console]\nlisen = \"127.0.0.1:1\"\n[vision]\ndetect_every_ms = 1\n");
    assert_eq!(output.status.code(), Some(1));
    let problems = String::from_utf8(output.stderr).unwrap();
    assert_eq!(problems.lines().count(), 2, "{problems}");
    assert!(problems.contains("did you mean console.listen?"), "{problems}");
}

#[test]
fn a_missing_configuration_is_named() {
    let output = polyfaced().args(["run", "--config", "/nowhere/polyface.toml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("/nowhere/polyface.toml"));
}

#[test]
fn version_is_printed() {
    let output = polyfaced().arg("version").output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("polyfaced 0."));
}
