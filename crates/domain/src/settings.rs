//! The settings of the device itself, which platforms may change. Each value is stored separately, so that an
//! unreadable value does not affect the others.

mod former;
pub(crate) mod millis;
mod persisted;
pub(crate) mod times;

use std::sync::Arc;

use former::Former;
use jiff::tz::TimeZone;
use persisted::{Reader, Row, Setting};
use tokio::sync::watch;

use crate::{
    Ages, CameraDefaults, DeviceZone, DoorRules, Error, FaceReaction, LivenessRule, Result, StorageLimits, TimeService,
    WhenFull,
};

/// Maximum length of a device id, characters.
const MAX_DEVICE_ID: usize = 255;
/// Maximum retention time of records, days.
const MAX_DAYS: u32 = 36_500;

/// A stored value: `None` until it is set.
pub type Kept<T> = Result<Option<T>, Unreadable>;

/// A stored value that cannot be read. It stays stored until it is set again; what depends on it is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The setting.
    pub name: &'static str,
    /// What is wrong with its value, for display.
    pub why: String,
}

impl Unreadable {
    /// The error for what depends on the value.
    pub(crate) fn refusal(&self) -> Error {
        Error::Unavailable { what: self.name }
    }
}

/// The value, `None` when none is set. `Unavailable` when it cannot be read.
pub(crate) fn readable<T>(kept: &Kept<T>) -> Result<Option<&T>> {
    kept.as_ref().map(Option::as_ref).map_err(Unreadable::refusal)
}

/// A row of the store and its new value; `None` removes it.
pub type Change = (&'static str, Option<String>);

/// All settings of the device itself.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceSettings {
    /// The platform's name for the device, 1 to 255 characters.
    pub device_id: Kept<String>,
    /// Whether the management page is open; factory value: open.
    pub console_open: Kept<bool>,
    /// Rules of the device's own door; factory value: [`DoorRules::factory`].
    pub door: Kept<DoorRules>,
    /// What follows a recognised face at the doors; factory value: they open.
    pub reaction: Kept<FaceReaction>,
    /// When faces must be living; factory value: always.
    pub liveness: Kept<LivenessRule>,
    /// Values for every camera that has none of its own.
    pub cameras: Kept<CameraDefaults>,
    /// Whether records are stored with pictures; factory value: yes.
    pub pictures: Kept<bool>,
    /// How long records of people are kept, 1 to 36500 days; factory value: until the space is needed.
    pub people_days: Kept<u32>,
    /// How long records of strangers are kept, likewise.
    pub strangers_days: Kept<u32>,
    /// What happens when the storage is full; overrides the configuration.
    pub when_full: Kept<WhenFull>,
    /// Time zone; overrides the configuration.
    pub time_zone: Kept<DeviceZone>,
    /// Time service of the clock; factory value: off.
    pub time_service: Kept<TimeService>,
}

/// Access to the present settings, for parts of the device that depend on them.
#[derive(Clone)]
pub(crate) struct CurrentSettings(watch::Receiver<Arc<DeviceSettings>>);

impl CurrentSettings {
    pub(crate) fn new(settings: watch::Receiver<Arc<DeviceSettings>>) -> Self {
        Self(settings)
    }

    pub(crate) fn now(&self) -> Arc<DeviceSettings> {
        Arc::clone(&self.0.borrow())
    }
}

