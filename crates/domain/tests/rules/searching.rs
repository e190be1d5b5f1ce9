//! Where a frame is searched.

use domain::ports::Search;
use domain::{CameraCounters, CameraId};
use testkit::{FakeFace, Picture, Take};

use crate::stage::{GATE, Stage, face, gate, names, secs};

/// Sides of the camera's pictures, pixels.
const FULL_HD: (u32, u32) = (1920, 1080);

/// Somebody of whom a camera sees a face of 62 pixels.
fn walker(left: u32, top: u32) -> FakeFace {
    face("alice").sized(62).at(left, top)
}

fn scene(faces: impl IntoIterator<Item = FakeFace>) -> Picture {
    Picture::of(faces).sized(FULL_HD.0, FULL_HD.1)
}

/// Shows each scene for a tenth of a second, one frame.
fn film(take: Take, scenes: impl IntoIterator<Item = Picture>) -> Take {
    scenes.into_iter().fold(take, |take, scene| take.show_picture(secs(0.1), scene))
}

/// An empty hall for this time.
fn empty(take: Take, time: f64) -> Take {
    take.show_picture(secs(time), scene([]))
}

/// A walk from the left edge to the right one, at a metre or so a second.
fn walk() -> impl Iterator<Item = Picture> {
    (0..).map(|step| 16 * step).take_while(|left| left + 62 <= FULL_HD.0).map(|left| scene([walker(left, 400)]))
}

struct Watched {
    records: Vec<domain::Record>,
    searches: Vec<Search>,
    counters: CameraCounters,
}

async fn watched(take: Take, time: f64) -> Watched {
    let stage = Stage::new();
    stage.fakes.frames.script(GATE, [take]);
    stage.add(gate()).await;
    stage.enrol("alice").await;
    let (analyzer, appliance) = (stage.fakes.analyzer.clone(), stage.appliance.clone());
    let records = stage.watch(secs(time)).await;
    Watched { records, searches: analyzer.live_searches(), counters: appliance.camera_counters(CameraId(1)) }
}

fn whole(searches: &[Search]) -> usize {
    searches.iter().filter(|search| search.tiles.is_none()).count()
}

#[tokio::test(start_paused = true)]
async fn one_walker_costs_a_quarter_of_the_area_at_most() {
    let Watched { records, searches, counters } = watched(film(empty(Take::new(), 0.5), walk()), 12.0).await;
    assert_eq!(names(&records), ["alice"]);
    assert_eq!(searches.len() as u64, counters.frames_analysed);
    assert_eq!(whole(&searches) as u64, counters.frames_whole);
    assert!(searches.len() >= 55, "searched five times a second: {}", searches.len());
    assert!((6..=8).contains(&whole(&searches)), "the whole every two seconds: {}", whole(&searches));
    let searched: f32 = searches.iter().map(share).sum::<f32>() / searches.len() as f32;
    assert!(searched <= 0.25, "{searched} of the area");
    let counted = counters.area_percent as f32 / counters.frames_analysed as f32 / 100.0;
    assert!((counted - searched).abs() < 0.01, "{counted} counted, {searched} searched");
}

/// The share of the frame that is searched.
fn share(search: &Search) -> f32 {
    let area = |tiles: domain::ports::Tiles| tiles.iter().map(domain::geometry::Rect::area).sum::<f32>();
    search.tiles.map_or(1.0, |tiles| area(tiles) / (FULL_HD.0 * FULL_HD.1) as f32)
}

#[tokio::test(start_paused = true)]
async fn a_walker_is_followed_without_a_gap() {
    let Watched { records, counters, .. } = watched(film(empty(Take::new(), 0.5), walk()), 16.0).await;
    assert_eq!(names(&records), ["alice"]);
    // The walk takes 11.7 s.
    assert!(counters.faces >= 56, "found in each frame: {counters:?}");
}

#[tokio::test(start_paused = true)]
async fn somebody_who_enters_at_an_edge_is_found() {
    for (left, top) in [(0, 300), (FULL_HD.0 - 62, 300), (900, 0), (900, FULL_HD.1 - 62), (0, 0)] {
        let take = empty(Take::new(), 0.7).show_picture(secs(1.2), scene([walker(left, top)]));
        let Watched { records, searches, .. } = watched(empty(take, 0.1), 3.0).await;
        assert_eq!(names(&records), ["alice"], "at {left}, {top}");
        assert!(whole(&searches) <= 2, "found by its motion at {left}, {top}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_face_that_stands_still_is_found_in_the_whole_frame() {
    // Behind a pillar when the picture changed, so that no search of tiles saw the face.
    let mut stage = Stage::new();
    let still = scene([walker(900, 500)]);
    stage.fakes.frames.script(GATE, [empty(Take::new(), 0.5).show_picture(secs(20.0), still)]);
    stage.add(gate()).await;
    stage.enrol("alice").await;
    stage.fakes.analyzer.overlook(&walker(0, 0));
    stage.open();
    tokio::time::sleep(secs(3.0)).await;
    assert!(stage.fakes.analyzer.live_searches().iter().any(|search| search.tiles.is_some()), "it has moved");
    stage.fakes.analyzer.notice(&walker(0, 0));
    let before = stage.fakes.analyzer.live_searches().len();
    tokio::time::sleep(secs(4.5)).await;
    let searches = stage.fakes.analyzer.live_searches()[before..].to_vec();
    assert!(searches[0].tiles.is_none(), "the next search is one of the whole frame");
    assert!(searches[1..].iter().any(|search| search.tiles.is_some()), "then it is followed in a tile");
    stage.close().await;
    assert_eq!(names(&stage.records().await), ["alice"]);
}

#[tokio::test(start_paused = true)]
async fn a_light_that_is_switched_has_the_whole_frame_searched() {
    let lit = Picture::of([FakeFace { size: 1_000, ..walker(460, 40) }]).sized(FULL_HD.0, FULL_HD.1);
    let take = empty(Take::new(), 0.5).show_picture(secs(0.5), lit);
    let Watched { searches, .. } = watched(empty(take, 0.1), 1.4).await;
    assert!(whole(&searches) >= 2, "{searches:?}");
}

#[tokio::test(start_paused = true)]
async fn coded_pictures_are_counted_per_camera() {
    let Watched { counters, .. } = watched(empty(Take::new(), 5.0), 5.0).await;
    assert!((45..=55).contains(&counters.decoding.units), "{counters:?}");
    assert_eq!((counters.decoding.spared, counters.decoding.skipped), (0, 0));
}
