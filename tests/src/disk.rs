//! A small disk of its own for a device: an ext4 file system in a file, mounted where only the device sees it, so that it
//! can be filled and broken, and goes with the device however the test ends.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A disk; its device mounts it at every start.
#[derive(Debug)]
pub struct Disk {
    image: PathBuf,
}

impl Disk {
    /// An empty disk in this file. `None` where mounting is not allowed: it takes root and loop devices.
    pub fn create(image: &Path, mebibytes: u64) -> Option<Self> {
        File::create(image).and_then(|file| file.set_len(mebibytes << 20)).expect("a disk image");
        run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(image));
        let disk = Self { image: image.to_owned() };
        let trial = disk.mounting(&image.with_extension("trial"), Path::new("true")).output().expect("unshare runs");
        if !trial.status.success() {
            eprintln!("NOT TESTED, for no disk can be mounted: {}", String::from_utf8_lossy(&trial.stderr));
            return None;
        }
        Some(disk)
    }

    /// A command that mounts the disk there, in a name space of its own, and becomes `program`.
    pub(crate) fn mounting(&self, place: &Path, program: &Path) -> Command {
        const MOUNT: &str =
            r#"mkdir -p "$1" && mount -o loop "$0" "$1" && rm -f "$1/run/listeners.json" && shift && exec "$@""#;
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--propagation", "private", "sh", "-c", MOUNT])
            .arg(&self.image)
            .arg(place)
            .arg(program);
        command
    }
}

/// Takes all room that is left in this directory; answers the file that has it.
pub fn fill(directory: &Path) -> PathBuf {
    let ballast = directory.join("ballast");
    let mut file = File::create(&ballast).expect("a file");
    for size in [1 << 20, 4096] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
    // What is not on the disk yet takes room there too.
    let _ = file.sync_all();
    ballast
}

/// Gives the room back.
pub fn free(ballast: &Path) {
    fs::remove_file(ballast).expect("the file is there");
}

/// Breaks the disk that a process has mounted there: its file system meets an error and lets nobody write any more.
pub fn break_down(process: u32, place: &Path) {
    let target = process.to_string();
    run(Command::new("nsenter").args(["--mount", "--target", &target, "mount", "-o", "remount,abort"]).arg(place));
}

fn run(command: &mut Command) {
    let done = command.stdout(Stdio::null()).status().expect("the command runs");
    assert!(done.success(), "{command:?}");
}
