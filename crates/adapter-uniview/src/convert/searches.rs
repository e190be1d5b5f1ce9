//! Searches for captures and comparisons of faces.

use std::ops::RangeInclusive;

use domain::{CameraId, Candidate, Gender, Record, RecordFilter, Similarity, Timestamp};

use super::algorithms::FACES;
use super::pictures::{self, LIBRARY};
use super::{ALL, MAX_NAME, Paging, bounded, channels, people, percent, seconds, within};
use crate::codes::Fault;
use crate::wire::searches::{Compared, ComparedPerson, FaceAttributes, FaceCapture, FaceMatch, Range, Search};
use crate::wire::{Ids, Int, Text};

/// "All" for kinds of matches, besides the usual number (quirk "11.2, 11.3, 11.4 match_type").
pub(super) const ALL_MATCHES: i64 = 99;
/// Without glasses, without a mask: no model says otherwise.
pub(super) const NONE: u8 = 1;
/// The age groups by their upper ends.
const AGES: [u8; 5] = [5, 20, 40, 60, 99];
/// The age group of a face whose age no model says.
const USUAL_AGE: u8 = 40;

/// The records asked for, and the page of them; no filter where nothing can be found.
pub(crate) struct Wanted {
    pub(crate) filter: Option<RecordFilter>,
    pub(crate) paging: Paging,
}

/// What 11.2 and 11.4 ask for. `compared` leaves out captures without a comparison.
pub(crate) fn captures(search: Search, compared: bool) -> Result<Wanted, Fault> {
    let paging = Paging::new(search.page, search.pagesize)?;
    let captured = captured(search.start_time, search.end_time)?;
    let only_compared = one_of("compare_flag", search.compare_flag, 1, &[1, 2])? == 2;
    let kind = one_of("match_type", search.match_type, ALL, &[1, 2, ALL_MATCHES, ALL])?;
    let part =
        |field, text: Option<Text>| text.and_then(Text::filled).map(|text| bounded(field, text, MAX_NAME)).transpose();
    let cameras = cameras(&search.channel_id);
    let attributes = attributes(search.faceattr.unwrap_or_default())?;
    let nothing = attributes.is_none() || cameras.as_ref().is_some_and(Vec::is_empty);
    let (gender, age) = attributes.unwrap_or_default();
    let filter = RecordFilter {
        captured: Some(captured),
        cameras: cameras.unwrap_or_default(),
        compared_only: compared || only_compared || kind == 2,
        accepted_only: kind == 1,
        unaccepted_only: kind == 2,
        name_part: part("name", search.name)?,
        document_number_part: part("certificate_no", search.certificate_no)?,
        similarity: search.similarity.map(similarity).transpose()?.flatten(),
        gender: gender.flatten(),
        gender_unknown: gender == Some(None),
        age,
        ..RecordFilter::default()
    };
    Ok(Wanted { filter: (!nothing).then_some(filter), paging })
}

/// From the first millisecond of the first second to the last of the last.
pub(super) fn captured(Int(start): Int, Int(end): Int) -> Result<RangeInclusive<Timestamp>, Fault> {
    if start < 0 || end < start {
        return Err(Fault::argument("end_time is before start_time"));
    }
    let end = Timestamp::from_millis(end.saturating_mul(1000)).plus_millis(999);
    Ok(Timestamp::from_millis(start.saturating_mul(1000))..=end)
}

/// The channels; `None`: all. Numbers that no channel has are left out, which may leave none.
pub(super) fn cameras(Ids(numbers): &Ids) -> Option<Vec<CameraId>> {
    if numbers.is_empty() {
        return None;
    }
    let mut cameras: Vec<_> = numbers.iter().map(|number| channels::channel(Int(*number))).collect();
    cameras.retain(|camera| camera.0 > 0);
    cameras.sort_unstable();
    cameras.dedup();
    Some(cameras)
}

