use bytes::Bytes;
use domain::Timestamp;
use domain::geometry::Point;

use super::*;

/// The whole frame.
const ALL: PixelBox = PixelBox { left: 0, top: 0, width: 64, height: 32 };

/// Left half red, right half blue.
fn halves(width: usize, height: usize) -> Vec<u8> {
    let pixel = |i: usize| if i % width < width / 2 { [255, 0, 0] } else { [0, 0, 255] };
    (0..width * height).flat_map(pixel).collect()
}

fn plane(data: Vec<u8>, stride: usize) -> Plane {
    Plane { data: Bytes::from(data), stride }
}

fn frame(format: PixelFormat, planes: Vec<Plane>) -> Frame {
    Frame::new(Timestamp::from_millis(0), 64, 32, format, planes).unwrap()
}

fn rgb() -> Frame {
    frame(PixelFormat::Rgb8, vec![plane(halves(64, 32), 192)])
}

/// The same picture in YUV (BT.601, video range), with padding after each row.
fn yuv(format: PixelFormat) -> Frame {
    let row = |left: u8, right: u8, half: usize| [vec![left; half], vec![right; half], vec![99; 8]].concat();
    let y = plane(row(81, 41, 32).repeat(32), 72);
    let (u, v) = (row(90, 240, 16).repeat(16), row(240, 110, 16).repeat(16));
    if format == PixelFormat::I420 {
        return frame(format, vec![y, plane(u, 40), plane(v, 40)]);
    }
    let uv: Vec<u8> = u.iter().zip(&v).flat_map(|(u, v)| [*u, *v]).collect();
    frame(format, vec![y, plane(uv, 80)])
}

fn pixel(picture: &Picture, x: usize, y: usize) -> [u8; 3] {
    let at = (y * picture.width() + x) * 3;
    picture.bytes()[at..at + 3].try_into().unwrap()
}

fn assert_near(found: [u8; 3], wanted: [u8; 3]) {
    assert!(found.iter().zip(wanted).all(|(f, w)| f.abs_diff(w) <= 4), "{found:?} is not {wanted:?}");
}

#[test]
fn every_pixel_format_gives_the_same_picture() {
    let view = View::fitted(ALL, 32, 8, 0.0);
    for frame in [rgb(), yuv(PixelFormat::I420), yuv(PixelFormat::Nv12)] {
        let small = fit(&frame, &view).unwrap();
        assert_eq!((small.width(), small.height()), (32, 16));
        assert_near(pixel(&small, 2, 8), [255, 0, 0]);
        assert_near(pixel(&small, 29, 8), [0, 0, 255]);
        let right = View::fitted(PixelBox { left: 32, width: 32, ..ALL }, 32, 8, 0.0);
        let right = fit(&frame, &right).unwrap();
        assert_eq!((right.width(), right.height()), (32, 32));
        assert_near(pixel(&right, 3, 8), [0, 0, 255]);
        let part = cut(&frame, PixelBox { left: 30, top: 4, width: 10, height: 6 }, 10, 6).unwrap();
        assert_eq!((part.width(), part.height()), (10, 6));
        assert_near(pixel(&part, 0, 0), [255, 0, 0]);
        assert_near(pixel(&part, 9, 5), [0, 0, 255]);
    }
}

/// A horizontal and a vertical ramp in these samples, displayed at 128 × 96 pixels.
fn ramps(format: PixelFormat, width: usize, height: usize) -> Frame {
    let luma = |i: usize| 16 + (109 * (i % width) / width + 109 * (i / width) / height) as u8;
    let luma = plane((0..width * height).map(luma).collect(), width);
    let grey = |channels: usize| plane(vec![128; width / 2 * height / 2 * channels], width / 2 * channels);
    let planes = match format {
        PixelFormat::Nv12 => vec![luma, grey(2)],
        _ => vec![luma, grey(1), grey(1)],
    };
    let frame = Frame::new(Timestamp::from_millis(0), width as u32, height as u32, format, planes).unwrap();
    frame.shown_over(128, 96)
}

