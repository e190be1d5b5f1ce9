//! The offset of a camera's clock.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use roxmltree::Node;

use super::soap::{below, child, text};

/// Readings that differ by less are treated as one, milliseconds: cameras accept logins within this tolerance.
const SAME: i64 = 3_000;
/// A clock that differs from the local one by at most this is right, milliseconds: a login refused then is wrong.
const RIGHT: u64 = 5_000;
/// Maximum number of readings tried. Each wrong one counts as a failed login at the camera.
const MOST: usize = 3;

/// How far the camera's clock may be ahead of the local one, milliseconds, most probable first; at least one.
///
/// UTC comes first. If the camera reports only local time, its zone is read both as in POSIX (`CST-8` is eight hours
/// east of Greenwich) and in the other common notation (`GMT+8`), the one nearer to the local clock first. The local
/// clock itself is last.
pub(super) fn ahead(answer: Option<Node<'_, '_>>, now: i64) -> Vec<i64> {
    let (utc, mut local) = answer.map(readings).unwrap_or_default();
    local.sort_by_key(|at| at.abs_diff(now));
    let mut found: Vec<i64> = Vec::new();
    for at in utc.into_iter().chain(local).chain([now]) {
        if !found.iter().any(|other| other.abs_diff(at - now) < SAME.unsigned_abs()) {
            found.push(at - now);
        }
    }
    let right = found.iter().position(|ahead| ahead.unsigned_abs() <= RIGHT);
    found.truncate(right.map_or(MOST, |at| MOST.min(at + 1)));
    found
}

/// The UTC time, and the possible meanings of the local time, milliseconds since 1970.
fn readings(body: Node<'_, '_>) -> (Option<i64>, Vec<i64>) {
    let reported = below(body, &["GetSystemDateAndTimeResponse", "SystemDateAndTime"]);
    let Some(reported) = reported else { return (None, Vec::new()) };
    let utc = child(reported, "UTCDateTime").and_then(moment).and_then(|at| millis(at, &TimeZone::UTC));
    let Some(local) = child(reported, "LocalDateTime").and_then(moment) else { return (utc, Vec::new()) };
    let zones = zones(text(reported, &["TimeZone", "TZ"]).unwrap_or("UTC"));
    (utc, zones.iter().filter_map(|zone| millis(local, zone)).collect())
}

fn millis(at: DateTime, zone: &TimeZone) -> Option<i64> {
    at.to_zoned(zone.clone()).ok().map(|at| at.timestamp().as_millisecond())
}

fn moment(node: Node<'_, '_>) -> Option<DateTime> {
    let number = |path: &[&str]| text(node, path)?.parse::<i16>().ok();
    let small = |path: &[&str]| text(node, path)?.parse::<i8>().ok();
    let year = number(&["Date", "Year"]).filter(|year| (1970..=9000).contains(year))?;
    let day = Date::new(year, small(&["Date", "Month"])?, small(&["Date", "Day"])?).ok()?;
    let (hour, minute) = (small(&["Time", "Hour"])?, small(&["Time", "Minute"])?);
    // A leap second counts as the second before it; some cameras omit seconds.
    let second = small(&["Time", "Second"]).unwrap_or_default().min(59);
    Some(day.to_datetime(Time::new(hour, minute, second, 0).ok()?))
}

/// The possible meanings of a zone's name.
fn zones(name: &str) -> Vec<TimeZone> {
    if let Some(zone) = TimeZone::posix(name).or_else(|_| TimeZone::get(name)).ok().filter(|_| offset(name).is_none()) {
        return vec![zone];
    }
    let Some(west) = offset(name) else { return vec![TimeZone::UTC] };
    let posix = TimeZone::posix(name).unwrap_or_else(|_| TimeZone::fixed(-west));
    vec![posix, TimeZone::fixed(west)]
}

