//! Fake cameras that play the takes of a test.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::frame::{Frame, Plane};
use domain::ports::{Clock, FrameSource, FrameStream, PictureStream, SourceError, UnitFeed};
use domain::{AccessUnit, Codec, Decoding, Source};
use tokio::time::Instant;

use crate::picture::{FakeFace, Picture};

/// Interval between two frames.
const FRAME_INTERVAL: Duration = Duration::from_millis(100);
/// Frames per key frame.
const GROUP: usize = 10;
/// Time-out of a stalled camera.
const STALL: Duration = Duration::from_secs(10);

/// What a camera shows after it is opened, and how that ends.
#[derive(Debug, Clone)]
pub struct Take {
    scenes: VecDeque<(Duration, Picture)>,
    ending: Ending,
    clock_ahead_millis: i64,
}

#[derive(Debug, Clone)]
enum Ending {
    /// An empty room.
    Quiet,
    /// No more frames, until the time-out.
    Stalls,
    /// The end of the file.
    Ends,
    /// An error; before the first frame it is one of opening.
    Fails(SourceError),
    /// A panic.
    Crashes,
}

impl Take {
    /// A camera that shows an empty room.
    pub fn new() -> Self {
        Self { scenes: VecDeque::new(), ending: Ending::Quiet, clock_ahead_millis: 0 }
    }

    /// A camera that cannot be opened.
    pub fn refused(error: SourceError) -> Self {
        Self { ending: Ending::Fails(error), ..Self::new() }
    }

    /// Then shows these faces for this time.
    #[must_use]
    pub fn show(self, time: Duration, faces: impl IntoIterator<Item = FakeFace>) -> Self {
        self.show_picture(time, Picture::of(faces))
    }

    /// Then shows an empty room for this time.
    #[must_use]
    pub fn nobody(self, time: Duration) -> Self {
        self.show_picture(time, Picture::empty())
    }

    /// Then shows this picture for this time.
    #[must_use]
    pub fn show_picture(mut self, time: Duration, picture: Picture) -> Self {
        self.scenes.push_back((time, picture));
        self
    }

    /// With frame times that are this much later, or earlier when negative.
    #[must_use]
    pub fn clock_ahead(self, millis: i64) -> Self {
        Self { clock_ahead_millis: millis, ..self }
    }

    /// Then stalls.
    #[must_use]
    pub fn stall(self) -> Self {
        Self { ending: Ending::Stalls, ..self }
    }

    /// Then ends like a file.
    #[must_use]
    pub fn end(self) -> Self {
        Self { ending: Ending::Ends, ..self }
    }

    /// Then loses the connection.
    #[must_use]
    pub fn break_off(self) -> Self {
        Self { ending: Ending::Fails(SourceError::Broken("pulled out".into())), ..self }
    }

    /// Then panics in the task that reads it.
    #[must_use]
    pub fn crash(self) -> Self {
        Self { ending: Ending::Crashes, ..self }
    }
}

impl Default for Take {
    fn default() -> Self {
        Self::new()
    }
}

/// Plays the takes of a URL, one each time it is opened. Other URLs, and those without a take left, are unreachable.
/// Cameras without a URL have the URLs `onvif://HOST:PORT`, `sip://SERVER/CAMERA` and `capture://HOST:PORT`; the last
/// ones deliver one picture at the start of each scene with a face. A coded picture is a line of text: `K` for a key
/// frame (one per second) or `-`, and its milliseconds. A clip is the text of all its pictures.
pub struct FakeFrames {
    clock: Arc<dyn Clock>,
    cameras: Mutex<HashMap<String, FakeCamera>>,
}

#[derive(Default)]
struct FakeCamera {
    takes: VecDeque<Take>,
    opened: usize,
    open_now: Arc<()>,
}

impl FakeFrames {
    /// Without cameras.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, cameras: Mutex::default() }
    }

    /// Adds takes for a URL.
    pub fn script(&self, url: &str, takes: impl IntoIterator<Item = Take>) {
        self.cameras().entry(url.to_owned()).or_default().takes.extend(takes);
    }

    /// Number of attempts to open the URL, including failed ones.
    pub fn opened(&self, url: &str) -> usize {
        self.cameras().get(url).map_or(0, |camera| camera.opened)
    }

    /// Number of open streams of the URL.
    pub fn open_now(&self, url: &str) -> usize {
        self.cameras().get(url).map_or(0, |camera| Arc::strong_count(&camera.open_now) - 1)
    }

    fn cameras(&self) -> MutexGuard<'_, HashMap<String, FakeCamera>> {
        self.cameras.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_take(&self, url: &str) -> Result<(Take, Arc<()>), SourceError> {
        let mut cameras = self.cameras();
        let camera = cameras.entry(url.to_owned()).or_default();
        camera.opened += 1;
        let take = camera.takes.pop_front();
        take.map(|take| (take, Arc::clone(&camera.open_now)))
            .ok_or_else(|| SourceError::Unreachable("no take is left".into()))
    }
}

#[async_trait]
impl FrameSource for FakeFrames {
    async fn open(&self, source: &Source) -> Result<Box<dyn FrameStream>, SourceError> {
        self.play(source).map(|playing| Box::new(playing) as Box<dyn FrameStream>)
    }

