//! Local time text.

use std::ops::RangeInclusive;

use domain::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Where no time is set.
pub(crate) const ZERO: &str = "0000-00-00 00:00:00";
/// The last millisecond of a second: texts name seconds, and both ends of a period are included.
const REST_OF_SECOND: i64 = 999;

/// `YYYY-MM-DD HH:MM:SS`.
pub(crate) fn text(instant: Timestamp, zone: &TimeZone) -> String {
    instant.in_zone(zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `YYYY-MM-DDTHH:MM:SS`.
pub(crate) fn text_with_t(instant: Timestamp, zone: &TimeZone) -> String {
    instant.in_zone(zone).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// `YYYY-MM-DD/HH:MM:SS`.
pub(crate) fn text_with_slash(instant: Timestamp, zone: &TimeZone) -> String {
    instant.in_zone(zone).strftime("%Y-%m-%d/%H:%M:%S").to_string()
}

/// `YYYY-MM-DD HH:MM:SS` of a time without zone.
pub(crate) fn civil_text(time: DateTime) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Six numbers, whatever stands between them: blank or T, colons or hyphens, padded or not.
pub(crate) fn civil(text: &str) -> Option<DateTime> {
    let numbers = numbers(text)?;
    let [year, month, day, hour, minute, second] = numbers[..] else { return None };
    DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, 0).ok()
}

/// `YYYY-MM-DD`, padded or not.
pub(crate) fn date(text: &str) -> Option<Date> {
    let numbers = numbers(text)?;
    let [year, month, day, ..] = numbers[..] else { return None };
    Date::new(year, small(month)?, small(day)?).ok()
}

/// Whether the text is the date of nothing.
pub(crate) fn is_zero(text: &str) -> bool {
    text.trim_start().starts_with("0000")
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

/// The first millisecond of the second that the text names.
pub(crate) fn instant(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    Some(civil(text)?.to_zoned(zone.clone()).ok()?.timestamp().into())
}

/// From the first second to the end of the last one.
pub(crate) fn period(begin: Timestamp, end: Timestamp) -> RangeInclusive<Timestamp> {
    begin..=end.plus_millis(REST_OF_SECOND)
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
        assert_eq!(*period(instant, instant).end(), instant.plus_millis(999));
    }
}
