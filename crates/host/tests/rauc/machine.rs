//! A machine with two slots on plain files, driven by the real RAUC on a message bus of its own. The boot loader is a
//! shell script. Bundles have the format `plain`: `verity` needs the kernel's device mapper.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use host::{Linux, Places, Spool};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;

/// The kind of machine.
pub(crate) const BOARD: &str = "polyface-generic-arm64";
/// Size of a slot, bytes.
const SLOT: u64 = 24 << 20;
/// A start of RAUC takes less time, also on a busy machine.
const START: Duration = Duration::from_secs(30);

/// The boot loader: which slot is started next, and whether each is good. As GRUB's, a slot that becomes the next one is
/// good until it is started.
const BOOT_LOADER: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 1
put() { echo "$2" >"$1.part" && sync "$1.part" && mv "$1.part" "$1" && sync .; }
case $1 in
get-primary) cat primary ;;
set-primary) put "state.$2" good && put primary "$2" ;;
get-state) cat "state.$2" ;;
set-state) put "state.$2" "$3" ;;
get-current) cat running ;;
esac
"#;

/// The machine. Dropping it ends its processes.
pub(crate) struct SlotMachine {
    dir: TempDir,
    bus: Child,
    address: String,
    rauc: Option<Child>,
}

/// Who signs bundles.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    key: PathBuf,
    certificate: PathBuf,
}

impl SlotMachine {
    /// A machine that runs slot A; `None`, with the reason on standard error, where RAUC cannot install: without root, or
    /// where nothing can be mounted.
    pub(crate) fn start() -> Option<Self> {
        if let Err(lacks) = possible() {
            eprintln!("SKIPPED: this test installs with RAUC, which is impossible here: {lacks}");
            return None;
        }
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (bus, address) = start_bus();
        let mut machine = Self { dir, bus, address, rauc: None };
        machine.lay_out();
        machine.start_rauc();
        Some(machine)
    }

    fn lay_out(&self) {
        let place = |name: &str| self.path(name);
        fs::create_dir(place("mnt")).expect("a folder");
        for slot in ["A", "B"] {
            fs::write(place(&format!("slot.{slot}")), content(slot)).expect("a slot");
            fs::write(place(&format!("state.{slot}")), "bad\n").expect("a state");
        }
        fs::write(place("state.A"), "good\n").expect("a state");
        fs::write(place("primary"), "A\n").expect("a primary slot");
        fs::write(place("running"), "A\n").expect("a running slot");
        fs::write(place("boot-id"), "1\n").expect("a boot id");
        fs::write(place("boot-loader"), BOOT_LOADER).expect("a boot loader");
        fs::set_permissions(place("boot-loader"), fs::Permissions::from_mode(0o755)).expect("its mode");
        let trusted = self.signer("trusted");
        fs::write(place("system.conf"), configuration(self.dir.path(), &trusted.certificate)).expect("a configuration");
    }

