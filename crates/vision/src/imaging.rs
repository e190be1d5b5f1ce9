//! Scaling, warping and colour conversion of frames; the only module that uses OpenCV.
//!
//! Camera frames stay in the decoder's YUV up to this point: they are scaled first and converted afterwards, and for a
//! crop only its surroundings are converted.

use std::borrow::Cow;

use domain::frame::{Colour, Frame, PixelFormat, Plane};
use domain::geometry::Rect;
use opencv::boxed_ref::{BoxedRef, BoxedRefMut};
use opencv::core::{self, Mat, MatTrait, MatTraitConst, Scalar, Size};
use opencv::imgproc;

use crate::align::Transform;
use crate::colour::{OPENCV, Recoding};
use crate::error::AnalysisError;
use crate::pixel_box::{PixelBox, pixels_of_a_sample, samples_under};
use crate::view::View;

mod buffer;
mod picture;

pub(crate) use picture::Picture;

type Result<T, E = AnalysisError> = std::result::Result<T, E>;

/// Prevents OpenCV from starting threads beside the inference threads.
pub(crate) fn use_calling_thread() -> Result<()> {
    Ok(core::set_num_threads(1)?)
}

/// The view's part of the frame, scaled into the network's input.
pub(crate) fn fit(frame: &Frame, view: &View) -> Result<Picture> {
    let (width, height) = view.content;
    if view.canvas == view.content {
        return Picture::written(view.content, 3, |content| scale(frame, view.area, view.content, content));
    }
    let mut canvas = Picture::black(view.canvas.0, view.canvas.1);
    let place = core::Rect::new(view.offset.0 as i32, view.offset.1 as i32, width as i32, height as i32);
    scale(frame, view.area, view.content, &mut Mat::roi_mut(&mut canvas.mat_mut()?, place)?)?;
    Ok(canvas)
}

/// The frame transformed into an output of this size; black outside the frame. Enlarges by cubic interpolation, which
/// keeps more of small faces than linear does.
pub(crate) fn warp(frame: &Frame, transform: &Transform, width: usize, height: usize) -> Result<Picture> {
    let pixel = pixels_of_a_sample(frame);
    let Some(area) = PixelBox::covering(&warped_from(frame, transform, width, height), frame) else {
        return Ok(Picture::black(width, height));
    };
    with_rgb(frame, samples_under(&area, frame), |rgb, area| {
        let origin = (area.left as f64 * pixel.0, area.top as f64 * pixel.1);
        let rows = |times: (f64, f64)| transform.rows(origin, (times.0 * pixel.0, times.1 * pixel.1));
        let between = if transform.scale() > 1.0 { imgproc::INTER_CUBIC } else { imgproc::INTER_LINEAR };
        match halved_repeatedly(rgb, (1.0 / (transform.scale() * pixel.0), 1.0 / (transform.scale() * pixel.1)))? {
            Some((small, times)) => warped(&small.mat()?, rows(times), (width, height), between),
            None => warped(rgb, rows((1.0, 1.0)), (width, height), between),
        }
    })
    .map(|part| part.unwrap_or_else(|| Picture::black(width, height)))
}

/// What [`warp`] reads of the frame, and beyond it.
pub(crate) fn warped_from(frame: &Frame, transform: &Transform, width: usize, height: usize) -> Rect {
    let pixel = pixels_of_a_sample(frame);
    // Interpolation reads neighbouring pixels, and halving as many samples as it joins.
    let margin = (2.0 / transform.scale() + 2.0) * pixel.0.max(pixel.1);
    transform.source_box(width, height).widened(margin as f32)
}

/// A part of the frame scaled to this size.
pub(crate) fn cut(frame: &Frame, area: PixelBox, width: usize, height: usize) -> Result<Picture> {
    with_rgb(frame, samples_under(&area, frame), |rgb, _| resized(rgb, (width, height)))
        .map(|part| part.unwrap_or_else(|| Picture::black(width, height)))
}

/// The planes of a part of a frame, resampled to square pixels.
pub(crate) fn squared(frame: &Frame, area: PixelBox) -> Result<Vec<Plane>> {
    let samples = samples_under(&area, frame);
    let (width, height) = (area.width as u32, area.height as u32);
    let mut planes = Vec::with_capacity(frame.planes().len());
    for (index, (row, rows)) in frame.format().planes(width, height).into_iter().enumerate() {
        let (channels, half) = match (frame.format(), index) {
            (PixelFormat::Rgb8, _) => (3, false),
            (_, 0) => (1, false),
            (PixelFormat::Nv12, _) => (2, true),
            (PixelFormat::I420, _) => (1, true),
        };
        let samples = if half { samples.on_half() } else { samples };
        let mut data = vec![0; row * rows];
        let mut target = Mat::new_rows_cols_with_bytes_mut::<u8>(rows as i32, row as i32, &mut data)?;
        let mut target = target.reshape_mut(channels as i32, 0)?;
        with_plane(frame, index, channels, samples, |part| resize(part, (row / channels, rows), &mut target))?;
        planes.push(Plane { data: data.into(), stride: row });
    }
    Ok(planes)
}

