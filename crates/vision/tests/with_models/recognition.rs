//! Who is who, and what is told of them.

use domain::frame::{Colour, Frame, Matrix, PixelFormat, Plane, Range};
use domain::geometry::Point;
use domain::ports::{FaceAnalyzer, Lane, Search};
use domain::{Detection, Embedding, Gender, Similarity};
use vision::Analyzer;

use crate::support::{analyzer, as_video, as_video_in, detect, face, frame, image, photo, photos_of, read};

const PEOPLE: [&str; 8] = [
    "Barack_Obama",
    "Eileen_Collins",
    "Joe_Biden",
    "John_Salley",
    "John_Savage",
    "John_Schneider",
    "John_Shimkus",
    "John_Simm",
];

async fn embeddings(analyzer: &Analyzer) -> Vec<(&'static str, Embedding)> {
    let mut embeddings = Vec::new();
    for person in PEOPLE {
        for path in photos_of(person) {
            let frame = read(analyzer, &path).await;
            embeddings.push((person, face(analyzer, &frame).await.embedding));
        }
    }
    embeddings
}

#[tokio::test]
async fn every_photo_is_most_like_another_of_the_same_person() {
    let analyzer = analyzer();
    let all = embeddings(&analyzer).await;
    for (index, (person, embedding)) in all.iter().enumerate() {
        let others = all.iter().enumerate().filter(|(other, _)| *other != index);
        let likeness = |(_, (_, other)): &(usize, &(&str, Embedding))| embedding.cosine(other).unwrap();
        let (_, (likest, _)) = others.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).unwrap();
        if photos_of(person).len() > 1 {
            assert_eq!(likest, person);
        }
    }
}

#[tokio::test]
async fn the_default_threshold_tells_people_apart() {
    let analyzer = analyzer();
    let all = embeddings(&analyzer).await;
    let (mut missed, mut pairs) = (0, 0);
    for (index, (person, embedding)) in all.iter().enumerate() {
        for (other, other_embedding) in &all[..index] {
            let similarity = analyzer.calibration().similarity(embedding.cosine(other_embedding).unwrap());
            if person == other {
                pairs += 1;
                missed += usize::from(similarity < Similarity::DEFAULT_THRESHOLD);
            } else {
                assert!(similarity.value() < 0.7, "{person} and {other} are alike by {similarity:?}");
            }
        }
    }
    assert!(pairs > 250 && missed * 100 <= pairs, "{missed} of {pairs} genuine pairs are missed");
}

#[tokio::test]
async fn portraits_years_apart_are_alike() {
    let analyzer = analyzer();
    let portraits = photos_of("Barack_Obama");
    let mut embeddings = Vec::new();
    for path in &portraits {
        embeddings.push(face(&analyzer, &read(&analyzer, path).await).await.embedding);
    }
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        let cosine = embeddings[one].cosine(&embeddings[other]).unwrap();
        assert!(analyzer.calibration().similarity(cosine).value() >= 0.9, "{cosine}");
    }
}

#[tokio::test]
async fn faces_described_together_are_described_as_each_alone() {
    let analyzer = analyzer();
    let frame = photo(&analyzer, "_groups/bald_guys.jpg").await;
    let detections = detect(&analyzer, &frame).await;
    assert!(detections.len() > 8, "more than one batch");
    let together = analyzer.describe(frame.clone(), detections.clone(), Lane::Photo).await.unwrap();
    for (detection, one_of_many) in detections.into_iter().zip(together) {
        let alone = analyzer.describe(frame.clone(), vec![detection], Lane::Live).await.unwrap().remove(0);
        assert!(alone.embedding.cosine(&one_of_many.embedding).unwrap() > 0.9999);
        assert_eq!(alone.attributes.gender, one_of_many.attributes.gender);
        assert_eq!(alone.detection.face_box, one_of_many.detection.face_box);
    }
}

