//! A disk whose writes are logged: QEMU's storage daemon exports it as a file through FUSE, a loop device makes it a disk
//! again, and an ext4 file system on that is mounted. All of it needs root; the caller runs in a name space of mounts of
//! its own, so that everything is unmounted when it ends.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::write_log::{self, WriteLog};

/// Maximum wait for the storage daemon.
const PATIENCE: Duration = Duration::from_secs(10);
/// Room for the log, bytes; nothing of it is taken before it is written.
const LOG: u64 = 8 << 30;

/// A mounted disk whose writes are logged.
pub struct Medium {
    folder: PathBuf,
    daemon: Child,
    log: File,
    mounted: Option<Mounted>,
}

impl Medium {
    /// Makes an empty disk of this size and mounts it at `place`. Its files go into `folder`.
    ///
    /// # Errors
    /// When a program is missing or a mount is refused: the text names it.
    pub fn create(folder: &Path, place: &Path, mebibytes: u64) -> Result<Self, String> {
        let said = |error: io::Error| error.to_string();
        let (disk, log) = (folder.join("disk"), folder.join("log"));
        File::create(&disk).and_then(|file| file.set_len(mebibytes << 20)).map_err(said)?;
        run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&disk))?;
        run(Command::new("cp").arg("--sparse=always").arg(&disk).arg(folder.join("start")))?;
        File::create(&log).and_then(|file| file.set_len(LOG)).map_err(said)?;
        File::create(folder.join("export")).map_err(said)?;
        let mut daemon = export(folder).map_err(|error| format!("qemu-storage-daemon: {error}"))?;
        wait_for_export(&mut daemon, folder, mebibytes << 20)?;
        let log = File::open(log).map_err(said)?;
        let mut medium = Self { folder: folder.to_owned(), daemon, log, mounted: None };
        medium.mounted = Some(Mounted::mount(&folder.join("export"), place)?);
        Ok(medium)
    }

    /// The number of entries of the log, at least those up to the last flush that was acknowledged.
    pub fn place(&self) -> usize {
        write_log::count(&self.log).expect("a log") as usize
    }

    /// The disk before the first entry of the log.
    pub fn start(&self) -> PathBuf {
        self.folder.join("start")
    }

    /// Unmounts the disk and reads its log. No process may use it any more.
    pub fn finish(mut self) -> WriteLog {
        drop(self.mounted.take());
        self.stop();
        WriteLog::read(&self.folder.join("log")).expect("a log")
    }

    fn stop(&mut self) {
        // It completes the log at this signal.
        let _ = Command::new("kill").arg(self.daemon.id().to_string()).status();
        let _ = self.daemon.wait();
    }
}

impl Drop for Medium {
    fn drop(&mut self) {
        drop(self.mounted.take());
        self.stop();
    }
}

fn export(folder: &Path) -> io::Result<Child> {
    let file = |name: &str| folder.join(name).display().to_string();
    let blocks = [
        format!("driver=file,node-name=disk,filename={}", file("disk")),
        format!("driver=file,node-name=log,filename={}", file("log")),
        "driver=blklogwrites,node-name=logged,file=disk,log=log,log-sector-size=512".to_owned(),
    ];
    let mut command = Command::new("qemu-storage-daemon");
    command.args(blocks.iter().flat_map(|block| ["--blockdev", block]));
    let export = format!("type=fuse,id=export,node-name=logged,mountpoint={},writable=on", file("export"));
    command.args(["--export", &export]).stdin(Stdio::null()).spawn()
}

fn wait_for_export(daemon: &mut Child, folder: &Path, size: u64) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    while fs::metadata(folder.join("export")).map_or(0, |about| about.size()) != size {
        if let Ok(Some(status)) = daemon.try_wait() {
            return Err(format!("qemu-storage-daemon ended: {status}"));
        }
        if Instant::now() >= deadline {
            let _ = daemon.kill();
            return Err("qemu-storage-daemon exports nothing".to_owned());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// A disk image that is mounted; dropping it unmounts it.
pub struct Mounted {
    place: PathBuf,
}

impl Mounted {
    /// Mounts the ext4 file system in a file, whose journal is replayed if need be.
    ///
    /// # Errors
    /// Why it cannot be mounted.
    pub fn mount(image: &Path, place: &Path) -> Result<Self, String> {
        fs::create_dir_all(place).map_err(|error| error.to_string())?;
        run(Command::new("mount").args(["-o", "loop"]).arg(image).arg(place))?;
        Ok(Self { place: place.to_owned() })
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Err(error) = run(Command::new("umount").arg(&self.place)) {
            eprintln!("{error}");
            // Whatever still uses it must not keep the next from being mounted.
            let _ = run(Command::new("umount").arg("--lazy").arg(&self.place));
        }
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let done = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if done.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&done.stderr).trim()))
}
