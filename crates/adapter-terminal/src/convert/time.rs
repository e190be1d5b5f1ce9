//! Local time text.

use domain::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// The text of a time that is not set.
pub(crate) const ZERO: &str = "0000-00-00 00:00:00";
/// The text of a day that is not set.
const ZERO_DAY: &str = "0000-00-00";
/// The last second of a minute; a leap second is read as this one.
const LAST_SECOND: i8 = 59;

pub(crate) use adapter::local_text as text;

/// `YYYY-MM-DDTHH:MM:SS`.
pub(crate) fn text_with_t(instant: Timestamp, zone: &TimeZone) -> String {
    instant.in_zone(zone).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// `YYYY-MM-DD/HH:MM:SS`.
pub(crate) fn text_with_slash(instant: Timestamp, zone: &TimeZone) -> String {
    instant.in_zone(zone).strftime("%Y-%m-%d/%H:%M:%S").to_string()
}

/// `YYYY-MM-DD HH:MM:SS` of a time of day, with zeros where no day is set.
pub(crate) fn day_text(day: Option<Date>, time: Time) -> String {
    let day = day.map_or_else(|| ZERO_DAY.to_owned(), |day| day.to_string());
    format!("{day} {}", time.strftime("%H:%M:%S"))
}

/// Six numbers with any separators: blank or T, colons or hyphens, padded or not.
pub(crate) fn civil(text: &str) -> Option<DateTime> {
    let (day, time) = day_and_time(text)?;
    Some(day?.to_datetime(time))
}

/// The last second that a period includes: 24:00:00 is the end of its day.
fn last_civil(text: &str) -> Option<DateTime> {
    let (day, time) = last_day_and_time(text)?;
    Some(day?.to_datetime(time))
}

/// As [`civil`], also without a day, which is all zeros then; all zeros are midnight without a day.
pub(crate) fn day_and_time(text: &str) -> Option<(Option<Date>, Time)> {
    let (day, [hour, minute, second]) = parts(text)?;
    Some((day, Time::new(hour, minute, if second == 60 { LAST_SECOND } else { second }, 0).ok()?))
}

/// As [`day_and_time`], for the end of a period: 24:00:00 is the end of the day.
pub(crate) fn last_day_and_time(text: &str) -> Option<(Option<Date>, Time)> {
    match parts(text)? {
        (day, [24, 0, 0]) => Some((day, Time::constant(23, 59, LAST_SECOND, 0))),
        _ => day_and_time(text),
    }
}

fn parts(text: &str) -> Option<(Option<Date>, [i8; 3])> {
    let numbers = numbers(text).filter(|numbers| !numbers.is_empty())?;
    if numbers.iter().all(|number| *number == 0) {
        return Some((None, [0; 3]));
    }
    let [year, month, day, hour, minute, second] = numbers[..] else { return None };
    let day = match [year, month, day] {
        [0, 0, 0] => None,
        _ => Some(Date::new(year, small(month)?, small(day)?).ok()?),
    };
    Some((day, [small(hour)?, small(minute)?, small(second)?]))
}

/// `YYYY-MM-DD`, padded or not.
pub(crate) fn date(text: &str) -> Option<Date> {
    let numbers = numbers(text)?;
    let [year, month, day, ..] = numbers[..] else { return None };
    Date::new(year, small(month)?, small(day)?).ok()
}

/// Whether the text is the date for no value.
pub(crate) fn is_zero(text: &str) -> bool {
    parts(text).is_some_and(|(day, _)| day.is_none())
}

/// Whether the text consists of zeros, as a time that is not set is reported.
pub(crate) fn is_unset(text: &str) -> bool {
    day_and_time(text) == Some((None, Time::midnight()))
}

fn numbers(text: &str) -> Option<Vec<i16>> {
    if text.len() > 32 || !text.bytes().all(|byte| byte.is_ascii_digit() || b"-:/T. ".contains(&byte)) {
        return None;
    }
    let numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    numbers.map(|digits| digits.parse().ok()).collect()
}

fn small(number: i16) -> Option<i8> {
    number.try_into().ok()
}

/// The instant at which clocks in the zone show the time of the text.
pub(crate) fn instant(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    Some(Timestamp::of_local(civil(text)?, zone))
}

/// The beginning of a period: the first millisecond of the second.
pub(crate) fn first(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    Some(Timestamp::first_of_local(civil(text)?, zone))
}

/// The end of a period: the last millisecond of the second.
pub(crate) fn last(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    Some(Timestamp::last_of_local(last_civil(text)?, zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_clients_write_them() {
        let expected = "2020-04-02T08:09:04".parse().ok();
        for text in ["2020-04-02 08:09:04", "2020-04-02T08:09:04", "2020-4-2T8:9:4", "2020-04-02T08-09-04"] {
            assert_eq!(civil(text), expected, "{text}");
        }
        for bad in ["", "2020-04-02", "2020-13-02 00:00:00", "yesterday", "0000-00-00 00:00:00", "2020-04-02 24:00:00"]
        {
            assert_eq!(civil(bad), None, "{bad}");
        }
        assert_eq!(date("1992-6-15").map(|date| date.to_string()).as_deref(), Some("1992-06-15"));
    }

    #[test]
    fn texts_are_local_and_padded() {
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        let instant = instant("2020-4-2T8:09:04", &zone).unwrap();
        assert_eq!(instant.as_millis(), 1_585_786_144_000);
        assert_eq!(text(instant, &zone), "2020-04-02 08:09:04");
        assert_eq!(text_with_t(instant, &zone), "2020-04-02T08:09:04");
        assert_eq!(text_with_slash(instant, &zone), "2020-04-02/08:09:04");
        assert_eq!(first("2020-04-02 08:09:04", &zone), Some(instant));
        assert_eq!(last("2020-04-02 08:09:04", &zone), Some(instant.plus_millis(999)));
    }

    #[test]
    fn a_period_may_end_with_its_day_or_with_the_calendar() {
        for name in ["Pacific/Kiritimati", "Etc/GMT+12", "Australia/Lord_Howe", "Asia/Kathmandu"] {
            let zone = TimeZone::get(name).unwrap();
            let shown = |at: Option<Timestamp>| text(at.unwrap(), &zone);
            assert_eq!(shown(last("9999-12-31T23:59:59", &zone)), "9999-12-31 23:59:59", "{name}");
            assert_eq!(shown(last("2026-03-05T24:00:00", &zone)), "2026-03-05 23:59:59", "{name}");
            assert_eq!(shown(last("2016-12-31 23:59:60", &zone)), "2016-12-31 23:59:59", "{name}");
            assert_eq!(shown(first("0001-01-01 00:00:00", &zone)), "0001-01-01 00:00:00", "{name}");
            assert_eq!(shown(instant("1900-1-1 0:0:0", &zone)), "1900-01-01 00:00:00", "{name}");
        }
        for bad in ["2026-03-05 24:00:01", "2026-03-05 24:01:00", "2026-03-05 23:60:00", "0000-00-00 00:00:00"] {
            assert_eq!(last(bad, &TimeZone::UTC), None, "{bad}");
        }
        for zero in ["0000-00-00 00:00:00", "0000-00-00T00:00:00", "0000-00-00", "0"] {
            assert!(is_zero(zero) && is_unset(zero), "{zero}");
        }
        assert!(is_zero("0000-00-00 22:00:00") && !is_unset("0000-00-00 22:00:00"));
        assert!(!is_zero("0000 or later") && !is_zero("") && !is_zero("-"));
        for bad in ["0000-01-00 00:00:00", "0000-00-01 00:00:00", "10000-01-01 00:00:00", "99999999999999"] {
            assert_eq!(day_and_time(bad), None, "{bad}");
        }
    }
}
