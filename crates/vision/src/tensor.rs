//! Converts pictures to input tensors.

use crate::error::AnalysisError;
use crate::imaging::Picture;
use crate::manifest::{Colour, Input, Layout};

/// The values of an input tensor.
pub(crate) enum Values {
    /// Normalised pixels.
    Floats(Vec<f32>),
    /// Pixels as they are.
    Bytes(Vec<u8>),
}

impl Values {
    /// Empty values of the kind that the input takes.
    pub(crate) fn of(input: &Input) -> Self {
        match input.layout {
            Layout::Nchw | Layout::Nhwc => Self::Floats(Vec::new()),
            Layout::Squares => Self::Bytes(Vec::new()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Floats(values) => values.len(),
            Self::Bytes(values) => values.len(),
        }
    }

    pub(crate) fn shrink_to_fit(&mut self) {
        match self {
            Self::Floats(values) => values.shrink_to_fit(),
            Self::Bytes(values) => values.shrink_to_fit(),
        }
    }
}

/// Writes pictures of equal size, one after another, in the channel and dimension order of the input.
pub(crate) fn write(pictures: &[Picture], input: &Input, values: &mut Values) -> Result<(), AnalysisError> {
    match values {
        Values::Floats(tensor) => write_floats(pictures, input, tensor)?,
        Values::Bytes(tensor) => write_squares(pictures, tensor),
    }
    Ok(())
}

/// Copies pixels into cells of 2 × 2; the two of a row lie side by side in the picture already.
fn write_squares(pictures: &[Picture], tensor: &mut Vec<u8>) {
    tensor.clear();
    for picture in pictures {
        let row = 3 * picture.width();
        for rows in picture.bytes().chunks_exact((2 * row).max(1)) {
            let (upper, lower) = rows.split_at(row);
            for (upper, lower) in upper.chunks_exact(6).zip(lower.chunks_exact(6)) {
                tensor.extend_from_slice(upper);
                tensor.extend_from_slice(lower);
            }
        }
    }
}

/// (pixel - mean) * scale.
fn write_floats(pictures: &[Picture], input: &Input, tensor: &mut Vec<f32>) -> Result<(), AnalysisError> {
    let size = pictures.first().map_or(0, |picture| picture.width() * picture.height());
    let length = size * input.colour.channels();
    // Every value is overwritten below, so old ones need not be cleared.
    tensor.resize(length * pictures.len(), 0.0);
    for (picture, tensor) in pictures.iter().zip(tensor.chunks_exact_mut(length.max(1))) {
        match (input.colour, input.layout) {
            (Colour::Grey, _) => write_channel(picture.to_grey()?.bytes(), input.mean[0], input.scale[0], tensor),
            (Colour::Rgb | Colour::Bgr, Layout::Nchw) => write_planes(picture, input, tensor)?,
            (Colour::Rgb | Colour::Bgr, Layout::Nhwc | Layout::Squares) => write_pixels(picture, input, tensor),
        }
    }
    Ok(())
}

fn write_channel(samples: &[u8], mean: f32, scale: f32, tensor: &mut [f32]) {
    for (value, sample) in tensor.iter_mut().zip(samples) {
        *value = (f32::from(*sample) - mean) * scale;
    }
}

fn write_planes(picture: &Picture, input: &Input, tensor: &mut [f32]) -> Result<(), AnalysisError> {
    let (order, size) = (order(input.colour), tensor.len() / 3);
    picture.each_channel(|from, samples| {
        // Either order is its own inverse.
        let channel = order[from];
        let plane = &mut tensor[channel * size..][..size];
        write_channel(samples, input.mean[channel], input.scale[channel], plane);
    })
}

fn write_pixels(picture: &Picture, input: &Input, tensor: &mut [f32]) {
    let order = order(input.colour);
    for (values, pixel) in tensor.chunks_exact_mut(3).zip(picture.bytes().chunks_exact(3)) {
        for (channel, value) in values.iter_mut().enumerate() {
            *value = (f32::from(pixel[order[channel]]) - input.mean[channel]) * input.scale[channel];
        }
    }
}

/// Index of the picture's channel (R, G, B) for each channel of the tensor.
fn order(colour: Colour) -> [usize; 3] {
    if colour == Colour::Bgr { [2, 1, 0] } else { [0, 1, 2] }
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
        write_floats(&[picture], &input(layout, colour), &mut tensor).unwrap();
        tensor
    }

    #[test]
    fn squares_hold_the_pixels_of_two_rows() {
        let pixels: Vec<u8> = (0..24).collect();
        let mut tensor = Values::Bytes(Vec::new());
        let picture = Picture::from_rgb(4, 2, &pixels).unwrap();
        write(&[picture], &input(Layout::Squares, Colour::Rgb), &mut tensor).unwrap();
        let Values::Bytes(bytes) = tensor else { panic!("bytes") };
        assert_eq!(bytes[..12], [0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 17]);
        assert_eq!(bytes[12..], [6, 7, 8, 9, 10, 11, 18, 19, 20, 21, 22, 23]);
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
