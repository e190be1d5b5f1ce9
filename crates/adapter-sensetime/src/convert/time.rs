//! Local time text `yyyy-MM-dd HH:mm:ss`.

use std::ops::RangeInclusive;

use adapter::{WrongEnd, local_range};
use domain::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::codes::Fault;
use crate::wire::Text;

pub(crate) use adapter::local_text as text;

/// The instant in the device's time zone, for file names: `yyyy-MM-dd-HH-mm-ss`.
pub(crate) fn file_text(instant: Timestamp, zone: &TimeZone) -> String {
    instant.in_zone(zone).strftime("%Y-%m-%d-%H-%M-%S").to_string()
}

/// The range from `start_time` to `stop_time`, both included; either may be absent.
pub(crate) fn range(
    start_time: Option<Text>,
    stop_time: Option<Text>,
    zone: &TimeZone,
) -> Result<Option<RangeInclusive<Timestamp>>, Fault> {
    let (start, stop) = (start_time.and_then(Text::filled), stop_time.and_then(Text::filled));
    local_range(start.as_deref(), stop.as_deref(), zone).map_err(|wrong| {
        let field = match wrong {
            WrongEnd::Start => "start_time",
            WrongEnd::Stop => "stop_time",
        };
        Fault::parameter(format!("{field} is not yyyy-MM-dd HH:mm:ss"))
    })
}

/// The range of times whose text begins like this: a whole time, a date, or another prefix.
pub(crate) fn beginning(field: &str, text: &str, zone: &TimeZone) -> Result<RangeInclusive<Timestamp>, Fault> {
    let ends = civil_range(text.trim());
    let (first, last) = ends.ok_or_else(|| Fault::parameter(format!("{field} is not the beginning of a time")))?;
    Ok(Timestamp::first_of_local(first, zone)..=Timestamp::last_of_local(last, zone))
}

/// The first and the last time, to the second, whose text begins with `text`.
fn civil_range(text: &str) -> Option<(DateTime, DateTime)> {
    let mut rest = text;
    let (year, last_year) = next(&mut rest, "-", 4, 1..=9999)?;
    let (month, last_month) = next(&mut rest, "-", 2, 1..=12)?;
    let longest = Date::new(last_year, last_month as i8, 1).ok()?.days_in_month();
    let (day, last_day) = next(&mut rest, " ", 2, 1..=longest.into())?;
    let (hour, last_hour) = next(&mut rest, ":", 2, 0..=23)?;
    let (minute, last_minute) = next(&mut rest, ":", 2, 0..=59)?;
    let (second, last_second) = next(&mut rest, "", 2, 0..=59)?;
    let time =
        |y: i16, [mo, d, h, mi, s]: [i16; 5]| DateTime::new(y, mo as i8, d as i8, h as i8, mi as i8, s as i8, 0).ok();
    let first = time(year, [month, day, hour, minute, second])?;
    let last = time(last_year, [last_month, last_day, last_hour, last_minute, last_second])?;
    rest.is_empty().then_some((first, last))
}

/// Removes a number and the separator after it from the text; returns the range of numbers that it may stand for.
fn next(rest: &mut &str, mark: &str, width: usize, all: RangeInclusive<i16>) -> Option<(i16, i16)> {
    let digits = rest.bytes().take(width).take_while(u8::is_ascii_digit).count();
    let (number, behind) = rest.split_at(digits);
    let complete = digits == width;
    *rest = if complete && !behind.is_empty() { behind.strip_prefix(mark)? } else { behind };
    let mut fitting = all.filter(|n| format!("{n:0width$}").starts_with(number));
    let first = fitting.next()?;
    Some((first, fitting.next_back().unwrap_or(first)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shanghai() -> TimeZone {
        TimeZone::get("Asia/Shanghai").unwrap()
    }

    fn filled(text: &str) -> Option<Text> {
        Some(Text(text.into()))
    }

    #[test]
    fn times_are_written_and_read_in_the_time_zone_of_the_device() {
        let noon = Timestamp::from_millis(1_571_203_200_500);
        assert_eq!(text(noon, &shanghai()), "2019-10-16 13:20:00");
        assert_eq!(text(noon, &TimeZone::UTC), "2019-10-16 05:20:00");
        assert_eq!(file_text(noon, &shanghai()), "2019-10-16-13-20-00");
        let read = range(filled(" 2019-10-16 13:20:00"), None, &shanghai()).unwrap().unwrap();
        assert_eq!(read.start().as_millis(), 1_571_203_200_000);
        for bad in ["2019-10-16", "2019/10/16 13:20:00", "2019-13-16 13:20:00", "yesterday"] {
            let refused = range(filled(bad), None, &shanghai()).unwrap_err();
            assert!(refused.message().contains("start_time"), "{bad}");
        }
    }

    #[test]
    fn a_prefix_covers_times_to_the_end_of_the_calendar_in_every_zone() {
        for name in ["Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kathmandu"] {
            let zone = TimeZone::get(name).unwrap();
            let last_years = beginning("create_time", "9", &zone).unwrap();
            assert_eq!(text(*last_years.start(), &zone), "9000-01-01 00:00:00", "{name}");
            assert_eq!(text(*last_years.end(), &zone), "9999-12-31 23:59:59", "{name}");
        }
    }

    #[test]
    fn either_end_of_a_range_may_be_absent_and_both_are_included() {
        let (start, stop) = ("1970-01-01 00:00:10", "1970-01-01 00:00:20");
        let range = |a: &str, b: &str| range(filled(a), filled(b), &TimeZone::UTC).unwrap();
        let millis = |r: RangeInclusive<Timestamp>| (r.start().as_millis(), r.end().as_millis());
        assert_eq!(range("", ""), None);
        assert_eq!(range(start, stop).map(millis), Some((10_000, 20_999)));
        assert_eq!(range(start, "").map(millis), Some((10_000, i64::MAX)));
        assert_eq!(range("", stop).map(millis), Some((0, 20_999)));
    }

    #[test]
    fn a_prefix_stands_for_all_times_with_it() {
        let cases = [
            ("2019-01-23 12:00:19", "2019-01-23 12:00:19", "2019-01-23 12:00:19"),
            ("2019-01-23", "2019-01-23 00:00:00", "2019-01-23 23:59:59"),
            ("2019-01-23 1", "2019-01-23 10:00:00", "2019-01-23 19:59:59"),
            ("2019-02", "2019-02-01 00:00:00", "2019-02-28 23:59:59"),
            ("2019-1", "2019-10-01 00:00:00", "2019-12-31 23:59:59"),
            ("2019-01-3", "2019-01-30 00:00:00", "2019-01-31 23:59:59"),
            ("201", "2010-01-01 00:00:00", "2019-12-31 23:59:59"),
            ("2019-", "2019-01-01 00:00:00", "2019-12-31 23:59:59"),
        ];
        for (beginning, first, last) in cases {
            let found = super::beginning("create_time", beginning, &TimeZone::UTC).unwrap();
            assert_eq!(text(*found.start(), &TimeZone::UTC), first, "{beginning}");
            assert_eq!(text(*found.end(), &TimeZone::UTC), last, "{beginning}");
        }
        for bad in ["x", "2019x", "2019-13", "2019-01-23T12", "2019-01-23 12:00:19.5", "2019-01-32"] {
            assert!(super::beginning("create_time", bad, &TimeZone::UTC).is_err(), "{bad}");
        }
    }
}
