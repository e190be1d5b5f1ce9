//! What a capture means: who it is for one watch, and the verdict.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use crate::{
    Candidate, Category, Library, LibraryId, LibraryKind, Match, Person, Similarity, Timestamp, Validity, Verdict,
};

/// A person compared with a face, as one watch sees the person.
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

/// Whether a face may be taken for a living one. Fails closed: once a score is demanded, none and one that is not a
/// number are not enough.
pub(crate) fn is_living(demanded: Option<f32>, score: Option<f32>) -> bool {
    demanded.is_none_or(|demanded| score.is_some_and(|score| score >= demanded))
}

/// What the rules make of a living face; `person` is the accepted candidate, when there is one.
pub(crate) fn verdict(answer: &Match, person: Option<&Person>, now: Timestamp, zone: &TimeZone) -> Verdict {
    let (Some(candidate), Some(person)) = (answer.accepted(), person) else { return Verdict::Stranger };
    let blocked = candidate.library_kind == LibraryKind::Block || person.profile.category == Category::Blocked;
    if blocked {
        Verdict::Blocked
    } else if welcome(&person.profile.validity, now, zone) {
        Verdict::Known
    } else {
        Verdict::NotAllowedNow
    }
}

/// Whether somebody who is known by something else than the face may be here now: not blocked, and welcome.
pub(crate) fn admitted(person: &Person, libraries: &[Library], now: Timestamp, zone: &TimeZone) -> bool {
    let blocks = |library: &Library| library.kind == LibraryKind::Block && person.libraries.contains(&library.id);
    let blocked = person.profile.category == Category::Blocked || libraries.iter().any(blocks);
    !blocked && welcome(&person.profile.validity, now, zone)
}

/// Whether the person may be here now.
fn welcome(validity: &Validity, now: Timestamp, zone: &TimeZone) -> bool {
    match validity {
        Validity::Permanent => true,
        Validity::Between(first, last) => (*first..=*last).contains(&now),
        Validity::DailyBetween { from, to, first, last } => {
            let local = now.in_zone(zone);
            (*first..=*last).contains(&local.date()) && (*from..=*to).contains(&local.time())
        }
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
            first: date(2026, 3, 1),
            last: date(2026, 3, 2),
        };
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        assert!(welcome(&validity, at("2026-03-01T01:00:00Z"), &shanghai));
        assert!(welcome(&validity, at("2026-03-02T09:00:00Z"), &shanghai));
        assert!(!welcome(&validity, at("2026-03-01T09:00:01Z"), &shanghai));
        assert!(!welcome(&validity, at("2026-03-02T16:30:00Z"), &shanghai), "the third of March has begun");
    }

    #[test]
    fn a_demanded_score_must_be_there_and_reached() {
        assert!(is_living(None, None) && is_living(None, Some(0.1)));
        assert!(is_living(Some(0.5), Some(0.5)) && is_living(Some(0.5), Some(1.0)));
        assert!(!is_living(Some(0.5), Some(0.49)));
        assert!(!is_living(Some(0.5), None) && !is_living(Some(0.0), Some(f32::NAN)));
    }

    #[test]
    fn a_person_without_uses_left_is_not_welcome() {
        assert!(welcome(&Validity::Uses(1), at("2026-03-01T00:00:00Z"), &TimeZone::UTC));
        assert!(!welcome(&Validity::Uses(0), at("2026-03-01T00:00:00Z"), &TimeZone::UTC));
    }
}
