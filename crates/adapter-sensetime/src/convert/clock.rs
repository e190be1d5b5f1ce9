//! The device's clock in the document's form: three patterns, and zones as offsets from UTC.

use domain::{DeviceZone, Timestamp};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::codes::Fault;

/// A time format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    /// The document's pattern.
    pub(crate) pattern: &'static str,
    strftime: &'static str,
}

const FORMATS: [Format; 3] = [
    Format { pattern: "yyyy-MM-dd HH:mm:ss", strftime: "%Y-%m-%d %H:%M:%S" },
    Format { pattern: "dd-MM-yyyy HH:mm:ss", strftime: "%d-%m-%Y %H:%M:%S" },
    Format { pattern: "MM-dd-yyyy HH:mm:ss", strftime: "%m-%d-%Y %H:%M:%S" },
];

impl Default for Format {
    fn default() -> Self {
        FORMATS[0]
    }
}

impl Format {
    /// The instant in the device's time zone.
    pub(crate) fn text(self, instant: Timestamp, zone: &TimeZone) -> String {
        instant.in_zone(zone).strftime(self.strftime).to_string()
    }

    /// The instant of a text.
    pub(crate) fn instant(self, text: &str, zone: &TimeZone) -> Result<Timestamp, Fault> {
        let local = DateTime::strptime(self.strftime, text.trim());
        let local = local.map_err(|_| Fault::parameter(format!("sys_time is not {}", self.pattern)))?;
        Ok(Timestamp::of_local(local, zone))
    }
}

/// The format of a pattern.
pub(crate) fn format(pattern: &str) -> Result<Format, Fault> {
    let found = FORMATS.into_iter().find(|format| format.pattern == pattern.trim());
    found.ok_or_else(|| Fault::parameter("time_format is none of the three"))
}

/// The offset of a zone at that time: `GMT+08:00`.
pub(crate) fn zone_text(at: Timestamp, zone: &TimeZone) -> String {
    let minutes = distance(at, zone);
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("GMT{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

fn distance(at: Timestamp, zone: &TimeZone) -> i32 {
    at.offset_in(zone).seconds() / 60
}

/// The zone of a text like `GMT+08:00`, which has this offset at all times; `None` when the zone in force has it from
/// now on, whatever it had in the past.
pub(crate) fn zone(text: &str, now: Timestamp, in_force: &TimeZone) -> Result<Option<DeviceZone>, Fault> {
    let wrong = || Fault::parameter("time_zone is not GMT+hh:mm of a zone on Earth");
    let minutes = minutes(text.trim()).ok_or_else(wrong)?;
    if minutes == distance(now, in_force) && !will_change(now, in_force) {
        return Ok(None);
    }
    DeviceZone::fixed(minutes).map(Some).ok_or_else(wrong)
}

/// Whether the offset of a zone will change.
fn will_change(now: Timestamp, zone: &TimeZone) -> bool {
    let now = jiff::Timestamp::from_millisecond(now.as_millis());
    now.is_ok_and(|now| zone.following(now).next().is_some())
}

/// The offset from UTC in minutes, of `GMT+08:00`, `GMT+8`, `UTC+0800`.
fn minutes(text: &str) -> Option<i32> {
    let (zero, rest) = text.split_at_checked(3)?;
    if !["GMT", "UTC"].iter().any(|name| name.eq_ignore_ascii_case(zero)) {
        return None;
    }
    let rest = rest.trim_start();
    if rest.is_empty() {
        return Some(0);
    }
    let sign = if rest.starts_with('-') { -1 } else { 1 };
    let digits = rest.strip_prefix(['+', '-'])?;
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() > 2 => digits.split_at_checked(digits.len() - 2)?,
        None => (digits, "0"),
    };
    let few = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |text: &str, most: i32| text.parse::<i32>().ok().filter(|number| few(text) && *number <= most);
    Some(sign * (number(hours, 14)? * 60 + number(minutes, 59)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_571_203_200_000);

    #[test]
    fn times_are_written_and_read_in_each_pattern() {
        let cases = ["2019-10-16 05:20:00", "16-10-2019 05:20:00", "10-16-2019 05:20:00"];
        for (format, text) in FORMATS.into_iter().zip(cases) {
            assert_eq!(format.text(NOON, &TimeZone::UTC), text);
            assert_eq!(format.instant(text, &TimeZone::UTC).unwrap(), NOON);
            assert!(format.instant("noon", &TimeZone::UTC).is_err());
            assert_eq!(super::format(format.pattern).unwrap(), format);
        }
        assert!(super::format("yyyy").is_err());
    }

    #[test]
    fn every_zone_text_reads_back() {
        let cases = [("GMT+08:00", "Etc/GMT-8"), ("GMT-05:00", "Etc/GMT+5"), ("GMT+05:30", "Asia/Kolkata")];
        for (text, name) in cases {
            let found = zone(text, NOON, &TimeZone::UTC).unwrap().unwrap();
            assert_eq!((found.of_machine().as_str(), zone_text(NOON, &found.zone).as_str()), (name, text));
        }
    }

    #[test]
    fn an_offset_of_summer_or_winter_time_applies_all_year() {
        // 2 March and 31 August 2026, and a summer in which Tehran had summer time.
        let seasons = [1_772_413_200_000, 1_788_138_000_000, 1_625_000_000_000].map(Timestamp::from_millis);
        for text in [
            "GMT-03:30",
            "GMT-02:30",
            "GMT+10:30",
            "GMT+12:45",
            "GMT+13:45",
            "GMT+03:30",
            "GMT-09:30",
            "GMT+05:45",
            "GMT+08:45",
            "GMT+14:00",
            "GMT-12:00",
            "GMT-00:30",
        ] {
            let found = zone(text, NOON, &TimeZone::UTC).unwrap().unwrap();
            assert!(seasons.iter().all(|at| zone_text(*at, &found.zone) == text), "{text}");
            assert!(zone(text, NOON, &found.zone).unwrap().is_none(), "a reported zone is accepted: {text}");
        }
    }

    #[test]
    fn a_zone_with_summer_time_is_replaced_by_its_current_offset() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let summer = Timestamp::from_millis(1_788_138_000_000);
        let fixed = zone("GMT+02:00", summer, &berlin).unwrap().unwrap();
        assert_eq!(zone_text(Timestamp::from_millis(1_772_413_200_000), &fixed.zone), "GMT+02:00");
    }

    #[test]
    fn an_offset_is_read_in_every_common_form() {
        let cases = [("utc-03:30", -210), ("GMT+0530", 330), ("GMT-930", -570), ("GMT +8", 480), ("UTC-00:00", 0)];
        for (text, expected) in cases {
            assert_eq!(minutes(text), Some(expected), "{text}");
        }
        for bad in ["", "GM", "GMTT", "GMT+", "GMT+08000", "GMT+8:", "GMT+0x", "GMT+８", "+08:00", "Etc/GMT-8"] {
            assert_eq!(minutes(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_zone_with_the_offset_in_force_changes_nothing() {
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        for text in ["GMT+08:00", "GMT+8", "UTC+08:00", " GMT+8:00 "] {
            assert!(zone(text, NOON, &shanghai).unwrap().is_none(), "{text}");
        }
        assert_eq!(zone("GMT", NOON, &shanghai).unwrap().unwrap().of_machine(), "Etc/UTC");
        for bad in ["", "GMT+", "GMT8", "GMT+25:00", "GMT+08:61", "GMT+08:07", "Asia/Shanghai", "GMT+-8", "GMT-13:00"] {
            assert!(zone(bad, NOON, &shanghai).is_err(), "{bad}");
        }
    }
}
