//! Scaling, warping and colour conversion of frames; the only module that touches OpenCV.
//!
//! Frames of cameras stay in the decoder's YUV until here: what is sampled is scaled first and converted after,
//! and for a crop only its surroundings are converted.

use std::borrow::Cow;

use domain::frame::{Frame, PixelFormat, Plane};
use domain::geometry::Rect;
use opencv::boxed_ref::{BoxedRef, BoxedRefMut};
use opencv::core::{self, Mat, MatTraitConst, MatTraitConstManual, Scalar, Size, Vec3b};
use opencv::imgproc;

use crate::align::Transform;
use crate::error::AnalysisError;
use crate::view::View;

type Result<T, E = AnalysisError> = std::result::Result<T, E>;

/// A picture in memory: R, G, B or grey, eight bits each, row after row.
pub(crate) struct Picture(Mat);

impl Picture {
    /// A picture of these bytes.
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

    /// The same in grey: 0.299 R + 0.587 G + 0.114 B.
    pub(crate) fn to_grey(&self) -> Result<Self> {
        let mut grey = Mat::default();
        imgproc::cvt_color_def(&self.0, &mut grey, imgproc::COLOR_RGB2GRAY)?;
        Ok(Self(grey))
    }

    /// Its channels, each a picture of its own.
    pub(crate) fn channels(&self) -> Result<Vec<Self>> {
        let mut channels = core::Vector::<Mat>::new();
        core::split(&self.0, &mut channels)?;
        Ok(channels.into_iter().map(Self).collect())
    }

    fn black(width: usize, height: usize) -> Result<Self> {
        let (rows, cols) = (height as i32, width as i32);
        Ok(Self(Mat::new_rows_cols_with_default(rows, cols, core::CV_8UC3, Scalar::default())?))
    }
}

/// Keeps OpenCV from starting threads of its own beside the inference threads.
pub(crate) fn use_calling_thread() -> Result<()> {
    Ok(core::set_num_threads(1)?)
}

/// A box of whole pixels inside a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PixelBox {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl PixelBox {
    /// The pixels that `area` touches, as far as they are in the frame; `None` when there are none.
    pub(crate) fn covering(area: &Rect, frame: &Frame) -> Option<Self> {
        if [area.left, area.top, area.right, area.bottom].iter().any(|edge| edge.is_nan()) {
            return None;
        }
        let area = area.clamped_to(&frame.bounds());
        let (left, top) = (area.left.floor() as usize, area.top.floor() as usize);
        let width = (area.right.ceil() as usize).saturating_sub(left);
        let height = (area.bottom.ceil() as usize).saturating_sub(top);
        (width > 0 && height > 0 && area.area() > 0.0).then_some(Self { left, top, width, height })
    }

    pub(crate) fn whole(frame: &Frame) -> Self {
        Self { left: 0, top: 0, width: frame.width() as usize, height: frame.height() as usize }
    }

    /// The box widened to whole chroma samples, two pixels each way; a last odd row or column is left out.
    pub(crate) fn on_chroma(&self, frame: &Frame) -> Self {
        let spread = |start: usize, length: usize, limit: usize| {
            let first = start & !1;
            (first, (start + length).next_multiple_of(2).min(limit & !1).saturating_sub(first))
        };
        let (left, width) = spread(self.left, self.width, frame.width() as usize);
        let (top, height) = spread(self.top, self.height, frame.height() as usize);
        Self { left, top, width, height }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// The same place in a plane of half the resolution.
    fn halved(&self) -> Self {
        Self { left: self.left / 2, top: self.top / 2, width: self.width / 2, height: self.height / 2 }
    }
}

/// The view's part of the frame as it is put into the network's input.
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

/// The output of this size that the transform carries the frame onto; black where the frame ends.
pub(crate) fn warp(frame: &Frame, transform: &Transform, width: usize, height: usize) -> Result<Picture> {
    // Interpolation looks at neighbours, and halving at as many pixels as it joins.
    let margin = (2.0 / transform.scale() + 2.0) as f32;
    let area = transform.source_box(width, height);
    let area = Rect::new(area.left - margin, area.top - margin, area.right + margin, area.bottom + margin);
    let Some(area) = PixelBox::covering(&area, frame) else { return Picture::black(width, height) };
    with_rgb(frame, area, |rgb, area| {
        let size = Size::new(width as i32, height as i32);
        let rows = |factor| transform.rows(area.left as f64, area.top as f64, factor);
        match halved_while(rgb, |factor| factor * transform.scale() <= 0.5)? {
            Some((small, factor)) => warped(&small, rows(factor), size),
            None => warped(rgb, rows(1.0), size),
        }
    })?
    .map_or_else(|| Picture::black(width, height), Ok)
}

