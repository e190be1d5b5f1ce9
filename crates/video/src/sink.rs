//! The end of a pipeline: decoded pictures come out, or the reason why none do.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

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
use crate::pixels;

/// Largest width and height taken, pixels.
pub(crate) const LARGEST: u32 = 8192;

/// A running pipeline; it is stopped when this is dropped.
pub(crate) struct Pipeline(gst::Pipeline);

impl Pipeline {
    /// Starts the pipeline of this description.
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

    /// Goes back to the start; `false` when the source cannot.
    pub(crate) async fn rewind(&self) -> bool {
        let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::KEY_UNIT;
        self.0.call_async_future(move |pipeline| pipeline.seek_simple(flags, gst::ClockTime::ZERO).is_ok()).await
    }
}

/// Stopping joins the decoder's threads. That can take a while on real hardware, hence not on the caller's thread.
impl Drop for Pipeline {
    fn drop(&mut self) {
        self.0.call_async(|pipeline| {
            if pipeline.set_state(gst::State::Null).is_err() {
                tracing::warn!("a video pipeline did not stop cleanly");
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

/// What the pipeline's threads tell the runtime.
pub(crate) struct News {
    bell: Notify,
    decoded: AtomicU64,
    ending: Mutex<Option<Ending>>,
}

impl News {
    /// How many pictures the pipeline has decoded.
    pub(crate) fn decoded(&self) -> u64 {
        self.decoded.load(Ordering::Relaxed)
    }

    /// Ends the pipeline's pictures for a reason that gstreamer does not see as one.
    pub(crate) fn fail(&self, why: SourceError) {
        self.end(Ending::Failed(why));
    }

    /// The first ending counts: what follows is its consequence.
    fn end(&self, ending: Ending) {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(ending);
        self.bell.notify_one();
    }

    fn hear(&self, message: &gst::Message) {
        match message.view() {
            gst::MessageView::Eos(_) => self.end(Ending::Played),
            gst::MessageView::Error(error) => {
                // The second part names source lines of gstreamer; it is for the log.
                tracing::debug!(error = %error.error(), details = ?error.debug(), "the video pipeline failed");
                self.end(Ending::Failed(undecodable(&error.error())));
            }
            _ => {}
        }
    }
}

/// The pictures of a pipeline, read by one reader.
pub(crate) struct Sink {
    app: AppSink,
    news: Arc<News>,
    /// Whether the log says already that the stream's pixels make no sense.
    doubted: AtomicBool,
}

impl Sink {
    /// Takes over the element `sink`, an appsink, and the messages of a pipeline that does not run yet.
    pub(crate) fn attach(pipeline: &Pipeline, tally: Arc<Tally>) -> Result<Self, SourceError> {
        let app: AppSink = pipeline.part("sink")?;
        let news = Arc::new(News { bell: Notify::new(), decoded: AtomicU64::new(0), ending: Mutex::new(None) });
        let told = Arc::clone(&news);
        let new_sample = move |_: &AppSink| {
            told.decoded.fetch_add(1, Ordering::Relaxed);
            tally.decoded();
            told.bell.notify_one();
            Ok(gst::FlowSuccess::Ok)
        };
        app.set_callbacks(AppSinkCallbacks::builder().new_sample(new_sample).build());
        let told = Arc::clone(&news);
        if let Some(bus) = pipeline.0.bus() {
            bus.set_sync_handler(move |_, message| {
                told.hear(message);
                gst::BusSyncReply::Drop
            });
        }
        Ok(Self { app, news, doubted: AtomicBool::new(false) })
    }

    /// The next picture the sink holds; `None` when all have been played. Safe to drop at any await.
    pub(crate) async fn next(&self) -> Result<Option<gst::Sample>, SourceError> {
        loop {
            if let Some(sample) = self.app.try_pull_sample(gst::ClockTime::ZERO) {
                return Ok(Some(sample));
            }
            let ending = self.news.ending.lock().unwrap_or_else(PoisonError::into_inner).clone();
            match ending {
                Some(Ending::Played) => return Ok(None),
                Some(Ending::Failed(why)) => return Err(why),
                // A ring between the look above and here is kept by the bell.
                None => self.news.bell.notified().await,
            }
        }
    }

    /// Forgets that all was played.
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
        let picture = VideoFrame::from_buffer_readable(buffer, &info).map_err(|_| broken("a picture out of reach"))?;
        let (width, height) = (info.width(), info.height());
        // The two fields of an interlaced picture were taken at different times, and combed faces are strangers: one of
        // them, every other row, is the picture.
        let fields = if picture.flags().contains(VideoFrameFlags::INTERLACED) { 2 } else { 1 };
        let planes = planes(picture, fields).ok_or_else(|| broken("a picture upside down"))?;
        let frame = Frame::new(at, width, height.div_ceil(fields), format, planes).map_err(|e| undecodable(&e))?;
        let (shown_width, shown_height) = self.shown(&info);
        Ok(frame.shown_over(shown_width, shown_height).coloured(pixels::colour(caps, (width, height))))
    }

    /// The square pixels a picture is shown over.
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
}

/// The description of a sink named `sink` for [`Sink::attach`], with more properties; `before` it pictures may go through
/// further elements, each of which ends in `!`.
pub(crate) fn description(before: &str, properties: &str) -> String {
    // videoconvert passes buffers through untouched where the decoder gives one of the two formats itself.
    format!(
        "videoconvert name=convert ! {before} appsink name=sink enable-last-sample=false qos=false {properties} \
         caps=\"video/x-raw,format=(string){{I420,NV12}},width=[1,{LARGEST}],height=[1,{LARGEST}]\""
    )
}

/// One plane of a decoder's picture, which stays mapped while any plane lives.
struct DecodedPlane {
    picture: Arc<VideoFrame<Readable>>,
    index: u32,
}

impl AsRef<[u8]> for DecodedPlane {
    fn as_ref(&self) -> &[u8] {
        // Out of range is ruled out where it is made; a frame refuses a plane that is too short.
        self.picture.plane_data(self.index).unwrap_or_default()
    }
}

/// The planes of a picture with so many fields, or the first of them; `None` when rows go upwards.
fn planes(picture: VideoFrame<Readable>, fields: u32) -> Option<Vec<Plane>> {
    let picture = Arc::new(picture);
    let plane = |(index, stride): (u32, &i32)| {
        let owner = DecodedPlane { picture: Arc::clone(&picture), index };
        let stride = usize::try_from(*stride).ok()? * fields as usize;
        Some(Plane { data: Bytes::from_owner(owner), stride })
    };
    (0..picture.n_planes()).zip(picture.plane_stride()).map(plane).collect()
}
