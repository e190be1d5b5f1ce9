//! 1286, 1298 and 1299, and the messages 774 to 777.

use serde::{Deserialize, Serialize};

use super::Text;
use super::bodies::BodyAttr;
use super::compare::Position;
use super::people::PersonTexts;
use super::records::{FaceAttr, MatchedLib};

/// 1298.
#[derive(Deserialize)]
pub(crate) struct SetHttpPush {
    pub(crate) url: Text,
    pub(crate) key: Text,
}

/// The answer to 1299.
#[derive(Serialize)]
pub(crate) struct HttpPush {
    pub(crate) key: String,
    pub(crate) url: String,
}

/// The answer to 1286.
#[derive(Serialize)]
pub(crate) struct WsKey {
    pub(crate) key: String,
}

/// 776, beside its number.
#[derive(Deserialize)]
pub(crate) struct Subscribe {
    pub(crate) key: Text,
}

/// 774 and 775: the part `json`, whose number is a number.
#[derive(Serialize)]
pub(crate) struct PushMessage<T> {
    pub(crate) data: T,
    pub(crate) msg_id: u32,
}

/// The data of 775.
#[derive(Serialize)]
pub(crate) struct Heartbeat {
    pub(crate) device_id: String,
    pub(crate) trigger: String,
}

/// The data of 774, and of 777 beside the pictures.
#[derive(Serialize)]
pub(crate) struct CaptureData {
    pub(crate) camera_name: String,
    pub(crate) device_id: String,
    pub(crate) channel: u32,
    pub(crate) position: String,
    pub(crate) threshold: u8,
    pub(crate) img_id: String,
    pub(crate) img_path: String,
    #[serde(flatten)]
    pub(crate) library: MatchedLib,
    #[serde(flatten)]
    pub(crate) person: PersonTexts,
    pub(crate) snap_id: String,
    pub(crate) similarity: i64,
    pub(crate) quality: u8,
    #[serde(flatten)]
    pub(crate) face: Position,
    pub(crate) snap_feat: String,
    pub(crate) snap_path: String,
    pub(crate) trigger: String,
    /// 1: a face, 2: a body.
    pub(crate) obj_label: u8,
    #[serde(flatten)]
    pub(crate) attributes: ObjectAttr,
}

/// The attributes of a capture: receivers distinguish bodies from faces by which of the two is present.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum ObjectAttr {
    /// Appendix B.
    Face { face_attr: FaceAttr },
    /// Appendix C.
    Body { body_attr: BodyAttr },
}

/// 777, whose number is text.
#[derive(Serialize)]
pub(crate) struct WsMessage {
    pub(crate) code: i32,
    pub(crate) data: WsCapture,
    pub(crate) msg: &'static str,
    pub(crate) msg_id: &'static str,
}

/// The data of 777.
#[derive(Serialize)]
pub(crate) struct WsCapture {
    #[serde(flatten)]
    pub(crate) capture: CaptureData,
    pub(crate) ranking: i64,
    pub(crate) img: WsPicture,
    pub(crate) snap_buf: String,
    pub(crate) snap_frame: String,
}

/// The matched library picture: receivers compare with the number -1 before they read the text.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum WsPicture {
    /// A data URI.
    There(String),
    /// The number -1.
    Absent(i8),
}
