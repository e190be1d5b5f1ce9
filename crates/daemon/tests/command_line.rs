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

/// The problems that `check` tells, a line each.
fn problems(text: &str) -> Vec<String> {
    let output = check(text);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.success(), told.is_empty(), "{told}");
    told.lines().map(str::to_owned).collect()
}

#[test]
fn check_of_the_documented_file_misses_only_models_that_are_not_installed() {
    let documented = include_str!("../../../config/polyface.toml");
    let empty = tempfile::tempdir().unwrap();
    let folder = format!("dir = \"{}\"", empty.path().display());
    let problems = problems(&documented.replace("#dir = \"/usr/share/polyface/models\"", &folder));
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].starts_with("polyfaced: `models.dir` in ") && problems[0].contains("sets.toml"),
        "{problems:?}"
    );
}

#[test]
fn check_tells_every_problem_with_its_place() {
    let problems =
        problems("[console]\nlisen = \"127.0.0.1:1\"\n[vision]\ndetect_every_ms = 1\n[models]\ndir = \"/nowhere\"");
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[0].contains(" line 2: ") && problems[0].contains("did you mean console.listen?"), "{problems:?}");
    assert!(problems[2].contains(" line 6: ") && problems[2].contains("/nowhere/sets.toml"), "{problems:?}");
}

#[test]
fn check_tries_sets_folders_files_and_devices() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("sets.toml"), "[other]\ndetector = \"a\"\nembedder = \"b\"\n").unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let dir = dir.path().display();
    let problems = problems(&format!(
        "[storage]\ndir = \"{dir}/file/storage\"\n[models]\ndir = \"{dir}\"\n[accounts]\nadmin_password_file = \"{dir}/none\"\n\
         [[reader]]\ndevice = \"{dir}/ttyS9\"\n[terminal]\nenabled = true\nca_file = \"{dir}/ca.pem\"\n\
         [host]\nsounds = \"{dir}/sounds\"\nupgrade_key = \"RW\"\n[door]\ncontact = \"{dir}/gpiochip0:1\""
    ));
    let keys: Vec<_> = problems.iter().map(|line| line.split('`').nth(1).unwrap()).collect();
    // In the order of the file; the set has no line.
    let named = [
        "storage.dir",
        "models.set",
        "accounts.admin_password_file",
        "reader.device",
        "terminal.ca_file",
        "host.sounds",
        "host.upgrade_key",
        "door.contact",
    ];
    assert_eq!(keys, named, "{problems:?}");
}

#[test]
fn check_tells_what_contradicts_itself() {
    let problems = |text: &str| {
        let told = problems(&format!("{text}\n[models]\ndir = \"/nowhere\""));
        told.into_iter().filter(|line| !line.contains("`models.dir`")).collect::<Vec<_>>()
    };
    let useless = problems("[facebox]\nenabled = true\nlisten = \"0.0.0.0:8080\"");
    assert_eq!(useless.len(), 1, "{useless:?}");
    assert!(useless[0].contains("`facebox.listen`") && useless[0].contains("listen_https"), "{useless:?}");
    for meant in [
        "[facebox]\nenabled = true\nclear = \"allow\"",
        "[facebox]\nenabled = true\nlisten_https = \"0.0.0.0:8443\"",
        "[facebox]\nenabled = true\nlisten = \"127.0.0.1:8080\"",
        "[facebox]\nenabled = true\n[uniview]\nenabled = true\nlisten_https = \"0.0.0.0:8443\"",
    ] {
        assert_eq!(problems(meant), [] as [&str; 0], "{meant}");
    }
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

#[test]
fn the_supported_version_of_the_database_needs_no_configuration() {
    let output = polyfaced().args(["schema", "--config", "/nowhere/polyface.toml"]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{}\n", store::supported_schema()));
}

#[test]
fn the_stored_version_of_the_database_is_0_before_the_first_start() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("polyface.toml");
    std::fs::write(&file, format!("[storage]\ndir = \"{}/storage\"", dir.path().display())).unwrap();
    let output = polyfaced().args(["schema", "--stored", "--config"]).arg(file).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "0\n");
}
