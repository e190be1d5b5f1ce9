//! Channels (chapter 4).

use domain::names::holds;
use domain::{
    Camera, CameraChange, CameraId, CameraSettings, CameraStatus, DeviceAddress, Error, NewCamera, OwnValues, SnapMode,
    Source, StreamAddress, WatchSettings,
};

use super::{docking, rules};
use crate::codes::{Code, Fault};
use crate::convert::channels::{
    Choice, ONVIF, RTSP, Where, camera_of, channel, host, kind, shown, stream_of, transport_number, transport_of,
};
use crate::convert::{Paging, bounded, name, within};
use crate::request::Caller;
use crate::settings::{Channel, OnvifStream};
use crate::wire::channels::{
    AddChannel, ChannelId, ChannelRow, Channels, DeleteChannels, DeviceInfo, Failures, ImportChannels, ListChannels,
    Place, StreamRow, Streams, UpdateChannel,
};
use crate::wire::{self, Answer, Done, Text, name_of};

/// The smallest and the largest face of a new camera, pixels.
const FACE_SIZES: (u32, u32) = (60, 10_000);
/// Maximum length of names and codes, characters.
const MAX_TEXT: usize = 64;
/// Maximum length of maker and model, characters.
const MAX_MODEL: usize = 32;
/// Maximum length of an encrypted password, characters.
const MAX_SEALED: usize = 512;

/// Asks a camera for its streams by ONVIF (/channel/device/info, section 4.2).
pub(crate) async fn device_info(caller: Caller, request: DeviceInfo) -> Result<Answer<Streams>, Fault> {
    let device = DeviceAddress {
        host: host(request.ip.0)?,
        port: within("port", request.port, 1..=u16::MAX)?,
        user: bounded("username", request.username.0, MAX_TEXT)?,
        password: password(&caller, Some(&request.pwd)).await?.unwrap_or_default(),
    };
    let streams = streams(&caller, &device).await?;
    let row = |(place, stream): (usize, domain::CameraStream)| StreamRow {
        id: place + 1,
        rtsp: shown(&stream.url),
        encoding: stream.codec,
        ratio: format!("{}*{}", stream.width, stream.height),
    };
    Ok(Answer::of(Streams { video: streams.into_iter().enumerate().map(row).collect() }))
}

/// Adds a camera (/channel/add, section 4.3).
pub(crate) async fn add(caller: Caller, request: AddChannel) -> Result<Answer<ChannelId>, Fault> {
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    Ok(Answer::of(ChannelId { channel_id: add_one(&caller, request).await?.0 }))
}

/// Adds cameras one by one; those that cannot be are named (/channel/import, section 4.7).
pub(crate) async fn import(caller: Caller, request: ImportChannels) -> Result<Answer<Failures>, Fault> {
    if request.channel_list.is_empty() {
        return Err(Fault::argument("channel_list is empty"));
    }
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let mut fail_list = Vec::new();
    for entry in request.channel_list {
        let name = name_of(&entry, "channel_name");
        let outcome = match wire::read(entry) {
            Ok(channel) => add_one(&caller, channel).await.map(drop),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = outcome {
            fault.report("/api/v2/channel/import");
            fail_list.push(name);
        }
    }
    Ok(Answer::of(Failures { fail_list }))
}

async fn add_one(caller: &Caller, request: AddChannel) -> Result<CameraId, Fault> {
    let name = name("channel_name", &request.channel_name.0)?;
    let kind = kind(request.kind)?;
    let sent = Where::new(&request.place, password(caller, request.place.pwd.as_ref()).await?, None)?;
    check_notes(&request.place)?;
    let (source, stream) = source(caller, kind, &sent, None, sent.choice.unwrap_or(Choice::Main)).await?;
    let settings = CameraSettings {
        name,
        position: String::new(),
        description: String::new(),
        source,
        region: None,
        min_face_px: FACE_SIZES.0,
        max_face_px: FACE_SIZES.1,
        snap_mode: SnapMode::Best,
    };
    // Nothing is analysed before a smart task says so.
    let watch = WatchSettings { enabled: false, ..WatchSettings::default() };
    let kept = noted(Channel { stream, ..Channel::default() }, request.place);
    let note = caller.device.noting(&kept)?;
    let camera = NewCamera { id: None, settings, watch, own: OwnValues::default(), permission_groups: [].into(), note };
    Ok(caller.acts().add_camera(camera).await?.id)
}

/// Removes cameras with all that is set for their channels (/channel/delete, section 4.4).
pub(crate) async fn delete(caller: Caller, request: DeleteChannels) -> Result<Done, Fault> {
    let mut ids: Vec<_> = request.channel_id_list.0.into_iter().map(|id| channel(wire::Int(id))).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Err(Fault::argument("channel_id_list is empty"));
    }
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    for id in &ids {
        caller.reading()?.camera(*id).await?;
    }
    for id in ids {
        caller.acts().remove_camera(id).await?;
        docking::forget_interval(&caller, id).await?;
    }
    Ok(Done::DONE)
}

