//! Which faces are found, and where.

use domain::geometry::Rect;
use domain::ports::{FaceAnalyzer, Lane, Search};
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
    assert!(analyzer.detect(part.clone(), Search::ANYWHERE, Lane::Live).await.unwrap().is_empty());
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
