//! Real Debian packages, and a dpkg that notes what it is asked to do.

use std::io::Cursor;
use std::process::Command;

use minisign::KeyPair;
use tempfile::TempDir;

use super::*;

const NEW: &str = "99.0.0";

struct Machine {
    dir: TempDir,
    keys: KeyPair,
    config: Config,
    places: Places,
}

impl Machine {
    fn new() -> Self {
        let (dir, keys) = (tempfile::tempdir().unwrap(), KeyPair::generate_unencrypted_keypair().unwrap());
        let path = |name: &str| dir.path().join(name);
        let mut config = Config::default();
        config.storage.dir = path("storage");
        config.host.upgrade_key = Some(keys.pk.to_base64());
        let places = Places { state: path("state"), rauc: path("rauc.conf"), dpkg: path("dpkg") };
        fs::create_dir_all(path("storage/upgrades/spool")).unwrap();
        fs::create_dir(path("state")).unwrap();
        let machine = Self { dir, keys, config, places };
        machine.have_dpkg("exit 0");
        machine
    }

    /// dpkg ends in this way.
    fn have_dpkg(&self, end: &str) {
        let log = self.dir.path().join("calls");
        let script = format!("#!/bin/sh\necho \"$POLYFACE_NO_RESTART $*\" >>{}\n{end}\n", log.display());
        fs::write(&self.places.dpkg, script).unwrap();
        fs::set_permissions(&self.places.dpkg, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.dir.path().join("calls")).unwrap_or_default()
    }

    fn answer(&self) -> String {
        fs::read_to_string(self.places.state.join(ANSWER)).unwrap()
    }

    fn debian(&self, name: &str, version: &str) -> PathBuf {
        let folder = self.dir.path().join("build");
        fs::create_dir_all(folder.join("DEBIAN")).unwrap();
        let control =
            format!("Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n");
        fs::write(folder.join("DEBIAN/control"), control).unwrap();
        let file = self.dir.path().join(format!("{name}_{version}_all.deb"));
        let built = Command::new("dpkg-deb").args(["-Znone", "--build"]).arg(&folder).arg(&file).output().unwrap();
        assert!(built.status.success());
        file
    }

    /// Puts these files, signed as this version, into the spool.
    fn deliver(&self, files: &[PathBuf], version: &str) {
        let mut archive = tar::Builder::new(Vec::new());
        for file in files {
            archive.append_path_with_name(file, file.file_name().unwrap()).unwrap();
        }
        self.deliver_bytes(&archive.into_inner().unwrap(), version);
    }

    fn deliver_bytes(&self, content: &[u8], version: &str) {
        let comment = format!("polyface {version}");
        let signature = minisign::sign(None, &self.keys.sk, Cursor::new(content), Some(&comment), None).unwrap();
        fs::write(self.spool(), [content, signature.into_string().as_bytes()].concat()).unwrap();
    }

    fn spool(&self) -> PathBuf {
        self.config.storage.dir.join("upgrades/spool/package")
    }

    fn run(&self) -> Result<()> {
        run(&self.config, &self.places)
    }
}

#[test]
fn signed_packages_of_this_product_are_installed_without_restarting_the_service() {
    let machine = Machine::new();
    let files = [machine.debian("polyface", NEW), machine.debian("polyface-models", "98.0.0")];
    machine.deliver(&files, NEW);
    machine.run().unwrap();
    let calls = machine.calls();
    let (configured, installed) = calls.trim().split_once('\n').unwrap();
    assert_eq!(configured, "1 --configure --pending");
    assert!(installed.starts_with("1 --force-confdef --force-confold --install "), "{calls}");
    for file in &files {
        assert!(installed.contains(file.file_name().unwrap().to_str().unwrap()), "{calls}");
    }
    assert_eq!(machine.answer(), "");
    assert!(!machine.spool().exists() && !machine.places.state.join(READY).exists());
}

#[test]
fn what_may_not_be_installed_never_reaches_dpkg() {
    let machine = Machine::new();
    let ours = || machine.debian("polyface", NEW);
    let refused = |why: &str| {
        let error = format!("{:#}", machine.run().unwrap_err());
        assert!(error.contains(why), "{error} should say {why}");
        assert_eq!(machine.answer(), error);
        assert_eq!(machine.calls(), "", "{why}");
        assert!(!machine.places.state.join(READY).exists() && !machine.places.state.join(PART).exists());
    };
    refused("cannot be read");
    machine.deliver(&[machine.debian("bash", NEW), ours()], NEW);
    refused("not of this product");
    machine.deliver(&[ours()], "98.0.0");
    refused("signed as 98.0.0");
    machine.deliver(&[machine.debian("polyface-models", NEW)], NEW);
    refused("no Debian package polyface");
    machine.deliver(&[machine.debian("polyface", "0.0.1")], "0.0.1");
    refused("is not above the installed");
    machine.deliver_bytes(b"new software", NEW);
    refused("tar archive");
    let text = machine.dir.path().join("notes.deb");
    fs::write(&text, "no package").unwrap();
    machine.deliver(&[text], NEW);
    refused("not a Debian package");
    let mut escaping = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    header.as_mut_bytes()[..11].copy_from_slice(b"../evil.deb");
    header.set_cksum();
    escaping.append(&header, &b"x"[..]).unwrap();
    machine.deliver_bytes(&escaping.into_inner().unwrap(), NEW);
    refused("is not a Debian package");
    machine.deliver(&[ours()], NEW);
    let mut forged = fs::read(machine.spool()).unwrap();
    forged[600] ^= 1;
    fs::write(machine.spool(), forged).unwrap();
    refused("not what was signed");
    fs::write(machine.places.rauc.clone(), "").unwrap();
    machine.deliver(&[ours()], NEW);
    refused("two software slots");
}

#[test]
fn a_link_in_the_spool_is_not_followed() {
    let machine = Machine::new();
    machine.deliver(&[machine.debian("polyface", NEW)], NEW);
    let elsewhere = machine.dir.path().join("elsewhere");
    fs::rename(machine.spool(), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, machine.spool()).unwrap();
    assert!(machine.run().is_err());
    assert_eq!(machine.calls(), "");
    assert!(elsewhere.exists());
}

#[test]
fn what_a_power_cut_interrupted_is_finished_and_what_dpkg_refuses_is_told() {
    let machine = Machine::new();
    let ready = machine.places.state.join(READY);
    fs::create_dir(&ready).unwrap();
    fs::copy(machine.debian("polyface", NEW), ready.join("polyface.deb")).unwrap();
    machine.run().unwrap();
    assert!(machine.calls().contains("polyface.deb"), "{}", machine.calls());
    machine.have_dpkg("[ \"$1\" = --configure ] || { echo 'dependency problems' >&2; exit 1; }");
    machine.deliver(&[machine.debian("polyface", NEW)], NEW);
    assert!(machine.run().is_err());
    assert_eq!(machine.answer(), "dpkg failed: dependency problems");
    assert!(!ready.exists());
}
