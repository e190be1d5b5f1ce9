//! The device's time: its zone, its clock, and the server that it follows.

use std::ops::RangeInclusive;

use jiff::tz::TimeZone;

use super::{Acts, Appliance, Options};
use crate::ports::Ports;
use crate::{Act, DeviceZone, Error, Result, TimeService, Timestamp};

/// The setting that holds the time zone that a platform has set, by name.
pub(super) const TIME_ZONE: &str = "time.zone";
/// The setting that holds where the time comes from: `on` or `off`, minutes, port, server.
pub(super) const TIME_SERVICE: &str = "time.service";

/// What a clock may be set to. The kernel takes no time before 1970, nor one from which it could not run on for
/// decades within its own 64 bits of nanoseconds.
const CLOCK: RangeInclusive<Timestamp> = Timestamp::from_millis(0)..=Timestamp::from_millis(7_258_118_400_000);

/// The time zone that a platform has set, or the one configured.
pub(super) fn load(ports: &Ports, options: &Options) -> Result<TimeZone> {
    let kept = ports.settings.setting(TIME_ZONE)?;
    let set = kept.and_then(|name| DeviceZone::named(&name));
    Ok(set.map_or_else(|| options.time_zone.clone(), |set| set.zone))
}

impl Appliance {
    /// Local time of plans, daily windows and platforms.
    pub fn time_zone(&self) -> TimeZone {
        TimeZone::clone(&self.core.surveillance.zone().load())
    }

    pub(super) fn use_time_zone(&self, zone: TimeZone) {
        self.core.surveillance.zone().store(zone.into());
    }

    /// Where the clock gets the time from.
    pub async fn time_service(&self) -> Result<TimeService> {
        let kept = self.blocking(|a| a.ports().settings.setting(TIME_SERVICE)).await?;
        Ok(kept.as_deref().and_then(read).unwrap_or_default())
    }

    /// Has the machine follow the server that was set: not every service remembers it over a restart.
    pub(super) async fn resume_time_service(&self) -> Result<()> {
        let kept = self.blocking(|a| a.ports().settings.setting(TIME_SERVICE)).await?;
        match kept.as_deref().and_then(read) {
            Some(service) => self.ports().host.set_time_service(&service).await,
            None => Ok(()),
        }
    }
}

impl Acts<'_> {
    /// Sets the clock of the machine, and its time zone when one is named as [`DeviceZone`] names it. While the clock
    /// follows a server, that has the last word and only the zone is set.
    ///
    /// # Errors
    /// `Invalid` for an unknown zone and for a time that no machine's clock can show; `Unavailable` when the system does not let the device do it.
    pub async fn set_time(self, to: Timestamp, zone: Option<&str>) -> Result<()> {
        let actor = self.permit(Act::TIME_SET)?;
        if !CLOCK.contains(&to) {
            return Err(Error::invalid("time", "clocks are set to the years 1970 to 2200"));
        }
        let zone = zone.map(named_zone).transpose()?;
        let host = &self.appliance.ports().host;
        if !self.appliance.time_service().await?.enabled {
            host.set_clock(to).await?;
        }
        let Some(zone) = zone else { return self.appliance.note(&actor, Act::TIME_SET, "clock").await };
        host.set_time_zone(&zone.of_machine()).await?;
        self.blocking(move |a| {
            a.ports().settings.set_setting(TIME_ZONE, Some(&zone.name))?;
            a.use_time_zone(zone.zone);
            a.audit(&actor, Act::TIME_SET, &"clock and zone");
            Ok(())
        })
        .await
    }

    /// Sets where the clock gets the time from.
    ///
    /// # Errors
    /// `Invalid` for what cannot be a server; `NotFound(TimeServer)` when it is switched on and does not answer;
    /// `Unavailable` when the system does not let the device do it. Nothing has changed then.
    pub async fn set_time_service(self, service: TimeService) -> Result<()> {
        let actor = self.permit(Act::TIME_SERVICE)?;
        service.check()?;
        self.appliance.ports().host.set_time_service(&service).await?;
        self.blocking(move |a| {
            a.ports().settings.set_setting(TIME_SERVICE, Some(&write(&service)))?;
            a.audit(&actor, Act::TIME_SERVICE, &"clock");
            Ok(())
        })
        .await
    }
}

fn named_zone(name: &str) -> Result<DeviceZone> {
    DeviceZone::named(name).ok_or_else(|| Error::invalid("time_zone", "no time zone has this name"))
}

fn write(service: &TimeService) -> String {
    let switch = if service.enabled { "on" } else { "off" };
    format!("{switch} {} {} {}", service.every_minutes, service.port, service.server)
}

fn read(kept: &str) -> Option<TimeService> {
    let mut words = kept.split(' ');
    let enabled = words.next()? == "on";
    let (every_minutes, port) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some(TimeService { enabled, every_minutes, port, server: words.next()?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_service_reads_back_as_written() {
        for enabled in [true, false] {
            let service = TimeService { enabled, server: "ntp.example".into(), port: 1123, every_minutes: 7 };
            assert_eq!(read(&write(&service)), Some(service));
        }
        for broken in ["", "on", "on x 123 a", "off 10 123"] {
            assert_eq!(read(broken), None, "{broken}");
        }
    }
}
