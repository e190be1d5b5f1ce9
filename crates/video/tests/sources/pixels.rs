//! What streams say of their pixels: shape, colour, fields and orientation.

use std::path::{Path, PathBuf};
use std::process::Command;

use domain::frame::{Colour, Frame, Matrix, Range};
use testkit::clip::Codec;
use testkit::gb28181::{Peer, PeerOptions};
use testkit::rtsp::{RtspOptions, RtspServer};

use crate::{directory, frame, gb28181, open};

const H264: [&str; 4] = ["-c:v", "libx264", "-pix_fmt", "yuv420p"];
const H265: [&str; 6] = ["-c:v", "libx265", "-tag:v", "hvc1", "-pix_fmt", "yuv420p"];

/// A ramp of luma from the first of these samples on the left to the second on the right, in some grey.
fn ramp(size: &str, from: u8, to: u8) -> String {
    format!(
        "nullsrc=size={size}:rate=25:duration=2,format=yuv420p,geq=lum='{from}+({to}-{from})*X/(W-1)':cb=128:cr=128"
    )
}

/// A clip that ffmpeg draws by this filter and encodes with these arguments.
fn clip(name: &str, picture: &str, encoder: &[&str]) -> PathBuf {
    let file = directory().join(format!("pixels-{name}.mp4"));
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", picture]).args(encoder);
    let status = ffmpeg.args(["-preset", "ultrafast", "-bf", "0", "-g", "25"]).arg(&file).status();
    assert!(status.unwrap().success(), "{name}");
    file
}

async fn from_file(file: &Path) -> Frame {
    frame(&mut *open(&format!("file://{}", file.display())).await.unwrap()).await
}

async fn by_rtsp(file: &Path, codec: Codec) -> Frame {
    let server = RtspServer::start(&[file], &RtspOptions { codec, ..RtspOptions::default() }).unwrap();
    frame(&mut *open(&server.url()).await.unwrap()).await
}

async fn by_gb28181(file: &Path, codec: Codec) -> Frame {
    let peer = Peer::server(file, gb28181::PASSWORD, PeerOptions { codec, ..PeerOptions::default() }).await.unwrap();
    frame(&mut *gb28181::open_at(&peer).await.unwrap()).await
}