/// The number in a zone like `CST-8`, `GMT+08:00` or `<+03>-3:30:00DST`, as if it were an offset to the east.
fn offset(name: &str) -> Option<Offset> {
    let name = name.trim().strip_prefix('<').and_then(|name| Some(name.split_once('>')?.1)).unwrap_or(name.trim());
    let number = name.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let negative = number.starts_with('-');
    let number = number.strip_prefix(['+', '-']).unwrap_or(number);
    let end = number.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(number.len());
    let mut parts = number[..end].split(':').map(|part| part.parse::<i32>().ok());
    let hours = parts.next()??;
    // `+0800`: hours and minutes without a separator.
    let (hours, minutes) =
        if hours > 99 { (hours / 100, hours % 100) } else { (hours, parts.next().flatten().unwrap_or(0)) };
    let seconds = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?;
    Offset::from_seconds(if negative { -seconds } else { seconds }).ok().filter(|_| hours <= 15)
}

#[cfg(test)]
mod tests {
    use super::super::document::parse;
    use super::*;

    const NOW: i64 = 86_400_000 + 3_723_000;

    fn fields(kind: &str, date: &str, time: &str) -> String {
        format!("<{kind}><Time>{time}</Time><Date>{date}</Date></{kind}>")
    }

    const DAY: &str = "<Year>1970</Year><Month>1</Month><Day>2</Day>";

    fn clock(hour: i64) -> String {
        format!("<Hour>{hour}</Hour><Minute>2</Minute><Second>3</Second>")
    }

    fn read(content: &str) -> Vec<i64> {
        let text = format!(
            "<Body><GetSystemDateAndTimeResponse><SystemDateAndTime>{content}</SystemDateAndTime>\
             </GetSystemDateAndTimeResponse></Body>"
        );
        let document = parse(&text).unwrap();
        ahead(Some(document.root_element()), NOW)
    }

    #[test]
    fn the_cameras_clock_is_read_or_left_alone() {
        let utc = |date: &str| read(&fields("UTCDateTime", date, &clock(1)));
        assert_eq!(utc(DAY), [0]);
        assert_eq!(utc("<Year>1970</Year><Month>1</Month><Day>3</Day>"), [86_400_000, 0]);
        for bad in
            ["", "<Year>2026</Year><Month>13</Month><Day>1</Day>", "<Year>99999</Year><Month>1</Month><Day>1</Day>"]
        {
            assert_eq!(utc(bad), [0], "{bad}");
        }
        assert_eq!(ahead(None, NOW), [0]);
        let leap = fields("UTCDateTime", DAY, "<Hour>1</Hour><Minute>2</Minute><Second>60</Second>");
        assert_eq!(read(&leap), [56_000, 0]);
        let of_second = |second: u8| {
            let time = format!("<Hour>1</Hour><Minute>2</Minute><Second>{second}</Second>");
            read(&fields("UTCDateTime", DAY, &time))
        };
        assert_eq!(of_second(8), [5_000], "as good as ours: a wrong password is tried once");
        assert_eq!(of_second(9), [6_000, 0]);
    }

    #[test]
    fn a_local_time_is_read_by_its_zone_however_that_is_written() {
        let local = |hour: i64, zone: &str| {
            let zone = format!("<TimeZone><TZ>{zone}</TZ></TimeZone>");
            read(&(zone + &fields("LocalDateTime", DAY, &clock(hour))))
        };
        for zone in
            ["CST-8", "CST-08:00", "CST-8:00:00", "GMT+08:00", "UTC+8", "+0800", "&lt;+08&gt;-8", "Asia/Shanghai"]
        {
            assert_eq!(local(9, zone)[0], 0, "{zone}");
        }
        for zone in ["EST5", "EST+5", "GMT-05:00", "EST5EDT,M3.2.0,M11.1.0", "America/New_York", "EST5EDT"] {
            let content = format!("<TimeZone><TZ>{zone}</TZ></TimeZone>");
            let evening = "<Year>1970</Year><Month>1</Month><Day>1</Day>";
            let read = read(&(content + &fields("LocalDateTime", evening, &clock(20))));
            assert_eq!(read[0], 0, "{zone}");
        }
        assert_eq!(local(1, "of this place"), [0]);
        assert_eq!(local(1, ""), [0]);
        assert_eq!(local(10, "CST-8"), [3_600_000, 17 * 3_600_000, 0], "by an hour wrong");
    }

    #[test]
    fn the_time_in_utc_counts_before_the_local_one() {
        let both = fields("UTCDateTime", DAY, &clock(2)) + &fields("LocalDateTime", DAY, &clock(1));
        assert_eq!(read(&both), [3_600_000, 0]);
    }
}
