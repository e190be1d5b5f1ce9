//! Clips rendered at test time with ffmpeg.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

mod street;

pub use street::{Head, Spot, Street, View, Walk};

/// A video codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Codec {
    /// H.264, Advanced Video Coding.
    #[default]
    H264,
    /// H.265, High Efficiency Video Coding.
    H265,
}

impl Codec {
    /// `h264` or `h265`.
    pub fn name(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::H265 => "h265",
        }
    }

    fn encoder(self) -> &'static [&'static str] {
        match self {
            Self::H264 => &["-c:v", "libx264"],
            Self::H265 => &["-c:v", "libx265", "-tag:v", "hvc1", "-x265-params", "log-level=error"],
        }
    }
}

/// Size, frame rate and codec of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Width, pixels, even.
    pub width: u32,
    /// Height, pixels, even.
    pub height: u32,
    /// Frames per second.
    pub fps: u32,
    /// Codec.
    pub codec: Codec,
}

impl Shape {
    /// 640 × 360 at 25 frames per second.
    pub fn small(codec: Codec) -> Self {
        Self { width: 640, height: 360, fps: 25, codec }
    }

    fn key(self) -> String {
        format!("{}x{}-{}-{}", self.width, self.height, self.fps, self.codec.name())
    }
}

/// A moving test pattern of this many seconds, without sound. The file is named after its content and reused if it
/// exists.
///
/// # Errors
/// When ffmpeg is missing or fails.
pub fn pattern(directory: &Path, shape: Shape, seconds: u32) -> io::Result<PathBuf> {
    let file = directory.join(format!("pattern-{}-{seconds}s.mp4", shape.key()));
    if file.exists() {
        return Ok(file);
    }
    let Shape { width, height, fps, .. } = shape;
    let source = format!("testsrc2=size={width}x{height}:rate={fps}:duration={seconds}");
    encode(&["-f".into(), "lavfi".into(), "-i".into(), source], shape, &file)?;
    Ok(file)
}

/// As [`pattern`], with two or three pictures that no other one refers to of every four.
///
/// # Errors
/// As [`pattern`].
pub fn pattern_with_disposable_pictures(directory: &Path, shape: Shape, seconds: u32) -> io::Result<PathBuf> {
    let file = directory.join(format!("disposable-{}-{seconds}s.mp4", shape.key()));
    if file.exists() {
        return Ok(file);
    }
    let Shape { width, height, fps, .. } = shape;
    let source = format!("testsrc2=size={width}x{height}:rate={fps}:duration={seconds}");
    run(&["-f".into(), "lavfi".into(), "-i".into(), source], shape, &DISPOSABLE_PICTURES, &file, None)?;
    Ok(file)
}

/// A clip of people who pass in front of the camera, one scene after the other: each still enters from the side, stays,
/// and leaves, over a plain background.
#[derive(Debug, Clone)]
pub struct Passages {
    shape: Shape,
    gap: f64,
    scenes: Vec<Scene>,
}

#[derive(Debug, Clone)]
struct Scene {
    seconds: f64,
    stills: Vec<(String, PathBuf)>,
}

/// A rendered clip, and who is visible when.
#[derive(Debug, Clone)]
pub struct Film {
    /// The clip.
    pub file: PathBuf,
    /// Duration.
    pub length: Duration,
    /// The passages, in order of appearance.
    pub passages: Vec<Passage>,
}

/// The passage of one person through the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    /// Name, as given to the builder.
    pub who: String,
    /// From the start of the clip to the first pixel in the picture.
    pub from: Duration,
    /// From the start of the clip to the last pixel leaving it.
    pub to: Duration,
}

/// A clip of single stills, one after the other, each named after its file; see [`Passages`].
///
/// # Errors
/// When ffmpeg is missing or fails, or a picture cannot be read.
pub fn from_stills(file: &Path, stills: &[(&Path, f64)], shape: Shape, gap_seconds: f64) -> io::Result<Film> {
    let name = |still: &Path| still.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let empty = Passages::new(shape, gap_seconds);
    stills.iter().fold(empty, |film, (still, seconds)| film.one(&name(still), still, *seconds)).render(file)
}

impl Passages {
    /// Without scenes; the picture is empty for `gap_seconds` at the start, between scenes and at the end.
    pub fn new(shape: Shape, gap_seconds: f64) -> Self {
        Self { shape, gap: gap_seconds, scenes: Vec::new() }
    }

    /// Adds a scene of one person: enters from the left, stays in the middle, leaves to the right.
    #[must_use]
    pub fn one(self, who: &str, still: &Path, seconds: f64) -> Self {
        self.scene(seconds, vec![(who.to_owned(), still.to_owned())])
    }

    /// Adds a scene of two people: each enters from and leaves to its own side.
    #[must_use]
    pub fn two(self, left: (&str, &Path), right: (&str, &Path), seconds: f64) -> Self {
        let own = |(who, still): (&str, &Path)| (who.to_owned(), still.to_owned());
        self.scene(seconds, vec![own(left), own(right)])
    }

    fn scene(mut self, seconds: f64, stills: Vec<(String, PathBuf)>) -> Self {
        self.scenes.push(Scene { seconds, stills });
        self
    }