/// Changes what is sent of a camera (/channel/update, section 4.5).
pub(crate) async fn update(caller: Caller, request: UpdateChannel) -> Result<Done, Fault> {
    let name = name("channel_name", &request.channel_name.0)?;
    let wanted = request.kind.map(kind).transpose()?;
    let password = password(&caller, request.place.pwd.as_ref()).await?;
    check_notes(&request.place)?;
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let camera = caller.reading()?.camera(channel(request.channel_id)).await?;
    let kept = caller.device.channel(&camera).await?;
    let sent = Where::new(&request.place, password, kept.stream.as_ref().map(|stream| stream.video_id))?;
    let mut settings = CameraSettings { name, ..camera.settings.clone() };
    let (before, mut stream) = (kind_of(&camera, &kept), kept.stream.clone());
    if sent.is_sent() || wanted.is_some_and(|wanted| wanted != before) {
        let former = Some((&camera, &kept));
        let choice = sent.choice.unwrap_or_else(|| choice_of(&kept));
        (settings.source, stream) = source(&caller, wanted.unwrap_or(before), &sent, former, choice).await?;
    }
    let changed = noted(Channel { stream, ..kept.clone() }, request.place);
    change(&caller, (camera, kept), (settings, changed)).await
}

/// Changes a camera. One whose kind changes is removed and added on the same channel.
async fn change(
    caller: &Caller,
    (camera, kept): (Camera, Channel),
    (settings, changed): (CameraSettings, Channel),
) -> Result<Done, Fault> {
    let (id, note) = (camera.id, caller.device.noting(&changed)?);
    if camera.settings.source.may_become(&settings.source) {
        let change = CameraChange { settings: Some(settings), note, ..CameraChange::default() };
        caller.acts().update_camera(id, change).await?;
        return Ok(Done::DONE);
    }
    let former = caller.device.noting(&kept)?;
    let new = |settings, note| NewCamera {
        id: Some(id),
        settings,
        watch: camera.watch.settings.clone(),
        own: camera.own,
        permission_groups: camera.permission_groups.clone(),
        note,
    };
    caller.acts().remove_camera(id).await?;
    let added = caller.acts().add_camera(new(settings, note)).await;
    if added.is_err() {
        caller.acts().add_camera(new(camera.settings.clone(), former)).await?;
    }
    // The rules went with the camera, the tasks that they are stay.
    rules::follow(caller, id, &changed).await?;
    Ok(added.map(|_| Done::DONE)?)
}

/// Lists cameras by number with their live state (/channel/list, section 4.6).
pub(crate) async fn list(caller: Caller, request: ListChannels) -> Result<Answer<Channels>, Fault> {
    let paging = Paging::new(request.page, request.pagesize)?;
    let part = bounded("channel_name", request.channel_name.unwrap_or_default().0, MAX_TEXT)?;
    let mut cameras = caller.reading()?.cameras().await?;
    cameras.retain(|camera| holds(&camera.settings.name, &part));
    let (total, page) = paging.cut(cameras);
    let mut channel_list = Vec::new();
    for camera in page {
        let kept = caller.device.channel(&camera).await?;
        let status = caller.reading()?.camera_status(camera.id);
        channel_list.push(row(camera, kept, &status));
    }
    Ok(Answer::of(Channels { total, channel_list }))
}

fn row(camera: Camera, kept: Channel, status: &CameraStatus) -> ChannelRow {
    let kind = kind_of(&camera, &kept) as u8;
    let source = camera.settings.source;
    let transport_type = transport_number(&source);
    let (ip, port, username, rtsp) = match source {
        Source::Rtsp { url } => {
            let (host, port, user) = camera_of(&url);
            match kept.stream {
                Some(stream) => (Some(stream.host), Some(stream.port), user, Some(shown(&url))),
                None => (host, port, user, Some(shown(&url))),
            }
        }
        Source::File { url } => (None, None, None, Some(url)),
        Source::Onvif(device) | Source::Gb28181 { server: device, .. } | Source::Capture { device, .. } => {
            let user = Some(device.user).filter(|user| !user.is_empty());
            (Some(device.host), Some(device.port), user, None)
        }
        Source::Pushed { host } => (Some(host.to_string()), None, None, None),
    };
    ChannelRow {
        channel_id: camera.id.0,
        channel_name: camera.settings.name,
        custom_code: kept.custom_code,
        kind,
        transport_type,
        ip,
        port,
        serial_number: kept.serial_number,
        model: kept.model,
        manufacturer: kept.manufacturer,
        status: if *status == CameraStatus::Online { 1 } else { 2 },
        rtsp,
        username,
    }
}

