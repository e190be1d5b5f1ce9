//! A van that drives along a street, stops and drives on: cut out of a film and moved over a picture of it.

use std::time::Duration;

use domain::{BehaviourKind, ObjectClass, RuleOptions, RuleSettings};
use image::RgbImage;
use image::imageops::{FilterType, crop_imm, replace, resize};

use crate::device::{of, watch};
use crate::film::{Film, RATE, SIZE, detector, pictures, rule, street};

/// Where the van stands in the film: left, top, width and height.
const VAN: (u32, u32, u32, u32) = (640, 40, 84, 62);
/// Twice as large, it drives at this height, from one edge of the picture to the other.
const TOP: i64 = 330;
/// It drives for four seconds, stands, and drives on until it is gone.
const STOPS: f32 = 4.0;
const DRIVES_ON: f32 = 16.0;
const GONE: f32 = 20.0;

/// The left edge of the van at this second.
fn left_edge(time: f32) -> i64 {
    let (from, stop) = (VAN.2 as f32 * -2.0, 350.0);
    let driven = (time / STOPS).clamp(0.0, 1.0) * (stop - from);
    let gone = ((time - DRIVES_ON) / (GONE - DRIVES_ON)).clamp(0.0, 1.0) * (SIZE.0 as f32 - stop);
    (from + driven + gone) as i64
}

fn passage() -> impl Iterator<Item = Vec<u8>> {
    let street = pictures(&street()).next().unwrap();
    let street = RgbImage::from_raw(SIZE.0, SIZE.1, street).unwrap();
    let van = crop_imm(&street, VAN.0, VAN.1, VAN.2, VAN.3).to_image();
    let van = resize(&van, VAN.2 * 2, VAN.3 * 2, FilterType::CatmullRom);
    (0..(GONE as u32 + 2) * RATE).map(move |number| {
        let mut picture = street.clone();
        replace(&mut picture, &van, left_edge(number as f32 / RATE as f32), TOP);
        picture.into_raw()
    })
}

#[tokio::test]
async fn a_van_crosses_lines_and_parks() {
    let film = Film::of(&detector(), passage()).await;
    tokio::time::pause();
    let road = [(0.0, 300.0), (767.0, 300.0), (767.0, 500.0), (0.0, 500.0)];
    let across = |x: f32| [(x, 250.0), (x, 575.0)];
    let options = RuleOptions { after: Duration::from_secs(8), ..RuleOptions::default() };
    let rules = [
        rule("way in", BehaviourKind::Line, &across(200.0)),
        rule("way out", BehaviourKind::Line, &across(600.0)),
        rule("road", BehaviourKind::Area, &road),
        RuleSettings { options, ..rule("parking", BehaviourKind::Parking, &road) },
    ];
    let told = watch(film, rules.map(|rule| RuleSettings { object: ObjectClass::Vehicle, ..rule })).await;
    // Within two seconds of when the middle of the van is there.
    let expected = [
        ("way in", vec![(true, 2.2), (false, 3.0)]),
        ("way out", vec![(true, 17.6), (false, 18.6)]),
        ("road", vec![(true, 0.8), (false, 22.6)]),
        ("parking", vec![(true, 12.5), (false, 19.5)]),
    ];
    for (rule, expected) in expected {
        let seen: Vec<_> = of(&told, rule).map(|(at, seen)| (seen.fired, *at)).collect();
        let fits =
            |((fired, at), (wanted, about)): (&(bool, f64), &(bool, f64))| fired == wanted && (at - about).abs() <= 2.0;
        assert!(seen.len() == 2 && seen.iter().zip(&expected).all(fits), "{rule}: {seen:?}");
    }
}
