//! The end of a pipeline: delivers decoded pictures, or the reason why there are none.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use domain::Timestamp;
use domain::frame::{Frame, PixelFormat, Plane};
use domain::ports::SourceError;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSinkCallbacks};
use gstreamer_video::prelude::*;
use gstreamer_video::video_frame::Readable;
use gstreamer_video::{VideoFormat, VideoFrame, VideoFrameFlags, VideoInfo};
use tokio::sync::Notify;

use crate::counters::Tally;
use crate::effort::Effort;
use crate::hold::Hold;
use crate::pixels;

/// Maximum width and height of a picture, pixels.
pub(crate) const LARGEST: u32 = 8192;

/// A running pipeline; dropping it stops it.
pub(crate) struct Pipeline(gst::Pipeline);

impl Pipeline {
    /// Builds a pipeline from its description.
    pub(crate) fn build(description: &str) -> Result<Self, SourceError> {
        let element = gst::parse::launch(description).map_err(|e| undecodable(&e))?;
        // A description of several elements always makes a pipeline.
        element.downcast().map(Self).map_err(|_| SourceError::Undecodable("no pipeline".to_owned()))
    }

    /// The element of that name and type.
    pub(crate) fn part<T: IsA<gst::Element>>(&self, name: &str) -> Result<T, SourceError> {
        let part = self.0.by_name(name).and_then(|part| part.downcast().ok());
        part.ok_or_else(|| SourceError::Undecodable(format!("the pipeline has no {name}")))
    }

    pub(crate) fn play(&self) -> Result<(), SourceError> {
        self.0.set_state(gst::State::Playing).map(drop).map_err(|e| undecodable(&e))
    }

    /// Why it has failed, when it has; takes the messages of a pipeline without a [`Sink`].
    pub(crate) fn failure(&self) -> Option<String> {
        let message = self.0.bus()?.pop_filtered(&[gst::MessageType::Error])?;
        let gst::MessageView::Error(error) = message.view() else { return None };
        Some(error.error().to_string())
    }

    /// Seeks to the start; `false` when the source cannot seek.
    pub(crate) async fn rewind(&self) -> bool {
        let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::KEY_UNIT;
        self.0.call_async_future(move |pipeline| pipeline.seek_simple(flags, gst::ClockTime::ZERO).is_ok()).await
    }
}

/// Stopping joins the decoder's threads, which may take long with hardware decoders, so it does not run on the caller's
/// thread.
impl Drop for Pipeline {
    fn drop(&mut self) {
        self.0.call_async(|pipeline| {
            if pipeline.set_state(gst::State::Null).is_err() {
                tracing::warn!("failed to stop a video pipeline");
            }
        });
    }
}

fn undecodable(error: &dyn std::fmt::Display) -> SourceError {
    SourceError::Undecodable(error.to_string())
}

/// Why a pipeline has stopped.
#[derive(Clone)]
enum Ending {
    Played,
    Failed(SourceError),
}

/// State shared between the pipeline's threads and the reader.
pub(crate) struct News {
    changed: Notify,
    decoded: Arc<AtomicU64>,
    ending: Mutex<Option<Ending>>,
}

impl News {
    /// Number of pictures that the pipeline has decoded.
    pub(crate) fn decoded(&self) -> u64 {
        self.decoded.load(Ordering::Relaxed)
    }

    /// The counter of decoded pictures.
    pub(crate) fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.decoded)
    }

    /// Waits for a picture, an ending or [`ring`](Self::ring); for one caller that does not use [`Sink::next`].
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Wakes the caller that waits.
    pub(crate) fn ring(&self) {
        self.changed.notify_one();
    }

    /// Why the pipeline has failed, when it has.
    pub(crate) fn failure(&self) -> Option<SourceError> {
        match self.ending()? {
            Ending::Failed(why) => Some(why),
            Ending::Played => None,
        }
    }

    fn ending(&self) -> Option<Ending> {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the stream with a failure that gstreamer does not report.
    pub(crate) fn fail(&self, why: SourceError) {
        self.end(Ending::Failed(why));
    }

    /// Only the first ending is kept: later ones are its consequence.
    fn end(&self, ending: Ending) {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(ending);
        self.changed.notify_one();
    }

    fn on_message(&self, message: &gst::Message) {
        match message.view() {
            gst::MessageView::Eos(_) => self.end(Ending::Played),
            gst::MessageView::Error(error) => {
                // The details name source lines of gstreamer, so they are only logged.
                tracing::debug!(error = %error.error(), details = ?error.debug(), "video pipeline failed");
                self.end(Ending::Failed(undecodable(&error.error())));
            }
            _ => {}
        }
    }
}

/// The pictures of a pipeline, for a single reader.
pub(crate) struct Sink {
    app: AppSink,
    news: Arc<News>,
    effort: Arc<Effort>,
    hold: Arc<Hold>,
    /// Whether an implausible pixel aspect ratio has been logged.
    doubted: AtomicBool,
}

impl Sink {
    /// Attaches to the appsink named `sink` and to the bus of a pipeline that is not running yet.
    pub(crate) fn attach(pipeline: &Pipeline, tally: Arc<Tally>) -> Result<Self, SourceError> {
        let app: AppSink = pipeline.part("sink")?;
        let news = Arc::new(News { changed: Notify::new(), decoded: Arc::default(), ending: Mutex::new(None) });
        let (effort, hold) = (Arc::<Effort>::default(), Arc::<Hold>::default());
        let (shared, decoding, held) = (Arc::clone(&news), Arc::clone(&effort), Arc::clone(&hold));
        // Called by the thread that decodes.
        let new_sample = move |app: &AppSink| {
            decoding.decoded();
            shared.decoded.fetch_add(1, Ordering::Relaxed);
            tally.decoded(1);
            if held.can_do_without(Instant::now()) {
                drop(app.try_pull_sample(gst::ClockTime::ZERO));
            }
            shared.changed.notify_one();
            Ok(gst::FlowSuccess::Ok)
        };
        app.set_callbacks(AppSinkCallbacks::builder().new_sample(new_sample).build());
        let shared = Arc::clone(&news);
        if let Some(bus) = pipeline.0.bus() {
            bus.set_sync_handler(move |_, message| {
                shared.on_message(message);
                gst::BusSyncReply::Drop
            });
        }
        Ok(Self { app, news, effort, hold, doubted: AtomicBool::new(false) })
    }

