//! When a person may pass: the document's four kinds of validity.

use domain::{Timestamp, Validity};
use jiff::ToSpan;
use jiff::tz::TimeZone;

use super::time;

/// The fields of a validity in the document's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ValidityFields {
    /// 0 permanent, 1 between, 2 daily between, 3 a number of passes.
    pub(crate) kind: i64,
    pub(crate) begin: String,
    pub(crate) end: String,
    pub(crate) uses: u32,
}

/// The fields that were sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SentValidity {
    pub(crate) kind: Option<i64>,
    pub(crate) begin: Option<String>,
    pub(crate) end: Option<String>,
    pub(crate) uses: Option<i64>,
}

impl SentValidity {
    /// Whether no field was sent.
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The resulting validity; `None` when it is incomplete or not valid. Fields that were not sent stay as they are.
    pub(crate) fn put_into(&self, before: &Validity, zone: &TimeZone) -> Option<Validity> {
        if self.is_empty() {
            return Some(before.clone());
        }
        let before = fields(before, zone);
        let kind = self.kind.unwrap_or(before.kind);
        let kept = |text: &str| (before.kind == kind).then(|| text.to_owned());
        let begin = self.begin.clone().or_else(|| kept(&before.begin));
        let end = self.end.clone().or_else(|| kept(&before.end));
        let uses = self.uses.or_else(|| (before.kind == 3).then(|| before.uses.into()));
        match kind {
            0 => Some(Validity::Permanent),
            1 => between(&begin?, &end?, zone),
            2 => daily(&begin?, &end?),
            3 => Some(Validity::Uses(uses?.try_into().ok()?)),
            _ => None,
        }
    }
}

fn between(begin: &str, end: &str, zone: &TimeZone) -> Option<Validity> {
    let first = if time::is_zero(begin) { Timestamp::MIN } else { time::first(begin, zone)? };
    let last = if time::is_zero(end) { Timestamp::MAX } else { time::last(end, zone)? };
    (first <= last).then_some(Validity::Between(first, last))
}

/// The end is the end of the last window; a window over midnight starts the day before. So no person may pass before
/// the start or after the end that was sent.
fn daily(begin: &str, end: &str) -> Option<Validity> {
    let (first, from) = time::day_and_time(begin)?;
    let (end, to) = time::last_day_and_time(end)?;
    let last = match end {
        Some(day) if to <= from => Some(day.yesterday().ok()?),
        day => day,
    };
    let fits = first.zip(last).is_none_or(|(first, last)| first <= last);
    fits.then_some(Validity::DailyBetween { from, to, first, last })
}

