//! Plans which tiles, rectangles of a frame, are searched: where something has changed, and around live tracks.
//!
//! Changes and tracks are widened by a face, so that a face that a change belongs to is seen whole and with its
//! surroundings. Tiles that touch are joined, and so are those that cost less together than apart. When the tiles cost
//! almost as much as the whole, as after a light was switched on, the whole is searched.

use crate::frame::Frame;
use crate::geometry::Rect;
use crate::ports::{Search, Tiles};

/// The whole is searched when the tiles cost more than this share of it.
const MOST_OF_IT: f32 = 0.6;
/// A tile costs as much as one of this many smallest faces along each side, because inputs of the detector have a
/// smallest size.
const SMALLEST_FACES: f32 = 5.0;

/// What to search of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Plan {
    /// There is nothing to be found.
    Nothing,
    Tiles(Tiles),
    Whole,
}

/// The part of the frame that shows faces centred in the search region, or the whole frame.
pub(super) fn whole(frame: &Frame, search: &Search) -> Rect {
    // A face whose centre is in the region may extend beyond it by half its size.
    let widened = |region: Rect| region.widened(search.min_face_px as f32 / 2.0);
    search.region.map_or(frame.bounds(), |region| widened(region).clamped_to(&frame.bounds()))
}

/// The share of the [`whole`] that is searched, 0..=1.
pub(super) fn share(frame: &Frame, search: &Search) -> f32 {
    let whole = whole(frame, search);
    let Some(tiles) = search.tiles.filter(|_| whole.area() > 0.0) else { return 1.0 };
    (tiles.iter().map(|tile| tile.clamped_to(&whole).area()).sum::<f32>() / whole.area()).min(1.0)
}

/// Plans the search of `whole`, a part of a frame with these `bounds`. `smallest`: shorter side of the smallest face,
/// pixels; `changes`: boxes in which the picture has changed; `tracks`: the places where faces are expected.
pub(super) fn plan(
    (whole, bounds): (&Rect, &Rect),
    smallest: f32,
    changes: impl IntoIterator<Item = Rect>,
    tracks: impl IntoIterator<Item = Rect>,
) -> Plan {
    let changed = changes.into_iter().map(|change| change.widened(smallest));
    let tracked = tracks.into_iter().map(|face| face.widened(face.width().max(face.height()).max(smallest)));
    let mut tiles = Vec::new();
    for tile in changed.chain(tracked).map(|tile| tile.clamped_to(bounds)).filter(|tile| tile.area() > 0.0) {
        join(&mut tiles, tile);
    }
    let cost = |tile: &Rect| {
        let side = |length: f32, limit: f32| length.max((SMALLEST_FACES * smallest).min(limit));
        side(tile.width(), whole.width()) * side(tile.height(), whole.height())
    };
    while let Some((one, other)) = pair_to_join(&tiles, cost) {
        let (other, one) = (tiles.swap_remove(other), tiles.swap_remove(one));
        join(&mut tiles, one.joined(&other));
    }
    match tiles.iter().map(cost).sum::<f32>() {
        _ if tiles.is_empty() => Plan::Nothing,
        all if all > MOST_OF_IT * whole.area() => Plan::Whole,
        _ => Plan::Tiles(Tiles::of(&tiles)),
    }
}

/// Adds a tile, joined with those that it touches.
fn join(tiles: &mut Vec<Rect>, mut tile: Rect) {
    // The joined tile may touch further ones.
    while let Some(other) = tiles.iter().position(|other| other.touches(&tile)) {
        tile = tile.joined(&tiles.swap_remove(other));
    }
    tiles.push(tile);
}

