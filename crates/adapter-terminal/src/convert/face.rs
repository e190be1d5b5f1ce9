//! The distance of a face by its size: the document's table.

/// Sizes of a face in pixels, and its distances in centimetres.
const TABLE: [(i64, i64); 22] = [
    (100, 218),
    (120, 192),
    (140, 160),
    (150, 152),
    (160, 143),
    (180, 126),
    (200, 114),
    (220, 102),
    (240, 90),
    (260, 85),
    (280, 83),
    (300, 78),
    (350, 67),
    (400, 50),
    (450, 48),
    (500, 45),
    (550, 41),
    (600, 37),
    (650, 34),
    (700, 30),
    (750, 27),
    (800, 24),
];

/// The document's factory setting: pixels and centimetres. It differs from the table.
const FACTORY: (i64, i64) = (FACTORY_PIXELS as i64, 200);
/// The smallest face on a new device, pixels.
pub(crate) const FACTORY_PIXELS: u32 = 124;

/// The smallest face at a distance in centimetres, pixels.
pub(crate) fn pixels(distance: i64) -> i64 {
    match between(TABLE.iter().rev().map(|(pixels, distance)| (*distance, *pixels)), distance) {
        _ if distance == FACTORY.1 => FACTORY.0,
        // It would read back as the factory setting.
        pixels if pixels == FACTORY.0 => pixels - 1,
        pixels => pixels,
    }
}

/// The distance of the smallest face in pixels, centimetres; within the range of the setting.
pub(crate) fn distance(pixels: i64) -> i64 {
    if pixels == FACTORY.0 { FACTORY.1 } else { between(TABLE.iter().copied(), pixels).clamp(30, 200) }
}

/// Linear interpolation at `x`; beyond the table its last value.
fn between(points: impl Iterator<Item = (i64, i64)>, x: i64) -> i64 {
    let mut before: Option<(i64, i64)> = None;
    for (at, y) in points {
        match before {
            _ if at < x => before = Some((at, y)),
            Some((last, from)) => return from + (y - from) * (x - last) / (at - last),
            None => return y,
        }
    }
    before.map_or(0, |(_, y)| y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_and_distance_follow_the_table() {
        assert_eq!((distance(120), pixels(192)), (192, 120));
        assert_eq!((distance(110), pixels(114)), (200, 200));
        assert_eq!((distance(10), distance(5000)), (200, 30));
        assert_eq!((pixels(30), pixels(200)), (700, 124));
    }

    #[test]
    fn the_factory_setting_reads_back_and_every_distance_nearly_does() {
        assert_eq!((pixels(200), distance(124)), (124, 200));
        for set in 30..=200 {
            let back = distance(pixels(set));
            assert!((back - set).abs() <= 2, "{set} cm reads back as {back}");
        }
    }
}
