//! Gives up every right of this process that decoding does not need.

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus,
    Scope, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::system_calls;
use super::wire::{Confinement, LARGEST_PICTURE};

/// Rights that are handled; an older kernel handles those that it knows.
const KNOWN: ABI = ABI::V6;

/// Decoders that compute on the processor, by the beginning of their names. Any other one gets the rights of a hardware
/// decoder.
const SOFTWARE: [&str; 3] = ["avdec_", "openh264dec", "libde265dec"];

/// Device files of hardware decoders, by the beginning of their names in `/dev`.
const DEVICES: [&str; 8] = ["dri", "video", "media", "mpp_service", "rga", "dma_heap", "nvidia", "rkvdec"];

/// What their drivers read.
const READABLE: [&str; 5] = ["/usr", "/lib", "/sys", "/etc/ld.so.cache", "/proc/self"];

/// Maximum memory that holds data, bytes: a level 6.2 stream keeps 270 MB of pictures, and the allocator reserves one
/// gigabyte of addresses.
const LARGEST_DATA: u64 = 2 << 30;

/// Whether a decoder works on a device.
pub(super) fn needs_devices(decoder: &str) -> bool {
    !SOFTWARE.iter().any(|software| decoder.starts_with(software))
}

/// Gives up the rights. Must be called while the process has one thread. Returns what the kernel is able to enforce.
///
/// # Errors
/// A limit or a filter cannot be set although the kernel supports it.
pub(super) fn give_up(devices: bool) -> Result<Confinement, String> {
    limit(devices).map_err(|e| format!("resource limits: {e}"))?;
    // Both also set `no_new_privs`.
    let files = close_files(devices).map_err(|e| format!("landlock: {e}"))?;
    let calls = filter_calls(devices)?;
    Ok(Confinement { files, calls })
}

fn limit(devices: bool) -> rustix::io::Result<()> {
    let most = |number: u64| Rlimit { current: Some(number), maximum: Some(number) };
    setrlimit(Resource::Core, most(0))?;
    setrlimit(Resource::Nofile, most(if devices { 256 } else { 64 }))?;
    setrlimit(Resource::Fsize, most(LARGEST_PICTURE as u64))?;
    setrlimit(Resource::Msgqueue, most(0))?;
    // Drivers map the memory of their devices.
    if !devices {
        setrlimit(Resource::Data, most(LARGEST_DATA))?;
    }
    Ok(())
}