/// The indices, in ascending order, of the pair that costs least to join: when that saves something, or when there are
/// too many tiles.
fn pair_to_join(tiles: &[Rect], cost: impl Fn(&Rect) -> f32) -> Option<(usize, usize)> {
    let pairs = (0..tiles.len()).flat_map(|other| (0..other).map(move |one| (one, other)));
    let growth = |&(one, other): &(usize, usize)| {
        let (one, other) = (&tiles[one], &tiles[other]);
        cost(&one.joined(other)) - cost(one) - cost(other)
    };
    let cheapest = pairs.min_by(|a, b| growth(a).total_cmp(&growth(b)))?;
    (tiles.len() > Tiles::MOST || growth(&cheapest) <= 0.0).then_some(cheapest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL_HD: Rect = Rect { left: 0.0, top: 0.0, right: 1920.0, bottom: 1080.0 };

    fn planned(changes: &[Rect], tracks: &[Rect]) -> Plan {
        plan((&FULL_HD, &FULL_HD), 60.0, changes.iter().copied(), tracks.iter().copied())
    }

    fn tiles(changes: &[Rect], tracks: &[Rect]) -> Vec<Rect> {
        let Plan::Tiles(tiles) = planned(changes, tracks) else { panic!("tiles") };
        tiles.to_vec()
    }

    /// A square box.
    fn square(left: f32, top: f32, side: f32) -> Rect {
        Rect::new(left, top, left + side, top + side)
    }

    /// The changed cells of a film with one person who walks: head and body.
    fn walker(left: f32) -> Vec<Rect> {
        (0..20).map(|row| Rect::new(left, 300.0 + 15.0 * row as f32, left + 60.0, 315.0 + 15.0 * row as f32)).collect()
    }

    #[test]
    fn nothing_is_searched_where_nothing_is() {
        assert_eq!(planned(&[], &[]), Plan::Nothing);
    }

    #[test]
    fn a_change_is_searched_with_a_face_around_it_and_a_track_with_its_own() {
        assert_eq!(tiles(&[square(900.0, 500.0, 30.0)], &[]), [square(840.0, 440.0, 150.0)]);
        assert_eq!(tiles(&[], &[square(900.0, 500.0, 100.0)]), [square(800.0, 400.0, 300.0)]);
    }

    #[test]
    fn a_part_ends_at_the_edge_of_the_frame() {
        assert_eq!(tiles(&[square(0.0, 1050.0, 30.0)], &[]), [Rect::new(0.0, 990.0, 90.0, 1080.0)]);
    }

    #[test]
    fn what_belongs_together_is_one_part() {
        let [tile] = tiles(&walker(700.0), &[square(700.0, 300.0, 60.0)])[..] else { panic!("one tile") };
        assert_eq!(tile, Rect::new(640.0, 240.0, 820.0, 660.0));
    }

    #[test]
    fn people_far_apart_are_searched_apart() {
        let both: Vec<Rect> = walker(200.0).into_iter().chain(walker(1600.0)).collect();
        assert_eq!(tiles(&both, &[]).len(), 2);
        let near = [square(300.0, 300.0, 30.0), square(470.0, 300.0, 30.0)];
        assert_eq!(tiles(&near, &[]).len(), 1, "each would cost as much as both");
    }

    #[test]
    fn many_places_are_joined_to_a_few_that_hold_them_all() {
        let places: Vec<Rect> = (0..8).map(|i| square(40.0 + 230.0 * i as f32, 200.0, 30.0)).collect();
        let tiles = tiles(&places, &[]);
        assert!(tiles.len() <= Tiles::MOST);
        let enclosed = |place: &Rect| tiles.iter().any(|tile| tile.encloses(&place.widened(60.0).clamped_to(&FULL_HD)));
        assert!(places.iter().all(enclosed), "{tiles:?}");
    }

    #[test]
    fn parts_do_not_overlap() {
        for seed in 0..200u32 {
            let at = |n: u32| (seed.wrapping_mul(2_654_435_761).wrapping_add(n * 40_503) >> 8) % 1_000;
            let place = |i| square(at(2 * i) as f32 * 1.8, at(2 * i + 1) as f32, 30.0);
            let places: Vec<Rect> = (0..seed % 9).map(place).collect();
            let Plan::Tiles(tiles) = planned(&places, &[]) else { continue };
            let others = |i: usize| tiles[..i].iter();
            assert!(tiles.iter().enumerate().all(|(i, tile)| !others(i).any(|other| other.touches(tile))));
        }
    }

    #[test]
    fn the_whole_is_searched_when_most_of_it_changed() {
        let rows = |share: f32| (0..72).map(move |row| Rect::new(0.0, row as f32 * 15.0, 1920.0 * share, 1e9));
        let clamped = |share: f32| rows(share).map(|row| row.clamped_to(&FULL_HD)).collect::<Vec<_>>();
        assert_eq!(planned(&clamped(1.0), &[]), Plan::Whole, "a light was switched on");
        assert_eq!(planned(&clamped(0.6), &[]), Plan::Whole);
        assert!(matches!(planned(&clamped(0.5), &[]), Plan::Tiles(_)));
    }

    #[test]
    fn in_a_small_region_the_whole_is_searched() {
        let region = square(0.0, 0.0, 300.0);
        assert_eq!(plan((&region, &FULL_HD), 60.0, [square(100.0, 100.0, 30.0)], []), Plan::Whole);
    }
}
