//! Which faces are found, and where.

use domain::geometry::Rect;
use domain::ports::{Detail, FaceAnalyzer, Lane, Search, Tiles};
use image::RgbImage;
use image::imageops;

use crate::support::{analyzer, detect, frame, image, photo};

#[tokio::test]
async fn everybody_on_a_group_picture_is_found_the_largest_first() {
    let analyzer = analyzer();
    for (name, people) in [("2008_002506.jpg", 3), ("2009_004587.jpg", 2), ("bald_guys.jpg", 24)] {
        let picture = photo(&analyzer, &format!("_groups/{name}")).await;
        let faces = detect(&analyzer, &picture).await;
        assert_eq!(faces.len(), people, "{name}");
        assert!(faces.windows(2).all(|pair| pair[0].face_box.area() >= pair[1].face_box.area()));
        for face in &faces {
            let [left_eye, right_eye, nose, left_mouth, right_mouth] = face.landmarks;
            assert!(face.landmarks.iter().all(|point| face.face_box.scaled(1.2).contains(*point)));
            assert!(left_eye.x < right_eye.x && left_mouth.x < right_mouth.x && left_eye.y < nose.y);
            assert_eq!(face.face_box, face.face_box.clamped_to(&picture.bounds()));
        }
    }
}

#[tokio::test]
async fn a_search_sees_its_region_and_sizes_only() {
    let analyzer = analyzer();
    let picture = photo(&analyzer, "_groups/2008_002506.jpg").await;
    let all = detect(&analyzer, &picture).await;
    let found = async |search| analyzer.detect(picture.clone(), search, Lane::Live).await.unwrap().len();
    let region = Some(all[0].face_box);
    assert_eq!(found(Search { region, ..Search::ANYWHERE }).await, 1);
    assert_eq!(found(Search { min_face_px: 90, ..Search::ANYWHERE }).await, 2);
    assert_eq!(found(Search { max_face_px: 115, ..Search::ANYWHERE }).await, 1);
}

/// A grey 1080p picture with Eileen Collins in it, her face this wide, and where the face is.
async fn hall(analyzer: &vision::Analyzer, face_px: f32) -> (domain::frame::Frame, Rect) {
    let photo = photo(analyzer, "Eileen_Collins/astronaut.png").await;
    let face = detect(analyzer, &photo).await.remove(0).face_box;
    let scale = face_px / face.width().min(face.height());
    let side = (photo.width() as f32 * scale) as u32;
    let person = imageops::resize(&image(&photo), side, side, imageops::FilterType::Triangle);
    let mut hall = RgbImage::from_pixel(1920, 1080, [120, 120, 120].into());
    // The face begins at 1000, 200, wherever the person ends.
    let (left, top) = (1000.0 - face.left * scale, 200.0 - face.top * scale);
    imageops::overlay(&mut hall, &person, left as i64, top as i64);
    let place = Rect::new(1000.0, 200.0, 1000.0 + face.width() * scale, 200.0 + face.height() * scale);
    (frame(hall), place)
}

#[tokio::test]
async fn faces_of_the_sizes_asked_for_are_found_in_a_large_picture() {
    let analyzer = analyzer();
    for px in [60, 80, 120, 270, 450] {
        let (hall, place) = hall(&analyzer, px as f32).await;
        // Boxes are drawn more or less tightly.
        for min_face_px in [45, px * 3 / 4] {
            let search = Search { min_face_px, max_face_px: 1_000, ..Search::ANYWHERE };
            let found = analyzer.detect(hall.clone(), search, Lane::Live).await.unwrap();
            assert_eq!(found.len(), 1, "{px} px, from {min_face_px} on");
            assert!(found[0].face_box.overlap(&place) > 0.6, "{px} px: {:?} at {place:?}", found[0].face_box);
        }
    }
}

#[tokio::test]
async fn a_region_is_searched_alone_and_its_faces_lie_where_they_are() {
    let analyzer = analyzer();
    let (hall, place) = hall(&analyzer, 80.0).await;
    let center = place.center();
    // The centre is just inside, most of the face outside.
    let region = Some(Rect::new(center.x - 2.0, center.y - 300.0, center.x + 400.0, center.y + 2.0));
    let search = Search { region, min_face_px: 60, max_face_px: 1_000, ..Search::ANYWHERE };
    let found = analyzer.detect(hall.clone(), search, Lane::Live).await.unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].face_box.overlap(&place) > 0.6, "{:?} at {place:?}", found[0].face_box);
    let outside = Some(Rect::new(0.0, 0.0, center.x - 20.0, 1080.0));
    let search = Search { region: outside, ..search };
    assert_eq!(analyzer.detect(hall, search, Lane::Live).await.unwrap(), []);
}

