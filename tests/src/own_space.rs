//! Tests that mount disks run in a process of their own, whose mounts nobody else sees, and which are gone with it.

use std::path::PathBuf;
use std::process::Command;

/// The folder of the test: in memory, and gone with the process.
const PLACE: &str = "POLYFACE_OWN_SPACE";
const MOUNT: &str = r#"mount -t tmpfs -o size=6g,mode=0700 none "$0" && exec "$@""#;

/// Runs an ignored test of this program, by its path, in a process of its own; says so and does nothing where mounting is
/// not allowed: it takes root.
///
/// # Panics
/// When the test fails.
pub fn run(test: &str) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let in_own_space = || {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "--fork", "--kill-child", "sh", "-c", MOUNT]);
        command.arg(place.path());
        command
    };
    let trial = in_own_space().arg("true").output().expect("unshare runs");
    if !trial.status.success() {
        eprintln!("NOT TESTED, for nothing can be mounted: {}", String::from_utf8_lossy(&trial.stderr));
        return;
    }
    let program = std::env::current_exe().expect("a program");
    let mut command = in_own_space();
    command.arg(program).args(["--exact", test, "--ignored", "--nocapture"]);
    let status = command.env(PLACE, place.path()).env("TMPDIR", place.path()).status().expect("the test runs");
    assert!(status.success(), "see above");
}

/// The folder of the test, within [`run`].
///
/// # Panics
/// Elsewhere.
pub fn place() -> PathBuf {
    PathBuf::from(std::env::var(PLACE).expect("started by the test beside it"))
}
