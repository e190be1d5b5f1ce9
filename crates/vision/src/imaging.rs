//! Scaling, warping and colour conversion of frames; the only module that uses OpenCV.
//!
//! Camera frames stay in the decoder's YUV up to this point: they are scaled first and converted afterwards, and for a
//! crop only its surroundings are converted.

use std::borrow::Cow;

use domain::frame::{Colour, Frame, PixelFormat, Plane};
use domain::geometry::Rect;
use opencv::boxed_ref::{BoxedRef, BoxedRefMut};
use opencv::core::{self, Mat, MatTrait, MatTraitConst, MatTraitConstManual, Scalar, Size, Vec3b};
use opencv::imgproc;

use crate::align::Transform;
use crate::colour::{OPENCV, Recoding};
use crate::error::AnalysisError;
use crate::pixel_box::{PixelBox, pixels_of_a_sample, samples_under};
use crate::view::View;

type Result<T, E = AnalysisError> = std::result::Result<T, E>;

/// A picture in memory: RGB or grey, eight bits per channel, row by row.
pub(crate) struct Picture(Mat);

impl Picture {
    /// Copies RGB bytes into a picture.
    pub(crate) fn from_rgb(width: usize, height: usize, rgb: &[u8]) -> Result<Self> {
        let borrowed = Mat::new_rows_cols_with_bytes::<Vec3b>(height as i32, width as i32, rgb)?;
        Ok(Self(borrowed.try_clone()?))
    }

    pub(crate) fn width(&self) -> usize {
        self.0.cols().unsigned_abs() as usize
    }

    pub(crate) fn height(&self) -> usize {
        self.0.rows().unsigned_abs() as usize
    }

    /// The samples.
    pub(crate) fn bytes(&self) -> Result<&[u8]> {
        Ok(self.0.data_bytes()?)
    }

    /// The picture in grey: 0.299 R + 0.587 G + 0.114 B.
    pub(crate) fn to_grey(&self) -> Result<Self> {
        let mut grey = Mat::default();
        imgproc::cvt_color_def(&self.0, &mut grey, imgproc::COLOR_RGB2GRAY)?;
        Ok(Self(grey))
    }

    /// Its channels, each as a picture.
    pub(crate) fn channels(&self) -> Result<Vec<Self>> {
        let mut channels = core::Vector::<Mat>::new();
        core::split(&self.0, &mut channels)?;
        Ok(channels.into_iter().map(Self).collect())
    }

    /// Mean of all samples in a part of the picture, 0..=255.
    pub(crate) fn mean(&self, [left, top, right, bottom]: [usize; 4]) -> Result<f64> {
        let (width, height) = (right.saturating_sub(left) as i32, bottom.saturating_sub(top) as i32);
        let part = Mat::roi(&self.0, core::Rect::new(left as i32, top as i32, width, height))?;
        let mean = core::mean_def(&part)?;
        let channels = self.0.channels() as usize;
        Ok(mean.0[..channels].iter().sum::<f64>() / channels as f64)
    }

    /// Smoothed by a Gaussian of `sigma` pixels, then every sample times `gain`.
    pub(crate) fn smoothed(&self, sigma: f64, gain: f64) -> Result<Self> {
        let (mut smooth, mut output) = (Mat::default(), Mat::default());
        imgproc::gaussian_blur_def(&self.0, &mut smooth, Size::new(0, 0), sigma)?;
        smooth.convert_to(&mut output, -1, gain, 0.0)?;
        Ok(Self(output))
    }

    fn black(width: usize, height: usize) -> Result<Self> {
        let (rows, cols) = (height as i32, width as i32);
        Ok(Self(Mat::new_rows_cols_with_default(rows, cols, core::CV_8UC3, Scalar::default())?))
    }
}

/// Prevents OpenCV from starting threads beside the inference threads.
pub(crate) fn use_calling_thread() -> Result<()> {
    Ok(core::set_num_threads(1)?)
}

/// The view's part of the frame, scaled into the network's input.
pub(crate) fn fit(frame: &Frame, view: &View) -> Result<Picture> {
    let (width, height) = view.content;
    if view.canvas == view.content {
        let mut content = Mat::default();
        scale(frame, view.area, (width, height), &mut content)?;
        return Ok(Picture(content));
    }
    let mut canvas = Picture::black(view.canvas.0, view.canvas.1)?;
    let place = core::Rect::new(view.offset.0 as i32, view.offset.1 as i32, width as i32, height as i32);
    scale(frame, view.area, (width, height), &mut Mat::roi_mut(&mut canvas.0, place)?)?;
    Ok(canvas)
}

