//! Cameras that are decoded in processes of their own. This program is its own decoder process, so it has a `main`.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a helper that panics fails its test")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use domain::frame::Frame;
use domain::ports::{Clock, FrameSource, FrameStream, SourceError};
use domain::{Source, Timestamp};
use libtest_mimic::{Arguments, Failed, Trial};
use testkit::clip::{self, Codec, Shape};
use testkit::rtsp::{RtspOptions, RtspServer};
use tokio::time::{Instant, sleep, timeout};
use video::{Options, VideoSource};

const SOON: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(("decode", arguments)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return if video::decode(arguments).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let mut arguments = Arguments::from_args();
    // Each looks at the children of this process.
    arguments.test_threads = Some(1);
    let trials = vec![
        test("a_process_gives_the_same_pictures_of_h264", || same_pictures(Codec::H264)),
        test("a_process_gives_the_same_pictures_of_h265", || same_pictures(Codec::H265)),
        test("a_decoder_process_has_no_rights", no_rights),
        test("a_killed_process_ends_its_stream_and_the_next_opening_has_another", killed),
        test("each_camera_has_a_process_and_none_is_left", each_its_own),
        test("a_program_that_does_not_answer_is_an_error", wrong_program),
        test("pictures_that_nobody_reads_are_not_sent", unread),
        test("counters_are_those_of_decoding_here", counted),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn test<F: Future<Output = ()>>(name: &str, body: impl Fn() -> F + Send + 'static) -> Trial {
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(body());
        Ok::<(), Failed>(())
    })
}

struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        jiff::Timestamp::now().into()
    }
}

fn apart() -> Options {
    Options { decoder_process: Some(std::env::current_exe().unwrap()), ..Options::default() }
}

fn source(options: Options) -> VideoSource {
    VideoSource::new(Arc::new(WallClock), options).unwrap()
}

fn server(codec: Codec) -> RtspServer {
    let clip = clip::pattern(Path::new(env!("CARGO_TARGET_TMPDIR")), Shape::small(codec), 2).unwrap();
    RtspServer::start(&[&clip], &RtspOptions { codec, ..RtspOptions::default() }).unwrap()
}

async fn open(source: &VideoSource, server: &RtspServer) -> Result<Box<dyn FrameStream>, SourceError> {
    timeout(SOON, source.open(&Source::Rtsp { url: server.url() })).await.expect("opening waits for ever")
}

async fn frame(stream: &mut dyn FrameStream) -> Frame {
    timeout(SOON, stream.next()).await.expect("a frame is waited for for ever").unwrap().expect("no end")
}

/// What a frame shows: its samples without the padding of rows.
fn samples(frame: &Frame) -> Vec<u8> {
    let (width, height) = frame.samples();
    let rows = frame.format().planes(width, height);
    let planes = frame.planes().iter().zip(rows);
    let plane =
        planes.flat_map(|(plane, (row, rows))| (0..rows).map(move |at| &plane.data[at * plane.stride..][..row]));
    plane.flatten().copied().collect()
}

/// The different pictures of one round of the film, each with what is known about it.
async fn pictures(options: Options, server: &RtspServer) -> BTreeSet<(Vec<u8>, String)> {
    let source = source(options);
    let mut stream = open(&source, server).await.unwrap();
    let (mut seen, start) = (BTreeSet::new(), Instant::now());
    while start.elapsed() < Duration::from_secs(5) {
        let frame = frame(&mut *stream).await;
        let known = format!("{:?} {:?} {:?} {}", frame.format(), frame.colour(), frame.samples(), frame.width());
        seen.insert((samples(&frame), known));
    }
    seen
}

async fn same_pictures(codec: Codec) {
    let server = server(codec);
    let (here, apart) = (pictures(Options::default(), &server).await, pictures(apart(), &server).await);
    // The film is played in a loop, and a busy machine misses some pictures of a round.
    assert!(here.len() > 20 && apart.len() > 20, "{} and {} pictures", here.len(), apart.len());
    let common = here.intersection(&apart).count();
    assert!(common * 10 >= here.len().min(apart.len()) * 9, "{common} of {} and {}", here.len(), apart.len());
}

/// The decoder processes of this process; zombies, too.
fn processes() -> Vec<u32> {
    let children = std::fs::read_dir("/proc/self/task").unwrap().flat_map(|task| {
        let children = std::fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default();
        children.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<u32>>()
    });
    let is_decoder = |id: &u32| {
        std::fs::read(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.is_empty() || line.starts_with(b"polyfaced"))
    };
    children.filter(is_decoder).collect()
}

