//! When a person is welcome: the document's four kinds of list.

use domain::{Timestamp, Validity};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::time;

/// Beyond any visit: stands for an end that is not set, as does every time of its year.
const FAR: Date = Date::constant(9999, 6, 1);
const EARLY: Date = Date::constant(1970, 1, 1);

/// The fields as they are on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct List {
    /// 0 permanent, 1 between, 2 daily between, 3 so many times.
    pub(crate) kind: i64,
    pub(crate) begin: String,
    pub(crate) end: String,
    pub(crate) uses: u32,
}

/// What of it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Sent {
    pub(crate) kind: Option<i64>,
    pub(crate) begin: Option<String>,
    pub(crate) end: Option<String>,
    pub(crate) uses: Option<i64>,
}

impl Sent {
    /// Whether anything was.
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The validity that results; `None` when it is incomplete or cannot be. What was not sent stays.
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
    let instant = |text: &str, open: DateTime| {
        let civil = if time::is_zero(text) { open } else { time::civil(text)? };
        Some(Timestamp::from(civil.to_zoned(zone.clone()).ok()?.timestamp()))
    };
    let first = instant(begin, EARLY.to_datetime(Time::midnight()))?;
    let last = instant(end, last_second(FAR))?;
    // The text names a second, which is included.
    (first <= last).then(|| Validity::Between(first, last.plus_millis(999)))
}

fn last_second(date: Date) -> DateTime {
    date.to_datetime(Time::constant(23, 59, 59, 0))
}

fn daily(begin: &str, end: &str) -> Option<Validity> {
    let civil = |text: &str, open: DateTime| if time::is_zero(text) { Some(open) } else { time::civil(text) };
    let first = civil(begin, EARLY.to_datetime(Time::midnight()))?;
    let last = civil(end, last_second(FAR))?;
    let fits = first.date() <= last.date() && first.time() <= last.time();
    let (from, to) = (first.time(), last.time());
    fits.then(|| Validity::DailyBetween { from, to, first: first.date(), last: last.date() })
}

/// The fields of a validity; ends that are not set are the zero date.
pub(crate) fn fields(validity: &Validity, zone: &TimeZone) -> List {
    let list = |kind, begin: Option<DateTime>, end: Option<DateTime>, uses| {
        let open = |time: &DateTime| time.date() <= EARLY || time.year() >= FAR.year();
        let text = |time: Option<DateTime>| {
            time.filter(|time| !open(time)).map_or_else(|| time::ZERO.to_owned(), time::civil_text)
        };
        List { kind, begin: text(begin), end: text(end), uses }
    };
    match validity {
        Validity::Permanent => list(0, None, None, 0),
        Validity::Between(first, last) => {
            list(1, Some(first.in_zone(zone).datetime()), Some(last.in_zone(zone).datetime()), 0)
        }
        Validity::DailyBetween { from, to, first, last } => {
            list(2, Some(first.to_datetime(*from)), Some(last.to_datetime(*to)), 0)
        }
        Validity::Uses(left) => list(3, None, None, *left),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(kind: i64, begin: &str, end: &str) -> Sent {
        Sent { kind: Some(kind), begin: Some(begin.into()), end: Some(end.into()), uses: None }
    }

    fn read_back(sent: &Sent) -> Option<List> {
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

    #[test]
    fn a_list_that_cannot_be_is_refused() {
        assert_eq!(read_back(&sent(1, "2026-03-05 00:00:00", "2026-03-01 00:00:00")), None);
        assert_eq!(read_back(&sent(2, "2026-03-01 17:00:00", "2026-03-05 09:00:00")), None);
        assert_eq!(read_back(&sent(4, time::ZERO, time::ZERO)), None);
        assert_eq!(read_back(&Sent { kind: Some(1), ..Sent::default() }), None, "it needs its ends");
        assert_eq!(read_back(&Sent { kind: Some(3), ..Sent::default() }), None, "it needs its number");
        assert_eq!(read_back(&Sent { kind: Some(3), uses: Some(-1), ..Sent::default() }), None);
    }

    #[test]
    fn what_was_not_sent_stays() {
        let before =
            sent(1, "2026-03-01 09:00:00", "2026-03-05 17:30:00").put_into(&Validity::Permanent, &TimeZone::UTC);
        let longer = Sent { end: Some("2026-04-05 17:30:00".into()), ..Sent::default() };
        let after = fields(&longer.put_into(&before.unwrap(), &TimeZone::UTC).unwrap(), &TimeZone::UTC);
        assert_eq!((after.begin.as_str(), after.end.as_str()), ("2026-03-01 09:00:00", "2026-04-05 17:30:00"));
        let fewer = Sent { uses: Some(2), ..Sent::default() }.put_into(&Validity::Uses(5), &TimeZone::UTC);
        assert_eq!(fewer, Some(Validity::Uses(2)));
    }
}