    /// Renders the clip; replaces an existing file.
    ///
    /// # Errors
    /// When ffmpeg is missing or fails, or a picture cannot be read.
    pub fn render(&self, file: &Path) -> io::Result<Film> {
        let length = self.scenes.iter().fold(self.gap, |at, scene| at + scene.seconds + self.gap);
        let mut passages = Vec::new();
        let mut arguments = Vec::new();
        let mut graph = self.background(length);
        for (from, scene) in self.starts().zip(&self.scenes) {
            for (place, (who, still)) in scene.stills.iter().enumerate() {
                let (from_time, to_time) = (at(from), at(from + scene.seconds));
                graph.push_str(&self.walk(passages.len(), from, scene, place));
                arguments.extend(["-i".to_owned(), still.to_string_lossy().into_owned()]);
                passages.push(Passage { who: who.clone(), from: from_time, to: to_time });
            }
        }
        let last = format!("[film{}]", passages.len());
        arguments.extend(["-filter_complex".to_owned(), graph, "-map".to_owned(), last]);
        encode(&arguments, self.shape, file)?;
        Ok(Film { file: file.to_owned(), length: at(length), passages })
    }

    /// Start of each scene, seconds.
    fn starts(&self) -> impl Iterator<Item = f64> {
        self.scenes.iter().scan(self.gap, |next, scene| {
            let start = *next;
            *next += scene.seconds + self.gap;
            Some(start)
        })
    }

    fn background(&self, length: f64) -> String {
        let Shape { width, height, fps, .. } = self.shape;
        format!("color=c=0x5f6b73:size={width}x{height}:rate={fps}:duration={length}[film0]")
    }

    /// The filters that overlay one still: it enters in a fifth of the time and leaves in a fifth.
    fn walk(&self, input: usize, from: f64, scene: &Scene, place: usize) -> String {
        let (seconds, next) = (scene.seconds, input + 1);
        let to = from + seconds;
        let pace = seconds / 5.0;
        let (rest, start, end) = match (scene.stills.len(), place) {
            (1, _) => ("(W-w)/2", "-w", "W"),
            (_, 0) => ("(W/2-w)/2", "-w", "-w"),
            _ => ("W/2+(W/2-w)/2", "W", "W"),
        };
        let come = format!("{start}+({rest}-({start}))*(t-{from})/{pace}");
        let leave = format!("{rest}+({end}-({rest}))*(t-{to}+{pace})/{pace}");
        let x = format!("if(lt(t,{from}+{pace}),{come},if(lt(t,{to}-{pace}),{rest},{leave}))");
        let (width, height) = (self.shape.width * 45 / 100, self.shape.height * 80 / 100);
        let fit = format!("scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2,setsar=1");
        format!(
            ";[{input}:v]{fit}[still{input}];[film{input}][still{input}]\
             overlay=x='{x}':y=(H-h)/2:enable='between(t,{from},{to})':eof_action=repeat[film{next}]"
        )
    }
}

fn at(seconds: f64) -> Duration {
    Duration::from_millis((seconds * 1000.0).round() as u64)
}

/// Encodes input that ffmpeg reads from files or generates itself.
fn encode(input: &[String], shape: Shape, file: &Path) -> io::Result<()> {
    run(input, shape, &NO_LATER_REFERENCES, file, None)
}

/// Encodes frames that `draw` writes: rows of R G B.
fn encode_frames(shape: Shape, file: &Path, draw: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let (size, fps) = (format!("{}x{}", shape.width, shape.height), shape.fps.to_string());
    let input = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", &size, "-r", &fps, "-i", "-"].map(str::to_owned);
    run(&input, shape, &NO_LATER_REFERENCES, file, Some(Box::new(draw)))
}

type Draw<'a> = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + 'a>;

/// Like most cameras: no picture refers to a later one.
const NO_LATER_REFERENCES: [&str; 2] = ["-bf", "0"];
/// Three pictures in a row that refer to the next one, and of which at most the middle one is referred to (H.265).
const DISPOSABLE_PICTURES: [&str; 6] = ["-bf", "3", "-b_strategy", "0", "-b-pyramid", "none"];

/// Runs ffmpeg into a file of another name first, so that an unfinished clip is never used.
fn run(input: &[String], shape: Shape, references: &[&str], file: &Path, draw: Option<Draw<'_>>) -> io::Result<()> {
    let unfinished = file.with_extension(format!("{}.mp4", uuid::Uuid::new_v4()));
    let key_frames = shape.fps.to_string();
    let mut ffmpeg = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(input)
        .args(shape.codec.encoder())
        // Like cameras: a key frame every second.
        .args(["-preset", "veryfast"])
        .args(references)
        .args(["-pix_fmt", "yuv420p", "-g", &key_frames, "-an"])
        // ffmpeg converts RGB to BT.601 at every size; in high definition that has to be declared.
        .args(["-colorspace", "smpte170m"])
        .arg(&unfinished)
        .stdin(if draw.is_some() { Stdio::piped() } else { Stdio::null() })
        .spawn()?;
    let drawn = match (draw, ffmpeg.stdin.take()) {
        (Some(draw), Some(pipe)) => draw(&mut BufWriter::new(pipe)),
        _ => Ok(()),
    };
    let status = ffmpeg.wait()?;
    if !status.success() {
        return Err(io::Error::other(format!("ffmpeg ended with {status}")));
    }
    drawn?;
    std::fs::rename(&unfinished, file)
}
