//! Local time as text: `yyyy-MM-dd HH:mm:ss`.

use std::ops::RangeInclusive;

use domain::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

const FORMAT: &str = "%Y-%m-%d %H:%M:%S";
/// How platforms write an unset time.
const UNSET: &str = "0000-00-00";
/// The end of a day, as sometimes written instead of 23:59:59.
const END_OF_DAY: &str = " 24:00:00";

/// Which end of a range is not a valid time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrongEnd {
    /// The start.
    Start,
    /// The stop.
    Stop,
}

/// An instant as local time in `zone`, `yyyy-MM-dd HH:mm:ss`.
pub fn local_text(at: Timestamp, zone: &TimeZone) -> String {
    at.in_zone(zone).strftime(FORMAT).to_string()
}

/// Parses `yyyy-MM-dd HH:mm:ss`. 24:00:00 is the last second of its day, a leap second the one before it.
pub fn read_local(text: &str) -> Option<DateTime> {
    match text.trim().strip_suffix(END_OF_DAY) {
        Some(day) => Some(Date::strptime("%Y-%m-%d", day).ok()?.at(23, 59, 59, 0)),
        None => DateTime::strptime(FORMAT, text.trim()).ok(),
    }
}

/// The range from the first second to the end of the last one. A missing or all-zero end is open; a range that starts
/// after its stop is empty. `None` when both ends are open.
///
/// # Errors
/// The end that is not a valid time.
pub fn local_range(
    start: Option<&str>,
    stop: Option<&str>,
    zone: &TimeZone,
) -> Result<Option<RangeInclusive<Timestamp>>, WrongEnd> {
    let end = |text: Option<&str>, wrong| {
        let set = text.filter(|text| !text.trim().is_empty() && !text.trim_start().starts_with(UNSET));
        set.map(|text| read_local(text).ok_or(wrong)).transpose()
    };
    let (start, stop) = (end(start, WrongEnd::Start)?, end(stop, WrongEnd::Stop)?);
    if start.is_none() && stop.is_none() {
        return Ok(None);
    }
    let first = start.map_or(Timestamp::from_millis(0), |start| Timestamp::first_of_local(start, zone));
    let last = stop.map_or(Timestamp::MAX, |stop| Timestamp::last_of_local(stop, zone));
    Ok(Some(first..=last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(start: &str, stop: &str, zone: &TimeZone) -> (String, String) {
        let range = local_range(Some(start), Some(stop), zone).unwrap().unwrap();
        (local_text(*range.start(), zone), local_text(*range.end(), zone))
    }

    #[test]
    fn the_ends_of_the_calendar_are_times_in_every_zone() {
        for name in ["Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham"] {
            let zone = TimeZone::get(name).unwrap();
            for (start, stop) in [
                ("1970-01-01 00:00:00", "9999-12-31 23:59:59"),
                ("1900-01-01 00:00:00", "2038-01-19 03:14:08"),
                ("0001-01-01 00:00:00", "2099-12-31 23:59:59"),
                ("9999-12-31 23:59:59", "1000-01-01 00:00:00"),
            ] {
                assert_eq!(told(start, stop, &zone), (start.to_owned(), stop.to_owned()), "{name}");
            }
        }
    }

    #[test]
    fn the_whole_second_of_the_stop_is_included_and_an_open_end_has_none() {
        let range = |start, stop| local_range(start, stop, &TimeZone::UTC).unwrap();
        let millis = |range: RangeInclusive<Timestamp>| (range.start().as_millis(), range.end().as_millis());
        let (start, stop) = (Some("1970-01-01 00:00:10"), Some(" 1970-01-01 00:00:20 "));
        assert_eq!(range(start, stop).map(millis), Some((10_000, 20_999)));
        assert_eq!(range(start, Some("0000-00-00 00:00:00")).map(millis), Some((10_000, i64::MAX)));
        assert_eq!(range(Some(" "), stop).map(millis), Some((0, 20_999)));
        assert_eq!(range(Some("0000-00-00 00:00:00"), Some("")), None);
    }

    #[test]
    fn the_end_of_a_day_and_a_leap_second_are_read_as_the_second_before() {
        let second = read_local("2016-12-31 23:59:59");
        assert!(second.is_some());
        assert_eq!((read_local("2016-12-31 24:00:00"), read_local("2016-12-31 23:59:60")), (second, second));
    }

    #[test]
    fn what_is_no_time_is_told_by_its_end() {
        for bad in [
            "2019-10-16",
            "2019/10/16 13:20:00",
            "2019-13-16 13:20:00",
            "2019-02-30 24:00:00",
            "2019-10-16 24:00:01",
            "24:00:00",
            "yesterday",
            "1571203200",
            "1571203200000",
            "99999-01-01 00:00:00",
        ] {
            assert_eq!(local_range(Some(bad), None, &TimeZone::UTC), Err(WrongEnd::Start), "{bad}");
            assert_eq!(local_range(None, Some(bad), &TimeZone::UTC), Err(WrongEnd::Stop), "{bad}");
        }
    }
}
