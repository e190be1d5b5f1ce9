//! Rules for captures: the candidate of a watch, and the verdict.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use crate::clock::EARLIEST;
use crate::time::begun_on;
use crate::{
    Camera, Candidate, Category, Library, LibraryId, LibraryKind, Match, Person, Similarity, Timestamp, UnclearFaces,
    Validity, Verdict,
};

/// The candidate of a watch; `None` when the person is in none of its libraries.
pub(crate) fn candidate(
    person: &Person,
    similarity: Similarity,
    watched: &BTreeSet<LibraryId>,
    libraries: &[Library],
) -> Option<Candidate> {
    let library = libraries.iter().find(|l| watched.contains(&l.id) && person.libraries.contains(&l.id))?;
    Some(Candidate {
        person: person.id,
        code: person.code.clone(),
        library: library.id,
        library_name: library.name.as_str().to_owned(),
        library_kind: library.kind,
        similarity,
        name: person.profile.name.clone(),
        gender: person.profile.gender,
        age: person.profile.age,
        category: person.profile.category,
        document_number: person.profile.document_number.clone(),
        address: person.profile.address.clone(),
        photo: person.photo.clone(),
        enrolled_at: person.created_at,
    })
}

/// Whether a face counts as living. Fails closed: once a score is demanded, a missing score or NaN does not suffice.
pub(crate) fn is_living(demanded: Option<f32>, score: Option<f32>) -> bool {
    demanded.is_none_or(|demanded| score.is_some_and(|score| score >= demanded))
}

/// The verdict on a living face that was not recognised; `None`: not recorded.
pub(crate) fn unrecognised(is_clear: bool, unclear: UnclearFaces) -> Option<Verdict> {
    match unclear {
        _ if is_clear => Some(Verdict::Stranger),
        UnclearFaces::AsUnclear => Some(Verdict::Unclear),
        UnclearFaces::AsStrangers => Some(Verdict::Stranger),
        UnclearFaces::Ignore => None,
    }
}

/// Whether a person in these permission groups may pass a camera that is reserved for `reserved`. A camera that is
/// reserved for none lets everyone pass, a person in no group only passes there.
pub(crate) fn permits(reserved: &BTreeSet<String>, groups: &[String]) -> bool {
    reserved.is_empty() || groups.iter().any(|group| reserved.contains(group))
}

/// The verdict on a living face; `person` is the accepted candidate, if any, and `reserved` the permission groups that
/// the camera is reserved for.
pub(crate) fn verdict(
    answer: &Match,
    person: Option<&Person>,
    reserved: &BTreeSet<String>,
    now: Timestamp,
    zone: &TimeZone,
) -> Verdict {
    let (Some(candidate), Some(person)) = (answer.accepted(), person) else { return Verdict::Stranger };
    let blocked = candidate.library_kind == LibraryKind::Block || person.profile.category == Category::Blocked;
    if blocked {
        Verdict::Blocked
    } else if is_valid(&person.profile.validity, now, zone) && permits(reserved, &person.profile.permission_groups) {
        Verdict::Known
    } else {
        Verdict::NotAllowedNow
    }
}

/// Whether a person who is identified by something else than the face is admitted now: not blocked, valid now, and
/// permitted at one camera at least, where there are any: each of them can open the door.
pub(crate) fn admitted(
    person: &Person,
    libraries: &[Library],
    cameras: &[Camera],
    now: Timestamp,
    zone: &TimeZone,
) -> bool {
    let blocks = |library: &Library| library.kind == LibraryKind::Block && person.libraries.contains(&library.id);
    let blocked = person.profile.category == Category::Blocked || libraries.iter().any(blocks);
    let groups = &person.profile.permission_groups;
    let permitted = cameras.is_empty() || cameras.iter().any(|camera| permits(&camera.permission_groups, groups));
    !blocked && permitted && is_valid(&person.profile.validity, now, zone)
}

