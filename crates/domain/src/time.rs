//! Points in time, local time, and daily windows.

mod window;
mod zone;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

pub(crate) use window::begun_on;
pub use zone::DeviceZone;

/// 1970-01-01T00:00:00, the zero of timestamps.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// A point in time, UTC, in milliseconds since 1970.
///
/// Every local time of the years -9999 to 9999 in every zone converts to a `Timestamp` and back, also 9999-12-31
/// 23:59:59, which is beyond jiff's own timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The start of a period without a start.
    pub const MIN: Self = Self(i64::MIN);
    /// The end of a period without an end.
    pub const MAX: Self = Self(i64::MAX);

    /// From milliseconds since 1970.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// The time `millis` later (earlier when negative), saturating.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this time; negative when `earlier` is later.
    pub fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The local time in `zone`, clamped to the years -9999 to 9999.
    pub fn in_zone(self, zone: &TimeZone) -> DateTime {
        let shown = self.0.saturating_add(millis(self.offset_in(zone)));
        EPOCH.checked_add(jiff::SignedDuration::from_millis(shown)).unwrap_or(if shown < 0 {
            DateTime::MIN
        } else {
            DateTime::MAX
        })
    }

    /// The offset of `zone` from UTC at this time.
    pub fn offset_in(self, zone: &TimeZone) -> Offset {
        let end = if self.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        zone.to_offset(jiff::Timestamp::from_millisecond(self.0).unwrap_or(end))
    }

    /// The time of `local` in `zone`. Of an ambiguous local time, the first; in a gap, by the offset before the gap.
    pub fn of_local(local: DateTime, zone: &TimeZone) -> Self {
        Self::with_offset(local, offsets(local, zone).0)
    }

    /// The first instant at which local time in `zone` is `local` or later: the start of a period.
    pub fn first_of_local(local: DateTime, zone: &TimeZone) -> Self {
        end_of_gap(local, zone).unwrap_or_else(|| Self::of_local(local, zone))
    }

    /// The last instant at which local time in `zone` is in the second of `local` or earlier: the end of a period.
    pub fn last_of_local(local: DateTime, zone: &TimeZone) -> Self {
        if let Some(end) = end_of_gap(local, zone) {
            return end.plus_millis(-1);
        }
        let second = local.with().subsec_nanosecond(999_999_999).build().unwrap_or(local);
        Self::with_offset(second, offsets(local, zone).1)
    }

    /// From the first to the last instant of a day in `zone`.
    pub fn day_in(day: Date, zone: &TimeZone) -> std::ops::RangeInclusive<Self> {
        Self::first_of_local(day.to_datetime(Time::MIN), zone)..=Self::last_of_local(day.to_datetime(Time::MAX), zone)
    }

    fn with_offset(local: DateTime, offset: Offset) -> Self {
        let shown = local.duration_since(EPOCH);
        // Cannot overflow: within twenty thousand years.
        Self(shown.as_millis() as i64 - millis(offset) - i64::from(shown.subsec_nanos() % 1_000_000 < 0))
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(instant: jiff::Timestamp) -> Self {
        Self(instant.as_millisecond())
    }
}

fn millis(offset: Offset) -> i64 {
    i64::from(offset.seconds()) * 1000
}

/// The offsets of the first and the last instant with this local time; in a gap, both are the offset before it.
fn offsets(local: DateTime, zone: &TimeZone) -> (Offset, Offset) {
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => (offset, offset),
        AmbiguousOffset::Fold { before, after } => (before, after),
        AmbiguousOffset::Gap { before, .. } => (before, before),
    }
}