async fn none_left() {
    let start = Instant::now();
    while !processes().is_empty() {
        assert!(start.elapsed() < SOON, "left: {:?}", processes());
        sleep(Duration::from_millis(20)).await;
    }
}

fn status(process: u32, name: &str) -> String {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap().trim_start_matches(':').trim().to_owned()
}

async fn no_rights() {
    let server = server(Codec::H264);
    let source = source(apart());
    let mut stream = open(&source, &server).await.unwrap();
    frame(&mut *stream).await;
    let [process] = processes()[..] else { panic!("one decoder process: {:?}", processes()) };
    assert_eq!(status(process, "NoNewPrivs"), "1");
    assert_eq!(status(process, "Seccomp"), "2");
    // Every thread, not only the first.
    for task in std::fs::read_dir(format!("/proc/{process}/task")).unwrap() {
        let status = std::fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        assert!(status.contains("Seccomp:\t2"), "{status}");
    }
    let environment = std::fs::read_to_string(format!("/proc/{process}/environ")).unwrap();
    assert!(!environment.contains("HOME="), "{environment}");
    for descriptor in std::fs::read_dir(format!("/proc/{process}/fd")).unwrap() {
        let target = std::fs::read_link(descriptor.unwrap().path()).unwrap().display().to_string();
        let known = ["socket:", "pipe:", "anon_inode:", "/memfd:picture", "/dev/null"];
        assert!(known.iter().any(|known| target.starts_with(known)), "{target}");
    }
    let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let limit = |name: &str| limits.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(limit("Max open files").contains(" 64 "), "{limits}");
    assert!(limit("Max core file size").contains(" 0 "), "{limits}");
}

async fn killed() {
    let server = server(Codec::H264);
    let source = source(apart());
    let mut stream = open(&source, &server).await.unwrap();
    frame(&mut *stream).await;
    let [process] = processes()[..] else { panic!("one decoder process: {:?}", processes()) };
    let killed = std::process::Command::new("kill").args(["-9", &process.to_string()]).status().unwrap();
    assert!(killed.success());
    let why = timeout(SOON, async {
        while stream.next().await.map(drop).is_ok() {}
        stream.next().await.err()
    })
    .await;
    let why = why.expect("the stream goes on for ever").expect("an error");
    assert_eq!(why, SourceError::Undecodable("the decoder process was ended by signal 9".to_owned()));
    none_left().await;

    let mut stream = open(&source, &server).await.unwrap();
    frame(&mut *stream).await;
    assert!(processes().iter().all(|other| *other != process) && processes().len() == 1);
}

async fn each_its_own() {
    let server = server(Codec::H264);
    let source = source(apart());
    let mut streams = Vec::new();
    for cameras in 1..=4 {
        streams.push(open(&source, &server).await.unwrap());
        assert_eq!(processes().len(), cameras);
    }
    for stream in &mut streams {
        frame(&mut **stream).await;
    }
    streams.pop();
    let start = Instant::now();
    while processes().len() != 3 {
        assert!(start.elapsed() < SOON, "{:?}", processes());
        sleep(Duration::from_millis(20)).await;
    }
    drop(streams);
    source.close().await;
    none_left().await;
}

async fn wrong_program() {
    let server = server(Codec::H264);
    for program in ["/bin/false", "/nonexistent"] {
        let source = source(Options { decoder_process: Some(program.into()), ..Options::default() });
        let why = open(&source, &server).await.err().expect("it opened");
        assert!(why.to_string().contains("the decoder process"), "{why}");
    }
    none_left().await;
}

async fn unread() {
    let server = server(Codec::H264);
    let source = source(apart());
    let mut stream = open(&source, &server).await.unwrap();
    assert!(stream.keeps_newest());
    frame(&mut *stream).await;
    let decoded = source.counters().pictures;
    sleep(Duration::from_secs(2)).await;
    assert!(source.counters().pictures >= decoded + 10, "decoding goes on");
    assert!(stream.decoding().pictures >= decoded + 10, "and the stream says so");
    let before = Timestamp::from(jiff::Timestamp::now());
    let age = before.millis_since(frame(&mut *stream).await.at());
    assert!(age < 1000, "the newest picture was {age} ms old");
}

async fn counted() {
    let server = server(Codec::H264);
    let source = source(apart());
    let mut stream = open(&source, &server).await.unwrap();
    for _ in 0..20 {
        frame(&mut *stream).await;
    }
    let counters = source.counters();
    assert!(counters.pictures >= 20 && counters.units >= counters.pictures, "{counters:?}");
    assert_eq!(counters.units_skipped, 0, "{counters:?}");
}
