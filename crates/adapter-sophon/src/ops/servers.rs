//! Where events and status go (4.4.4 to 4.5.2).

use crate::codes::{Code, Fault};
use crate::convert::servers::{as_form, period, urls};
use crate::device::{HISTORY, REALTIME, STATUS};
use crate::request::Caller;
use crate::settings::{Format, HistoryServers, RealtimeServers, StatusServer};
use crate::wire::servers::{History, Monitor, Realtime, SetHistory, SetMonitor, SetRealtime};
use crate::wire::{Bool, Nothing};

/// Sets where realtime events go (POST EventServerUrl, section 4.4.4).
pub(crate) async fn set_realtime(caller: Caller, request: SetRealtime) -> Result<Realtime, Fault> {
    let servers = RealtimeServers {
        urls: usable(&caller, request.event_server_url.0)?,
        enrolment_photo: wanted(request.real_need_reg_pic, true),
        format: format(&request.content_type)?,
    };
    caller.keep(REALTIME, &servers).await?;
    changed(&caller);
    Ok(realtime_row(servers))
}

/// Reads where realtime events go (GET EventServerUrl, section 4.4.5).
pub(crate) async fn realtime(caller: Caller, _: Nothing) -> Result<Realtime, Fault> {
    caller.reading()?;
    Ok(realtime_row(caller.device.realtime().await?))
}

fn realtime_row(servers: RealtimeServers) -> Realtime {
    let RealtimeServers { urls, enrolment_photo, format } = servers;
    Realtime { event_server_url: urls, real_need_reg_pic: enrolment_photo, content_type: format.name() }
}

/// Sets where the history goes (POST HistoryEventUrl, section 4.4.7).
pub(crate) async fn set_history(caller: Caller, request: SetHistory) -> Result<History, Fault> {
    let servers = HistoryServers {
        urls: usable(&caller, request.history_upload_event_url.0)?,
        enrolment_photo: wanted(request.history_need_reg_pic, true),
        face: wanted(request.history_need_recognize_face, true),
        scene: wanted(request.history_need_spot_pic, true),
        format: format(&request.content_type)?,
        period: period(request.reported_peroid)?,
    };
    caller.keep(HISTORY, &servers).await?;
    changed(&caller);
    Ok(History { message: Some("ok"), ..history_row(servers) })
}

/// Reads where the history goes (GET HistoryEventUrl, section 4.4.8).
pub(crate) async fn history(caller: Caller, _: Nothing) -> Result<History, Fault> {
    caller.reading()?;
    Ok(history_row(caller.device.history().await?))
}

fn history_row(servers: HistoryServers) -> History {
    History {
        message: None,
        history_upload_event_url: servers.urls,
        history_need_reg_pic: servers.enrolment_photo,
        content_type: servers.format.name(),
        reported_peroid: servers.period,
    }
}

/// Sets where the status goes (POST MonitorServerUrl, section 4.5.1).
pub(crate) async fn set_monitor(caller: Caller, request: SetMonitor) -> Result<&'static str, Fault> {
    let url = request.monitor_server_url.0;
    if !url.is_empty() {
        check(&caller, &url)?;
    }
    // Only JSON works (4.5.1).
    if format(&request.content_type)? != Format::Json {
        return Err(Code::UnsupportedContentType.into());
    }
    caller.keep(STATUS, &StatusServer { url, period: period(request.reported_peroid)? }).await?;
    changed(&caller);
    Ok("ok")
}

/// Reads where the status goes (GET MonitorServerUrl, section 4.5.2).
pub(crate) async fn monitor(caller: Caller, _: Nothing) -> Result<Monitor, Fault> {
    caller.reading()?;
    let StatusServer { url, period } = caller.device.status().await?;
    Ok(Monitor { monitor_server_url: url, reported_peroid: period })
}

fn usable(caller: &Caller, list: Vec<String>) -> Result<Vec<String>, Fault> {
    urls(list, |url| check(caller, url))
}

/// Whether the device may send to this address.
fn check(caller: &Caller, url: &str) -> Result<(), Fault> {
    caller.device.outbound.check(url).map_err(|error| Fault::parameter(error.to_string()))
}

fn format(content_type: &adapter::lenient::Text) -> Result<Format, Fault> {
    Ok(if as_form(content_type)? { Format::FormData } else { Format::Json })
}

fn wanted(sent: Option<Bool>, otherwise: bool) -> bool {
    sent.map_or(otherwise, |Bool(wanted)| wanted)
}

/// Has pushes read the settings again.
fn changed(caller: &Caller) {
    caller.device.servers_changed.send_modify(|changes| *changes += 1);
}
