//! Cameras.

use domain::names::holds;
use domain::{Camera, CameraChange, CameraId, DeviceAddress, Error, NewCamera};

use crate::codes::{Code, Fault};
use crate::convert::cameras::{camera_id, new_camera, row, source, with_login};
use crate::convert::{self, Paging};
use crate::request::Caller;
use crate::wire::cameras::{
    AddCamera, CameraKey, CameraRow, CameraRtsp, FoundCameraRow, FoundCameras, QueryCameraRtsp, QueryCameras,
    SearchCamera, UpdateCamera,
};
use crate::wire::{Answer, Done, Rows};

/// The default port of ONVIF.
const ONVIF_PORT: u16 = 80;

/// Adds a camera (/AddCamera, section 5.1).
pub(crate) async fn add_camera(caller: Caller, request: AddCamera) -> Result<Done, Fault> {
    let note = caller.note_of_kind(request.kind);
    let camera = NewCamera { note, ..new_camera(request)? };
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    require_free_name(&caller, &camera.settings.name, None).await?;
    caller.acts().add_camera(camera).await?;
    Ok(Done::DONE)
}

/// Removes a camera that no task uses (/DeleteCamera, section 5.2).
pub(crate) async fn delete_camera(caller: Caller, request: CameraKey) -> Result<Done, Fault> {
    match caller.acts().remove_camera(camera_id(request.camera_id)).await {
        Err(Error::InUse { .. }) => Err(Code::CameraInUse.into()),
        outcome => {
            outcome?;
            Ok(Done::DONE)
        }
    }
}

/// Changes the fields of a camera that are sent (/UpdateCamera, section 5.3).
pub(crate) async fn update_camera(caller: Caller, request: UpdateCamera) -> Result<Done, Fault> {
    let name = request.name.map(|text| convert::name("name", text)).transpose()?;
    let source = request.rtsp.as_deref().map(source).transpose()?;
    let remark = request.remark.map(|text| convert::remark(Some(text))).transpose()?;
    let note = caller.note_of_kind(request.kind);
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let id = caller.reading()?.camera(camera_id(request.camera_id)).await?.id;
    if let Some(name) = &name {
        require_free_name(&caller, name, Some(id)).await?;
    }
    let change = |camera: &Camera| {
        let mut settings = camera.settings.clone();
        settings.name = name.unwrap_or(settings.name);
        settings.source = source.unwrap_or(settings.source);
        settings.description = remark.unwrap_or(settings.description);
        Ok(CameraChange { settings: Some(settings), note, ..CameraChange::default() })
    };
    match caller.acts().amend_camera(id, change).await {
        // A camera that another interface added without an RTSP address cannot get one here.
        Err(Error::Invalid { field: "source", .. }) => Err(Code::BadRtsp.into()),
        outcome => {
            outcome?;
            Ok(Done::DONE)
        }
    }
}

/// Lists cameras by number with their live state (/QueryCameraList, section 5.4).
pub(crate) async fn query_camera_list(caller: Caller, query: QueryCameras) -> Result<Answer<Rows<CameraRow>>, Fault> {
    let paging = Paging::new(query.page_no, query.page_size)?;
    let name = convert::filter(query.name, query.username);
    let mut rows = Vec::new();
    for camera in caller.acts().cameras().await? {
        let kind = caller.noted_kind(camera.id).await?;
        let named = name.as_ref().is_none_or(|part| holds(&camera.settings.name, part));
        if named && query.kind.is_none_or(|wanted| kind == wanted) {
            let status = caller.reading()?.camera_status(camera.id);
            rows.push(row(camera, kind, &status, &caller.device.zone()));
        }
    }
    Ok(Answer::of(paging.cut(rows)))
}

/// Discovers cameras in the network, which takes some seconds (/SearchCamera, section 5.5).
pub(crate) async fn search_camera(caller: Caller, _: SearchCamera) -> Result<Answer<FoundCameras>, Fault> {
    let found = match caller.reading()?.discover_cameras().await {
        Ok(found) => found,
        Err(error @ Error::Busy) => return Err(error.into()),
        Err(_) => return Err(Code::SearchFailed.into()),
    };
    let row = |found: domain::FoundCamera| FoundCameraRow { ip: found.host, manufacturer: found.maker };
    let items: Vec<_> = found.into_iter().map(row).collect();
    Ok(Answer::of(FoundCameras { total_count: items.len(), items }))
}

/// Asks a camera for the URL of its main stream, with the login in it, so that it can be added as it is
/// (/QueryCameraRtsp, section 5.6).
pub(crate) async fn query_camera_rtsp(caller: Caller, query: QueryCameraRtsp) -> Result<Answer<CameraRtsp>, Fault> {
    let (user, password) = (query.user.unwrap_or_default(), query.password.unwrap_or_default());
    let device = DeviceAddress { host: query.ip, port: ONVIF_PORT, user, password };
    // The document has one code for all failures.
    let streams = caller.acts().camera_streams(&device).await.map_err(|_| Code::SearchFailed)?;
    let main = streams.into_iter().next().ok_or(Code::SearchFailed)?;
    let rtsp = with_login(&main.url, &device).ok_or(Code::SearchFailed)?;
    Ok(Answer::of(CameraRtsp { rtsp }))
}

/// In this document names are unique; the core does not require that.
async fn require_free_name(caller: &Caller, name: &str, but: Option<CameraId>) -> Result<(), Fault> {
    let cameras = caller.reading()?.cameras().await?;
    let taken = cameras.iter().any(|camera| camera.settings.name == name && Some(camera.id) != but);
    if taken { Err(Code::CameraExists.into()) } else { Ok(()) }
}