/// The first picture of a clip over every way it may come.
async fn every_way(file: &Path, codec: Codec) -> [(&'static str, Frame); 3] {
    let (rtsp, gb28181) = (by_rtsp(file, codec).await, by_gb28181(file, codec).await);
    [("file", from_file(file).await), ("RTSP", rtsp), ("GB/T 28181", gb28181)]
}

fn luma(frame: &Frame, column: usize, row: usize) -> u8 {
    frame.planes()[0].data[row * frame.planes()[0].stride + column]
}

fn assert_ends(frame: &Frame, left: u8, right: u8, what: &str) {
    let last = frame.samples().0 as usize - 1;
    let ends = (luma(frame, 0, 9), luma(frame, last, 9));
    assert!(ends.0.abs_diff(left) <= 3 && ends.1.abs_diff(right) <= 3, "{what}: {ends:?}");
}

#[tokio::test]
async fn pixels_that_are_not_square_are_told_by_every_way() {
    for (name, codec, size, aspect, shown) in [
        ("wide", Codec::H264, "352x576", "24/11", (768, 576)),
        ("slightly-wide", Codec::H264, "704x576", "12/11", (768, 576)),
        ("narrow", Codec::H264, "640x240", "1/2", (640, 480)),
        ("wide-h265", Codec::H265, "320x480", "2/1", (640, 480)),
    ] {
        let picture = format!("{},setsar={aspect}", ramp(size, 16, 235));
        let file = clip(name, &picture, if codec == Codec::H264 { &H264 } else { &H265 });
        for (way, frame) in every_way(&file, codec).await {
            assert_eq!((frame.width(), frame.height()), shown, "{name} by {way}");
            assert_eq!(format!("{}x{}", frame.samples().0, frame.samples().1), size, "{name} by {way}");
        }
    }
}

#[tokio::test]
async fn aspects_that_make_no_sense_are_not_believed() {
    let plain = clip("plain", &ramp("640x360", 16, 235), &H264);
    for aspect in ["255/1", "1/200", "65535/1", "0/1"] {
        let file = directory().join(format!("pixels-aspect-{}.mp4", aspect.replace('/', "-")));
        let patch = format!("h264_metadata=sample_aspect_ratio={aspect}");
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-nostdin", "-y", "-i"]).arg(&plain).args(["-c", "copy", "-bsf:v", &patch]);
        assert!(ffmpeg.arg(&file).status().unwrap().success());
        for (way, frame) in every_way(&file, Codec::H264).await {
            assert_eq!((frame.width(), frame.height()), (640, 360), "{aspect} by {way}");
        }
    }
}

#[tokio::test]
async fn range_and_matrix_are_told_by_every_way() {
    let x264 = |words: &'static str| [&H264[..], &["-x264-params", words]].concat();
    let x265 = |words: &'static str| [&H265[..], &["-x265-params", words]].concat();
    for (name, codec, encoder, matrix, range) in [
        ("full", Codec::H264, x264("fullrange=on"), Matrix::Bt601, Range::Full),
        ("full-709", Codec::H264, x264("fullrange=on:colormatrix=bt709"), Matrix::Bt709, Range::Full),
        ("709", Codec::H264, x264("colormatrix=bt709:colorprim=bt709:transfer=bt709"), Matrix::Bt709, Range::Limited),
        ("2020", Codec::H264, x264("colormatrix=bt2020nc"), Matrix::Bt2020, Range::Limited),
        ("full-h265", Codec::H265, x265("log-level=error:range=full"), Matrix::Bt601, Range::Full),
        (
            "2020-h265",
            Codec::H265,
            x265("log-level=error:range=full:colormatrix=bt2020nc"),
            Matrix::Bt2020,
            Range::Full,
        ),
        ("silent", Codec::H264, x264("bframes=0"), Matrix::Bt601, Range::Limited),
    ] {
        let (black, white) = if range == Range::Full { (0, 255) } else { (16, 235) };
        let file = clip(name, &ramp("640x360", black, white), &encoder);
        for (way, frame) in every_way(&file, codec).await {
            assert_eq!(frame.colour(), Colour { matrix, range }, "{name} by {way}");
            assert_ends(&frame, black, white, name);
        }
    }
}

#[tokio::test]
async fn pictures_in_another_layout_keep_their_range() {
    let full = ["-x264-params", "fullrange=on", "-color_range", "pc"];
    for (name, format, white, encoder) in [
        ("mjpeg", "yuvj420p", 255, &["-c:v", "mjpeg", "-q:v", "2"][..]),
        ("full-422", "yuvj422p", 255, &["-c:v", "libx264"]),
        ("full-444", "yuvj444p", 255, &["-c:v", "libx264"]),
        ("full-10-bit", "yuv420p10le", 1023, &[&["-c:v", "libx264"], &full[..]].concat()),
    ] {
        let source = format!("nullsrc=size=640x360:rate=25:duration=2,format={format}");
        let picture = format!("{source},geq=lum='{white}*X/(W-1)':cb=({white}+1)/2:cr=({white}+1)/2");
        let frame = from_file(&clip(name, &picture, &[encoder, &["-pix_fmt", format]].concat())).await;
        match frame.colour().range {
            Range::Full => assert_ends(&frame, 0, 255, name),
            Range::Limited => assert_ends(&frame, 16, 235, name),
        }
    }
}

/// A white bar that moves from left to right by 16 samples a field.
const BAR: &str = "nullsrc=size=640x480:rate=50:duration=2,format=yuv420p,\
                   geq=lum='if(between(mod(X-16*N,640),0,99),235,16)':cb=128:cr=128";

#[tokio::test]
async fn an_interlaced_picture_shows_one_moment() {
    for (name, filter, encoder) in [
        ("upper-first", "tinterlace=interleave_top", ["-x264-params", "tff=1"]),
        ("lower-first", "tinterlace=interleave_bottom", ["-x264-params", "bff=1"]),
        ("wide-fields", "tinterlace=interleave_top,setsar=2/1", ["-x264-params", "tff=1"]),
    ] {
        let coding = ["-flags", "+ilme+ildct", "-qp", "12"];
        let file = clip(name, &format!("{BAR},{filter}"), &[&H264[..], &coding, &encoder].concat());
        for (way, frame) in every_way(&file, Codec::H264).await {
            let width = if name == "wide-fields" { 1280 } else { 640 };
            assert_eq!((frame.width(), frame.height(), frame.samples()), (width, 480, (640, 240)), "{name} by {way}");
            let apart =
                |row: usize| (0..640).filter(|x| luma(&frame, *x, 0).abs_diff(luma(&frame, *x, row)) > 60).count();
            let combed = (0..240).filter(|row| apart(*row) > 4).count();
            assert_eq!(combed, 0, "{name} by {way}");
        }
    }
}

#[tokio::test]
async fn a_progressive_picture_keeps_all_its_rows() {
    let file = clip("progressive", BAR, &H264);
    for (way, frame) in every_way(&file, Codec::H264).await {
        assert_eq!(frame.samples(), (640, 480), "{way}");
    }
}

#[tokio::test]
async fn a_camera_may_change_its_pixels() {
    let wide = clip("change-wide", &format!("{},setsar=2/1", ramp("320x480", 16, 235)), &H264);
    let full = clip("change-full", &ramp("640x360", 0, 255), &[&H264[..], &["-x264-params", "fullrange=on"]].concat());
    let server = RtspServer::start(&[&wide, &full], &RtspOptions::default()).unwrap();
    let mut stream = open(&server.url()).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 4 {
        let frame = frame(&mut *stream).await;
        seen.push((frame.width(), frame.height(), frame.colour().range));
        seen.dedup();
    }
    let (wide, full) = ((640, 480, Range::Limited), (640, 360, Range::Full));
    assert_eq!(seen, [wide, full, wide, full]);
}

#[tokio::test]
async fn a_file_is_seen_upright() {
    let plain = clip("lying", &format!("{},setsar=2/1", ramp("320x480", 16, 235)), &H264);
    for (turn, shown, black) in
        [("90", (480, 640), "below"), ("180", (640, 480), "right"), ("270", (480, 640), "above")]
    {
        let file = directory().join(format!("pixels-turned-{turn}.mp4"));
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-nostdin", "-y", "-i"]).arg(&plain).args(["-c", "copy", "-metadata:s:v"]);
        assert!(ffmpeg.arg(format!("rotate={turn}")).arg(&file).status().unwrap().success());
        let frame = from_file(&file).await;
        assert_eq!((frame.width(), frame.height()), shown, "turned by {turn}");
        let (columns, rows) = (frame.samples().0 as usize, frame.samples().1 as usize);
        let edges = [(0, rows / 2), (columns - 1, rows / 2), (columns / 2, 0), (columns / 2, rows - 1)];
        let shades = edges.map(|(column, row)| luma(&frame, column, row));
        let dark = ["left", "right", "above", "below"].iter().zip(shades).filter(|(_, shade)| *shade < 30);
        assert_eq!(dark.map(|(edge, _)| *edge).collect::<Vec<_>>(), [black], "turned by {turn}: {shades:?}");
    }
}
