//! What spoils a face shows in its quality.

use domain::Quality;
use image::RgbImage;
use image::imageops::{self, FilterType};
use vision::Analyzer;

use crate::support::{analyzer, detect, frame, image, photo};

/// The quality of the largest face.
async fn quality(analyzer: &Analyzer, picture: RgbImage) -> Quality {
    detect(analyzer, &frame(picture)).await.first().expect("a face").quality
}

/// A good portrait, the face about 200 pixels high.
async fn portrait(analyzer: &Analyzer) -> RgbImage {
    let whole = image(&photo(analyzer, "Barack_Obama/obama.jpg").await);
    imageops::resize(&whole, 523, 654, FilterType::Triangle)
}

fn darkened(picture: &RgbImage, factor: f32) -> RgbImage {
    let mut picture = picture.clone();
    picture.iter_mut().for_each(|sample| *sample = (f32::from(*sample) * factor) as u8);
    picture
}

#[tokio::test]
async fn a_good_portrait_is_good() {
    let analyzer = analyzer();
    let quality = quality(&analyzer, portrait(&analyzer).await).await;
    assert!(quality.overall >= 70, "{quality:?}");
    assert!(quality.sharpness >= 70 && quality.brightness >= 90 && quality.pose >= 90, "{quality:?}");
}

#[tokio::test]
async fn blur_lowers_sharpness_step_by_step() {
    let analyzer = analyzer();
    let portrait = portrait(&analyzer).await;
    let mut last = quality(&analyzer, portrait.clone()).await;
    for sigma in [2.0, 4.0, 8.0] {
        let blurred = quality(&analyzer, imageops::blur(&portrait, sigma)).await;
        assert!(blurred.sharpness < last.sharpness && blurred.overall < last.overall, "{sigma}: {blurred:?}");
        last = blurred;
    }
    assert!(last.overall < 30, "{last:?}");
}

#[tokio::test]
async fn darkness_lowers_brightness_step_by_step() {
    let analyzer = analyzer();
    let portrait = portrait(&analyzer).await;
    let mut last = quality(&analyzer, portrait.clone()).await;
    for factor in [0.35, 0.2, 0.1] {
        let dark = quality(&analyzer, darkened(&portrait, factor)).await;
        assert!(dark.brightness < last.brightness && dark.overall < last.overall, "{factor}: {dark:?}");
        last = dark;
    }
    assert!(last.overall < 50, "{last:?}");
}

#[tokio::test]
async fn a_smaller_face_is_worth_less() {
    let analyzer = analyzer();
    let portrait = portrait(&analyzer).await;
    let mut last = quality(&analyzer, portrait.clone()).await;
    for width in [262, 174, 131] {
        let small = imageops::resize(&portrait, width, width * 654 / 523, FilterType::Triangle);
        let small = quality(&analyzer, small).await;
        assert!(small.size < last.size && small.overall < last.overall, "{width}: {small:?}");
        last = small;
    }
    let tiny = imageops::resize(&portrait, 110, 138, FilterType::Triangle);
    let tiny = quality(&analyzer, tiny).await;
    assert!(tiny.overall < 30, "a face of 30 pixels: {tiny:?}");
}
