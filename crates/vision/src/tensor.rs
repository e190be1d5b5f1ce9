//! From pictures to the numbers a network wants.

use crate::error::AnalysisError;
use crate::imaging::Picture;
use crate::manifest::{Colour, Input, Layout};

/// Writes pictures of one size into `tensor`, one after the other: (pixel - mean) * scale, in the order of
/// channels and dimensions the input asks for.
pub(crate) fn write(pictures: &[Picture], input: &Input, tensor: &mut Vec<f32>) -> Result<(), AnalysisError> {
    tensor.clear();
    let Some(first) = pictures.first() else { return Ok(()) };
    let length = first.width() * first.height() * input.colour.channels();
    tensor.resize(length * pictures.len(), 0.0);
    for (picture, tensor) in pictures.iter().zip(tensor.chunks_exact_mut(length.max(1))) {
        match input.colour {
            Colour::Grey => write_grey(picture.to_grey()?.bytes()?, input, tensor),
            Colour::Rgb | Colour::Bgr => write_colour(picture.bytes()?, input, tensor),
        }
    }
    Ok(())
}

fn write_grey(pixels: &[u8], input: &Input, tensor: &mut [f32]) {
    let (mean, scale) = (input.mean[0], input.scale[0]);
    for (value, pixel) in tensor.iter_mut().zip(pixels) {
        *value = (f32::from(*pixel) - mean) * scale;
    }
}

fn write_colour(pixels: &[u8], input: &Input, tensor: &mut [f32]) {
    // The channel of the picture (R, G, B) that each channel of the tensor is taken from.
    let order = if input.colour == Colour::Bgr { [2, 1, 0] } else { [0, 1, 2] };
    let (mean, scale) = (&input.mean, &input.scale);
    match input.layout {
        Layout::Nhwc => {
            for (values, pixel) in tensor.chunks_exact_mut(3).zip(pixels.chunks_exact(3)) {
                for (channel, value) in values.iter_mut().enumerate() {
                    *value = (f32::from(pixel[order[channel]]) - mean[channel]) * scale[channel];
                }
            }
        }
        Layout::Nchw => {
            let plane = (tensor.len() / 3).max(1);
            for (channel, plane) in tensor.chunks_exact_mut(plane).enumerate() {
                let (mean, scale, from) = (mean[channel], scale[channel], order[channel]);
                for (value, pixel) in plane.iter_mut().zip(pixels.chunks_exact(3)) {
                    *value = (f32::from(pixel[from]) - mean) * scale;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(layout: Layout, colour: Colour) -> Input {
        let channels = colour.channels();
        Input {
            tensor: "input".to_owned(),
            layout,
            colour,
            width: 2,
            height: 1,
            multiple_of: 1,
            batch: true,
            mean: vec![1.0; channels],
            scale: vec![2.0; channels],
        }
    }

    fn tensor(layout: Layout, colour: Colour) -> Vec<f32> {
        let picture = Picture::from_rgb(2, 1, &[10, 20, 30, 40, 50, 60]).unwrap();
        let mut tensor = Vec::new();
        write(&[picture], &input(layout, colour), &mut tensor).unwrap();
        tensor
    }

    #[test]
    fn channels_and_dimensions_are_ordered_as_asked() {
        assert_eq!(tensor(Layout::Nchw, Colour::Rgb), [18.0, 78.0, 38.0, 98.0, 58.0, 118.0]);
        assert_eq!(tensor(Layout::Nchw, Colour::Bgr), [58.0, 118.0, 38.0, 98.0, 18.0, 78.0]);
        assert_eq!(tensor(Layout::Nhwc, Colour::Bgr), [58.0, 38.0, 18.0, 118.0, 98.0, 78.0]);
    }

    #[test]
    fn grey_weighs_the_channels_as_the_eye_does() {
        // 0.299 * 10 + 0.587 * 20 + 0.114 * 30 = 18.15
        assert_eq!(tensor(Layout::Nchw, Colour::Grey), [34.0, 94.0]);
    }
}
