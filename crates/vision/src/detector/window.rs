//! Selects the part of a frame given to the network, and its size.

use domain::frame::Frame;
use domain::geometry::Rect;
use domain::ports::{Detail, Search};

use crate::pixel_box::PixelBox;

/// Minimum longer side of the network's input, pixels: below it, landmarks of close faces become unreliable.
const MIN_SIDE: u32 = 256;
/// Sides of the network's input, pixels. Few sizes, because the runtime keeps memory for each of them, and accelerators
/// compile each.
const LADDER: [u32; 12] = [128, 192, 256, 320, 384, 480, 576, 640, 800, 960, 1120, 1280];
/// Margin around the region, relative to the largest face whose centre may lie on its edge: half the face and some
/// surroundings.
const ROOM: f32 = 0.75;

/// The part of the frame that shows faces centred in the region; `None` when the region lies outside the frame. A face
/// larger than the region may be cut off.
pub(super) fn area(frame: &Frame, search: &Search) -> Option<PixelBox> {
    let Some(region) = search.region else { return Some(PixelBox::whole(frame)) };
    let room = region.width().max(region.height()).min(search.max_face_px as f32) * ROOM;
    let wide = Rect::new(region.left - room, region.top - room, region.right + room, region.bottom + room);
    let area = PixelBox::covering(&wide, frame)?.on_chroma((frame.width(), frame.height()));
    (!area.is_empty()).then_some(area)
}

/// The next larger side on the ladder, or the side itself above it.
pub(super) fn rung(side: u32) -> u32 {
    LADDER.into_iter().find(|rung| *rung >= side).unwrap_or(side)
}

/// Longer side to which the part is scaled down, so that the smallest face searched has at least `least` pixels in the
/// network's input, the minimum for reliable detection; on the ladder. At most `most`, which bounds the detection time.
pub(super) fn side(area: &PixelBox, search: &Search, least: f32, most: u32) -> u32 {
    let part = match search.detail {
        Detail::Full => 1.0,
        Detail::Reduced => 0.75,
        Detail::Least => 0.5,
    };
    let longer = area.width.max(area.height) as f32;
    let wanted = longer * part * least / search.min_face_px.max(1) as f32;
    rung((wanted.ceil() as u32).clamp(MIN_SIDE.min(most), most)).min(most)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use domain::Timestamp;
    use domain::frame::{PixelFormat, Plane};

    use super::*;

    const FULL_HD: PixelBox = PixelBox { left: 0, top: 0, width: 1920, height: 1080 };

    fn search(min_face_px: u32) -> Search {
        Search { min_face_px, max_face_px: 1_000, ..Search::ANYWHERE }
    }

    fn frame() -> Frame {
        let plane = Plane { data: Bytes::from(vec![0; 640 * 480 * 3]), stride: 640 * 3 };
        Frame::new(Timestamp::from_millis(0), 640, 480, PixelFormat::Rgb8, vec![plane]).unwrap()
    }

    #[test]
    fn the_smaller_the_faces_wanted_the_larger_the_input_within_bounds() {
        let sides = [30, 60, 90, 200, 1_000].map(|px| side(&FULL_HD, &search(px), 30.0, 1280));
        assert_eq!(sides, [1280, 960, 640, 320, 256]);
    }

    #[test]
    fn less_detail_is_a_smaller_input() {
        let of = |detail| side(&FULL_HD, &Search { detail, ..search(60) }, 30.0, 1280);
        assert_eq!([Detail::Full, Detail::Reduced, Detail::Least].map(of), [960, 800, 480]);
    }

    #[test]
    fn the_input_for_faces_of_60_pixels_in_a_full_hd_frame_is_800_wide() {
        assert_eq!(side(&FULL_HD, &search(60), 24.0, 1280), 800);
        assert_eq!(side(&FULL_HD, &search(60), 24.0, 640), 640, "where that is the most");
    }

    #[test]
    fn a_region_needs_a_smaller_input_for_the_same_faces() {
        let door = PixelBox { left: 600, top: 200, width: 480, height: 640 };
        assert_eq!(side(&door, &search(60), 30.0, 1280), 320);
    }

    #[test]
    fn the_part_has_room_for_faces_on_the_edge_of_the_region() {
        let region = Some(Rect::new(301.0, 200.0, 401.0, 300.0));
        let part = area(&frame(), &Search { region, max_face_px: 80, ..Search::ANYWHERE }).unwrap();
        assert_eq!(part, PixelBox { left: 240, top: 140, width: 222, height: 220 });
        let part = area(&frame(), &Search { region, ..Search::ANYWHERE }).unwrap();
        assert_eq!((part.left, part.top), (226, 124), "faces as large as the region");
    }

    #[test]
    fn a_region_outside_the_frame_has_no_part() {
        let region = Some(Rect::new(5_000.0, 5_000.0, 6_000.0, 6_000.0));
        assert_eq!(area(&frame(), &Search { region, max_face_px: 100, ..Search::ANYWHERE }), None);
        assert_eq!(area(&frame(), &Search::ANYWHERE), Some(PixelBox::whole(&frame())));
    }
}
