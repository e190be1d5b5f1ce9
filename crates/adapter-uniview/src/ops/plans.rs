//! Arming times (chapter 5).

use domain::{Camera, CameraChange, CameraId, Error, WeeklyPlan};

use crate::codes::{Code, Fault};
use crate::convert::algorithms::{self, FACES};
use crate::convert::channels::channel;
use crate::convert::plans::{plan, week};
use crate::request::Caller;
use crate::settings::Channel;
use crate::wire::plans::{GetPlan, UpdatePlan, Week};
use crate::wire::{Answer, Done, Text};

/// Sets when an algorithm is armed on a channel (/control/time/update, section 5.1).
pub(crate) async fn update(caller: Caller, request: UpdatePlan) -> Result<Done, Fault> {
    let algorithm = algorithm(&caller, &request.algo_model)?;
    let sent = request.control_time.or(request.bare).ok_or_else(|| Fault::argument("a weekday is missing"))?;
    let plan = plan(&sent)?;
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let camera = caller.reading()?.camera(channel(request.channel_id)).await?;
    let kept = caller.device.channel(&camera).await?;
    if algorithm != FACES {
        return keep(&caller, camera.id, kept, algorithm, sent).await;
    }
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

/// Keeps the plan of a rule: alarms outside it are not pushed.
async fn keep(
    caller: &Caller,
    id: CameraId,
    mut kept: Channel,
    algorithm: &'static str,
    week: Week,
) -> Result<Done, Fault> {
    kept.plans.insert(algorithm.to_owned(), week);
    let change = CameraChange { note: caller.device.noting(&kept)?, ..CameraChange::default() };
    caller.acts().update_camera(id, change).await?;
    Ok(Done::DONE)
}

/// Reads when an algorithm is armed on a channel (/control/time/get, section 5.2).
pub(crate) async fn get(caller: Caller, request: GetPlan) -> Result<Answer<Week>, Fault> {
    let algorithm = algorithm(&caller, &request.algo_model)?;
    let camera = caller.reading()?.camera(channel(request.channel_id)).await?;
    let kept = caller.device.channel(&camera).await?;
    let plan = match kept.plans.get(algorithm) {
        Some(kept) => plan(kept)?,
        None if algorithm != FACES => Some(WeeklyPlan::always()),
        None => Some(camera.watch.settings.plan).filter(|_| !kept.faces_never),
    };
    Ok(Answer::of(week(plan.as_ref())))
}

/// One that does not run here is as unknown as any other (5.1 has no code for it).
fn algorithm(caller: &Caller, Text(name): &Text) -> Result<&'static str, Fault> {
    algorithms::run(name, &caller.finds()).map_err(|fault| match fault.code {
        Code::NotSupported => Fault::argument("algo_model does not run here"),
        _ => fault,
    })
}
