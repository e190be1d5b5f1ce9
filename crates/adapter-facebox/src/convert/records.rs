//! Records of tasks.

use std::ops::RangeInclusive;

use adapter::{WrongEnd, local_range};
use domain::{Candidate, LibraryId, Sighting, SightingFilter, Similarity, TaskId, Timestamp};
use jiff::tz::TimeZone;

use super::cameras::camera_id;
use super::people::{category, sex};
use super::pictures::{capture_address, person_address};
use super::{MILLION, Paging, fraction, time_text, wanted};
use crate::codes::Fault;
use crate::wire::records::{PersonSeen, QueryRecords, RecordRow};

/// The filter of a query for records, and the page.
pub(crate) fn query(query: QueryRecords, zone: &TimeZone) -> Result<(SightingFilter, Paging), Fault> {
    let paging = Paging::new(query.page_no, query.page_size)?;
    let filter = SightingFilter {
        task: query.task_id.map(TaskId),
        camera: query.camera_id.map(camera_id),
        library: query.lib_id.map(LibraryId),
        name_part: wanted(query.person_name),
        document_number: wanted(query.card_no),
        accepted: query.classify.map(is_known).transpose()?,
        similarity: query.similarity.map(least_similarity).transpose()?,
        captured: captured(query.start_time.as_deref(), query.end_time.as_deref(), zone)?,
        ..SightingFilter::default()
    };
    Ok((filter, paging))
}

/// 0 stranger, 1 recognised.
fn is_known(classify: i64) -> Result<bool, Fault> {
    match classify {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Fault::field("classify")),
    }
}

/// The lowest similarity that is reported as this number or a greater one: reported numbers are rounded, so that a
/// record is found by its own number.
fn least_similarity(number: f64) -> Result<Similarity, Fault> {
    if !(0.0..=1.0).contains(&number) {
        return Err(Fault::field("similarity"));
    }
    let reported = |value: f32| fraction(Similarity::new(value));
    // Reported numbers are whole millionths; rounding errors of clients are removed.
    let millionths = (number * MILLION - 1e-3).ceil().max(0.0);
    let least = ((millionths - 0.5) / MILLION).max(0.0) as f32;
    let is_enough = reported(least) * MILLION >= millionths - 0.25;
    Ok(Similarity::new(if is_enough { least } else { least.next_up() }))
}

/// Either end may be absent (quirk "8.1 time").
fn captured(
    start: Option<&str>,
    end: Option<&str>,
    zone: &TimeZone,
) -> Result<Option<RangeInclusive<Timestamp>>, Fault> {
    local_range(start, end, zone).map_err(|wrong| match wrong {
        WrongEnd::Start => Fault::field("start_time"),
        WrongEnd::Stop => Fault::field("end_time"),
    })
}

/// The entry of a record.
pub(crate) fn row(sighting: Sighting, zone: &TimeZone) -> RecordRow {
    let at = time_text(sighting.capture.at, zone);
    RecordRow {
        record_id: sighting.id.0,
        task_id: sighting.mark.task.0,
        person: sighting.accepted().map(person).unwrap_or_default(),
        similarity: sighting.answer.best.as_ref().map_or(0.0, |best| fraction(best.similarity)),
        camera_id: sighting.capture.camera.0,
        capture_url: capture_address(&sighting.capture.crop),
        task_name: sighting.mark.name,
        camera_name: sighting.capture.camera_name,
        capture_time: at.clone(),
        create_time: at,
    }
}

fn person(known: &Candidate) -> PersonSeen {
    PersonSeen {
        lib_id: known.library.0,
        lib_name: known.library_name.clone(),
        person_id: known.person.0,
        person_name: known.name.clone(),
        sex: sex(known.gender),
        category: category(known.category),
        card_no: known.document_number.clone(),
        classify: 1,
        pic_url: person_address(&known.photo),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_found_by_its_reported_similarity_and_not_by_a_greater_one() {
        let mut value = 0.0005_f32;
        while value <= 1.0 {
            for near in [value, value.next_up(), value.next_down(), value + 4e-7, value - 4e-7] {
                let similarity = Similarity::new(near);
                let reported = fraction(similarity);
                assert!(least_similarity(reported).unwrap() <= similarity, "{near} is reported as {reported}");
                let more = (reported + 1e-6).min(1.0);
                assert!(
                    reported >= 1.0 || least_similarity(more).unwrap() > similarity,
                    "{near} is reported as {reported}"
                );
            }
            value += 0.000_497;
        }
        for reported in [0.0, 1e-6, 0.007_813, 1.0] {
            assert_eq!(fraction(least_similarity(reported).unwrap()), reported);
        }
        assert!([-0.1, 1.1, f64::NAN].into_iter().all(|number| least_similarity(number).is_err()));
    }

    #[test]
    fn both_ends_of_a_time_are_included_and_may_be_absent() {
        let range = |start, end| captured(start, end, &TimeZone::UTC).unwrap();
        let millis = |range: RangeInclusive<Timestamp>| (range.start().as_millis(), range.end().as_millis());
        let (start, end) = (Some("1970-01-01 00:00:10"), Some("1970-01-01 00:00:20"));
        assert_eq!(range(None, Some("")), None);
        assert_eq!(range(start, end).map(millis), Some((10_000, 20_999)));
        assert_eq!(range(start, None).map(millis), Some((10_000, i64::MAX)));
        assert_eq!(range(None, end).map(millis), Some((0, 20_999)));
        let bad = captured(Some("yesterday"), None, &TimeZone::UTC).unwrap_err();
        assert_eq!(bad.message(), "Invalid para: start_time");
    }
}
