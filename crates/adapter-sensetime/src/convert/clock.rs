//! The device's clock as the document writes it: three patterns, and zones by their distance from Greenwich.

use domain::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::time::in_zone;
use crate::codes::Fault;

/// A way to write a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    /// As the document writes it.
    pub(crate) pattern: &'static str,
    strftime: &'static str,
}

const FORMATS: [Format; 3] = [
    Format { pattern: "yyyy-MM-dd HH:mm:ss", strftime: "%Y-%m-%d %H:%M:%S" },
    Format { pattern: "dd-MM-yyyy HH:mm:ss", strftime: "%d-%m-%Y %H:%M:%S" },
    Format { pattern: "MM-dd-yyyy HH:mm:ss", strftime: "%m-%d-%Y %H:%M:%S" },
];

/// Zones without summer time whose distance from Greenwich is no whole number of hours, minutes.
const ODD_ZONES: [(i32, &str); 9] = [
    (-570, "Pacific/Marquesas"),
    (210, "Asia/Tehran"),
    (270, "Asia/Kabul"),
    (330, "Asia/Kolkata"),
    (345, "Asia/Kathmandu"),
    (390, "Asia/Yangon"),
    (525, "Australia/Eucla"),
    (570, "Australia/Darwin"),
    (0, "Etc/UTC"),
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

    /// The instant that the text names.
    pub(crate) fn instant(self, text: &str, zone: &TimeZone) -> Result<Timestamp, Fault> {
        let local = DateTime::strptime(self.strftime, text.trim()).ok();
        let instant = local.and_then(|local| in_zone(local, zone));
        instant.ok_or_else(|| Fault::parameter(format!("sys_time is not {}", self.pattern)))
    }
}

/// The format of a pattern.
pub(crate) fn format(pattern: &str) -> Result<Format, Fault> {
    let found = FORMATS.into_iter().find(|format| format.pattern == pattern.trim());
    found.ok_or_else(|| Fault::parameter("time_format is none of the three"))
}

/// How far a zone is from Greenwich at that time: `GMT+08:00`.
pub(crate) fn zone_text(at: Timestamp, zone: &TimeZone) -> String {
    let minutes = distance(at, zone);
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("GMT{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

fn distance(at: Timestamp, zone: &TimeZone) -> i32 {
    at.in_zone(zone).offset().seconds() / 60
}

/// A zone and its name.
#[derive(Debug)]
pub(crate) struct NamedZone {
    pub(crate) name: String,
    pub(crate) zone: TimeZone,
}

/// The zone of a text like `GMT+08:00`; `None` when the zone in force is that far from Greenwich already.
pub(crate) fn zone(text: &str, now: Timestamp, in_force: &TimeZone) -> Result<Option<NamedZone>, Fault> {
    let wrong = || Fault::parameter("time_zone is not GMT+hh:mm of a zone on Earth");
    let minutes = minutes(text.trim()).ok_or_else(wrong)?;
    if minutes == distance(now, in_force) {
        return Ok(None);
    }
    let name = zone_name(minutes).ok_or_else(wrong)?;
    let zone = TimeZone::get(&name).map_err(|_| wrong())?;
    Ok(Some(NamedZone { name, zone }))
}

/// The minutes east of Greenwich; negative in the west.
fn minutes(text: &str) -> Option<i32> {
    let rest = text.strip_prefix("GMT").or_else(|| text.strip_prefix("UTC"))?;
    if rest.is_empty() {
        return Some(0);
    }
    let sign = if rest.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = rest.strip_prefix(['+', '-'])?.split_once(':').unwrap_or((&rest[1..], "0"));
    let digits = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |text: &str, most: i32| text.parse::<i32>().ok().filter(|number| digits(text) && *number <= most);
    Some(sign * (number(hours, 14)? * 60 + number(minutes, 59)?))
}

/// The database names whole hours by how far west they are.
fn zone_name(minutes: i32) -> Option<String> {
    if let Some((_, name)) = ODD_ZONES.iter().find(|(distance, _)| *distance == minutes) {
        return Some((*name).to_owned());
    }
    let hours = minutes / 60;
    (minutes % 60 == 0 && (-12..=14).contains(&hours)).then(|| format!("Etc/GMT{:+}", -hours))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_571_203_200_000);

    #[test]
    fn times_are_told_and_read_in_each_pattern() {
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
    fn every_zone_told_is_read_as_itself() {
        let cases = [("GMT+08:00", "Etc/GMT-8"), ("GMT-05:00", "Etc/GMT+5"), ("GMT+05:30", "Asia/Kolkata")];
        for (text, name) in cases {
            let found = zone(text, NOON, &TimeZone::UTC).unwrap().unwrap();
            assert_eq!((found.name.as_str(), zone_text(NOON, &found.zone).as_str()), (name, text));
        }
        // 2 March and 31 August 2026: Tehran had summer times once.
        for time in [1_772_413_200_000, 1_788_138_000_000].map(Timestamp::from_millis) {
            for (minutes, name) in ODD_ZONES {
                assert_eq!(distance(time, &TimeZone::get(name).unwrap()), minutes, "{name}");
            }
        }
    }

    #[test]
    fn a_zone_as_far_from_greenwich_as_the_one_in_force_changes_nothing() {
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        for text in ["GMT+08:00", "GMT+8", "UTC+08:00", " GMT+8:00 "] {
            assert!(zone(text, NOON, &shanghai).unwrap().is_none(), "{text}");
        }
        assert_eq!(zone("GMT", NOON, &shanghai).unwrap().unwrap().name, "Etc/UTC");
        for bad in ["", "GMT+", "GMT8", "GMT+25:00", "GMT+08:61", "GMT+08:07", "Asia/Shanghai", "GMT+-8", "GMT-13:00"] {
            assert!(zone(bad, NOON, &shanghai).is_err(), "{bad}");
        }
    }
}