/// A part of the frame, scaled to this size.
pub(crate) fn cut(frame: &Frame, area: PixelBox, width: usize, height: usize) -> Result<Picture> {
    with_rgb(frame, area, |rgb, _| Ok(Picture(resized(rgb, width, height)?)))?
        .map_or_else(|| Picture::black(width, height), Ok)
}

fn warped(source: &impl core::ToInputArray, rows: [[f64; 3]; 2], size: Size) -> Result<Picture> {
    let matrix = Mat::from_slice_2d(&rows)?;
    let mut output = Mat::default();
    imgproc::warp_affine_def(source, &mut output, &matrix, size)?;
    Ok(Picture(output))
}

fn resized(source: &(impl MatTraitConst + core::ToInputArray), width: usize, height: usize) -> Result<Mat> {
    let mut output = Mat::default();
    resize(source, (width, height), &mut output)?;
    Ok(output)
}

/// An output that already has this size is written where it lies.
fn resize(
    source: &(impl MatTraitConst + core::ToInputArray),
    (width, height): (usize, usize),
    output: &mut impl core::ToOutputArray,
) -> Result<()> {
    let least = (f64::from(source.cols()) / width as f64).min(f64::from(source.rows()) / height as f64);
    let size = Size::new(width as i32, height as i32);
    match halved_while(source, |factor| 2.0 * factor <= least)? {
        Some((small, _)) => imgproc::resize(&small, output, size, 0.0, 0.0, imgproc::INTER_LINEAR)?,
        None => imgproc::resize(source, output, size, 0.0, 0.0, imgproc::INTER_LINEAR)?,
    }
    Ok(())
}

/// The source made half as large again and again while it is still too large by a factor of two, and how many
/// times smaller it is then; `None` when it is not. Bilinear sampling sees only the nearest pixels, and what lies
/// between them would turn into noise; means of 2×2 pixels are several times faster than those of other areas.
fn halved_while(
    source: &(impl MatTraitConst + core::ToInputArray),
    is_too_large: impl Fn(f64) -> bool,
) -> Result<Option<(Mat, f64)>> {
    if !is_too_large(1.0) || source.cols().min(source.rows()) < 2 {
        return Ok(None);
    }
    let (mut small, mut factor) = (halved(source)?, 2.0);
    while is_too_large(factor) && small.cols().min(small.rows()) >= 2 {
        (small, factor) = (halved(&small)?, factor * 2.0);
    }
    Ok(Some((small, factor)))
}

/// Half as large; a last odd row or column is left out.
fn halved(source: &impl MatTraitConst) -> Result<Mat> {
    let half = Size::new(source.cols() / 2, source.rows() / 2);
    let even = Mat::roi(source, core::Rect::new(0, 0, half.width * 2, half.height * 2))?;
    let mut output = Mat::default();
    imgproc::resize(&even, &mut output, half, 0.0, 0.0, imgproc::INTER_AREA)?;
    Ok(output)
}

/// Makes `output` a part of the frame, from whole chroma samples on, in this (even) size, in RGB.
fn scale(frame: &Frame, area: PixelBox, size: (usize, usize), output: &mut impl core::ToOutputArray) -> Result<()> {
    let chroma = (size.0 / 2, size.1 / 2);
    let halves = PixelBox { width: area.width.div_ceil(2), height: area.height.div_ceil(2), ..area.halved() };
    match frame.format() {
        PixelFormat::Rgb8 => with_plane(frame, 0, 3, area, |rgb| resize(rgb, size, output)),
        PixelFormat::Nv12 => {
            let y = with_plane(frame, 0, 1, area, |y| resized(y, size.0, size.1))?;
            let uv = with_plane(frame, 1, 2, halves, |uv| resized(uv, chroma.0, chroma.1))?;
            from_nv12(&y, &uv, output)
        }
        PixelFormat::I420 => from_i420(size, output, |index, plane| {
            let (area, size) = if index == 0 { (area, size) } else { (halves, chroma) };
            with_plane(frame, index, 1, area, |part| resize(part, size, plane))
        }),
    }
}