/// Closes the file system, TCP, abstract sockets and signals to others. Returns whether the kernel supports it.
fn close_files(devices: bool) -> Result<bool, RulesetError> {
    let rules = Ruleset::default()
        .handle_access(AccessFs::from_all(KNOWN))?
        .handle_access(AccessNet::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?
        .create()?;
    let rules = if devices {
        let use_device: BitFlags<AccessFs> =
            AccessFs::ReadFile | AccessFs::ReadDir | AccessFs::WriteFile | AccessFs::IoctlDev;
        rules
            .add_rules(path_beneath_rules(device_files(), use_device))?
            .add_rules(path_beneath_rules(READABLE, AccessFs::from_read(KNOWN)))?
    } else {
        rules
    };
    Ok(rules.restrict_self()?.ruleset != RulesetStatus::NotEnforced)
}

fn device_files() -> Vec<std::path::PathBuf> {
    let all = std::fs::read_dir("/dev").into_iter().flatten().flatten();
    let known = all.filter(|file| DEVICES.iter().any(|name| file.file_name().to_string_lossy().starts_with(name)));
    known.map(|file| file.path()).collect()
}

/// Returns whether the kernel supports it.
fn filter_calls(devices: bool) -> Result<bool, String> {
    let filters = system_calls::filters(devices).map_err(|e| format!("seccomp: {e}"))?;
    for filter in filters {
        match seccompiler::apply_filter_all_threads(&filter) {
            Ok(()) => {}
            Err(seccompiler::Error::Seccomp(e)) if is_absent(&e) => return Ok(false),
            Err(e) => return Err(format!("seccomp: {e}")),
        }
    }
    Ok(true)
}

/// Whether the kernel was built without filters: it does not know the call, or not this operation.
fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EINVAL))
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::unix::net::UnixStream;
    use std::process::Command;

    use rustix::process::{Pid, Signal};

    use super::*;

    /// Names the test that is to run in a process of its own.
    const PART: &str = "POLYFACE_TEST_PART";

    /// Runs this ignored test alone in a process of its own, because rights never come back.
    fn run_alone(name: &str) {
        let program = std::env::current_exe().unwrap();
        let mut command = Command::new(program);
        command.args([&format!("helper::rights::tests::{name}"), "--exact", "--ignored", "--nocapture"]);
        let output = command.env(PART, name).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{:?} {said}", output.status);
    }

    fn is_alone(name: &str) -> bool {
        std::env::var(PART).is_ok_and(|part| part == name)
    }

    fn assert_refused<T>(what: &str, outcome: io::Result<T>) {
        let refused = outcome.err().map(|error| error.kind());
        assert_eq!(refused, Some(io::ErrorKind::PermissionDenied), "{what}");
    }

    #[test]
    fn a_process_without_rights_can_only_compute() {
        run_alone("only_compute");
    }

    #[test]
    #[ignore = "runs in a process of its own"]
    fn only_compute() {
        if !is_alone("only_compute") {
            return;
        }
        let parent = Pid::from_raw(std::os::unix::process::parent_id().cast_signed()).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let own = std::env::current_exe().unwrap();
        let thread = std::thread::spawn(std::thread::park);
        assert!(give_up(false).unwrap().calls, "the kernel has no seccomp");

        assert_refused("connect", TcpStream::connect(port));
        assert_refused("listen", TcpListener::bind("127.0.0.1:0"));
        assert_refused("datagrams", UdpSocket::bind("127.0.0.1:0"));
        assert_refused("local sockets", UnixStream::pair());
        assert_refused("read", std::fs::read("/etc/passwd"));
        assert_refused("own file", std::fs::File::open(own));
        assert_refused("create", std::fs::File::create(std::env::temp_dir().join("polyface-test")));
        assert_refused("list", std::fs::read_dir("/"));
        assert_refused("remove", std::fs::remove_file("/nonexistent"));
        assert_refused("run", Command::new("/bin/true").spawn());
        assert_refused(
            "files in memory",
            rustix::fs::memfd_create("test", rustix::fs::MemfdFlags::empty()).map_err(Into::into),
        );
        assert_refused("kill", rustix::process::kill_process(parent, Signal::CONT).map_err(Into::into));
        let watch = rustix::process::pidfd_open(parent, rustix::process::PidfdFlags::empty());
        assert_refused("watch", watch.map_err(Into::into));
        let most = Rlimit { current: Some(0), maximum: Some(0) };
        let limited = rustix::process::prlimit(Some(parent), Resource::Core, most);
        assert_refused("limits of others", limited.map_err(Into::into));
        assert_refused("own limits", setrlimit(Resource::Core, most).map_err(Into::into));

        // The thread that was there before has lost them, too; new ones can be started.
        thread.thread().unpark();
        thread.join().unwrap();
        let other = std::thread::spawn(|| std::fs::read("/etc/passwd").map(drop).map_err(|error| error.kind()));
        assert_eq!(other.join().unwrap(), Err(io::ErrorKind::PermissionDenied));
        assert_eq!(vec![1_u8; 32 << 20].iter().map(|one| usize::from(*one)).sum::<usize>(), 32 << 20);
    }

    #[test]
    fn a_process_for_a_device_reaches_no_other_file_and_no_network() {
        run_alone("devices_only");
    }

    #[test]
    #[ignore = "runs in a process of its own"]
    fn devices_only() {
        if !is_alone("devices_only") {
            return;
        }
        let confinement = give_up(true).unwrap();
        assert!(confinement.calls);
        assert_refused("listen", TcpListener::bind("127.0.0.1:0"));
        assert_refused("run", Command::new("/bin/true").spawn());
        // Drivers are loaded when they are needed.
        assert!(std::fs::read_dir("/usr").is_ok());
        if confinement.files {
            assert_refused("read", std::fs::read("/etc/passwd"));
            assert_refused("create", std::fs::File::create(std::env::temp_dir().join("polyface-test")));
        }
    }

    #[test]
    fn only_decoders_that_compute_on_the_processor_go_without_devices() {
        assert!(!needs_devices("avdec_h264 max-threads=1") && !needs_devices("openh264dec"));
        assert!(needs_devices("mppvideodec") && needs_devices("v4l2slh265dec") && needs_devices("vah264dec"));
    }
}