/// Faces at the edges too, whose boxes are moved into the picture.
#[tokio::test]
async fn a_face_is_described_from_its_surroundings_as_from_the_whole_frame() {
    let analyzer = analyzer();
    let still = photo(&analyzer, "_groups/bald_guys.jpg").await;
    for frame in [still.clone(), as_video(&still, PixelFormat::I420), as_video(&still, PixelFormat::Nv12)] {
        let detections = detect(&analyzer, &frame).await;
        let described = analyzer.describe(frame.clone(), detections.clone(), Lane::Photo).await.unwrap();
        for (detection, whole) in detections.into_iter().zip(described) {
            let (part, corner) = frame.cut(&analyzer.surroundings(&frame, &detection));
            assert!(part.bounds().area() < frame.bounds().area() / 4.0);
            let landmarks = detection.landmarks.map(|point| Point { x: point.x - corner.x, y: point.y - corner.y });
            let face_box = detection.face_box.shifted(-corner.x, -corner.y);
            let inside = Detection { face_box, landmarks, ..detection };
            let near = analyzer.describe(part, vec![inside], Lane::Photo).await.unwrap().remove(0);
            assert!(near.embedding.cosine(&whole.embedding).unwrap() > 0.9999);
            assert_eq!((near.attributes, near.detection.quality), (whole.attributes, whole.detection.quality));
            assert!((near.liveness.unwrap() - whole.liveness.unwrap()).abs() < 0.01);
            assert!((near.clarity.unwrap() - whole.clarity.unwrap()).abs() < 0.01);
        }
    }
}

/// A face that looks straight by its landmarks is not asked for the head's pose; a turned one is, for a profile is worth
/// less than the detector alone would say.
#[tokio::test]
async fn a_face_is_recognised_without_its_attributes_as_it_is_with_them() {
    let analyzer = analyzer();
    let frame = photo(&analyzer, "_groups/bald_guys.jpg").await;
    let detections = detect(&analyzer, &frame).await;
    let described = analyzer.describe(frame.clone(), detections.clone(), Lane::Photo).await.unwrap();
    let mut turned = 0;
    for (detection, face) in detections.into_iter().zip(described) {
        let (alone, embedding) = analyzer.embed(frame.clone(), detection.clone(), Lane::Photo).await.unwrap();
        assert!(embedding.cosine(&face.embedding).unwrap() > 0.9999);
        let apart = alone.quality.overall.abs_diff(face.detection.quality.overall);
        if detection.quality.pose < 90 {
            turned += 1;
            assert_eq!(alone.quality, face.detection.quality, "the head pose counts");
        } else {
            assert!(apart <= 15, "{:?} {:?}", alone.quality, face.detection.quality);
        }
    }
    assert!(turned > 0);
}

#[tokio::test]
async fn a_face_on_video_is_the_face_of_the_photo() {
    let analyzer = analyzer();
    let still = photo(&analyzer, "Eileen_Collins/astronaut.png").await;
    let known = face(&analyzer, &still).await;
    for format in [PixelFormat::I420, PixelFormat::Nv12] {
        let seen = face(&analyzer, &as_video(&still, format)).await;
        assert!(known.embedding.cosine(&seen.embedding).unwrap() > 0.95, "{format:?}");
        assert!(known.detection.face_box.overlap(&seen.detection.face_box) > 0.9, "{format:?}");
    }
}

#[tokio::test]
async fn a_face_is_the_same_however_video_stands_for_colours() {
    let analyzer = analyzer();
    let still = photo(&analyzer, "Eileen_Collins/astronaut.png").await;
    let known = face(&analyzer, &still).await;
    for matrix in [Matrix::Bt601, Matrix::Bt709, Matrix::Bt2020] {
        for (range, format) in [(Range::Limited, PixelFormat::Nv12), (Range::Full, PixelFormat::I420)] {
            let seen = face(&analyzer, &as_video_in(&still, format, Colour { matrix, range })).await;
            let alike = known.embedding.cosine(&seen.embedding).unwrap();
            assert!(alike > 0.97, "{matrix:?} {range:?} {format:?}: {alike}");
        }
    }
}

