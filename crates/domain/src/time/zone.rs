//! Time zones set by name or by offset from UTC.

use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Range of offsets from UTC, minutes.
const OFFSETS: std::ops::RangeInclusive<i32> = -12 * 60..=14 * 60;
/// Offsets of zones are multiples of this, minutes.
const STEP: i32 = 15;
/// Prefix of the name of a fixed offset: `UTC+05:30`.
const FIXED: &str = "UTC";

/// Zones without summer time whose offset from UTC, in minutes, is not a whole number of hours. The machine, which
/// accepts zones by name only, uses them for fixed offsets.
const ODD_PLACES: [(i32, &str); 8] = [
    (-570, "Pacific/Marquesas"),
    (210, "Asia/Tehran"),
    (270, "Asia/Kabul"),
    (330, "Asia/Kolkata"),
    (345, "Asia/Kathmandu"),
    (390, "Asia/Yangon"),
    (525, "Australia/Eucla"),
    (570, "Australia/Darwin"),
];

/// A time zone with the name that the device stores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceZone {
    /// Name in the zone database, or `UTC+hh:mm` for a fixed offset.
    pub name: String,
    /// The rules.
    pub zone: TimeZone,
}

impl DeviceZone {
    /// The zone with a name of the zone database or of [`fixed`](Self::fixed); `None` when there is none.
    pub fn named(name: &str) -> Option<Self> {
        match fixed_minutes(name) {
            Some(minutes) => Self::fixed(minutes),
            None => Some(Self { name: name.to_owned(), zone: TimeZone::get(name).ok()? }),
        }
    }

    /// A fixed offset, minutes ahead of UTC; `None` unless a multiple of 15 from -12:00 to +14:00.
    pub fn fixed(minutes: i32) -> Option<Self> {
        if !OFFSETS.contains(&minutes) || minutes % STEP != 0 {
            return None;
        }
        let zone = TimeZone::fixed(Offset::from_seconds(minutes * 60).ok()?);
        let sign = if minutes < 0 { '-' } else { '+' };
        let name = format!("{FIXED}{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
        Some(Self { name, zone })
    }

    /// Name of the zone in the zone database for the machine's own clock: UTC when no zone has this fixed offset.
    pub fn of_machine(&self) -> String {
        let Some(minutes) = fixed_minutes(&self.name) else { return self.name.clone() };
        if let Some((_, place)) = ODD_PLACES.iter().find(|(odd, _)| *odd == minutes) {
            return (*place).to_owned();
        }
        // The sign of these names is inverted: hours west of UTC.
        if minutes != 0 && minutes % 60 == 0 { format!("Etc/GMT{:+}", -minutes / 60) } else { "Etc/UTC".to_owned() }
    }
}

impl TryFrom<String> for DeviceZone {
    type Error = Error;

    /// As [`named`](Self::named); `Invalid` when no zone has this name.
    fn try_from(name: String) -> Result<Self> {
        Self::named(&name).ok_or_else(|| Error::invalid("time_zone", "no time zone has this name"))
    }
}

impl From<DeviceZone> for String {
    fn from(zone: DeviceZone) -> Self {
        zone.name
    }
}

/// The offset in minutes from a name of [`DeviceZone::fixed`].
fn fixed_minutes(name: &str) -> Option<i32> {
    let text = name.strip_prefix(FIXED)?;
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = text.strip_prefix(['+', '-'])?.split_once(':')?;
    let number = |text: &str| {
        text.parse::<i32>().ok().filter(|_| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()))
    };
    Some(sign * (number(hours)? * 60 + number(minutes)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    #[test]
    fn a_fixed_zone_has_the_same_offset_at_all_times_and_is_found_again_by_its_name() {
        for minutes in [-12 * 60, -570, -210, -150, -30, 0, 15, 330, 345, 480, 525, 630, 765, 825, 14 * 60] {
            let named = DeviceZone::named(&DeviceZone::fixed(minutes).unwrap().name).unwrap();
            for at in [i64::MIN, -2_208_988_800_000, 0, 520_000_000_000, 1_772_413_200_000, 1_788_138_000_000, i64::MAX]
            {
                let offset = Timestamp::from_millis(at).offset_in(&named.zone);
                assert_eq!(offset.seconds(), minutes * 60, "{} at {at}", named.name);
            }
        }
        for minutes in [-12 * 60 - 15, 14 * 60 + 15, 487, i32::MIN, i32::MAX] {
            assert!(DeviceZone::fixed(minutes).is_none(), "{minutes}");
        }
    }

    #[test]
    fn the_machine_follows_a_place_that_is_as_far_from_utc_all_the_year() {
        // 2 March and 31 August 2026.
        let seasons = [1_772_413_200_000, 1_788_138_000_000].map(Timestamp::from_millis);
        let expected = [(-570, "Pacific/Marquesas"), (330, "Asia/Kolkata"), (480, "Etc/GMT-8"), (-300, "Etc/GMT+5")];
        for (minutes, place) in expected {
            assert_eq!(DeviceZone::fixed(minutes).unwrap().of_machine(), place);
        }
        for minutes in OFFSETS.step_by(15) {
            let place = DeviceZone::fixed(minutes).unwrap().of_machine();
            let zone = TimeZone::get(&place).unwrap();
            let same = seasons.iter().all(|at| at.offset_in(&zone).seconds() == minutes * 60);
            assert!(same || place == "Etc/UTC", "{minutes}: {place}");
        }
        // Newfoundland, Lord Howe and the Chatham Islands have summer times.
        for minutes in [-210, -150, 630, 765, 825] {
            assert_eq!(DeviceZone::fixed(minutes).unwrap().of_machine(), "Etc/UTC");
        }
    }

    #[test]
    fn a_place_keeps_its_name_and_its_rules() {
        let place = DeviceZone::named("Asia/Tehran").unwrap();
        assert_eq!((place.name.as_str(), place.of_machine().as_str()), ("Asia/Tehran", "Asia/Tehran"));
        for bad in ["", "Mars", "UTC+", "UTC+5", "UTC+05:07", "UTC+15:00", "UTC-13:00", "UTC+-5:00", "UTC+99:99"] {
            assert!(DeviceZone::named(bad).is_none(), "{bad}");
        }
    }
}
