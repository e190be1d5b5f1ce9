//! The helper's side: what `polyfaced decode` does.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use domain::Timestamp;
use domain::ports::SourceError;
use gstreamer as gst;
use gstreamer_app::{AppSrc, AppSrcCallbacks};

use super::rights;
use super::wire::{Confinement, Description, Progress, Reply, Request};
use crate::counters::Tally;
use crate::decoder::{Codec, Decoder};
use crate::effort;
use crate::sink::{News, Sink};

/// Decodes one stream for the daemon at the other end of standard input, and copies pictures into the file in memory
/// that is standard output. Returns when the daemon closes the socket.
///
/// `arguments`: the coding (`h264` or `h265`), the decoder with its properties, and the files of the gstreamer plugins
/// that it needs. Before the first byte of the stream is read, the process gives up its rights.
///
/// # Errors
/// The decoder cannot be started, or fails on the stream; the daemon has got the reason, too.
pub fn decode(arguments: &[String]) -> Result<(), String> {
    let (socket, memory) = ends().map_err(|e| format!("standard input and output: {e}"))?;
    let outcome = begin(arguments).and_then(|(decoder, confinement)| serve(decoder, confinement, &socket, memory));
    if let Err(why) = &outcome {
        // Fails when the daemon has closed the socket.
        let _ = Reply::Failed(why.clone()).write(&mut &socket);
    }
    outcome
}

fn ends() -> std::io::Result<(File, File)> {
    let socket = std::io::stdin().as_fd().try_clone_to_owned()?;
    let memory = std::io::stdout().as_fd().try_clone_to_owned()?;
    Ok((File::from(socket), File::from(memory)))
}

/// Loads everything that decoding needs, gives up the rights, and starts the decoder.
fn begin(arguments: &[String]) -> Result<(Decoder, Confinement), String> {
    let [coding, decoder, plugins @ ..] = arguments else { return Err("arguments are missing".to_owned()) };
    let codec = Codec::named(coding).ok_or("no such coding")?;
    gst::init().map_err(|e| e.to_string())?;
    for plugin in plugins {
        gst::Plugin::load_file(Path::new(plugin)).map_err(|e| format!("{plugin}: {e}"))?;
    }
    let prepared = Decoder::prepare(codec, decoder, &Arc::new(Tally::default())).map_err(|why| reason(&why))?;
    let confinement = rights::give_up(rights::needs_devices(decoder))?;
    prepared.pipeline.play().map_err(|why| reason(&why))?;
    Ok((prepared, confinement))
}