#[test]
fn a_place_shows_the_same_however_many_samples_there_are() {
    let near = |a: &Picture, b: &Picture, what: &str| {
        let pairs = a.bytes().iter().zip(b.bytes());
        let worst = pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst <= 8 && a.bytes().len() == b.bytes().len(), "{what}: {worst}");
    };
    let part = PixelBox { left: 24, top: 36, width: 60, height: 40 };
    let corners = [Point { x: 30.0, y: 20.0 }, Point { x: 90.0, y: 80.0 }];
    let onto = [Point { x: 5.0, y: 4.0 }, Point { x: 23.0, y: 22.0 }];
    let transform = Transform::between(&corners, &onto).unwrap();
    for format in [PixelFormat::I420, PixelFormat::Nv12] {
        let square = ramps(format, 128, 96);
        for (width, height) in [(64, 96), (128, 48), (32, 96), (118, 96), (128, 24)] {
            let other = ramps(format, width, height);
            let what = format!("{format:?} {width}x{height}");
            for area in [PixelBox::whole(&square), part] {
                let view = View::fitted(area, 40, 8, 0.0);
                near(&fit(&square, &view).unwrap(), &fit(&other, &view).unwrap(), &what);
                near(&cut(&square, area, 30, 20).unwrap(), &cut(&other, area, 30, 20).unwrap(), &what);
            }
            let warped = |frame| warp(frame, &transform, 28, 26).unwrap();
            near(&warped(&square), &warped(&other), &what);
            let planes = squared(&other, PixelBox::whole(&other)).unwrap();
            let whole = Frame::new(other.at(), 128, 96, format, planes).unwrap();
            let all = |frame| cut(frame, PixelBox::whole(&square), 128, 96).unwrap();
            near(&all(&square), &all(&whole), &what);
        }
    }
}

#[test]
fn a_border_is_black() {
    let view = View::fitted(ALL, 64, 8, 0.5);
    for frame in [rgb(), yuv(PixelFormat::I420), yuv(PixelFormat::Nv12)] {
        let padded = fit(&frame, &view).unwrap();
        assert_eq!(pixel(&padded, 0, 0), [0, 0, 0]);
        assert_near(pixel(&padded, view.offset.0, view.offset.1), [255, 0, 0]);
    }
}

#[test]
fn a_warp_takes_each_pixel_from_its_place() {
    // The central 32x16 pixels, enlarged by two, and reduced.
    let corners = |l: f32, t: f32, r: f32, b: f32| [Point { x: l, y: t }, Point { x: r, y: b }];
    for frame in [rgb(), yuv(PixelFormat::I420), yuv(PixelFormat::Nv12)] {
        for (width, height) in [(64, 32), (8, 4)] {
            let onto = corners(-0.5, -0.5, width as f32 - 0.5, height as f32 - 0.5);
            let transform = Transform::between(&corners(15.5, 7.5, 47.5, 23.5), &onto).unwrap();
            let output = warp(&frame, &transform, width, height).unwrap();
            assert_near(pixel(&output, width / 2 - 2, height / 2), [255, 0, 0]);
            assert_near(pixel(&output, width / 2 + 2, height / 2), [0, 0, 255]);
        }
    }
}

#[test]
fn what_lies_outside_the_frame_is_black() {
    let corners = [Point { x: 1000.0, y: 1000.0 }, Point { x: 1100.0, y: 1100.0 }];
    let transform = Transform::between(&corners, &[Point::default(), Point { x: 10.0, y: 10.0 }]).unwrap();
    let output = warp(&rgb(), &transform, 10, 10).unwrap();
    assert!(output.bytes().iter().all(|byte| *byte == 0));
}

#[test]
fn a_last_row_without_padding_is_enough() {
    let mut data = [vec![7u8; 192], vec![9; 8]].concat().repeat(32);
    data.truncate(data.len() - 8);
    let last = PixelBox { left: 0, top: 31, width: 64, height: 1 };
    let picture = cut(&frame(PixelFormat::Rgb8, vec![plane(data, 200)]), last, 64, 1);
    assert!(picture.unwrap().bytes().iter().all(|byte| *byte == 7));
}

#[test]
fn a_box_outside_the_frame_covers_no_pixel() {
    assert_eq!(PixelBox::covering(&Rect::new(64.0, 0.0, 90.0, 32.0), &rgb()), None);
    let all = PixelBox::covering(&Rect::new(-5.0, -5.0, 500.0, 500.0), &rgb());
    assert_eq!(all, Some(PixelBox::whole(&rgb())));
}
