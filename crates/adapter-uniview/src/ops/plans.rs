//! Arming times (chapter 5).

use domain::{Camera, CameraChange, Error};

use crate::codes::{Code, Fault};
use crate::convert::algorithms;
use crate::convert::channels::channel;
use crate::convert::plans::{plan, week};
use crate::request::Caller;
use crate::settings::Channel;
use crate::wire::plans::{GetPlan, UpdatePlan, Week};
use crate::wire::{Answer, Done, Text};

/// Sets when an algorithm is armed on a channel (/control/time/update, section 5.1).
pub(crate) async fn update(caller: Caller, request: UpdatePlan) -> Result<Done, Fault> {
    check_algorithm(&request.algo_model)?;
    let sent = request.control_time.or(request.bare).ok_or_else(|| Fault::argument("a weekday is missing"))?;
    let plan = plan(&sent)?;
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let camera = caller.reading()?.camera(channel(request.channel_id)).await?;
    let kept = caller.device.channel(&camera).await?;
    let kept = Channel { faces_never: plan.is_none(), ..kept };
    let (enabled, note) = (kept.watches(), caller.device.noting(&kept)?);
    let change = move |camera: &Camera| {
        let mut watch = camera.watch.settings.clone();
        watch.plan = plan.unwrap_or(watch.plan);
        watch.enabled = enabled;
        Ok::<_, Error>(CameraChange { watch: Some(watch), note, ..CameraChange::default() })
    };
    caller.acts().amend_camera(camera.id, change).await?;
    Ok(Done::DONE)
}

/// Reads when an algorithm is armed on a channel (/control/time/get, section 5.2).
pub(crate) async fn get(caller: Caller, request: GetPlan) -> Result<Answer<Week>, Fault> {
    check_algorithm(&request.algo_model)?;
    let camera = caller.reading()?.camera(channel(request.channel_id)).await?;
    let kept = caller.device.channel(&camera).await?;
    Ok(Answer::of(week(Some(&camera.watch.settings.plan).filter(|_| !kept.faces_never))))
}

/// One that does not run here is as unknown as any other (5.1 has no code for it).
fn check_algorithm(Text(name): &Text) -> Result<(), Fault> {
    algorithms::run(name).map(drop).map_err(|fault| match fault.code {
        Code::NotSupported => Fault::argument("algo_model does not run here"),
        _ => fault,
    })
}
