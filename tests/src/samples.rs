//! The two receivers that the vendor's document prints for platforms to begin with (appendix D), by what the
//! catalogue says they demand: a push that either of them would stumble over is refused.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use crate::{Push, checkout};

/// What the receivers of the document demand.
pub struct SampleReceivers {
    captures: Vec<String>,
    heartbeats: Vec<String>,
    frames: Vec<String>,
}

impl SampleReceivers {
    /// As the catalogue has them.
    pub fn of_the_document() -> Self {
        let text = fs::read_to_string(checkout().join("tests/contracts/sensetime.yaml")).expect("the catalogue");
        let catalogue: Value = serde_norway::from_str(&text).expect("YAML");
        let demands = |receiver: usize, of: &str| {
            let fields = catalogue["receivers"][receiver]["asserts"][of].as_array().expect("a list");
            fields.iter().map(|field| field.as_str().expect("a name").to_owned()).collect()
        };
        Self {
            captures: demands(0, "774 data must contain"),
            heartbeats: demands(0, "775 data must contain"),
            frames: demands(1, "777 data must contain"),
        }
    }

    /// What the HTTP receiver makes of a push: why it would answer 500, or nothing.
    pub fn take_push(&self, push: &Push) -> Result<(), String> {
        let demanded = match push.json["msg_id"].as_i64() {
            Some(774) => &self.captures,
            Some(775) => &self.heartbeats,
            _ => return Err(format!("msg_id {}: an unknown message", push.json["msg_id"])),
        };
        contains(&push.json["data"], demanded)?;
        let files: Vec<_> = push.files.iter().map(|(name, _)| name.as_str()).collect();
        let whole = files.contains(&"snap") && files.contains(&"snap_frame");
        if files.is_empty() || whole { Ok(()) } else { Err(format!("files {files:?}")) }
    }

    /// What the WebSocket receiver makes of a frame after the first: why it would raise, or nothing.
    pub fn take_frame(&self, frame: &Value) -> Result<(), String> {
        frame.get("msg").ok_or("no msg")?;
        let data = frame.get("data").ok_or("not a capture")?;
        contains(data, &self.frames)?;
        match &data["img"] {
            Value::Number(none) if none.as_i64() == Some(-1) => Ok(()),
            Value::String(uri) => {
                let (_, picture) = uri.split_once(',').ok_or("img has no comma")?;
                BASE64.decode(picture).map(drop).map_err(|error| format!("img: {error}"))
            }
            other => Err(format!("img is {other}")),
        }
    }
}

fn contains(data: &Value, demanded: &[String]) -> Result<(), String> {
    let missing: Vec<_> = demanded.iter().filter(|field| data.get(field).is_none()).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("without {missing:?}")) }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    fn push(json: Value, files: &[&str]) -> Push {
        let files = files.iter().map(|name| ((*name).to_owned(), Bytes::new())).collect();
        Push { key: String::new(), json, files, at: Instant::now() }
    }

    #[test]
    fn they_are_as_strict_as_the_printed_ones() {
        let samples = SampleReceivers::of_the_document();
        let beat = json!({"msg_id": 775, "data": {"device_id": "1", "trigger": "now"}});
        assert_eq!(samples.take_push(&push(beat.clone(), &[])), Ok(()));
        assert!(samples.take_push(&push(beat, &["snap"])).is_err(), "one picture without the other");
        let text = json!({"msg_id": "775", "data": {"device_id": "1", "trigger": "now"}});
        assert!(samples.take_push(&push(text, &[])).is_err(), "a number as text is another message");
        assert!(samples.take_push(&push(json!({"msg_id": 774, "data": {}}), &[])).is_err());
        assert!(samples.take_frame(&json!({"msg": "", "data": {}})).is_err());
    }
}
