//! Damaged JPEG files as seen in the field.

use proptest::prelude::*;

use super::*;

/// A JPEG split into its start, each segment with its scan, and its end.
fn jpeg_parts() -> Vec<Vec<u8>> {
    let jpeg = encoded(&picture(640, 480).into(), ImageFormat::Jpeg);
    let mut parts = vec![jpeg[..2].to_vec()];
    for segment in domain::jpeg::segments(&jpeg).unwrap() {
        let length = (segment.content.len() as u16 + 2).to_be_bytes();
        parts.push([&[0xff, segment.marker], &length[..], segment.content, segment.scan].concat());
    }
    assert_eq!([parts.concat(), vec![0xff, 0xd9]].concat(), jpeg);
    parts.push(vec![0xff, 0xd9]);
    parts
}

fn assert_is_the_picture(jpeg: &[u8], what: &str) {
    let frame = decode(jpeg, NOW).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!((frame.width(), frame.height()), (640, 480), "{what}");
    assert!(pixel(&frame, 4, 476)[0] > 240 && pixel(&frame, 636, 476)[2] > 240, "{what}: to the last row");
    assert!(cost(jpeg).unwrap().peak >= 640 * 480 * 3, "{what}");
}

#[test]
fn a_jpeg_with_stray_and_fill_bytes_between_its_segments_is_read() {
    for stray in [&[0xff][..], &[0xff, 0xff], &[0], &[0, 0, 0, 0], b"\r\n", &[0xff, 0], b"text with \xff in it"] {
        let parts = jpeg_parts();
        for place in 1..parts.len() - 1 {
            let mut parts = parts.clone();
            parts.insert(place, stray.to_vec());
            assert_is_the_picture(&parts.concat(), &format!("{stray:?} at {place}"));
        }
        let everywhere = [&parts[..parts.len() - 1].join(stray)[..], &[0xff, 0xd9]].concat();
        assert_is_the_picture(&everywhere, &format!("{stray:?} everywhere"));
    }
}

#[test]
fn what_stands_beside_the_picture_may_be_wrong() {
    let parts = jpeg_parts();
    let with = |place: usize, part: &[u8]| {
        let mut parts = parts.clone();
        parts.insert(place, part.to_vec());
        parts.concat()
    };
    for (marker, length) in [(0xe1, 0u16), (0xe1, 1), (0xe2, 4), (0xe5, 60_000), (0xfe, 65_535), (0xed, 9)] {
        let [high, low] = length.to_be_bytes();
        let part = [&[0xff, marker, high, low], &b"something else"[..]].concat();
        assert_is_the_picture(&with(1, &part), &format!("{marker:x} of {length} bytes"));
    }
    let behind = [parts.concat(), b"a film".to_vec(), parts.concat()].concat();
    assert_is_the_picture(&behind, "something behind the end");
    let exif = [&[0xff, 0xe1, 0, 10][..], b"Exif\0\0", &[9, 9]].concat();
    assert_is_the_picture(&with(1, &exif), "a broken note of the orientation");
}

#[test]
fn a_jpeg_without_its_end_is_read_when_the_picture_is_all_there() {
    let jpeg = jpeg_parts().concat();
    assert_is_the_picture(&jpeg[..jpeg.len() - 2], "no end");
    assert_is_the_picture(&jpeg[..jpeg.len() - 1], "half an end");
    assert_is_the_picture(&[&jpeg[..jpeg.len() - 2], &[0xff, 0xd8][..]].concat(), "another start");
    for missing in [20, 100, jpeg.len() / 2] {
        assert!(decode(&jpeg[..jpeg.len() - missing], NOW).is_err(), "{missing} bytes are missing");
    }
}

#[test]
fn a_jpeg_without_tables_is_read_by_those_of_motion_jpeg() {
    let pixels = picture(640, 480);
    let image = turbojpeg::Image {
        pixels: pixels.as_raw().as_slice(),
        width: 640,
        pitch: 640 * 3,
        height: 480,
        format: turbojpeg::PixelFormat::RGB,
    };
    let whole = turbojpeg::compress(image, 90, turbojpeg::Subsamp::Sub2x1).unwrap();
    let mut bare = vec![0xff, 0xd8];
    for segment in domain::jpeg::segments(&whole).unwrap().filter(|segment| segment.marker != 0xc4) {
        bare.extend([0xff, segment.marker]);
        bare.extend((segment.content.len() as u16 + 2).to_be_bytes());
        bare.extend_from_slice(segment.content);
        bare.extend_from_slice(segment.scan);
    }
    assert!(bare.len() < whole.len() - 300);
    assert_is_the_picture(&[&bare[..], &[0xff, 0xd9]].concat(), "no tables");
    assert_is_the_picture(&bare, "neither tables nor end");
}