const DEVICE_ID: Setting<String> = Setting {
    name: "setting device.id",
    check: |id| check_device_id(id),
    former: Former { name: "device.id", read: |text| Some(text.to_owned()) },
};
const CONSOLE_OPEN: Setting<bool> = Setting {
    name: "setting console.open",
    check: |_| Ok(()),
    former: Former { name: "console.open", read: former::console_open },
};
const DOOR: Setting<DoorRules> = Setting {
    name: "setting door.rules",
    check: DoorRules::check,
    former: Former { name: "door.rules", read: former::door_rules },
};
const REACTION: Setting<FaceReaction> = Setting {
    name: "setting door.reaction",
    check: |_| Ok(()),
    // No former version stored it.
    former: Former { name: "door.reaction", read: |_| None },
};
const LIVENESS: Setting<LivenessRule> = Setting {
    name: "setting liveness.rule",
    check: |_| Ok(()),
    former: Former { name: "liveness.rule", read: former::liveness },
};
const CAMERAS: Setting<CameraDefaults> = Setting {
    name: "setting cameras.defaults",
    check: |_| Ok(()),
    former: Former { name: "cameras.defaults", read: former::camera_defaults },
};
const PICTURES: Setting<bool> = Setting {
    name: "setting records.pictures",
    check: |_| Ok(()),
    former: Former { name: "records.pictures", read: former::pictures },
};
const PEOPLE_DAYS: Setting<u32> = Setting {
    name: "setting retention.people_days",
    check: |days| check_days(*days),
    former: Former { name: "retention.people_days", read: |text| text.parse().ok() },
};
const STRANGERS_DAYS: Setting<u32> = Setting {
    name: "setting retention.strangers_days",
    check: |days| check_days(*days),
    former: Former { name: "retention.strangers_days", read: |text| text.parse().ok() },
};
const WHEN_FULL: Setting<WhenFull> = Setting {
    name: "setting storage.when_full",
    check: |_| Ok(()),
    former: Former { name: "storage.when_full", read: former::when_full },
};
const TIME_ZONE: Setting<DeviceZone> = Setting {
    name: "setting time.zone",
    check: |_| Ok(()),
    former: Former { name: "time.zone", read: DeviceZone::named },
};
const TIME_SERVICE: Setting<TimeService> = Setting {
    name: "setting time.service",
    check: TimeService::check,
    former: Former { name: "time.service", read: former::time_service },
};

impl DeviceSettings {
    /// The factory settings.
    pub fn factory() -> Self {
        Self {
            device_id: Ok(None),
            console_open: Ok(None),
            door: Ok(None),
            reaction: Ok(None),
            liveness: Ok(None),
            cameras: Ok(None),
            pictures: Ok(None),
            people_days: Ok(None),
            strangers_days: Ok(None),
            when_full: Ok(None),
            time_zone: Ok(None),
            time_service: Ok(None),
        }
    }

    /// Reads the settings with `setting`, which reads a row of the store. Also returns the changes that convert values
    /// stored in a form of a former version.
    ///
    /// # Errors
    /// Those of `setting`. An unreadable value is not an error: it is [`Unreadable`] in its field.
    pub(crate) fn read(setting: &dyn Fn(&str) -> Result<Option<String>>) -> Result<(Self, Vec<Change>)> {
        let mut reader = Reader::new(setting);
        let settings = Self {
            device_id: reader.read(&DEVICE_ID)?,
            console_open: reader.read(&CONSOLE_OPEN)?,
            door: reader.read(&DOOR)?,
            reaction: reader.read(&REACTION)?,
            liveness: reader.read(&LIVENESS)?,
            cameras: reader.read(&CAMERAS)?,
            pictures: reader.read(&PICTURES)?,
            people_days: reader.read(&PEOPLE_DAYS)?,
            strangers_days: reader.read(&STRANGERS_DAYS)?,
            when_full: reader.read(&WHEN_FULL)?,
            time_zone: reader.read(&TIME_ZONE)?,
            time_service: reader.read(&TIME_SERVICE)?,
        };
        Ok((settings, reader.conversions()))
    }

    fn rows(&self) -> Result<[Row; 12]> {
        let Self {
            device_id,
            console_open,
            door,
            reaction,
            liveness,
            cameras,
            pictures,
            people_days,
            strangers_days,
            when_full,
            time_zone,
            time_service,
        } = self;
        Ok([
            DEVICE_ID.row(device_id)?,
            CONSOLE_OPEN.row(console_open)?,
            DOOR.row(door)?,
            REACTION.row(reaction)?,
            LIVENESS.row(liveness)?,
            CAMERAS.row(cameras)?,
            PICTURES.row(pictures)?,
            PEOPLE_DAYS.row(people_days)?,
            STRANGERS_DAYS.row(strangers_days)?,
            WHEN_FULL.row(when_full)?,
            TIME_ZONE.row(time_zone)?,
            TIME_SERVICE.row(time_service)?,
        ])
    }