/// The end of the gap that `local` lies in; `None` when it lies in none.
fn end_of_gap(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let AmbiguousOffset::Gap { after, .. } = zone.to_ambiguous_timestamp(local).offset() else { return None };
    let before = jiff::Timestamp::from_millisecond(Timestamp::with_offset(local, after).0).ok()?;
    zone.following(before).next().map(|transition| transition.timestamp().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::datetime;

    const EDGES: [DateTime; 14] = [
        datetime(1, 1, 1, 0, 0, 0, 0),
        datetime(1000, 12, 31, 23, 59, 59, 0),
        datetime(1900, 1, 1, 0, 0, 0, 0),
        datetime(1969, 12, 31, 23, 59, 59, 0),
        datetime(1970, 1, 1, 0, 0, 0, 0),
        datetime(2038, 1, 19, 3, 14, 8, 0),
        datetime(2099, 12, 31, 23, 59, 59, 0),
        datetime(9998, 12, 31, 23, 59, 59, 0),
        datetime(9999, 12, 30, 0, 0, 0, 0),
        datetime(9999, 12, 30, 22, 0, 1, 0),
        datetime(9999, 12, 31, 0, 0, 0, 0),
        datetime(9999, 12, 31, 14, 0, 0, 0),
        datetime(9999, 12, 31, 23, 59, 59, 0),
        DateTime::MIN,
    ];

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    #[test]
    fn a_local_time_round_trips_in_every_zone_also_at_the_ends_of_the_calendar() {
        let names: Vec<_> = jiff::tz::db().available().collect();
        assert!(names.len() > 400);
        for name in names {
            let zone = zone(name.as_str());
            for local in EDGES {
                let whole = local.with().subsec_nanosecond(999_000_000).build().unwrap();
                for (first, last) in [
                    (Timestamp::of_local(local, &zone), local),
                    (Timestamp::first_of_local(local, &zone), local),
                    (Timestamp::last_of_local(local, &zone), whole),
                ] {
                    let skipped = matches!(zone.to_ambiguous_timestamp(local).offset(), AmbiguousOffset::Gap { .. });
                    assert!(skipped || first.in_zone(&zone) == last, "{local} in {}", name.as_str());
                }
            }
        }
    }

    #[test]
    fn numbers_beyond_the_calendar_are_clamped() {
        for name in ["Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kathmandu", "Etc/UTC"] {
            for (at, local) in [(Timestamp::MIN, DateTime::MIN), (Timestamp::MAX, DateTime::MAX)] {
                assert_eq!(at.in_zone(&zone(name)), local, "{name}");
                assert_eq!(at.plus_millis(at.as_millis()), at);
            }
        }
        assert!(Timestamp::of_local(DateTime::MIN, &zone("Etc/GMT+12")) > Timestamp::MIN);
        assert!(Timestamp::last_of_local(DateTime::MAX, &zone("Etc/GMT+12")) < Timestamp::MAX);
    }

    #[test]
    fn a_period_has_the_whole_of_an_hour_that_is_shown_twice() {
        let berlin = zone("Europe/Berlin");
        let twice = datetime(2026, 10, 25, 2, 30, 0, 0);
        let (first, last) = (Timestamp::first_of_local(twice, &berlin), Timestamp::last_of_local(twice, &berlin));
        assert_eq!(last.millis_since(first), 3_600_999);
        assert_eq!(Timestamp::of_local(twice, &berlin), first);
        // Half an hour in winter only.
        let lord_howe = zone("Australia/Lord_Howe");
        let twice = datetime(2026, 4, 5, 1, 45, 0, 0);
        let last = Timestamp::last_of_local(twice, &lord_howe);
        assert_eq!(last.millis_since(Timestamp::first_of_local(twice, &lord_howe)), 1_800_999);
    }

    #[test]
    fn a_period_that_begins_or_ends_in_a_gap_does_so_at_its_end() {
        for (name, skipped, from) in [
            ("America/New_York", datetime(2026, 3, 8, 2, 30, 0, 0), datetime(2026, 3, 8, 3, 0, 0, 0)),
            ("Australia/Lord_Howe", datetime(2026, 10, 4, 2, 10, 0, 0), datetime(2026, 10, 4, 2, 30, 0, 0)),
            ("Pacific/Chatham", datetime(2026, 9, 27, 3, 0, 0, 0), datetime(2026, 9, 27, 3, 45, 0, 0)),
            ("Pacific/Apia", datetime(2011, 12, 30, 12, 0, 0, 0), datetime(2011, 12, 31, 0, 0, 0, 0)),
        ] {
            let zone = zone(name);
            let first = Timestamp::first_of_local(skipped, &zone);
            assert_eq!(first.in_zone(&zone), from, "{name}");
            assert_eq!(Timestamp::last_of_local(skipped, &zone), first.plus_millis(-1), "{name}");
            assert!(Timestamp::of_local(skipped, &zone) > first, "{name}");
        }
    }

    #[test]
    fn a_day_is_as_long_as_clocks_make_it() {
        let hours = |name, day| {
            let day = Timestamp::day_in(day, &zone(name));
            (day.end().millis_since(*day.start()) + 1) / 60_000
        };
        assert_eq!(hours("Europe/Berlin", Date::constant(2026, 3, 29)), 23 * 60);
        assert_eq!(hours("Europe/Berlin", Date::constant(2026, 10, 25)), 25 * 60);
        assert_eq!(hours("Australia/Lord_Howe", Date::constant(2026, 4, 5)), 24 * 60 + 30);
        assert_eq!(hours("Pacific/Kiritimati", Date::MAX), 24 * 60);
        assert_eq!(hours("Etc/GMT+12", Date::MAX), 24 * 60);
    }
}
