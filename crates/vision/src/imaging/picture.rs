//! A picture in memory.

use opencv::boxed_ref::{BoxedRef, BoxedRefMut};
use opencv::core::{self, Mat, MatTraitConst, MatTraitConstManual, Size, Vec2b, Vec3b};
use opencv::imgproc;

use super::Result;
use super::buffer::Buffer;

/// A picture in memory: RGB, grey or chroma, eight bits per channel, row by row.
pub(crate) struct Picture {
    width: usize,
    height: usize,
    /// One to three.
    channels: usize,
    samples: Buffer,
}

impl Picture {
    /// Copies RGB bytes into a picture.
    pub(crate) fn from_rgb(width: usize, height: usize, rgb: &[u8]) -> Result<Self> {
        let borrowed = Mat::new_rows_cols_with_bytes::<Vec3b>(height as i32, width as i32, rgb)?;
        Self::written((width, height), 3, |picture| Ok(borrowed.copy_to(picture)?))
    }

    /// Black RGB.
    pub(super) fn black(width: usize, height: usize) -> Self {
        let mut picture = Self::unwritten((width, height), 3);
        picture.samples.fill(0);
        picture
    }

    /// A picture whose every sample `write` writes.
    pub(super) fn written(
        size: (usize, usize),
        channels: usize,
        write: impl FnOnce(&mut BoxedRefMut<'_, Mat>) -> Result<()>,
    ) -> Result<Self> {
        let mut picture = Self::unwritten(size, channels);
        let mut target = picture.mat_mut()?;
        let memory = target.data();
        write(&mut target)?;
        // OpenCV writes an output of another size or type elsewhere.
        debug_assert_eq!(target.data(), memory, "written into other memory");
        Ok(picture)
    }

    /// A picture of any content.
    pub(super) fn unwritten((width, height): (usize, usize), channels: usize) -> Self {
        Self { width, height, channels, samples: Buffer::with_len(width * height * channels) }
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn height(&self) -> usize {
        self.height
    }

    /// The samples.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.samples
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.samples
    }

    /// The picture as OpenCV takes it.
    pub(super) fn mat(&self) -> Result<BoxedRef<'_, Mat>> {
        let (rows, cols) = (self.height as i32, self.width as i32);
        Ok(match self.channels {
            1 => Mat::new_rows_cols_with_bytes::<u8>(rows, cols, &self.samples)?,
            2 => Mat::new_rows_cols_with_bytes::<Vec2b>(rows, cols, &self.samples)?,
            _ => Mat::new_rows_cols_with_bytes::<Vec3b>(rows, cols, &self.samples)?,
        })
    }

    /// As [`mat`](Self::mat), to be written.
    pub(super) fn mat_mut(&mut self) -> Result<BoxedRefMut<'_, Mat>> {
        let (rows, cols) = (self.height as i32, self.width as i32);
        Ok(match self.channels {
            1 => Mat::new_rows_cols_with_bytes_mut::<u8>(rows, cols, &mut self.samples)?,
            2 => Mat::new_rows_cols_with_bytes_mut::<Vec2b>(rows, cols, &mut self.samples)?,
            _ => Mat::new_rows_cols_with_bytes_mut::<Vec3b>(rows, cols, &mut self.samples)?,
        })
    }

    /// The picture in grey: 0.299 R + 0.587 G + 0.114 B.
    pub(crate) fn to_grey(&self) -> Result<Self> {
        let rgb = self.mat()?;
        let write = |grey: &mut BoxedRefMut<'_, Mat>| Ok(imgproc::cvt_color_def(&rgb, grey, imgproc::COLOR_RGB2GRAY)?);
        Self::written((self.width, self.height), 1, write)
    }

    /// Passes the samples of each channel to `read`, with its index.
    pub(crate) fn each_channel(&self, mut read: impl FnMut(usize, &[u8])) -> Result<()> {
        let mut channels = core::Vector::<Mat>::new();
        core::split(&self.mat()?, &mut channels)?;
        for (index, channel) in channels.into_iter().enumerate() {
            read(index, channel.data_bytes()?);
        }
        Ok(())
    }

    /// Mean of all samples in a part of the picture, 0..=255.
    pub(crate) fn mean(&self, [left, top, right, bottom]: [usize; 4]) -> Result<f64> {
        let (width, height) = (right.saturating_sub(left) as i32, bottom.saturating_sub(top) as i32);
        let whole = self.mat()?;
        let part = Mat::roi(&whole, core::Rect::new(left as i32, top as i32, width, height))?;
        let mean = core::mean_def(&part)?;
        Ok(mean.0[..self.channels].iter().sum::<f64>() / self.channels as f64)
    }

    /// Smoothed by a Gaussian of `sigma` pixels, then every sample times `gain`.
    pub(crate) fn smoothed(&self, sigma: f64, gain: f64) -> Result<Self> {
        let size = (self.width, self.height);
        let smooth = Self::written(size, self.channels, |smooth| {
            Ok(imgproc::gaussian_blur_def(&self.mat()?, smooth, Size::new(0, 0), sigma)?)
        })?;
        Self::written(size, self.channels, |output| Ok(smooth.mat()?.convert_to(output, -1, gain, 0.0)?))
    }
}
