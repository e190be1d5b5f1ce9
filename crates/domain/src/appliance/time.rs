//! The device's time zone, clock and time server.

use std::ops::RangeInclusive;

use jiff::tz::TimeZone;

use super::{Acts, Appliance};
use crate::clock::EARLIEST;
use crate::settings::readable;
use crate::{Act, DeviceZone, Error, Result, TimeService, Timestamp};

/// The times that the clock may be set to, 1970 to 2199. The kernel accepts none before 1970, nor one close to the end
/// of its 64-bit nanoseconds.
const CLOCK: RangeInclusive<Timestamp> = Timestamp::from_millis(0)..=Timestamp::from_millis(7_258_118_400_000);

impl Appliance {
    /// Time zone of plans, daily windows and platforms: the zone that a platform has set; the configured one when none
    /// is set or it cannot be read.
    pub fn time_zone(&self) -> TimeZone {
        self.core.surveillance.zone()
    }

    /// Whether the clock was set; else it shows a time before any at which the device can have been started.
    pub fn is_clock_set(&self) -> bool {
        self.now() >= EARLIEST
    }

    /// The time service of the clock. `Unavailable` while the setting cannot be read.
    pub async fn time_service(&self) -> Result<TimeService> {
        Ok(readable(&self.settings().time_service)?.cloned().unwrap_or_default())
    }

    /// Applies the time service that was set to the machine: not every service remembers it over a restart.
    pub(super) async fn resume_time_service(&self) -> Result<()> {
        let settings = self.settings();
        match readable(&settings.time_service)? {
            Some(service) => self.ports().host.set_time_service(service).await,
            None => Ok(()),
        }
    }
}

impl Acts<'_> {
    /// Sets the clock of the machine, and its time zone when one is given, in the form of [`DeviceZone`]. While the
    /// clock follows a server, only the zone is set.
    ///
    /// # Errors
    /// `Invalid` for an unknown zone and for a time before 1970 or after 2199; `Unavailable` when the system does not
    /// permit it.
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

    /// Sets the time service of the clock.
    ///
    /// # Errors
    /// `Invalid` for an impossible server; `NotFound(TimeServer)` when the service is enabled and the server does not
    /// answer; `Unavailable` when the system does not permit it. Nothing has changed then.
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