fn warped(
    source: &impl core::ToInputArray,
    rows: [[f64; 3]; 2],
    (width, height): (usize, usize),
    between: i32,
) -> Result<Picture> {
    let matrix = Mat::from_slice_2d(&rows)?;
    let (size, outside) = (Size::new(width as i32, height as i32), Scalar::default());
    Picture::written((width, height), 3, |output| {
        Ok(imgproc::warp_affine(source, output, &matrix, size, between, core::BORDER_CONSTANT, outside)?)
    })
}

fn resized(source: &(impl MatTraitConst + core::ToInputArray), size: (usize, usize)) -> Result<Picture> {
    Picture::written(size, channels(source), |output| resize(source, size, output))
}

fn channels(source: &impl MatTraitConst) -> usize {
    source.channels().unsigned_abs() as usize
}

/// Resizes into an output of this size.
fn resize(
    source: &(impl MatTraitConst + core::ToInputArray),
    (width, height): (usize, usize),
    output: &mut impl core::ToOutputArray,
) -> Result<()> {
    let smaller = (f64::from(source.cols()) / width as f64, f64::from(source.rows()) / height as f64);
    let size = Size::new(width as i32, height as i32);
    match halved_repeatedly(source, smaller)? {
        Some((small, _)) => imgproc::resize(&small.mat()?, output, size, 0.0, 0.0, imgproc::INTER_LINEAR)?,
        None => imgproc::resize(source, output, size, 0.0, 0.0, imgproc::INTER_LINEAR)?,
    }
    Ok(())
}

/// Halves the source repeatedly while it is at least twice as large as the target, which is `smaller` times smaller
/// (across, down). Returns the result and its reduction; `None` when no halving is needed. Bilinear sampling reads only
/// the nearest pixels, so a larger reduction would alias; averaging 2×2 pixels is several times faster than averaging
/// other areas.
fn halved_repeatedly(
    source: &(impl MatTraitConst + core::ToInputArray),
    smaller: (f64, f64),
) -> Result<Option<(Picture, (f64, f64))>> {
    let Some((half, times)) = halved(source, smaller)? else { return Ok(None) };
    Ok(match halved_repeatedly(&half.mat()?, (smaller.0 / times.0, smaller.1 / times.1))? {
        Some((small, more)) => Some((small, (times.0 * more.0, times.1 * more.1))),
        None => Some((half, times)),
    })
}

/// Halves the picture, in one direction only where the other is small enough; a last odd row or column is dropped.
fn halved(source: &impl MatTraitConst, smaller: (f64, f64)) -> Result<Option<(Picture, (f64, f64))>> {
    // Sides are rounded, so the two directions of a square picture differ slightly.
    const ALONE: f64 = 2.1;
    let (cols, rows) = (source.cols(), source.rows());
    let (across, down) = match smaller {
        (x, y) if x.min(y) >= 2.0 && cols.min(rows) >= 2 => (2, 2),
        (x, _) if x >= ALONE && cols >= 2 => (2, 1),
        (_, y) if y >= ALONE && rows >= 2 => (1, 2),
        _ => return Ok(None),
    };
    let half = Size::new(cols / across, rows / down);
    let even = Mat::roi(source, core::Rect::new(0, 0, half.width * across, half.height * down))?;
    let size = (half.width.unsigned_abs() as usize, half.height.unsigned_abs() as usize);
    let output = Picture::written(size, channels(source), |output| {
        Ok(imgproc::resize(&even, output, half, 0.0, 0.0, imgproc::INTER_AREA)?)
    })?;
    Ok(Some((output, (f64::from(across), f64::from(down)))))
}

/// Scales a part of the frame, starting at a whole chroma sample, to this (even) size in RGB.
fn scale(frame: &Frame, area: PixelBox, size: (usize, usize), output: &mut impl core::ToOutputArray) -> Result<()> {
    let area = samples_under(&area, frame);
    let chroma = (size.0 / 2, size.1 / 2);
    let halves = area.on_half();
    match frame.format() {
        PixelFormat::Rgb8 => with_plane(frame, 0, 3, area, |rgb| resize(rgb, size, output)),
        PixelFormat::Nv12 => {
            let y = with_plane(frame, 0, 1, area, |y| resized(y, size))?;
            let uv = with_plane(frame, 1, 2, halves, |uv| resized(uv, chroma))?;
            from_nv12(&y.mat()?, &uv.mat()?, frame.colour(), output)
        }
        PixelFormat::I420 => from_i420(size, frame.colour(), output, |index, plane| {
            let (area, size) = if index == 0 { (area, size) } else { (halves, chroma) };
            with_plane(frame, index, 1, area, |part| resize(part, size, plane))
        }),
    }
}