/// Whether the validity covers this time. While the clock is not set, nothing that begins or ends is valid.
fn is_valid(validity: &Validity, now: Timestamp, zone: &TimeZone) -> bool {
    match validity {
        Validity::Permanent => true,
        Validity::Between(Timestamp::MIN, Timestamp::MAX) => true,
        Validity::Between(..) | Validity::DailyBetween { .. } if now < EARLIEST => false,
        Validity::Between(first, last) => (*first..=*last).contains(&now),
        Validity::DailyBetween { from, to, first, last } => begun_on(*from, *to, now.in_zone(zone))
            .any(|day| first.is_none_or(|first| day >= first) && last.is_none_or(|last| day <= last)),
        Validity::Uses(left) => *left > 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};

    fn at(text: &str) -> Timestamp {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    #[test]
    fn a_daily_window_is_local_time_and_includes_both_ends() {
        let validity = Validity::DailyBetween {
            from: time(9, 0, 0, 0),
            to: time(17, 0, 0, 0),
            first: Some(date(2026, 3, 1)),
            last: Some(date(2026, 3, 2)),
        };
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        assert!(is_valid(&validity, at("2026-03-01T01:00:00Z"), &shanghai));
        assert!(is_valid(&validity, at("2026-03-02T09:00:00Z"), &shanghai));
        assert!(!is_valid(&validity, at("2026-03-01T09:00:01Z"), &shanghai));
        assert!(!is_valid(&validity, at("2026-03-02T16:30:00Z"), &shanghai), "the third of March has begun");
    }

    #[test]
    fn a_night_shift_that_began_on_a_valid_day_is_valid_to_its_end() {
        let (from, to) = (time(22, 0, 0, 0), time(6, 0, 0, 0));
        let shift = |first, last| Validity::DailyBetween { from, to, first, last };
        let nights = shift(Some(date(2026, 3, 1)), Some(date(2026, 3, 2)));
        let is_valid = |validity: &Validity, text| is_valid(validity, at(text), &TimeZone::UTC);
        assert!(!is_valid(&nights, "2026-03-01T05:00:00Z"), "the morning before the first evening");
        assert!(!is_valid(&nights, "2026-03-01T21:59:59Z"));
        assert!(is_valid(&nights, "2026-03-01T22:00:00Z") && is_valid(&nights, "2026-03-02T05:00:00Z"));
        assert!(!is_valid(&nights, "2026-03-02T12:00:00Z"));
        assert!(is_valid(&nights, "2026-03-03T06:00:00Z"), "the last shift ends in the morning after");
        assert!(!is_valid(&nights, "2026-03-03T06:00:01Z") && !is_valid(&nights, "2026-03-03T22:00:00Z"));
        assert!(is_valid(&shift(None, None), "9999-12-30T21:00:00-01:00"));
        assert!(!is_valid(&shift(Some(date(2026, 3, 2)), Some(date(2026, 3, 1))), "2026-03-02T23:00:00Z"));
    }

    #[test]
    fn a_night_shift_keeps_local_time_when_clocks_change() {
        let nights = Validity::DailyBetween { from: time(22, 0, 0, 0), to: time(2, 30, 0, 0), first: None, last: None };
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        // The clocks show 02:00 to 03:00 twice.
        for (text, expected) in [("2026-10-25T00:30:00Z", true), ("2026-10-25T00:31:00Z", false)] {
            assert_eq!(is_valid(&nights, at(text), &berlin), expected, "{text}");
        }
        for (text, expected) in [("2026-10-25T01:30:00Z", true), ("2026-10-25T01:31:00Z", false)] {
            assert_eq!(is_valid(&nights, at(text), &berlin), expected, "{text}");
        }
        // They skip 02:00 to 03:00.
        for (text, expected) in [("2026-03-29T00:59:59Z", true), ("2026-03-29T01:00:00Z", false)] {
            assert_eq!(is_valid(&nights, at(text), &berlin), expected, "{text}");
        }
    }

    #[test]
    fn a_period_without_ends_is_always_valid() {
        let ever = Validity::Between(Timestamp::MIN, Timestamp::MAX);
        for now in [Timestamp::MIN, at("2026-03-01T00:00:00Z"), Timestamp::MAX] {
            assert!(is_valid(&ever, now, &TimeZone::UTC));
        }
        assert!(is_valid(
            &Validity::Between(Timestamp::MIN, at("2026-03-02T00:00:00Z")),
            at("2026-03-01T00:00:00Z"),
            &TimeZone::UTC
        ));
        let never = Validity::Between(at("2026-03-02T00:00:00Z"), at("2026-03-01T00:00:00Z"));
        assert!(!is_valid(&never, at("2026-03-01T12:00:00Z"), &TimeZone::UTC));
    }

    #[test]
    fn while_the_clock_is_not_set_nothing_that_begins_or_ends_is_valid() {
        let left = Validity::Between(Timestamp::MIN, at("2025-06-01T00:00:00Z"));
        let midnight = time(0, 0, 0, 0);
        let daily = Validity::DailyBetween { from: midnight, to: midnight, first: None, last: None };
        for (text, valid) in
            [("1970-01-01T00:00:05Z", false), ("2000-01-01T12:00:00Z", false), ("2025-05-01T00:00:00Z", true)]
        {
            assert_eq!(is_valid(&left, at(text), &TimeZone::UTC), valid, "{text}");
            assert_eq!(is_valid(&daily, at(text), &TimeZone::UTC), valid, "{text}");
            assert!(is_valid(&Validity::Permanent, at(text), &TimeZone::UTC), "{text}");
        }
    }

    #[test]
    fn a_demanded_score_must_be_there_and_reached() {
        assert!(is_living(None, None) && is_living(None, Some(0.1)));
        assert!(is_living(Some(0.5), Some(0.5)) && is_living(Some(0.5), Some(1.0)));
        assert!(!is_living(Some(0.5), Some(0.49)));
        assert!(!is_living(Some(0.5), None) && !is_living(Some(0.0), Some(f32::NAN)));
    }

    #[test]
    fn a_reserved_camera_lets_people_of_its_groups_pass_and_no_others() {
        let groups = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let reserved = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
        for (camera, person, may_pass) in [
            (&[][..], &[][..], true),
            (&[], &["day"], true),
            (&["day"], &[], false),
            (&["day"], &["night"], false),
            (&["day"], &["night", "day"], true),
            (&["day", "night"], &["night"], true),
        ] {
            assert_eq!(permits(&reserved(camera), &groups(person)), may_pass, "{camera:?} {person:?}");
        }
    }

    #[test]
    fn a_person_without_uses_left_is_not_valid() {
        assert!(is_valid(&Validity::Uses(1), at("2026-03-01T00:00:00Z"), &TimeZone::UTC));
        assert!(!is_valid(&Validity::Uses(0), at("2026-03-01T00:00:00Z"), &TimeZone::UTC));
    }
}