/// Gives `work` a part of the frame in RGB, and which part: for YUV it is widened to whole chroma samples.
/// `None` when nothing is left of it.
fn with_rgb<T>(
    frame: &Frame,
    area: PixelBox,
    work: impl FnOnce(&BoxedRef<'_, Mat>, PixelBox) -> Result<T>,
) -> Result<Option<T>> {
    if frame.format() == PixelFormat::Rgb8 {
        return with_plane(frame, 0, 3, area, |rgb| work(rgb, area)).map(Some);
    }
    let area = area.on_chroma(frame);
    if area.is_empty() {
        return Ok(None);
    }
    let rgb = converted(frame, area)?;
    let whole = Mat::roi(&rgb, core::Rect::new(0, 0, rgb.cols(), rgb.rows()))?;
    work(&whole, area).map(Some)
}

/// A part of a YUV frame, on whole chroma samples, in RGB.
fn converted(frame: &Frame, area: PixelBox) -> Result<Mat> {
    let mut rgb = Mat::default();
    if frame.format() == PixelFormat::Nv12 {
        with_plane(frame, 0, 1, area, |y| with_plane(frame, 1, 2, area.halved(), |uv| from_nv12(y, uv, &mut rgb)))?;
        return Ok(rgb);
    }
    from_i420((area.width, area.height), &mut rgb, |index, plane| {
        let area = if index == 0 { area } else { area.halved() };
        with_plane(frame, index, 1, area, |part| Ok(part.copy_to(plane)?))
    })?;
    Ok(rgb)
}

fn from_nv12(
    y: &impl core::ToInputArray,
    uv: &impl core::ToInputArray,
    output: &mut impl core::ToOutputArray,
) -> Result<()> {
    Ok(imgproc::cvt_color_two_plane(y, uv, output, imgproc::COLOR_YUV2RGB_NV12)?)
}

/// `fill` writes each of the three planes, by its number, to where they are wanted: one behind the other.
fn from_i420(
    (width, height): (usize, usize),
    output: &mut impl core::ToOutputArray,
    mut fill: impl FnMut(usize, &mut BoxedRefMut<'_, Mat>) -> Result<()>,
) -> Result<()> {
    let mut stacked = vec![0; width * height * 3 / 2];
    let (y, chroma) = stacked.split_at_mut(width * height);
    let (u, v) = chroma.split_at_mut(chroma.len() / 2);
    let planes = [(y, width, height), (u, width / 2, height / 2), (v, width / 2, height / 2)];
    for (index, (bytes, width, height)) in planes.into_iter().enumerate() {
        fill(index, &mut Mat::new_rows_cols_with_bytes_mut::<u8>(height as i32, width as i32, bytes)?)?;
    }
    let yuv = Mat::new_rows_cols_with_bytes::<u8>((height * 3 / 2) as i32, width as i32, &stacked)?;
    Ok(imgproc::cvt_color_def(&yuv, output, imgproc::COLOR_YUV2RGB_I420)?)
}

/// Gives `work` a part of a plane without copying it; `area` in samples of the plane.
fn with_plane<T>(
    frame: &Frame,
    index: usize,
    channels: usize,
    area: PixelBox,
    work: impl FnOnce(&BoxedRef<'_, Mat>) -> Result<T>,
) -> Result<T> {
    let plane = &frame.planes()[index];
    let (row, rows) = frame.format().planes(frame.width(), frame.height())[index];
    let (bytes, stride) = whole_rows(plane, row, rows);
    let whole = Mat::new_rows_cols_with_bytes::<u8>(rows as i32, stride as i32, &bytes)?;
    let (left, width) = (area.left * channels, area.width * channels);
    let place = core::Rect::new(left as i32, area.top as i32, width as i32, area.height as i32);
    let part = Mat::roi(&whole, place)?;
    work(&part.reshape_def(channels as i32)?)
}

/// The plane's bytes with every row of full stride, and the stride. A decoder may leave out the padding of the
/// last row; such a plane is copied.
fn whole_rows(plane: &Plane, row: usize, rows: usize) -> (Cow<'_, [u8]>, usize) {
    if let Some(bytes) = plane.data.get(..plane.stride * rows) {
        return (Cow::Borrowed(bytes), plane.stride);
    }
    let compact = plane.data.chunks(plane.stride).take(rows).flat_map(|line| &line[..row]).copied().collect();
    (Cow::Owned(compact), row)
}

#[cfg(test)]
mod tests;