fn kind_of(camera: &Camera, kept: &Channel) -> i64 {
    match &camera.settings.source {
        Source::Onvif(_) => ONVIF,
        Source::Rtsp { .. } if kept.stream.is_some() => ONVIF,
        Source::Rtsp { .. }
        | Source::File { .. }
        | Source::Gb28181 { .. }
        | Source::Capture { .. }
        | Source::Pushed { .. } => RTSP,
    }
}

fn choice_of(kept: &Channel) -> Choice {
    kept.stream.as_ref().map_or(Choice::Main, |stream| Choice::Custom(stream.video_id))
}

/// The source that was sent; `former` is the camera that it is for, when there is one. The chosen stream of an ONVIF
/// camera is looked up now: it is a stream like any other from then on.
async fn source(
    caller: &Caller,
    kind: i64,
    sent: &Where,
    former: Option<(&Camera, &Channel)>,
    choice: Choice,
) -> Result<(Source, Option<OnvifStream>), Fault> {
    if kind == RTSP {
        let url = former.and_then(|(camera, _)| match &camera.settings.source {
            Source::Rtsp { url } | Source::File { url } => Some(url.as_str()),
            Source::Onvif(_) | Source::Gb28181 { .. } | Source::Capture { .. } | Source::Pushed { .. } => None,
        });
        return Ok((sent.stream(url)?, None));
    }
    let device = sent.device(former.and_then(|(camera, kept)| former_device(camera, kept)).as_ref())?;
    let Choice::Custom(video_id) = choice else { return Ok((Source::Onvif(device), None)) };
    let place = usize::try_from(video_id).ok().and_then(|id| id.checked_sub(1));
    let streams = streams(caller, &device).await?;
    let transport = sent.transport.or_else(|| former.map(|(camera, _)| transport_of(&camera.settings.source)));
    let chosen = place.and_then(|place| streams.get(place));
    let chosen = chosen.and_then(|stream| stream_of(&stream.url, &device, transport.unwrap_or_default()));
    let url = chosen.ok_or_else(|| Fault::argument("video_id is no stream of the camera"))?;
    Ok((Source::Rtsp { url }, Some(OnvifStream { video_id, host: device.host, port: device.port })))
}

fn former_device(camera: &Camera, kept: &Channel) -> Option<DeviceAddress> {
    match (&camera.settings.source, &kept.stream) {
        (Source::Onvif(device), _) => Some(device.clone()),
        (Source::Rtsp { url }, Some(stream)) => {
            let StreamAddress { user, password, .. } = StreamAddress::parse(url).ok()?;
            Some(DeviceAddress { host: stream.host.clone(), port: stream.port, user, password })
        }
        _ => None,
    }
}

/// What the camera answers; a camera that does not, or refuses the login, is code 1 (no code of its own exists).
async fn streams(caller: &Caller, device: &DeviceAddress) -> Result<Vec<domain::CameraStream>, Fault> {
    caller.acts().camera_streams(device).await.map_err(|error| match error {
        Error::Invalid { .. } => error.into(),
        _ => Code::Common.into(),
    })
}

/// The password, decrypted; `None` when it was left out or is empty.
async fn password(caller: &Caller, sealed: Option<&Text>) -> Result<Option<String>, Fault> {
    let Some(sealed) = sealed.cloned().and_then(Text::filled) else { return Ok(None) };
    Ok(Some(caller.device.key.decrypt(&bounded("pwd", sealed, MAX_SEALED)?).await?))
}

fn check_notes(place: &Place) -> Result<(), Fault> {
    for (field, text, most) in [
        ("custom_code", &place.custom_code, MAX_TEXT),
        ("serial_number", &place.serial_number, MAX_TEXT),
        ("serialnumber", &place.serialnumber, MAX_TEXT),
        ("manufacturer", &place.manufacturer, MAX_MODEL),
        ("model", &place.model, MAX_MODEL),
    ] {
        text.clone().map(|Text(text)| bounded(field, text, most)).transpose()?;
    }
    Ok(())
}

/// With what is sent of the camera besides its place.
fn noted(kept: Channel, place: Place) -> Channel {
    let or = |sent: Option<Text>, kept| sent.map_or(kept, |Text(text)| text);
    Channel {
        custom_code: or(place.custom_code, kept.custom_code),
        serial_number: or(place.serial_number.or(place.serialnumber), kept.serial_number),
        manufacturer: or(place.manufacturer, kept.manufacturer),
        model: or(place.model, kept.model),
        ..kept
    }
}
