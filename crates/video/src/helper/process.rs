//! Starts, ends and reaps the processes.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use domain::ports::SourceError;
use rustix::fs::{MemfdFlags, SealFlags};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::conversation::{Conversation, Inlet, Outlet, Surroundings, conversation, ready};
use super::wire::{Confinement, LARGEST_PICTURE};
use crate::decoder;
use crate::effort::Effort;
use crate::running::Common;

/// Maximum time that a helper takes to load its decoder.
const START: Duration = Duration::from_secs(10);

/// Variables that a helper keeps: where libraries and drivers are, and the allocator's settings.
const KEPT: [&str; 5] =
    ["LD_LIBRARY_PATH", "LIBVA_DRIVER_NAME", "LIBVA_DRIVERS_PATH", "VDPAU_DRIVER", "MIMALLOC_PURGE_DELAY"];

/// gstreamer neither looks for plugins nor keeps a list of them: a helper loads the files that it is given.
const ALONE: [(&str, &str); 5] = [
    ("GST_PLUGIN_SYSTEM_PATH_1_0", ""),
    ("GST_PLUGIN_PATH_1_0", ""),
    ("GST_REGISTRY_1_0", "/dev/null/none"),
    ("GST_REGISTRY_UPDATE", "no"),
    ("GST_REGISTRY_FORK", "no"),
];

/// A helper that has loaded its decoder and given up its rights.
pub(crate) struct Helper {
    pub(crate) inlet: Inlet,
    pub(crate) outlet: Outlet,
    pub(crate) decoded: Arc<AtomicU64>,
    pub(crate) effort: Arc<Effort>,
}

/// Starts a helper. It ends with its [`Outlet`]; `closing` tracks it until then. `patience`: maximum wait for a picture
/// that it was asked for.
pub(crate) async fn start(
    program: &Path,
    decoder: &str,
    common: &Common,
    patience: Duration,
    closing: &TaskTracker,
) -> Result<Helper, SourceError> {
    let (mut child, mut socket, memory) = launch(program, decoder, common).map_err(|e| unstarted(&e))?;
    let said = timeout(START, ready(&mut socket)).await;
    let confinement = match said {
        Ok(Ok(Some(confinement))) => confinement,
        Ok(Ok(None)) => return Err(death(child.wait().await.ok())),
        Ok(Err(why)) => return Err(ended(&mut child, why).await),
        Err(_) => return Err(ended(&mut child, unstarted(&"it is not ready in time")).await),
    };
    report(confinement);
    tracing::debug!(process.id = child.id(), decoder, "decoder process started");
    let surroundings = Surroundings {
        memory: Arc::new(memory),
        arrivals: Arc::clone(&common.arrivals),
        clock: Arc::clone(&common.clock),
        tally: Arc::clone(&common.tally),
    };
    let cancel = CancellationToken::new();
    let (inlet, outlet, talk) = conversation(surroundings, patience, cancel.clone().drop_guard());
    closing.spawn(attend(child, socket, talk, cancel));
    let (decoded, effort) = (inlet.decoded(), inlet.effort());
    Ok(Helper { inlet, outlet, decoded, effort })
}

fn launch(program: &Path, decoder: &str, common: &Common) -> std::io::Result<(Child, UnixStream, File)> {
    let (ours, theirs) = StdStream::pair()?;
    ours.set_nonblocking(true)?;
    let memory = shared_memory()?;
    let kept = KEPT.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)));
    let child = Command::new(program)
        .arg0("polyfaced")
        .args(["decode", common.codec.name(), decoder])
        .args(decoder::plugins(common.codec, decoder))
        .current_dir("/")
        .env_clear()
        .envs(kept)
        .envs(ALONE)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::from(memory.try_clone()?))
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    Ok((child, UnixStream::from_std(ours)?, memory))
}

/// A file in memory as large as the largest picture, of which only what is written takes memory. It cannot be resized.
fn shared_memory() -> std::io::Result<File> {
    let memory = rustix::fs::memfd_create("picture", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let memory = File::from(memory);
    memory.set_len(LARGEST_PICTURE as u64)?;
    rustix::fs::fcntl_add_seals(&memory, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    Ok(memory)
}

/// Talks to the helper until it ends or is not needed any more, and reaps it.
async fn attend(mut child: Child, socket: UnixStream, mut talk: Conversation, cancel: CancellationToken) {
    let (mut from, mut to) = socket.into_split();
    let id = child.id();
    let talked = cancel.run_until_cancelled(talk.hold(&mut from, &mut to)).await;
    let why = match talked {
        None => {
            ended(&mut child, SourceError::NotSupported).await;
            tracing::debug!(process.id = id, "decoder process ended");
            return;
        }
        Some(Ok(())) => death(timeout(START, child.wait()).await.ok().and_then(Result::ok)),
        Some(Err(why)) => ended(&mut child, why).await,
    };
    // The camera's reason says it, too.
    tracing::info!(process.id = id, error = %why, "decoder process failed");
    // Full or closed only when nobody waits for pictures.
    let _ = talk.pictures.try_send(Err(why));
    // Reaped above, unless it closed its socket and goes on.
    let _ = child.kill().await;
}

/// Kills the helper and reaps it.
async fn ended(child: &mut Child, why: SourceError) -> SourceError {
    if let Err(error) = child.kill().await {
        tracing::warn!(%error, "failed to end a decoder process");
    }
    why
}

fn unstarted(why: &dyn std::fmt::Display) -> SourceError {
    SourceError::Undecodable(format!("the decoder process did not start: {why}"))
}

/// How a helper ended by itself.
fn death(status: Option<ExitStatus>) -> SourceError {
    let how = match status.map(|status| (status.signal(), status.code())) {
        Some((Some(signal), _)) => format!("was ended by signal {signal}"),
        Some((None, Some(code))) => format!("exited with code {code}"),
        _ => "closed its socket".to_owned(),
    };
    SourceError::Undecodable(format!("the decoder process {how}"))
}

/// Logs once what the kernel cannot enforce.
fn report(confinement: Confinement) {
    static REPORTED: AtomicBool = AtomicBool::new(false);
    let Confinement { files, calls } = confinement;
    let complete = files && calls;
    if !complete && !REPORTED.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            landlock = files,
            seccomp = calls,
            "decoder processes are confined less than they could be: the kernel lacks Landlock or seccomp"
        );
    }
}
