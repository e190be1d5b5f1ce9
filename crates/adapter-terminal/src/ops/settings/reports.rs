//! The settings of reports to the broker.

use domain::RecordKind;

use crate::codes::up_mqtt;
use crate::convert::time;
use crate::ops::{failed, resume_time};
use crate::push;
use crate::request::{Call, Outcome};
use crate::settings::{REPORTS, Reports, Values};
use crate::wire::Reply;
use crate::wire::replies::Reconnect;

/// Reads what is reported (GetMQTTconfig, section 9.6).
pub(crate) async fn get_mqtt_config(call: Call) -> Outcome {
    let device = &call.device;
    let values = device.values(&REPORTS).await.map_err(|error| failed(&error))?;
    let begin = push::resume_time(device, &push::TO_BROKER).await.map_err(|error| failed(&error))?;
    let begin = begin.map_or_else(|| time::ZERO.replace(' ', "T"), |begin| time::text_with_t(begin, &device.zone()));
    let mut info = values.into_map();
    info.insert("BeginTime".to_owned(), begin.into());
    for (name, topic) in [("OnlineTopic", "basic"), ("HeartbeatTopic", "heartbeat")] {
        if info.get(name).is_some_and(|set| set == "") {
            info.insert(name.to_owned(), format!("{}/{topic}", device.config.topic_prefix).into());
        }
    }
    Ok(Reply::with(info))
}

/// The field of the time from which pushes resume, and its form.
const BEGIN_TIME: (&str, &str) = ("BeginTime", "YYYY-MM-DDTHH:MM:SS");

/// Changes what is reported; the device connects again when a topic or the heartbeat changes (UpMQTTconfig, section
/// 9.6.3).
pub(crate) async fn up_mqtt_config(call: Call) -> Outcome {
    let device = &call.device;
    let before = Values::load_to_set(&device.state(), &REPORTS).await.map_err(|error| failed(&error))?;
    let mut after = before.clone();
    let changed = after.put(&REPORTS, &call.info).map_err(|why| up_mqtt::NO_INFO.because(why))?;
    let now = Reports::of(after.clone());
    let pushes = [RecordKind::People, RecordKind::Strangers].iter().any(|kind| now.pushes(*kind));
    if now.resumes() && !pushes {
        return Err(up_mqtt::NOTHING_TO_RESUME.into());
    }
    let begin = resume_time(device, &call.info, BEGIN_TIME, up_mqtt::NO_INFO)?;
    if now.resumes() && !Reports::of(before.clone()).resumes() {
        push::resume_since_now(device, &push::TO_BROKER).await.map_err(|error| failed(&error))?;
    }
    device.keep_values(&REPORTS, &after, &changed).await.map_err(|error| failed(&error))?;
    // After the settings, so that they apply to the records pushed again.
    if let Some(begin) = begin {
        push::resume_from(device, &push::TO_BROKER, begin).await.map_err(|error| failed(&error))?;
    }
    let differs = |name: &&str| before.text(name) != after.text(name);
    let connects = ["OnlineTopic", "HeartbeatTopic", "KeepAliveInterval"].iter().any(differs);
    Ok(Reply::with(Reconnect { reconnect: u8::from(connects).to_string(), reboot: "0" }))
}
