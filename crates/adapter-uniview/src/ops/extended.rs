//! Extended configuration (6.4 to 6.7).

use std::collections::BTreeMap;

use domain::{Camera, CameraChange, CameraSettings, Error};

use super::rules;
use crate::codes::Fault;
use crate::convert::algorithms::Finds;
use crate::convert::channels::channel;
use crate::convert::{algorithms, switch, within};
use crate::request::Caller;
use crate::settings::{Channel, Extended, Params};
use crate::wire::extended::{
    AlgorithmRow, ExtendedRow, FaceRow, GetExtended, ParamsRow, RecoveryRow, UpdateAlgorithm, UpdateChannel,
    UpdateExtended, UpdateParams, VideoRow,
};
use crate::wire::smart::ChannelKey;
use crate::wire::{Answer, Done};

/// The largest smallest face, pixels.
const MAX_FACE: u32 = 10_000;

/// Reads sensitivities and intervals of one channel or all (/extend/get, section 6.4).
pub(crate) async fn get(caller: Caller, request: GetExtended) -> Result<Answer<Vec<ExtendedRow>>, Fault> {
    let cameras = match request.channel_id {
        Some(id) => vec![caller.reading()?.camera(channel(id)).await?],
        None => caller.reading()?.cameras().await?,
    };
    let mut rows = Vec::new();
    for camera in cameras {
        let kept = caller.device.channel(&camera).await?;
        let names = algorithms::all(&caller.finds());
        let smart_list = names.into_iter().map(|name| row(name, &kept)).collect();
        rows.push(ExtendedRow { channel_id: camera.id.0, status: kept.extended_on.into(), smart_list });
    }
    Ok(Answer::of(rows))
}

/// Values are shown for algorithms that have them (14.3).
fn row(algo_model: &'static str, kept: &Channel) -> AlgorithmRow {
    let Extended { sensitive, report_rate } = kept.extended.get(algo_model).copied().unwrap_or_default();
    let rule = algorithms::rule(algo_model);
    AlgorithmRow {
        algo_model,
        sensitive: rule.filter(|rule| rule.sensitive).map(|_| sensitive),
        report_rate: rule.filter(|rule| rule.report_rate).map(|_| report_rate),
    }
}

/// Sets sensitivities and intervals, of all channels or none (/extend/update, section 6.5).
pub(crate) async fn update(caller: Caller, request: UpdateExtended) -> Result<Done, Fault> {
    if request.list.is_empty() {
        return Err(Fault::argument("list is empty"));
    }
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let mut updated = BTreeMap::new();
    for sent in request.list {
        let camera = caller.reading()?.camera(channel(sent.channel_id)).await?;
        // A channel may have several entries.
        let kept = match updated.remove(&camera.id) {
            Some(kept) => kept,
            None => caller.device.channel(&camera).await?,
        };
        updated.insert(camera.id, extended(kept, sent, &caller.finds())?);
    }
    for (id, kept) in updated {
        rules::follow(&caller, id, &kept).await?;
        let change = CameraChange { note: caller.device.noting(&kept)?, ..CameraChange::default() };
        caller.acts().update_camera(id, change).await?;
    }
    Ok(Done::DONE)
}

fn extended(mut kept: Channel, sent: UpdateChannel, finds: Finds<'_>) -> Result<Channel, Fault> {
    kept.extended_on = switch("status", sent.status)?;
    for UpdateAlgorithm { algo_model, sensitive, report_rate } in sent.smart_list {
        let entry = kept.extended.entry(algorithms::run(&algo_model.0, finds)?.to_owned()).or_default();
        let sensitive = sensitive.map(|number| within("sensitive", number, 1..=100_u8)).transpose()?;
        let report_rate = report_rate.map(|number| within("report_rate", number, 0..=u32::MAX)).transpose()?;
        *entry = Extended {
            sensitive: sensitive.unwrap_or(entry.sensitive),
            report_rate: report_rate.unwrap_or(entry.report_rate),
        };
    }
    Ok(kept)
}

/// Reads the parameters of a channel (/smart/params/get, section 6.6).
pub(crate) async fn params(caller: Caller, request: ChannelKey) -> Result<Answer<ParamsRow>, Fault> {
    let camera = caller.reading()?.camera(channel(request.channel_id)).await?;
    let Params { video, video_before, video_after, recovery, face } = caller.device.channel(&camera).await?.params;
    Ok(Answer::of(ParamsRow {
        alarm_video_param: VideoRow {
            status: video.into(),
            befor_alarmed_time: video_before,
            after_alarmed_time: video_after,
        },
        status_recovery_param: RecoveryRow { status: recovery.into() },
        face_param: FaceRow { min_width: face.0, min_height: face.1 },
    }))
}

/// Sets the parameters of a channel that are sent (/smart/params/update, section 6.7).
pub(crate) async fn set_params(caller: Caller, request: UpdateParams) -> Result<Done, Fault> {
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let camera = caller.reading()?.camera(channel(request.channel_id)).await?;
    let mut kept = caller.device.channel(&camera).await?;
    let changes_faces = request.face_param.is_some();
    kept.params = changed(kept.params, request)?;
    rules::follow(&caller, camera.id, &kept).await?;
    let (smallest, note) = (kept.params.face.0.min(kept.params.face.1), caller.device.noting(&kept)?);
    let change = move |camera: &Camera| {
        let settings = CameraSettings { min_face_px: smallest, ..camera.settings.clone() };
        let settings = changes_faces.then_some(settings);
        Ok::<_, Error>(CameraChange { settings, note, ..CameraChange::default() })
    };
    caller.acts().amend_camera(camera.id, change).await?;
    Ok(Done::DONE)
}

fn changed(mut params: Params, sent: UpdateParams) -> Result<Params, Fault> {
    if let Some(video) = sent.alarm_video_param {
        let before = video.befor_alarmed_time.or(video.before_alarmed_time);
        let before = before.ok_or_else(|| Fault::argument("befor_alarmed_time is missing"))?;
        params.video = switch("alarm_video_param.status", video.status)?;
        params.video_before = within("befor_alarmed_time", before, 5..=30)?;
        params.video_after = within("after_alarmed_time", video.after_alarmed_time, 5..=30)?;
    }
    if let Some(recovery) = sent.status_recovery_param {
        params.recovery = switch("status_recovery_param.status", recovery.status)?;
    }
    if let Some(face) = sent.face_param {
        let side = |field, number| within(field, number, 0..=MAX_FACE);
        params.face = (side("min_width", face.min_width)?, side("min_height", face.min_height)?);
    }
    Ok(params)
}