fn reason(why: &SourceError) -> String {
    match why {
        SourceError::Undecodable(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What the two threads share.
#[derive(Default)]
struct State {
    wanted: AtomicBool,
    /// Units and bytes given to the decoder.
    units: AtomicU64,
    bytes: AtomicU64,
}

impl State {
    fn progress(&self, news: &News, source: &AppSrc) -> Progress {
        let taken = |given: &AtomicU64, waiting| given.load(Ordering::Acquire).saturating_sub(waiting);
        // What waits is read first: a unit that is given in between counts as taken a moment too early.
        let (units, bytes) = (source.current_level_buffers(), source.current_level_bytes());
        let busy = effort::process_time().as_micros() as u64;
        Progress { decoded: news.decoded(), units: taken(&self.units, units), bytes: taken(&self.bytes, bytes), busy }
    }
}

fn serve(decoder: Decoder, confinement: Confinement, socket: &File, memory: File) -> Result<(), String> {
    let Decoder { source, sink, pipeline: _pipeline } = decoder;
    let state = Arc::new(State::default());
    let news = sink.news();
    let hungry = Arc::clone(&news);
    source.set_callbacks(AppSrcCallbacks::builder().need_data(move |_, _| hungry.ring()).build());
    let copy = socket.try_clone().map_err(|e| e.to_string())?;
    Reply::Ready(confinement).write(&mut &*socket).map_err(|e| e.to_string())?;
    let outlet = Outlet { sink, source: source.clone(), state: Arc::clone(&state), socket: copy, memory };
    let answering = move || {
        let failed = outlet.run();
        // The main thread waits for the daemon, which waits for this.
        std::process::exit(i32::from(failed.is_err()));
    };
    std::thread::Builder::new().name("answers".to_owned()).spawn(answering).map_err(|e| e.to_string())?;
    take_requests(&mut &*socket, &source, &state, &news).map_err(|e| e.to_string())
}

/// Passes requests on until the daemon closes the socket.
fn take_requests(socket: &mut impl Read, source: &AppSrc, state: &State, news: &News) -> std::io::Result<()> {
    while let Some(request) = Request::read(socket)? {
        match request {
            Request::Unit { tick, data } => {
                let length = data.len() as u64;
                let mut buffer = gst::Buffer::from_mut_slice(data);
                if let Some(buffer) = buffer.get_mut() {
                    buffer.set_pts(gst::ClockTime::from_nseconds(tick));
                }
                state.units.fetch_add(1, Ordering::AcqRel);
                state.bytes.fetch_add(length, Ordering::AcqRel);
                // Fails only when the pipeline has failed, which the sink reports with the reason.
                let _ = source.push_buffer(buffer);
            }
            Request::Picture => {
                state.wanted.store(true, Ordering::Release);
                news.ring();
            }
        }
    }
    Ok(())
}

/// The thread that answers.
struct Outlet {
    sink: Sink,
    source: AppSrc,
    state: Arc<State>,
    socket: File,
    memory: File,
}

impl Outlet {
    fn run(&self) -> Result<(), String> {
        let failed = self.answer();
        if let Err(why) = &failed {
            // Fails when the daemon has closed the socket.
            let _ = Reply::Failed(why.clone()).write(&mut &self.socket);
        }
        failed
    }

    /// Reports progress, and sends the newest picture when one is wanted, until the decoder fails.
    fn answer(&self) -> Result<(), String> {
        // Without a driver: it waits for other threads only, and needs no system calls but those of a lock.
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|e| e.to_string())?;
        let news = self.sink.news();
        let mut told = Progress::default();
        loop {
            if self.state.wanted.load(Ordering::Acquire) {
                match self.sink.poll() {
                    Some(Ok(Some(sample))) => {
                        self.state.wanted.store(false, Ordering::Release);
                        told = self.send(&sample, &news)?;
                        continue;
                    }
                    Some(Ok(None)) => return Err("the decoder stopped unexpectedly".to_owned()),
                    Some(Err(why)) => return Err(reason(&why)),
                    None => {}
                }
            } else if let Some(why) = news.failure() {
                return Err(reason(&why));
            }
            let progress = self.state.progress(&news, &self.source);
            if !progress.is_as(told) {
                Reply::Progress(progress).write(&mut &self.socket).map_err(|e| e.to_string())?;
                told = progress;
            }
            runtime.block_on(news.changed());
        }
    }

    fn send(&self, sample: &gst::Sample, news: &News) -> Result<Progress, String> {
        // The daemon knows when it arrived.
        let frame = self.sink.frame(sample, Timestamp::MIN).map_err(|why| reason(&why))?;
        let tick = sample.buffer().and_then(gst::BufferRef::pts).map(gst::ClockTime::nseconds);
        let picture = Description::of(&frame, tick);
        let lengths = picture.lengths().ok_or("the decoder gave a picture of an impossible size")?;
        let mut place = 0;
        for (plane, length) in frame.planes().iter().zip(lengths) {
            let data = plane.data.get(..length).ok_or("the decoder gave a picture that is too short")?;
            self.memory.write_all_at(data, place).map_err(|e| e.to_string())?;
            place += length as u64;
        }
        let progress = self.state.progress(news, &self.source);
        Reply::Picture(progress, picture).write(&mut &self.socket).map_err(|e| e.to_string())?;
        Ok(progress)
    }
}