    /// Somebody who signs bundles; the machine trusts the one called `trusted`.
    pub(crate) fn signer(&self, name: &str) -> Signer {
        let signer = Signer { key: self.path(&format!("{name}.key")), certificate: self.path(&format!("{name}.pem")) };
        if !signer.key.exists() {
            let mut openssl = Command::new("openssl");
            openssl.args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "9",
            ]);
            openssl.args(["-subj", &format!("/CN={name}"), "-keyout"]).arg(&signer.key);
            run(openssl.arg("-out").arg(&signer.certificate));
        }
        signer
    }

    /// A bundle for this kind of machine with this image.
    pub(crate) fn bundle(&self, signer: &Signer, board: &str, version: &str, image: &[u8]) -> PathBuf {
        let work = tempfile::tempdir().expect("a temporary directory");
        let manifest =
            format!("[update]\ncompatible={board}\nversion={version}\n\n[image.rootfs]\nfilename=rootfs.img\n");
        let input = work.path().join("input");
        fs::create_dir(&input).expect("a folder");
        fs::write(input.join("manifest.raucm"), manifest).expect("a manifest");
        fs::write(input.join("rootfs.img"), image).expect("an image");
        let bundle = self.path(&format!("{}.raucb", random_name()));
        let mut rauc = Command::new("rauc");
        rauc.arg("--cert").arg(&signer.certificate).arg("--key").arg(&signer.key);
        run(rauc.args(["--mksquashfs-args=-comp lz4", "bundle"]).arg(&input).arg(&bundle));
        bundle
    }

    /// Starts RAUC's service, also after it was killed.
    pub(crate) fn start_rauc(&mut self) {
        self.kill_rauc();
        let running = self.text("running");
        let mut rauc = Command::new("rauc");
        rauc.arg("-c").arg(self.path("system.conf")).arg(format!("--override-boot-slot={running}")).arg("service");
        rauc.env("DBUS_SESSION_BUS_ADDRESS", &self.address).env("DBUS_STARTER_BUS_TYPE", "session");
        rauc.process_group(0);
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path("rauc.log")).expect("a log");
        let again = log.try_clone().expect("a log");
        self.rauc = Some(rauc.stdin(Stdio::null()).stdout(log).stderr(again).spawn().expect("RAUC starts"));
        self.await_rauc();
    }

    fn await_rauc(&self) {
        let end = Instant::now() + START;
        let asked = || {
            let mut call = Command::new("dbus-send");
            call.args(["--session", "--print-reply", "--dest=de.pengutronix.rauc", "/"]);
            call.arg("de.pengutronix.rauc.Installer.GetPrimary").env("DBUS_SESSION_BUS_ADDRESS", &self.address);
            call.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        };
        while !asked() {
            assert!(Instant::now() < end, "RAUC does not answer:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends RAUC's service as a power cut would, and what it has mounted with it.
    pub(crate) fn kill_rauc(&mut self) {
        if let Some(mut rauc) = self.rauc.take() {
            // With the programs that it has started.
            let group = format!("-{}", rauc.id());
            let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
            let _ = rauc.wait();
        }
        self.unmount();
    }

    fn unmount(&self) {
        let mounted = self.path("mnt");
        let table = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let below =
            table.lines().filter_map(|line| line.split(' ').nth(1)).filter(|at| Path::new(at).starts_with(&mounted));
        for at in below.collect::<Vec<_>>().into_iter().rev() {
            let _ = Command::new("umount").args(["-l", at]).status();
        }
    }

    /// Restarts the machine: the boot loader starts the next slot if it is good, otherwise the other one, and counts it as
    /// not good until it is marked. Returns the slot that runs.
    pub(crate) fn boot(&mut self) -> String {
        self.kill_rauc();
        let next = self.bootable();
        fs::write(self.path("running"), format!("{next}\n")).expect("the running slot");
        fs::write(self.path(&format!("state.{next}")), "bad\n").expect("a state");
        fs::write(self.path("boot-id"), format!("{}\n", random_name())).expect("a boot id");
        self.start_rauc();
        next
    }

    /// The slot that the boot loader would start.
    pub(crate) fn bootable(&self) -> String {
        let primary = self.text("primary");
        let other = if primary == "A" { "B" } else { "A" };
        if self.text(&format!("state.{primary}")) == "good" { primary } else { other.to_owned() }
    }

    /// The machine, as the daemon acts on it.
    pub(crate) fn host(&self) -> Linux {
        let spool = Spool { folder: self.path("spool"), answer: self.path("answer") };
        let places =
            Places { rauc: self.path("system.conf"), boot_id: self.path("boot-id"), spool, ..Places::default() };
        Linux::default().with_places(places).on_bus(self.address.clone())
    }

    /// The whole content of a slot.
    pub(crate) fn slot(&self, slot: &str) -> Vec<u8> {
        fs::read(self.path(&format!("slot.{slot}"))).expect("a slot")
    }

    /// A folder for the daemon's files.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What RAUC has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("rauc.log")).unwrap_or_default()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a state of the boot loader").trim().to_owned()
    }
}

impl Drop for SlotMachine {
    fn drop(&mut self) {
        self.kill_rauc();
        let _ = self.bus.kill();
        let _ = self.bus.wait();
        if std::thread::panicking() {
            eprintln!("---- RAUC's log ----\n{}", self.log());
        }
    }
}

/// The first content of a slot, which differs between slots.
pub(crate) fn content(slot: &str) -> Vec<u8> {
    slot.bytes().cycle().take(SLOT as usize).collect()
}

/// An image that fills most of a slot and cannot be compressed.
pub(crate) fn image(seed: u64, length: usize) -> Vec<u8> {
    let mut image = vec![0; length];
    StdRng::seed_from_u64(seed).fill(&mut image[..]);
    image
}

fn configuration(dir: &Path, trusted: &Path) -> String {
    let dir = dir.display();
    let slot = |number: u8, name: &str| {
        format!("[slot.rootfs.{number}]\ndevice={dir}/slot.{name}\ntype=raw\nbootname={name}\n\n")
    };
    format!(
        "[system]\ncompatible={BOARD}\nbootloader=custom\nstatusfile={dir}/status\nmountprefix={dir}/mnt\n\
         bundle-formats=plain verity\n\n[handlers]\nbootloader-custom-backend={dir}/boot-loader\n\n\
         [keyring]\npath={}\n\n{}{}",
        trusted.display(),
        slot(0, "A"),
        slot(1, "B")
    )
}

/// A message bus of its own: the process and the address.
fn start_bus() -> (Child, String) {
    let mut bus = Command::new("dbus-daemon");
    bus.args(["--session", "--nofork", "--nopidfile", "--print-address"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut bus = bus.spawn().expect("dbus-daemon starts");
    let mut address = String::new();
    let output = bus.stdout.take().expect("its output");
    BufReader::new(output).read_line(&mut address).expect("the address of the bus");
    (bus, address.trim().to_owned())
}

/// Whether RAUC can install here.
fn possible() -> Result<(), String> {
    for program in ["rauc", "dbus-daemon", "dbus-send", "mksquashfs", "openssl"] {
        let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
        if !found.is_ok_and(|status| status.success()) {
            return Err(format!("{program} is not installed"));
        }
    }
    mountable()
}

/// RAUC mounts a bundle by a loop device.
fn mountable() -> Result<(), String> {
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (source, image, at) = (dir.path().join("source"), dir.path().join("image"), dir.path().join("at"));
    fs::create_dir(&source).and_then(|()| fs::create_dir(&at)).map_err(|error| error.to_string())?;
    let mut make = Command::new("mksquashfs");
    run(make.arg(&source).arg(&image).arg("-quiet"));
    let mounted = Command::new("mount").args(["-t", "squashfs", "-o", "ro,loop"]).arg(&image).arg(&at).output();
    let mounted = mounted.map_err(|error| error.to_string())?;
    if !mounted.status.success() {
        return Err(String::from_utf8_lossy(&mounted.stderr).trim().to_owned());
    }
    run(Command::new("umount").arg(&at));
    Ok(())
}

fn run(command: &mut Command) {
    let output = command.output().expect("a program that is installed");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn random_name() -> String {
    format!("{:016x}", rand::random::<u64>())
}