pub(super) fn one_of(field: &str, sent: Option<Int>, default: i64, known: &[i64]) -> Result<i64, Fault> {
    let number = sent.map_or(default, |Int(number)| number);
    if known.contains(&number) {
        Ok(number)
    } else {
        Err(Fault::argument(format!("{field} is not in its enumeration")))
    }
}

/// Both ends included, as they are shown; `None` for a range that is no condition.
pub(super) fn similarity(range: Range) -> Result<Option<RangeInclusive<Similarity>>, Fault> {
    let (min, max) =
        (within("similarity.min", range.min, 0..=100_u8)?, within("similarity.max", range.max, 0..=100_u8)?);
    if max < min {
        return Err(Fault::argument("similarity.max is below similarity.min"));
    }
    if min <= 1 && max == 100 {
        return Ok(None);
    }
    // What is shown is rounded down, and nothing is shown as 0.
    let least = if min <= 1 { 0.0 } else { f32::from(min) - 1e-4 };
    let most = if max == 100 { 100.0 } else { f32::from(max) + 1.0 - 2e-4 };
    Ok(Some(Similarity::from_percent(least)..=Similarity::from_percent(most)))
}

type Attributes = (Option<Option<Gender>>, Option<RangeInclusive<f32>>);

/// Sex and age; `None` where no face can be meant.
fn attributes(sent: FaceAttributes) -> Result<Option<Attributes>, Fault> {
    let gender = match one_of("faceattr.gender", sent.gender, ALL, &[1, 2, 3, 99, ALL])? {
        1 => Some(Some(Gender::Male)),
        2 => Some(Some(Gender::Female)),
        3 | 99 => Some(None),
        _ => None,
    };
    let age = one_of("faceattr.age", sent.age, ALL, &[5, 20, 40, 60, 99, ALL])?;
    let glass = one_of("faceattr.glass", sent.glass, ALL, &[1, 2, ALL])?;
    let mask = one_of("faceattr.mask", sent.mask, ALL, &[1, 2, ALL])?;
    if glass == 2 || mask == 2 {
        return Ok(None);
    }
    let place = AGES.iter().position(|group| i64::from(*group) == age);
    let ages = place.map(|place| {
        let youngest = place.checked_sub(1).map_or(0.0, |before| f32::from(AGES[before]).next_up());
        youngest..=if place + 1 == AGES.len() { f32::MAX } else { f32::from(AGES[place]) }
    });
    Ok(Some((gender, ages)))
}

/// The group of an age in years.
pub(super) fn age_group(age: Option<f32>) -> u8 {
    let group = |age: f32| AGES.into_iter().find(|group| age <= f32::from(*group)).unwrap_or(99);
    age.map_or(USUAL_AGE, group)
}

/// Addresses of the pictures of a record, with their sizes.
pub(crate) struct Addresses {
    pub(crate) scene: String,
    pub(crate) face: String,
    pub(crate) photo: String,
}

/// A capture (11.2).
pub(crate) fn face_capture(record: &Record, addresses: Addresses) -> FaceCapture {
    let capture = &record.capture;
    FaceCapture {
        alarm_id: record.seq.0,
        big_picture_url: addresses.scene,
        small_picture_url: addresses.face,
        capture_time: seconds(capture.at),
        channel_id: capture.camera.0,
        channel_name: capture.camera_name.clone(),
        gender: people::sex(capture.attributes.gender),
        glass: NONE,
        age: age_group(capture.attributes.age),
        mask: NONE,
        algo_model: FACES,
        compare_list: compared(record, addresses.photo, None).into_iter().collect(),
    }
}

/// A comparison (11.4).
pub(crate) fn face_match(record: &Record, addresses: Addresses) -> FaceMatch {
    let capture = &record.capture;
    FaceMatch {
        alarm_id: record.seq.0,
        big_picture_url: addresses.scene,
        algo_model: FACES,
        capture_time: seconds(capture.at),
        channel_id: capture.camera.0,
        channel_name: capture.camera_name.clone(),
        gender: people::sex(capture.attributes.gender),
        age: age_group(capture.attributes.age),
        glass: NONE,
        mask: NONE,
        object_list: compared(record, addresses.photo, Some(addresses.face)).into_iter().collect(),
    }
}