    /// The next picture, `None` at the end of the stream, or nothing when it has to be waited for.
    pub(crate) fn poll(&self) -> Option<Result<Option<gst::Sample>, SourceError>> {
        if let Some(sample) = self.app.try_pull_sample(gst::ClockTime::ZERO) {
            self.hold.taken();
            return Some(Ok(Some(sample)));
        }
        self.hold.awaited();
        match self.news.ending()? {
            Ending::Played => Some(Ok(None)),
            Ending::Failed(why) => Some(Err(why)),
        }
    }

    /// The next picture; `None` at the end of the stream. Cancel safe.
    pub(crate) async fn next(&self) -> Result<Option<gst::Sample>, SourceError> {
        loop {
            match self.poll() {
                Some(outcome) => return outcome,
                // `Notify` keeps a notification sent since the check above.
                None => self.news.changed().await,
            }
        }
    }

    /// Clears the end of the stream, so that playback can restart.
    pub(crate) fn reopen(&self) {
        self.news.ending.lock().unwrap_or_else(PoisonError::into_inner).take_if(|e| matches!(e, Ending::Played));
    }

    /// The picture of a sample, without copying it.
    pub(crate) fn frame(&self, sample: &gst::Sample, at: Timestamp) -> Result<Frame, SourceError> {
        let broken = |what: &str| undecodable(&format!("the decoder gave {what}"));
        let caps = sample.caps().ok_or_else(|| broken("a picture without a format"))?;
        let info = VideoInfo::from_caps(caps).map_err(|_| broken("a picture without a format"))?;
        let format = match info.format() {
            VideoFormat::I420 => PixelFormat::I420,
            VideoFormat::Nv12 => PixelFormat::Nv12,
            other => return Err(broken(&format!("pictures in {other}"))),
        };
        let buffer = sample.buffer_owned().ok_or_else(|| broken("no picture"))?;
        let picture =
            VideoFrame::from_buffer_readable(buffer, &info).map_err(|_| broken("a picture that cannot be mapped"))?;
        let (width, height) = (info.width(), info.height());
        // The two fields of an interlaced picture were taken at different times, and combed faces are not recognised:
        // use one field, which is every other row.
        let fields = if picture.flags().contains(VideoFrameFlags::INTERLACED) { 2 } else { 1 };
        let picture = Arc::new(picture);
        self.hold.given(&picture);
        let planes = planes(&picture, fields).ok_or_else(|| broken("a picture upside down"))?;
        let frame = Frame::new(at, width, height.div_ceil(fields), format, planes).map_err(|e| undecodable(&e))?;
        let (shown_width, shown_height) = self.shown(&info);
        Ok(frame.shown_over(shown_width, shown_height).coloured(pixels::colour(caps, (width, height))))
    }

    /// Size in square pixels at which the picture is displayed.
    fn shown(&self, info: &VideoInfo) -> (u32, u32) {
        let samples = (info.width(), info.height());
        pixels::shown(samples, info.par()).unwrap_or_else(|| {
            if !self.doubted.swap(true, Ordering::Relaxed) {
                tracing::warn!(pixel.aspect = %info.par(), "ignored an impossible pixel aspect ratio");
            }
            samples
        })
    }

    pub(crate) fn news(&self) -> Arc<News> {
        Arc::clone(&self.news)
    }

    /// How the newest picture is kept for the reader.
    pub(crate) fn hold(&self) -> &Hold {
        &self.hold
    }

    pub(crate) fn effort(&self) -> &Arc<Effort> {
        &self.effort
    }
}

/// The description of a sink named `sink` for [`Sink::attach`], with additional properties. `before`: further elements
/// for the pictures, each ending in `!`.
pub(crate) fn description(before: &str, properties: &str) -> String {
    // videoconvert passes buffers through when the decoder already outputs one of the two formats.
    format!(
        "videoconvert name=convert ! {before} appsink name=sink enable-last-sample=false qos=false {properties} \
         caps=\"video/x-raw,format=(string){{I420,NV12}},width=[1,{LARGEST}],height=[1,{LARGEST}]\""
    )
}

/// One plane of a decoded picture, which stays mapped while any plane exists.
struct DecodedPlane {
    picture: Arc<VideoFrame<Readable>>,
    index: u32,
}

impl AsRef<[u8]> for DecodedPlane {
    fn as_ref(&self) -> &[u8] {
        // The index is in range by construction; a frame rejects a plane that is too short.
        self.picture.plane_data(self.index).unwrap_or_default()
    }
}

/// The planes of a picture, or of its first field when `fields` is 2; `None` when rows are stored bottom up.
fn planes(picture: &Arc<VideoFrame<Readable>>, fields: u32) -> Option<Vec<Plane>> {
    let plane = |(index, stride): (u32, &i32)| {
        let owner = DecodedPlane { picture: Arc::clone(picture), index };
        let stride = usize::try_from(*stride).ok()? * fields as usize;
        Some(Plane { data: Bytes::from_owner(owner), stride })
    };
    (0..picture.n_planes()).zip(picture.plane_stride()).map(plane).collect()
}