/// The fields of a validity; days that are not set are zeros.
pub(crate) fn fields(validity: &Validity, zone: &TimeZone) -> ValidityFields {
    let list = |kind, begin, end, uses| ValidityFields { kind, begin, end, uses };
    let zero = || time::ZERO.to_owned();
    let text = |at: Timestamp, open| if at == open { zero() } else { time::text(at, zone) };
    match validity {
        Validity::Permanent => list(0, zero(), zero(), 0),
        Validity::Between(first, last) => list(1, text(*first, Timestamp::MIN), text(*last, Timestamp::MAX), 0),
        Validity::DailyBetween { from, to, first, last } => {
            let end = last.map(|last| if to <= from { last.saturating_add(1.day()) } else { last });
            list(2, time::day_text(*first, *from), time::day_text(end, *to), 0)
        }
        Validity::Uses(left) => list(3, zero(), zero(), *left),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(kind: i64, begin: &str, end: &str) -> SentValidity {
        SentValidity { kind: Some(kind), begin: Some(begin.into()), end: Some(end.into()), uses: None }
    }

    fn read_back(sent: &SentValidity) -> Option<ValidityFields> {
        Some(fields(&sent.put_into(&Validity::Permanent, &TimeZone::UTC)?, &TimeZone::UTC))
    }

    #[test]
    fn periods_read_back_as_sent() {
        for kind in [1, 2] {
            let list = read_back(&sent(kind, "2026-03-01 09:00:00", "2026-03-05T17:30:00")).unwrap();
            let expected = ("2026-03-01 09:00:00".to_owned(), "2026-03-05 17:30:00".to_owned());
            assert_eq!((list.kind, (list.begin, list.end)), (kind, expected));
            let open = read_back(&sent(kind, time::ZERO, time::ZERO)).unwrap();
            assert_eq!((open.begin.as_str(), open.end.as_str()), (time::ZERO, time::ZERO), "kind {kind}");
        }
    }

    /// Both ends of the calendar, ends that are not set, and unusual times.
    const ENDS: [(&str, &str); 9] = [
        ("2026-03-01 00:00:00", "9999-12-31 23:59:59"),
        ("1970-01-01 00:00:00", "9999-12-30 22:00:01"),
        ("0001-01-01 00:00:00", "2099-12-31 23:59:59"),
        ("1900-01-01 00:00:00", "2038-01-19 03:14:08"),
        ("9999-12-31 00:00:00", "9999-12-31 23:59:59"),
        (time::ZERO, "9999-12-31 23:59:59"),
        ("1970-01-01 00:00:00", time::ZERO),
        ("2026-03-01 00:00:00", "2026-03-31 23:59:59"),
        (time::ZERO, time::ZERO),
    ];

    #[test]
    fn ends_read_back_as_sent_in_every_zone_and_are_accepted_again() {
        for name in ["Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kolkata", "Pacific/Chatham", "America/New_York"] {
            let zone = TimeZone::get(name).unwrap();
            for (kind, (begin, end)) in [1, 2].into_iter().flat_map(|kind| ENDS.map(|ends| (kind, ends))) {
                let validity = sent(kind, begin, end).put_into(&Validity::Permanent, &zone).unwrap();
                let reported = fields(&validity, &zone);
                assert_eq!((reported.begin.as_str(), reported.end.as_str()), (begin, end), "{kind} in {name}");
                let again = sent(kind, &reported.begin, &reported.end).put_into(&Validity::Permanent, &zone);
                assert_eq!(again, Some(validity), "{kind} in {name}");
            }
        }
    }

    #[test]
    fn a_daily_list_may_go_over_midnight_and_lack_a_day() {
        for (begin, end) in [
            ("2026-03-01 22:00:00", "2026-03-31 06:00:00"),
            ("2026-03-01 22:00:00", "2026-03-02 06:00:00"),
            ("2026-03-01 08:00:00", "2026-03-31 00:00:00"),
            ("2026-03-01 08:00:00", "2026-03-31 08:00:00"),
            ("2026-03-01 22:00:00", "9999-12-31 06:00:00"),
            ("0000-00-00 22:00:00", "0000-00-00 06:00:00"),
            ("2026-03-01 22:00:00", "0000-00-00 06:00:00"),
        ] {
            let list = read_back(&sent(2, begin, end)).unwrap();
            assert_eq!((list.begin.as_str(), list.end.as_str()), (begin, end));
        }
    }

    #[test]
    fn the_last_window_over_midnight_starts_the_day_before_the_end() {
        let one_night = sent(2, "2026-03-01 22:00:00", "2026-03-02 06:00:00");
        let Some(Validity::DailyBetween { first, last, .. }) = one_night.put_into(&Validity::Permanent, &TimeZone::UTC)
        else {
            panic!("not daily")
        };
        assert_eq!((first, last), (Some(jiff::civil::date(2026, 3, 1)), Some(jiff::civil::date(2026, 3, 1))));
    }

    #[test]
    fn a_time_that_clocks_skip_is_reported_as_the_next_one_inside_the_period() {
        let zone = TimeZone::get("America/New_York").unwrap();
        let validity = sent(1, "2026-03-08 02:30:00", "2027-03-14 02:30:00").put_into(&Validity::Permanent, &zone);
        let reported = fields(&validity.unwrap(), &zone);
        assert_eq!((reported.begin.as_str(), reported.end.as_str()), ("2026-03-08 03:00:00", "2027-03-14 01:59:59"));
    }

    #[test]
    fn an_invalid_validity_is_refused() {
        assert_eq!(read_back(&sent(1, "2026-03-05 00:00:00", "2026-03-01 00:00:00")), None);
        assert_eq!(read_back(&sent(2, "2026-03-05 09:00:00", "2026-03-01 17:00:00")), None);
        assert_eq!(read_back(&sent(2, "2026-03-01 22:00:00", "2026-03-01 06:00:00")), None, "it ends before it begins");
        assert_eq!(read_back(&sent(4, time::ZERO, time::ZERO)), None);
        assert_eq!(read_back(&SentValidity { kind: Some(1), ..SentValidity::default() }), None, "it needs its ends");
        assert_eq!(read_back(&SentValidity { kind: Some(3), ..SentValidity::default() }), None, "it needs its number");
        assert_eq!(read_back(&SentValidity { kind: Some(3), uses: Some(-1), ..SentValidity::default() }), None);
    }

    #[test]
    fn fields_not_sent_stay() {
        let before =
            sent(1, "2026-03-01 09:00:00", "2026-03-05 17:30:00").put_into(&Validity::Permanent, &TimeZone::UTC);
        let longer = SentValidity { end: Some("2026-04-05 17:30:00".into()), ..SentValidity::default() };
        let after = fields(&longer.put_into(&before.unwrap(), &TimeZone::UTC).unwrap(), &TimeZone::UTC);
        assert_eq!((after.begin.as_str(), after.end.as_str()), ("2026-03-01 09:00:00", "2026-04-05 17:30:00"));
        let fewer =
            SentValidity { uses: Some(2), ..SentValidity::default() }.put_into(&Validity::Uses(5), &TimeZone::UTC);
        assert_eq!(fewer, Some(Validity::Uses(2)));
    }
}