#[test]
fn a_size_that_a_damaged_jpeg_claims_is_bounded() {
    let mut jpeg = jpeg_parts();
    jpeg.pop();
    let start = Instant::now();
    let frame = jpeg.iter_mut().find(|part| part[1] == 0xc0).unwrap();
    frame[5..9].copy_from_slice(&[0xfd; 4]);
    assert!(decode(&jpeg.concat(), NOW).is_err(), "without its end");
    jpeg.insert(1, vec![0; 9]);
    jpeg.push(vec![0xff, 0xd9]);
    assert!(decode(&jpeg.concat(), NOW).is_err() && cost(&jpeg.concat()).is_err());
    assert!(start.elapsed() < Duration::from_millis(500));
}

#[test]
fn restarts_that_are_numbered_wrongly_do_not_spoil_the_rest() {
    let jpeg = include_bytes!("restarts.jpg");
    let marks: Vec<usize> = (0..jpeg.len() - 1).filter(|at| matches!(jpeg[*at..], [0xff, 0xd0..=0xd7, ..])).collect();
    let shown = decode(jpeg, NOW).unwrap();
    let apart = |jpeg: &[u8]| {
        let frame = decode(jpeg, NOW).unwrap();
        let pairs = frame.planes()[0].data.iter().zip(&shown.planes()[0].data[..]);
        pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>() / shown.planes()[0].data.len() as u64
    };
    let mut wrong = jpeg.to_vec();
    wrong[marks[5] + 1] = 0xd0;
    let missing = [&jpeg[..marks[5]], &jpeg[marks[5] + 2..]].concat();
    let twice = [&jpeg[..marks[5] + 2], &[0xff, jpeg[marks[5] + 1]], &jpeg[marks[5] + 2..]].concat();
    assert_eq!(apart(&wrong), 0, "their number says nothing new");
    assert_eq!(apart(&twice), 0, "nothing lies between two");
    assert!(apart(&missing) < 60, "what can be read is shown");
}

#[test]
fn what_a_file_system_leaves_behind_is_no_picture() {
    let jpeg = jpeg_parts().concat();
    assert_is_the_picture(&[&jpeg[..jpeg.len() - 2], &[0; 700]].concat(), "zeros instead of the end");
    let lines = [&jpeg[..jpeg.len() - 2], &[0xff, 0xdc, 0, 4, 1, 0xe0, 0xff, 0xd9]].concat();
    assert_is_the_picture(&lines, "its height once more");
}

#[test]
fn more_scans_than_anybody_makes_are_refused() {
    let mut parts = jpeg_parts();
    let scan = parts[parts.len() - 2].clone();
    let end = parts.len() - 1;
    parts.splice(end..end, std::iter::repeat_n(scan[..20].to_vec(), 200));
    assert!(why(&parts.concat()).contains("scans"));
}

proptest! {
    #[test]
    fn a_damaged_jpeg_is_a_picture_within_bounds_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..8),
        near_the_head in any::<bool>(),
    ) {
        let mut jpeg = encoded(&picture(48, 40).into(), ImageFormat::Jpeg);
        for (place, byte, kind) in changes {
            if jpeg.len() < 8 {
                break;
            }
            let end = if near_the_head { jpeg.len().min(640) } else { jpeg.len() };
            let at = place.index(end);
            match kind {
                0 => jpeg[at] = byte,
                1 => jpeg.insert(at, byte),
                2 => drop(jpeg.remove(at)),
                _ => jpeg.truncate(at.max(4)),
            }
        }
        let peak = cost(&jpeg).map_or(0, |cost| cost.peak);
        prop_assert!(peak <= (4 + COEFFICIENTS + 3) * MAX_PICTURE_PIXELS);
        if let Ok(frame) = decode(&jpeg, NOW) {
            prop_assert!(u64::from(frame.width()) * u64::from(frame.height()) <= MAX_PICTURE_PIXELS);
        }
    }
}