    /// The changes of the store from `before` to these settings.
    pub fn changes_from(&self, before: &Self) -> Result<Vec<Change>> {
        let rows = self.rows()?.into_iter().zip(before.rows()?);
        Ok(rows.filter(|(now, before)| now != before).flat_map(|(now, _)| now.changes()).collect())
    }

    /// The values that cannot be read.
    pub fn unreadable(&self) -> Vec<Unreadable> {
        let rows = self.rows().into_iter().flatten();
        rows.filter_map(|row| row.value.err()).collect()
    }

    /// The rules of the door; [`DoorRules::closed`] while they cannot be read.
    pub(crate) fn door_rules(&self) -> DoorRules {
        self.door.as_ref().map_or_else(|_| DoorRules::closed(), |rules| rules.unwrap_or_else(DoorRules::factory))
    }

    /// What follows a recognised face at the doors; nothing while that cannot be read.
    pub(crate) fn reaction(&self) -> FaceReaction {
        self.reaction.as_ref().map_or(FaceReaction::Nothing, |reaction| reaction.unwrap_or_default())
    }

    /// Whether the management page is open; `false` while the setting cannot be read.
    pub(crate) fn is_console_open(&self) -> bool {
        self.console_open.as_ref().is_ok_and(|open| open.unwrap_or(true))
    }

    /// Whether records are stored with pictures; `false` while the setting cannot be read.
    pub(crate) fn keeps_pictures(&self) -> bool {
        self.pictures.as_ref().is_ok_and(|keep| keep.unwrap_or(true))
    }

    /// When faces must be alive; always while that cannot be read.
    pub(crate) fn liveness_rule(&self) -> LivenessRule {
        self.liveness.as_ref().map_or(LivenessRule::Always, |rule| rule.unwrap_or_default())
    }

    /// What is set for all cameras; nothing while that cannot be read.
    pub(crate) fn camera_defaults(&self) -> CameraDefaults {
        self.cameras.as_ref().ok().copied().flatten().unwrap_or_default()
    }

    /// The time zone, the one configured while none is set or it cannot be read.
    pub(crate) fn zone(&self, configured: &TimeZone) -> TimeZone {
        let set = self.time_zone.as_ref().ok().and_then(Option::as_ref);
        set.map_or(configured, |set| &set.zone).clone()
    }

    /// How long records are kept. `Unavailable` while the setting cannot be read.
    pub(crate) fn ages(&self) -> Result<Ages> {
        let (people, strangers) = (readable(&self.people_days)?, readable(&self.strangers_days)?);
        Ok(Ages { people_days: people.copied(), strangers_days: strangers.copied() })
    }

    /// The limits, with settings overriding `configured`. Nothing is overwritten while the setting cannot be read.
    pub(crate) fn storage_limits(&self, configured: StorageLimits) -> StorageLimits {
        let when_full = self.when_full.as_ref().map_or(WhenFull::Stop, |set| set.unwrap_or(configured.when_full));
        StorageLimits { when_full, ..configured }
    }

    /// Whether time zone or time service is set, so that restoring the factory settings changes the machine.
    pub(crate) fn sets_time(&self) -> bool {
        !matches!((&self.time_zone, &self.time_service), (Ok(None), Ok(None)))
    }
}

/// `Invalid` unless it has 1 to 255 characters.
pub(crate) fn check_device_id(id: &str) -> Result<()> {
    let fits = (1..=MAX_DEVICE_ID).contains(&id.chars().count());
    if fits { Ok(()) } else { Err(Error::invalid("device_id", format!("must have 1 to {MAX_DEVICE_ID} characters"))) }
}

/// `Invalid` unless it is 1 to 36500 days.
pub(crate) fn check_days(days: u32) -> Result<()> {
    let fits = (1..=MAX_DAYS).contains(&days);
    if fits { Ok(()) } else { Err(Error::invalid("days", format!("must be 1 to {MAX_DAYS}"))) }
}
