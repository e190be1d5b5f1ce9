//! What is reported to the broker.

use serde_json::{Value, json};

use super::{REPORTS, Values, keep};
use crate::codes::up_mqtt;
use crate::convert::time;
use crate::core::Core;
use crate::ops::{Call, Outcome, failed};
use crate::push;
use crate::wire::Reply;

/// What of the reports the connection and the pushes depend on.
pub(crate) struct Mqtt(Values);

impl Mqtt {
    pub(crate) async fn load(core: &Core) -> domain::Result<Self> {
        Ok(Self(Values::load(core, &REPORTS).await?))
    }

    /// What the connection depends on, also when it cannot be read: it is set again over the connection.
    pub(crate) async fn to_connect(core: &Core) -> domain::Result<Self> {
        Ok(Self(Values::load_to_set(core, &REPORTS).await?))
    }

    /// Seconds between two heartbeats, when a platform has set them.
    pub(crate) fn keep_alive(&self) -> Option<u64> {
        let seconds = self.0.number("KeepAliveInterval");
        (seconds != 30).then_some(seconds.unsigned_abs())
    }

    pub(crate) fn online_topic(&self) -> String {
        self.0.text("OnlineTopic").to_owned()
    }

    pub(crate) fn heartbeat_topic(&self) -> String {
        self.0.text("HeartbeatTopic").to_owned()
    }

    /// Whether strangers are told of.
    pub(crate) fn strangers(&self) -> bool {
        self.0.number("StrangerUploadType") == 0
    }

    /// Whether people are told of.
    pub(crate) fn people(&self) -> bool {
        self.0.number("RecordUploadType") != 0
    }

    /// Whether with the picture that was taken.
    pub(crate) fn with_picture(&self) -> bool {
        self.0.number("RecordUploadType") == 1
    }

    /// Whether a record is told again until the platform confirms it.
    pub(crate) fn resumes(&self) -> bool {
        self.0.number("ResumefromBreakpoint") == 1
    }

    /// Whether what is read of this kind is told of: `QRCode`, `IDCard` or `Card`.
    pub(crate) fn reports(&self, name: &str) -> bool {
        self.0.number(name) == 1
    }

    pub(crate) fn direction(&self) -> &'static str {
        match self.0.number("Direction") {
            0 => "entr",
            1 => "exit",
            _ => "unknow",
        }
    }
}

/// Reads what is reported (GetMQTTconfig, section 9.6).
pub(crate) async fn get_mqtt_config(call: Call) -> Outcome {
    let core = &call.core;
    let values = Values::load(core, &REPORTS).await.map_err(|error| failed(&error))?;
    let begin = push::resume_time(core, &push::TO_BROKER).await.map_err(|error| failed(&error))?;
    let begin = begin.map_or_else(|| time::ZERO.replace(' ', "T"), |begin| time::text_with_t(begin, &core.zone()));
    let mut info = values.into_map();
    info.insert("BeginTime".to_owned(), json!(begin));
    for (name, topic) in [("OnlineTopic", "basic"), ("HeartbeatTopic", "heartbeat")] {
        if info.get(name).is_some_and(|set| set == "") {
            info.insert(name.to_owned(), json!(format!("{}/{topic}", core.config.topic_prefix)));
        }
    }
    Ok(Reply::with(Value::Object(info)))
}

/// What `BeginTime` must be.
const BEGIN_TIME: &str = "BeginTime must be a time, YYYY-MM-DDTHH:MM:SS";

/// Changes what is reported; connects anew when a topic or the heartbeat changes (UpMQTTconfig, section 9.6.3).
pub(crate) async fn up_mqtt_config(call: Call) -> Outcome {
    let core = &call.core;
    let before = Values::load_to_set(core, &REPORTS).await.map_err(|error| failed(&error))?;
    let mut after = before.clone();
    let changed = after.put(&REPORTS, &call.info).map_err(|why| up_mqtt::NO_INFO.because(why))?;
    let topics = ["OnlineTopic", "HeartbeatTopic"];
    if let Some(wrong) = topics.iter().find(|name| after.text(name).contains(['+', '#', '\0'])) {
        return Err(up_mqtt::NO_INFO.because(format_args!("{wrong} must not contain + or #")));
    }
    let now = Mqtt(after.clone());
    if now.resumes() && !now.strangers() && !now.people() {
        return Err(up_mqtt::NOTHING_TO_RESUME.into());
    }
    let begin = call.info.filled("BeginTime").map(|begin| time::first(&begin, &core.zone()));
    let begin = begin.map(|begin| begin.ok_or_else(|| up_mqtt::NO_INFO.because(BEGIN_TIME))).transpose()?;
    if now.resumes() && !Mqtt(before.clone()).resumes() {
        push::resume_since_now(core, &push::TO_BROKER).await.map_err(|error| failed(&error))?;
    }
    keep(core, &REPORTS, &after, &changed).await?;
    // After the settings, so that they hold for the records sent again.
    if let Some(begin) = begin {
        push::resume_from(core, &push::TO_BROKER, begin).await.map_err(|error| failed(&error))?;
    }
    let differs = |name: &&str| before.text(name) != after.text(name);
    let connects = topics.iter().chain(&["KeepAliveInterval"]).any(differs);
    Ok(Reply::with(json!({ "ReConnect": u8::from(connects).to_string(), "Reboot": "0" })))
}