/// Passes a part of the frame's samples in RGB to `work`, with its position: for YUV it is widened to whole chroma
/// samples. `None` when it is empty.
fn with_rgb<T>(
    frame: &Frame,
    area: PixelBox,
    work: impl FnOnce(&BoxedRef<'_, Mat>, PixelBox) -> Result<T>,
) -> Result<Option<T>> {
    if frame.format() == PixelFormat::Rgb8 {
        return with_plane(frame, 0, 3, area, |rgb| work(rgb, area)).map(Some);
    }
    let area = area.on_chroma(frame.samples());
    if area.is_empty() {
        return Ok(None);
    }
    let rgb = converted(frame, area)?;
    work(&rgb.mat()?, area).map(Some)
}

/// A part of a YUV frame, aligned to whole chroma samples, in RGB.
fn converted(frame: &Frame, area: PixelBox) -> Result<Picture> {
    let size = (area.width, area.height);
    Picture::written(size, 3, |rgb| match frame.format() {
        PixelFormat::Nv12 => with_plane(frame, 0, 1, area, |y| {
            with_plane(frame, 1, 2, area.on_half(), |uv| from_nv12(y, uv, frame.colour(), rgb))
        }),
        _ => from_i420(size, frame.colour(), rgb, |index, plane| {
            let area = if index == 0 { area } else { area.on_half() };
            with_plane(frame, index, 1, area, |part| Ok(part.copy_to(plane)?))
        }),
    })
}

fn from_nv12(
    y: &(impl MatTraitConst + core::ToInputArray),
    uv: &impl core::ToInputArray,
    colour: Colour,
    output: &mut impl core::ToOutputArray,
) -> Result<()> {
    if colour == OPENCV {
        return Ok(imgproc::cvt_color_two_plane(y, uv, output, imgproc::COLOR_YUV2RGB_NV12)?);
    }
    let size = (y.cols().unsigned_abs() as usize, y.rows().unsigned_abs() as usize);
    from_i420(size, colour, output, |index, plane| match index {
        0 => Ok(y.copy_to(plane)?),
        _ => Ok(core::extract_channel(uv, plane, index as i32 - 1)?),
    })
}

/// `fill` writes each of the three planes, by index, into a contiguous buffer.
fn from_i420(
    (width, height): (usize, usize),
    colour: Colour,
    output: &mut impl core::ToOutputArray,
    mut fill: impl FnMut(usize, &mut BoxedRefMut<'_, Mat>) -> Result<()>,
) -> Result<()> {
    let mut stacked = Picture::unwritten((width, height * 3 / 2), 1);
    let (y, chroma) = stacked.bytes_mut().split_at_mut(width * height);
    let (u, v) = chroma.split_at_mut(chroma.len() / 2);
    for (index, bytes) in [&mut *y, &mut *u, &mut *v].into_iter().enumerate() {
        let (width, height) = if index == 0 { (width, height) } else { (width / 2, height / 2) };
        fill(index, &mut Mat::new_rows_cols_with_bytes_mut::<u8>(height as i32, width as i32, bytes)?)?;
    }
    if let Some(recoding) = Recoding::between(colour, OPENCV) {
        recoding.apply(width, y, u, v);
    }
    Ok(imgproc::cvt_color_def(&stacked.mat()?, output, imgproc::COLOR_YUV2RGB_I420)?)
}

/// Passes a part of a plane to `work` without copying; `area` in samples of the plane.
fn with_plane<T>(
    frame: &Frame,
    index: usize,
    channels: usize,
    area: PixelBox,
    work: impl FnOnce(&BoxedRef<'_, Mat>) -> Result<T>,
) -> Result<T> {
    let plane = &frame.planes()[index];
    let (columns, lines) = frame.samples();
    let (row, rows) = frame.format().planes(columns, lines)[index];
    let (bytes, stride) = whole_rows(plane, row, rows);
    let whole = Mat::new_rows_cols_with_bytes::<u8>(rows as i32, stride as i32, &bytes)?;
    let (left, width) = (area.left * channels, area.width * channels);
    let place = core::Rect::new(left as i32, area.top as i32, width as i32, area.height as i32);
    let part = Mat::roi(&whole, place)?;
    work(&part.reshape_def(channels as i32)?)
}

/// The plane's bytes with all rows at full stride, and the stride. Decoders may omit the padding of the last row; such
/// a plane is copied.
fn whole_rows(plane: &Plane, row: usize, rows: usize) -> (Cow<'_, [u8]>, usize) {
    if let Some(bytes) = plane.data.get(..plane.stride * rows) {
        return (Cow::Borrowed(bytes), plane.stride);
    }
    let compact = plane.data.chunks(plane.stride).take(rows).flat_map(|line| &line[..row]).copied().collect();
    (Cow::Owned(compact), row)
}

#[cfg(test)]
mod tests;