/// The best candidate, similar enough (1) or not (2).
fn compared(record: &Record, photo: String, face: Option<String>) -> Option<Compared> {
    let best = record.best()?;
    let match_type = if record.accepted().is_some() { 1 } else { 2 };
    Some(Compared { small_picture_url: face, match_type, person: Some(person(best, photo)) })
}

pub(super) fn person(best: &Candidate, photo: String) -> ComparedPerson {
    ComparedPerson {
        base_image_id: best.person.0,
        base_image_url: photo,
        name: best.name.clone(),
        certificate_no: best.document_number.clone(),
        similarity: percent(best.similarity),
    }
}

/// The address of an enrolment photo.
pub(crate) fn photo(record: &Record, size: Option<u64>) -> String {
    record.best().map(|best| pictures::address(LIBRARY, &best.photo, size)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(number: i64) -> Option<Int> {
        Some(Int(number))
    }

    #[test]
    fn both_ends_of_a_similarity_are_included_as_they_are_shown() {
        let range = |min, max| similarity(Range { min: Int(min), max: Int(max) });
        let found = range(80, 95).unwrap().unwrap();
        for value in [0.8, 0.85, 0.95, 0.959] {
            assert!(
                found.contains(&Similarity::new(value)) && (80..=95).contains(&Similarity::new(value).percent()),
                "{value}"
            );
        }
        for value in [0.79, 0.7999, 0.96, 1.0] {
            assert!(!found.contains(&Similarity::new(value)), "{value}");
        }
        assert_eq!((range(0, 100).unwrap(), range(1, 100).unwrap()), (None, None));
        assert!(range(2, 1).is_err() && range(0, 101).is_err() && range(-1, 5).is_err());
    }

    #[test]
    fn ages_are_in_one_group_each() {
        let ages = |age| attributes(FaceAttributes { age: int(age), ..FaceAttributes::default() }).unwrap().unwrap().1;
        for age in [0.0, 5.0, 5.1, 20.0, 33.0, 60.0, 60.5, 101.0] {
            let groups: Vec<_> =
                AGES.into_iter().filter(|group| ages(i64::from(*group)).unwrap().contains(&age)).collect();
            assert_eq!(groups, [age_group(Some(age))], "{age}");
        }
        assert_eq!((ages(999), age_group(None)), (None, 40));
    }

    #[test]
    fn attributes_that_no_model_says_find_nothing() {
        let of = |sent: FaceAttributes| attributes(sent);
        assert_eq!(of(FaceAttributes { mask: int(2), ..FaceAttributes::default() }).unwrap(), None);
        assert_eq!(of(FaceAttributes { glass: int(1), ..FaceAttributes::default() }).unwrap(), Some((None, None)));
        assert_eq!(
            of(FaceAttributes { gender: int(3), ..FaceAttributes::default() }).unwrap(),
            Some((Some(None), None))
        );
        assert!(of(FaceAttributes { gender: int(4), ..FaceAttributes::default() }).is_err());
        assert!(of(FaceAttributes { age: int(30), ..FaceAttributes::default() }).is_err());
    }

    #[test]
    fn a_second_is_whole_and_channels_that_cannot_be_match_nothing() {
        let range = captured(Int(10), Int(20)).unwrap();
        assert_eq!((range.start().as_millis(), range.end().as_millis()), (10_000, 20_999));
        assert!(captured(Int(20), Int(10)).is_err() && captured(Int(i64::MAX), Int(i64::MAX)).is_ok());
        assert_eq!(cameras(&Ids(vec![])), None);
        assert_eq!(cameras(&Ids(vec![2, 1, 2, -1])), Some(vec![CameraId(1), CameraId(2)]));
        assert_eq!(cameras(&Ids(vec![-1, i64::MAX])), Some(vec![]));
    }
}