    async fn open_pictures(&self, source: &Source) -> Result<Box<dyn PictureStream>, SourceError> {
        self.play(source).map(|playing| Box::new(playing) as Box<dyn PictureStream>)
    }

    async fn write_clip(&self, units: Vec<AccessUnit>) -> domain::Result<Bytes> {
        Ok(units.iter().flat_map(|unit| unit.data.clone()).collect())
    }
}

impl FakeFrames {
    fn play(&self, source: &Source) -> Result<Playing, SourceError> {
        let (take, open) = self.next_take(&url(source))?;
        if let (true, Ending::Fails(error)) = (take.scenes.is_empty(), &take.ending) {
            return Err(error.clone());
        }
        let due = Instant::now();
        let (clock, units) = (Arc::clone(&self.clock), UnitFeed::default());
        Ok(Playing { clock, take, due, since: due, still: None, units, frames: 0, _open: open })
    }
}

fn url(source: &Source) -> String {
    match source {
        Source::Rtsp { url } | Source::File { url } => url.clone(),
        Source::Onvif(device) => format!("onvif://{}:{}", device.host, device.port),
        Source::Gb28181 { server_sip_id, camera_sip_id, .. } => format!("sip://{server_sip_id}/{camera_sip_id}"),
        Source::Capture { device, .. } => format!("capture://{}:{}", device.host, device.port),
        Source::Pushed { host } => format!("pushed://{host}"),
    }
}

/// A take being played.
struct Playing {
    clock: Arc<dyn Clock>,
    take: Take,
    /// When the next frame is due.
    due: Instant,
    /// Start of the scene.
    since: Instant,
    /// The drawn scene.
    still: Option<Frame>,
    units: UnitFeed,
    /// Number of frames so far.
    frames: usize,
    /// Counts the open streams.
    _open: Arc<()>,
}

impl Playing {
    /// Removes the scenes that are over. Returns whether one is left.
    fn next_scene(&mut self) -> bool {
        while let Some((time, _)) = self.take.scenes.front() {
            if self.due < self.since + *time {
                return true;
            }
            self.since += *time;
            self.still = None;
            self.take.scenes.pop_front();
        }
        false
    }

    fn frame(&mut self) -> Result<Frame, SourceError> {
        let undecodable = |error: domain::Error| SourceError::Undecodable(error.chain());
        let at = self.clock.now().plus_millis(self.take.clock_ahead_millis);
        let still = match self.still.take() {
            Some(still) => still,
            None => {
                let picture = self.take.scenes.front().map_or_else(Picture::empty, |(_, picture)| picture.clone());
                picture.frame(at).map_err(undecodable)?
            }
        };
        let planes: Vec<Plane> = still.planes().to_vec();
        let frame = Frame::new(at, still.width(), still.height(), still.format(), planes).map_err(undecodable)?;
        self.still = Some(still);
        Ok(frame)
    }

    fn send_unit(&mut self, at: domain::Timestamp) {
        let key = self.frames.is_multiple_of(GROUP);
        self.frames += 1;
        if self.units.is_wanted() {
            let data = format!("{}{}\n", if key { 'K' } else { '-' }, at.as_millis()).into();
            self.units.send(AccessUnit { codec: Codec::H264, key, at, data });
        }
    }
}

#[async_trait]
impl FrameStream for Playing {
    async fn next(&mut self) -> Result<Option<Frame>, SourceError> {
        tokio::time::sleep_until(self.due).await;
        if !self.next_scene() {
            match &self.take.ending {
                Ending::Quiet => {}
                Ending::Ends => return Ok(None),
                Ending::Fails(error) => return Err(error.clone()),
                Ending::Stalls => {
                    tokio::time::sleep(STALL).await;
                    return Err(SourceError::Stalled(STALL.as_secs()));
                }
                Ending::Crashes => panic!("the camera's reader crashes, as the test asks"),
            }
        }
        self.due += FRAME_INTERVAL;
        let frame = self.frame()?;
        self.send_unit(frame.at());
        Ok(Some(frame))
    }

    fn units(&self) -> Option<UnitFeed> {
        Some(self.units.clone())
    }

    fn decoding(&self) -> Decoding {
        Decoding { units: self.frames as u64, ..Decoding::default() }
    }
}

#[async_trait]
impl PictureStream for Playing {
    async fn next(&mut self) -> Result<Bytes, SourceError> {
        loop {
            tokio::time::sleep_until(self.due).await;
            let Some((time, picture)) = self.take.scenes.pop_front() else { break };
            self.due += time;
            if picture.has_faces() {
                return Ok(picture.jpeg());
            }
        }
        match &self.take.ending {
            Ending::Quiet => std::future::pending().await,
            Ending::Ends => Err(SourceError::Broken("the camera has closed the connection".into())),
            Ending::Fails(error) => Err(error.clone()),
            Ending::Stalls => {
                tokio::time::sleep(STALL).await;
                Err(SourceError::Stalled(STALL.as_secs()))
            }
            Ending::Crashes => panic!("the camera's reader crashes, as the test asks"),
        }
    }
}
