//! Recognises access units that no other one refers to: a decoder that never sees them shows all other pictures unchanged.
//!
//! Cameras with B-frames or temporal layers send such units; those with a plain chain of P-frames send none.

use crate::decoder::Codec;
use crate::nal::bodies;

/// H.265 sequence parameter set.
const SEQUENCE: u8 = 33;
/// H.265 types below this belong to pictures that are no starting points; the even ones are not referred to within
/// their own temporal layer (ITU-T H.265, table 7-1).
const FIRST_RESERVED: u8 = 16;
/// Types below this are slices.
const PARAMETERS: u8 = 32;

/// Recognises the disposable units of one stream.
#[derive(Debug)]
pub(crate) struct Disposables {
    codec: Codec,
    /// Highest temporal layer that an H.265 stream may have; `None` before its parameter sets.
    highest_layer: Option<u8>,
}

impl Disposables {
    pub(crate) fn of(codec: Codec) -> Self {
        Self { codec, highest_layer: None }
    }

    /// Whether no other unit refers to this one. Reads up to the first slice.
    pub(crate) fn has(&mut self, unit: &[u8]) -> bool {
        match self.codec {
            // nal_ref_idc is 0, and equal in all slices of a picture (ITU-T H.264, 7.4.1).
            Codec::H264 => {
                bodies(unit).find(|body| matches!(body[0] & 0x1f, 1..=5)).is_some_and(|body| body[0] & 0x60 == 0)
            }
            Codec::H265 => self.has_h265(unit),
        }
    }

    fn has_h265(&mut self, unit: &[u8]) -> bool {
        for body in bodies(unit) {
            let (kind, layer) = (body[0] >> 1 & 0x3f, body.get(1).map_or(0, |byte| byte & 0x07).saturating_sub(1));
            match kind {
                // The four bits before it number a video parameter set (7.3.2.2).
                SEQUENCE => self.highest_layer = body.get(2).map(|byte| byte >> 1 & 0x07),
                slice if slice < FIRST_RESERVED => return slice % 2 == 0 && self.highest_layer == Some(layer),
                slice if slice < PARAMETERS => return false,
                _ => {}
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(nals: &[&[u8]]) -> Vec<u8> {
        nals.iter().flat_map(|nal| [&[0, 0, 0, 1], *nal].concat()).collect()
    }

    #[test]
    fn an_h264_slice_that_is_no_reference_is_disposable() {
        let mut disposables = Disposables::of(Codec::H264);
        let delimiter: &[u8] = &[0x09, 0xf0];
        assert!(disposables.has(&unit(&[delimiter, &[0x01, 0x9a]])));
        assert!(!disposables.has(&unit(&[delimiter, &[0x41, 0x9a]])));
        assert!(!disposables.has(&unit(&[&[0x67, 1], &[0x68, 1], &[0x65, 1]])));
        assert!(!disposables.has(&unit(&[&[0x06, 5]])), "a message without a picture");
        assert!(!disposables.has(&[]));
    }

    #[test]
    fn an_h265_slice_that_is_no_reference_of_the_highest_layer_is_disposable() {
        let mut disposables = Disposables::of(Codec::H265);
        let (trail_n, trail_r, layer) = (0x00, 0x02, |layer: u8| layer + 1);
        assert!(!disposables.has(&unit(&[&[trail_n, layer(0), 0x80]])), "the layers are not known yet");
        // At most one layer above the lowest.
        assert!(!disposables.has(&unit(&[&[SEQUENCE << 1, 1, 0x02], &[19 << 1, 1, 0x80]])));
        assert!(!disposables.has(&unit(&[&[trail_n, layer(0), 0x80]])), "the layer above may refer to it");
        assert!(disposables.has(&unit(&[&[trail_n, layer(1), 0x80]])));
        assert!(!disposables.has(&unit(&[&[trail_r, layer(1), 0x80]])));
    }
}