/// A photo with so many samples instead of its pixels.
fn squeezed(still: &Frame, width: u32, height: u32) -> Frame {
    let samples = image::imageops::resize(&image(still), width, height, image::imageops::FilterType::Triangle);
    as_video(&frame(samples), PixelFormat::I420).shown_over(still.width(), still.height())
}

/// The upper field of a picture: the planes of the whole, of which every other row counts.
fn field(still: &Frame) -> Frame {
    let whole = as_video(still, PixelFormat::Nv12);
    let planes = whole.planes().iter().map(|plane| Plane { data: plane.data.clone(), stride: plane.stride * 2 });
    let (width, height) = (whole.width(), whole.height());
    let field = Frame::new(whole.at(), width, height / 2, PixelFormat::Nv12, planes.collect()).unwrap();
    field.shown_over(width, height)
}

#[tokio::test]
async fn a_face_of_other_than_square_pixels_is_the_face_of_the_photo() {
    let analyzer = analyzer();
    let still = photo(&analyzer, "Eileen_Collins/astronaut.png").await;
    let known = face(&analyzer, &still).await;
    let (width, height) = (still.width(), still.height());
    let narrow = squeezed(&still, width / 2, height);
    let low = squeezed(&still, width, height / 2);
    let slightly = squeezed(&still, (width * 11 / 12).next_multiple_of(2), height);
    for (name, seen) in [("2:1", narrow), ("1:2", low), ("12:11", slightly), ("a field", field(&still))] {
        let found = face(&analyzer, &seen).await;
        let alike = known.embedding.cosine(&found.embedding).unwrap();
        assert!(alike > 0.9, "{name}: {alike}");
        assert!(known.detection.face_box.overlap(&found.detection.face_box) > 0.85, "{name}: told in shown pixels");
    }
}

#[tokio::test]
async fn a_region_is_told_in_the_pixels_that_are_shown() {
    let analyzer = analyzer();
    let still = photo(&analyzer, "Eileen_Collins/astronaut.png").await;
    let known = face(&analyzer, &still).await.detection.face_box;
    let narrow = squeezed(&still, still.width() / 2, still.height());
    let search = |region| Search { region: Some(region), max_face_px: 300, ..Search::ANYWHERE };
    let there = analyzer.detect(narrow.clone(), search(known), Lane::Live).await.unwrap();
    assert_eq!(there.len(), 1);
    assert!(known.overlap(&there[0].face_box) > 0.85, "{known:?} {:?}", there[0].face_box);
    let beside = known.shifted(known.width() * 1.2, 0.0);
    assert!(analyzer.detect(narrow, search(beside), Lane::Live).await.unwrap().is_empty());
}

#[tokio::test]
async fn attributes_are_plausible() {
    let analyzer = analyzer();
    for path in photos_of("Barack_Obama") {
        let face = face(&analyzer, &read(&analyzer, &path).await).await;
        assert_eq!(face.attributes.gender, Some(Gender::Male));
        let age = face.attributes.age.unwrap();
        assert!((30.0..65.0).contains(&age), "{age}");
        assert!(face.attributes.expression.is_some());
        assert!(face.liveness > analyzer.live_from());
    }
    let frame = photo(&analyzer, "Eileen_Collins/astronaut.png").await;
    assert_eq!(face(&analyzer, &frame).await.attributes.gender, Some(Gender::Female));
}

#[tokio::test]
async fn a_head_turned_to_the_left_of_the_picture_has_a_negative_yaw() {
    let analyzer = analyzer();
    let frame = photo(&analyzer, "Barack_Obama/obama2.jpg").await;
    let seen = detect(&analyzer, &frame).await.remove(0).quality;
    let refined = face(&analyzer, &frame).await.detection.quality;
    assert!((-30.0..-8.0).contains(&seen.yaw), "{seen:?}");
    assert!((-30.0..-8.0).contains(&refined.yaw), "{refined:?}");
}
