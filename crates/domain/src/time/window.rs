//! Daily windows in local time.

use jiff::civil::{Date, DateTime, Time};

/// The days on which the daily windows that cover `local` began: none, one, or two when one ends as the next begins.
///
/// A window extends from `from` to the next `to`, both included: over midnight when `to` is earlier, all day long when
/// they are equal. Midnight as its end is the end of the day it begins on.
pub(crate) fn begun_on(from: Time, to: Time, local: DateTime) -> impl Iterator<Item = Date> {
    let (day, now, end) = (local.date(), local.time(), whole_minute(to));
    let over_midnight = to <= from;
    let today = now >= from && (over_midnight || now <= end);
    let yesterday = over_midnight && to != Time::midnight() && now <= end;
    let before = day.yesterday().ok().filter(|_| yesterday);
    Some(day).filter(|_| today).into_iter().chain(before)
}

/// Extends an end such as 17:59:59 to the end of its minute, which is what it means.
fn whole_minute(end: Time) -> Time {
    if end.second() < 59 { end } else { end.with().subsec_nanosecond(999_999_999).build().unwrap_or(end) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};

    const NEVER: [i32; 0] = [];

    /// For the windows that cover a time on 2026-03-02: how many days earlier each began.
    fn begun(from: Time, to: Time, now: Time) -> Vec<i32> {
        let today = date(2026, 3, 2);
        begun_on(from, to, today.to_datetime(now)).map(|day| (today - day).get_days()).collect()
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_it_begins_on() {
        let (from, to) = (time(22, 0, 0, 0), time(6, 0, 0, 0));
        assert_eq!(begun(from, to, time(21, 59, 59, 999_000_000)), NEVER);
        assert_eq!(begun(from, to, from), [0]);
        assert_eq!(begun(from, to, Time::MAX), [0]);
        assert_eq!(begun(from, to, Time::midnight()), [1]);
        assert_eq!(begun(from, to, time(6, 0, 0, 0)), [1]);
        assert_eq!(begun(from, to, time(6, 0, 0, 1_000_000)), NEVER);
    }

    #[test]
    fn a_window_within_a_day_includes_both_ends() {
        let (from, to) = (time(9, 0, 0, 0), time(17, 0, 0, 0));
        assert_eq!(begun(from, to, time(8, 59, 59, 999_000_000)), NEVER);
        assert_eq!((begun(from, to, from), begun(from, to, to)), (vec![0], vec![0]));
        assert_eq!(begun(from, to, time(17, 0, 0, 1_000_000)), NEVER);
        assert_eq!(begun(Time::midnight(), time(23, 59, 59, 0), Time::MAX), [0], "the last second of the day");
        let (from, to) = (time(22, 0, 0, 0), time(5, 59, 59, 0));
        assert_eq!(begun(from, to, time(5, 59, 59, 999_000_000)), [1], "the last second of the hour");
    }

    #[test]
    fn a_window_that_ends_as_it_begins_lasts_all_day_long() {
        let eight = time(8, 0, 0, 0);
        assert_eq!(begun(eight, eight, time(7, 59, 59, 0)), [1]);
        assert_eq!(begun(eight, eight, eight), [0, 1]);
        assert_eq!(begun(eight, eight, time(8, 0, 1, 0)), [0]);
        assert_eq!(begun(Time::midnight(), Time::midnight(), Time::midnight()), [0]);
        assert_eq!(begun(Time::midnight(), Time::midnight(), Time::MAX), [0]);
    }

    #[test]
    fn midnight_as_an_end_is_the_end_of_the_day() {
        for to in [Time::midnight(), Time::MAX] {
            assert_eq!(begun(time(18, 0, 0, 0), to, Time::MAX), [0]);
            assert_eq!(begun(time(18, 0, 0, 0), to, Time::midnight()), NEVER, "{to}");
        }
    }

    #[test]
    fn the_first_day_of_the_calendar_has_none_before_it() {
        let first = DateTime::MIN;
        assert_eq!(begun_on(time(22, 0, 0, 0), time(6, 0, 0, 0), first).count(), 0);
    }
}