/// The frame transformed into an output of this size; black outside the frame. Enlarges by cubic interpolation, which
/// keeps more of small faces than linear does.
pub(crate) fn warp(frame: &Frame, transform: &Transform, width: usize, height: usize) -> Result<Picture> {
    let pixel = pixels_of_a_sample(frame);
    // Interpolation reads neighbouring pixels, and halving as many samples as it joins.
    let margin = ((2.0 / transform.scale() + 2.0) * pixel.0.max(pixel.1)) as f32;
    let area = transform.source_box(width, height);
    let area = Rect::new(area.left - margin, area.top - margin, area.right + margin, area.bottom + margin);
    let Some(area) = PixelBox::covering(&area, frame) else { return Picture::black(width, height) };
    with_rgb(frame, samples_under(&area, frame), |rgb, area| {
        let size = Size::new(width as i32, height as i32);
        let origin = (area.left as f64 * pixel.0, area.top as f64 * pixel.1);
        let rows = |times: (f64, f64)| transform.rows(origin, (times.0 * pixel.0, times.1 * pixel.1));
        let between = if transform.scale() > 1.0 { imgproc::INTER_CUBIC } else { imgproc::INTER_LINEAR };
        match halved_repeatedly(rgb, (1.0 / (transform.scale() * pixel.0), 1.0 / (transform.scale() * pixel.1)))? {
            Some((small, times)) => warped(&small, rows(times), size, between),
            None => warped(rgb, rows((1.0, 1.0)), size, between),
        }
    })?
    .map_or_else(|| Picture::black(width, height), Ok)
}

/// A part of the frame scaled to this size.
pub(crate) fn cut(frame: &Frame, area: PixelBox, width: usize, height: usize) -> Result<Picture> {
    with_rgb(frame, samples_under(&area, frame), |rgb, _| Ok(Picture(resized(rgb, width, height)?)))?
        .map_or_else(|| Picture::black(width, height), Ok)
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

fn warped(source: &impl core::ToInputArray, rows: [[f64; 3]; 2], size: Size, between: i32) -> Result<Picture> {
    let matrix = Mat::from_slice_2d(&rows)?;
    let mut output = Mat::default();
    imgproc::warp_affine(source, &mut output, &matrix, size, between, core::BORDER_CONSTANT, Scalar::default())?;
    Ok(Picture(output))
}

fn resized(source: &(impl MatTraitConst + core::ToInputArray), width: usize, height: usize) -> Result<Mat> {
    let mut output = Mat::default();
    resize(source, (width, height), &mut output)?;
    Ok(output)
}

/// An output that already has this size is written in place.
fn resize(
    source: &(impl MatTraitConst + core::ToInputArray),
    (width, height): (usize, usize),
    output: &mut impl core::ToOutputArray,
) -> Result<()> {
    let smaller = (f64::from(source.cols()) / width as f64, f64::from(source.rows()) / height as f64);
    let size = Size::new(width as i32, height as i32);
    match halved_repeatedly(source, smaller)? {
        Some((small, _)) => imgproc::resize(&small, output, size, 0.0, 0.0, imgproc::INTER_LINEAR)?,
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
) -> Result<Option<(Mat, (f64, f64))>> {
    let Some((half, times)) = halved(source, smaller)? else { return Ok(None) };
    Ok(match halved_repeatedly(&half, (smaller.0 / times.0, smaller.1 / times.1))? {
        Some((small, more)) => Some((small, (times.0 * more.0, times.1 * more.1))),
        None => Some((half, times)),
    })
}

/// Halves the picture, in one direction only where the other is small enough; a last odd row or column is dropped.
fn halved(source: &impl MatTraitConst, smaller: (f64, f64)) -> Result<Option<(Mat, (f64, f64))>> {
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
    let mut output = Mat::default();
    imgproc::resize(&even, &mut output, half, 0.0, 0.0, imgproc::INTER_AREA)?;
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
            let y = with_plane(frame, 0, 1, area, |y| resized(y, size.0, size.1))?;
            let uv = with_plane(frame, 1, 2, halves, |uv| resized(uv, chroma.0, chroma.1))?;
            from_nv12(&y, &uv, frame.colour(), output)
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
    let whole = Mat::roi(&rgb, core::Rect::new(0, 0, rgb.cols(), rgb.rows()))?;
    work(&whole, area).map(Some)
}

/// A part of a YUV frame, aligned to whole chroma samples, in RGB.
fn converted(frame: &Frame, area: PixelBox) -> Result<Mat> {
    let mut rgb = Mat::default();
    if frame.format() == PixelFormat::Nv12 {
        with_plane(frame, 0, 1, area, |y| {
            with_plane(frame, 1, 2, area.on_half(), |uv| from_nv12(y, uv, frame.colour(), &mut rgb))
        })?;
        return Ok(rgb);
    }
    from_i420((area.width, area.height), frame.colour(), &mut rgb, |index, plane| {
        let area = if index == 0 { area } else { area.on_half() };
        with_plane(frame, index, 1, area, |part| Ok(part.copy_to(plane)?))
    })?;
    Ok(rgb)
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
    let mut stacked = vec![0; width * height * 3 / 2];
    let (y, chroma) = stacked.split_at_mut(width * height);
    let (u, v) = chroma.split_at_mut(chroma.len() / 2);
    for (index, bytes) in [&mut *y, &mut *u, &mut *v].into_iter().enumerate() {
        let (width, height) = if index == 0 { (width, height) } else { (width / 2, height / 2) };
        fill(index, &mut Mat::new_rows_cols_with_bytes_mut::<u8>(height as i32, width as i32, bytes)?)?;
    }
    if let Some(recoding) = Recoding::between(colour, OPENCV) {
        recoding.apply(width, y, u, v);
    }
    let yuv = Mat::new_rows_cols_with_bytes::<u8>((height * 3 / 2) as i32, width as i32, &stacked)?;
    Ok(imgproc::cvt_color_def(&yuv, output, imgproc::COLOR_YUV2RGB_I420)?)
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