#[tokio::test]
async fn a_tile_shows_the_faces_in_it_as_the_whole_frame_does() {
    let analyzer = analyzer();
    // The detector's box may be a little narrower than the face was made.
    for px in [66, 120, 270, 450] {
        let (hall, place) = hall(&analyzer, px as f32).await;
        let search = Search { min_face_px: 60, max_face_px: 1_000, ..Search::ANYWHERE };
        let whole = analyzer.detect(hall.clone(), search, Lane::Live).await.unwrap();
        let around = Some(Tiles::of(&[place.widened(px as f32)]));
        let found = analyzer.detect(hall.clone(), Search { tiles: around, ..search }, Lane::Live).await.unwrap();
        assert_eq!((whole.len(), found.len()), (1, 1), "{px} px");
        assert!(found[0].face_box.overlap(&whole[0].face_box) > 0.8, "{px} px: {found:?} is not {whole:?}");
        let elsewhere = Some(Tiles::of(&[Rect::new(0.0, 0.0, 400.0, 400.0)]));
        assert_eq!(analyzer.detect(hall, Search { tiles: elsewhere, ..search }, Lane::Live).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_face_that_edges_of_tiles_cut_is_found_whole_and_once() {
    let analyzer = analyzer();
    let (hall, place) = hall(&analyzer, 100.0).await;
    let search = Search { min_face_px: 60, max_face_px: 1_000, ..Search::ANYWHERE };
    let middle = place.center();
    // Edges go through the face, at several places.
    for shift in [-30.0, 0.0, 30.0] {
        let (x, y) = (middle.x + shift, middle.y + shift);
        let left = Rect::new(x - 306.0, y - 200.0, x, y + 106.0);
        let right = Rect::new(x, y - 200.0, x + 306.0, y + 106.0);
        let above = Rect::new(x - 150.0, y - 306.0, x + 156.0, y);
        for tiles in [&[left][..], &[right], &[left, right], &[above], &[above, left]] {
            let search = Search { tiles: Some(Tiles::of(tiles)), ..search };
            let found = analyzer.detect(hall.clone(), search, Lane::Live).await.unwrap();
            // A tile that shows less than half of it need not find it.
            assert!(found.len() <= 1, "{shift} {tiles:?}: {found:?}");
            let wanted = tiles.iter().any(|tile| place.clamped_to(tile).area() > 0.6 * place.area());
            assert!(!wanted || !found.is_empty(), "{shift} {tiles:?}");
            assert!(found.iter().all(|face| face.face_box.overlap(&place) > 0.6), "{shift} {tiles:?}: {found:?}");
        }
    }
}

#[tokio::test]
async fn less_detail_finds_the_large_faces_only() {
    let analyzer = analyzer();
    for (px, detail, found) in [(80, Detail::Full, 1), (80, Detail::Least, 0), (160, Detail::Least, 1)] {
        let (hall, _) = hall(&analyzer, px as f32).await;
        let search = Search { min_face_px: 60, max_face_px: 1_000, detail, ..Search::ANYWHERE };
        assert_eq!(analyzer.detect(hall, search, Lane::Live).await.unwrap().len(), found, "{px} px, {detail:?}");
    }
}

#[tokio::test]
async fn a_photo_the_face_fills_is_searched_with_room_around() {
    let analyzer = analyzer();
    let whole = photo(&analyzer, "Joe_Biden/biden.jpg").await;
    let face = detect(&analyzer, &whole).await.remove(0).face_box;
    let close = face.scaled(0.6);
    let part = imageops::crop_imm(
        &image(&whole),
        close.left as u32,
        close.top as u32,
        close.width() as u32,
        close.height() as u32,
    )
    .to_image();
    let part = frame(imageops::resize(&part, 200, 286, imageops::FilterType::Triangle));
    let found = detect(&analyzer, &part).await;
    assert_eq!(found.len(), 1);
    assert!(found[0].face_box.overlap(&part.bounds()) > 0.7, "{:?}", found[0].face_box);
}

#[tokio::test]
async fn pictures_without_a_face_have_none() {
    let analyzer = analyzer();
    let noise = RgbImage::from_fn(320, 240, |x, y| {
        let hash = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).wrapping_mul(2_246_822_519);
        [hash as u8, (hash >> 8) as u8, (hash >> 16) as u8].into()
    });
    let thin = RgbImage::new(4000, 20);
    for picture in [RgbImage::new(640, 480), noise, thin, RgbImage::new(1, 1)] {
        assert_eq!(detect(&analyzer, &frame(picture)).await, []);
    }
}

#[tokio::test]
async fn a_face_may_lie_at_the_very_edge() {
    let analyzer = analyzer();
    let whole = photo(&analyzer, "Eileen_Collins/astronaut.png").await;
    let face = detect(&analyzer, &whole).await.remove(0).face_box;
    // The right third of the face is cut off.
    let width = (face.left + face.width() * 0.67) as u32;
    let part = frame(imageops::crop_imm(&image(&whole), 0, 0, width, 512).to_image());
    let found = detect(&analyzer, &part).await;
    assert_eq!(found.len(), 1);
    let described = analyzer.describe(part.clone(), found, Lane::Photo).await.unwrap();
    assert!(described[0].detection.face_box.right <= part.bounds().right);
}

#[tokio::test]
async fn landmarks_that_are_no_face_are_an_error_and_nothing_else() {
    let analyzer = analyzer();
    let picture = photo(&analyzer, "Eileen_Collins/astronaut.png").await;
    let mut detection = detect(&analyzer, &picture).await.remove(0);
    let good = detection.clone();
    detection.landmarks = [detection.landmarks[0]; 5];
    assert!(analyzer.describe(picture.clone(), vec![detection.clone()], Lane::Photo).await.is_err());
    detection.landmarks = good.landmarks.map(|point| domain::geometry::Point { x: point.x + 1e6, y: f32::MAX });
    detection.face_box = Rect::new(f32::NEG_INFINITY, 0.0, f32::INFINITY, f32::NAN);
    assert!(analyzer.describe(picture.clone(), vec![detection], Lane::Photo).await.is_err());
    assert_eq!(analyzer.describe(picture, vec![good], Lane::Photo).await.unwrap().len(), 1);
}
