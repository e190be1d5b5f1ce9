//! The device's time and its time server.

use domain::TimeService;

use crate::codes::Fault;
use crate::convert::clock;
use crate::convert::within;
use crate::request::Call;
use crate::settings::{self, TIME_FORMAT};
use crate::wire::time::{Ntp, SetNtp, SetTime, Time};
use crate::wire::{Nothing, Text};

/// Reads the time server (1291, section 6.1).
pub(crate) async fn get_ntp(call: Call) -> Result<Ntp, Fault> {
    let service = call.reading()?.time_service().await?;
    Ok(Ntp {
        ntp_cycle: service.every_minutes.to_string(),
        ntp_disable: if service.enabled { "0" } else { "1" },
        port: service.port.to_string(),
        url: service.server,
    })
}

/// Sets the time server; absent fields stay as they are (1290, section 6.2, quirk ntp-absent-fields).
pub(crate) async fn set_ntp(call: Call) -> Result<Nothing, Fault> {
    let SetNtp { url, ntp_cycle, ntp_disable, port } = call.read()?;
    let now = call.reading()?.time_service().await?;
    let number = |field, given: Option<crate::wire::Int>, now: i64, most| match given {
        Some(given) => within(field, given.0, 1, most),
        None => Ok(now),
    };
    let disabled = match ntp_disable {
        Some(given) => within("ntp_disable", given.0, 0, 1)? == 1,
        None => !now.enabled,
    };
    let service = TimeService {
        enabled: !disabled,
        every_minutes: number("ntp_cycle", ntp_cycle, now.every_minutes.into(), 24 * 60)? as u32,
        port: number("port", port, now.port.into(), u16::MAX.into())? as u16,
        server: url.and_then(Text::filled).map_or(now.server, |url| url.trim().to_owned()),
    };
    call.acts()?.set_time_service(service).await?;
    Ok(Nothing::NOTHING)
}

/// Reads the time, its zone and its pattern (1283, section 6.6).
pub(crate) async fn get_time(call: Call) -> Result<Time, Fault> {
    let (format, zone) = (settings::time_format(&call.device.state()).await?, call.device.zone());
    let now = call.reading()?.now();
    Ok(Time { sys_time: format.text(now, &zone), time_format: format.pattern, time_zone: clock::zone_text(now, &zone) })
}

/// Sets the time, its zone and its pattern (1282, section 6.7).
pub(crate) async fn set_time(call: Call) -> Result<Nothing, Fault> {
    let SetTime { sys_time, time_zone, time_format } = call.read()?;
    let asked = time_format.and_then(Text::filled).map(|pattern| clock::format(&pattern)).transpose()?;
    let format = match asked {
        Some(format) => format,
        None => settings::time_format(&call.device.state()).await?,
    };
    let wanted = clock::zone(&time_zone.0, call.reading()?.now(), &call.device.zone())?;
    let zone = wanted.as_ref().map_or_else(|| call.device.zone(), |wanted| wanted.zone.clone());
    let to = format.instant(&sys_time.0, &zone)?;
    call.acts()?.set_time(to, wanted.as_ref().map(|wanted| wanted.name.as_str())).await?;
    call.device.state().set_value(TIME_FORMAT, Some(format.pattern.to_owned())).await?;
    Ok(Nothing::NOTHING)
}
