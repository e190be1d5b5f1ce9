//! The device's time: its zone, its clock, and the server that it follows.

use std::ops::RangeInclusive;

use jiff::tz::TimeZone;

use super::{Acts, Appliance};
use crate::settings::readable;
use crate::{Act, DeviceZone, Error, Result, TimeService, Timestamp};

/// What a clock may be set to. The kernel takes no time before 1970, nor one from which it could not run on for
/// decades within its own 64 bits of nanoseconds.
const CLOCK: RangeInclusive<Timestamp> = Timestamp::from_millis(0)..=Timestamp::from_millis(7_258_118_400_000);

impl Appliance {
    /// Local time of plans, daily windows and platforms: the zone that a platform has set, or the one configured while
    /// none is set or it cannot be read.
    pub fn time_zone(&self) -> TimeZone {
        self.core.surveillance.zone()
    }

    /// Where the clock gets the time from. `Unavailable` while that cannot be read.
    pub async fn time_service(&self) -> Result<TimeService> {
        Ok(readable(&self.settings().time_service)?.cloned().unwrap_or_default())
    }

    /// Has the machine follow the server that was set: not every service remembers it over a restart.
    pub(super) async fn resume_time_service(&self) -> Result<()> {
        let settings = self.settings();
        match readable(&settings.time_service)? {
            Some(service) => self.ports().host.set_time_service(service).await,
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
        let zone = zone.map(|name| DeviceZone::try_from(name.to_owned())).transpose()?;
        let host = &self.appliance.ports().host;
        if !self.appliance.time_service().await?.enabled {
            host.set_clock(to).await?;
        }
        let Some(zone) = zone else { return self.appliance.note(&actor, Act::TIME_SET, "clock").await };
        host.set_time_zone(&zone.of_machine()).await?;
        self.blocking(move |a| {
            a.change_settings(|settings| settings.time_zone = Ok(Some(zone)))?;
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
            a.change_settings(|settings| settings.time_service = Ok(Some(service)))?;
            a.audit(&actor, Act::TIME_SERVICE, &"clock");
            Ok(())
        })
        .await
    }
}
