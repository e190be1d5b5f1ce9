//! What the platform says at the login, its commands, and their results (4, 5, 6).

use adapter::lenient::{Int, Text};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Bool, Dict, Fields, Names, Texts};

/// The answer to a login.
#[derive(Deserialize)]
pub(crate) struct LoggedIn {
    pub(crate) token: Text,
    #[serde(rename = "imgServerAddr", alias = "imgServerAddress")]
    pub(crate) pictures: Option<Text>,
    pub(crate) rabbitmq: Broker,
    /// Not in the document, as the next (quirk S-REALADDR).
    #[serde(rename = "eventServerAddr")]
    pub(crate) realtime: Option<Names>,
    #[serde(rename = "realRecordAddr")]
    pub(crate) realtime_records: Option<Names>,
    #[serde(rename = "recordAddr")]
    pub(crate) history: Option<Names>,
    #[serde(rename = "recordUploadPeriod")]
    pub(crate) history_period: Option<Int>,
    #[serde(rename = "deviceMonitorAddr")]
    pub(crate) status: Option<Text>,
    #[serde(rename = "deviceMonitorPeriod")]
    pub(crate) status_period: Option<Int>,
    #[serde(rename = "deviceListInfoAddr")]
    pub(crate) cameras: Option<Text>,
    #[serde(rename = "deviceInfoAddr")]
    pub(crate) operations: Option<Text>,
}

/// Where the commands come from.
#[derive(Deserialize)]
pub(crate) struct Broker {
    pub(crate) host: Text,
    pub(crate) port: Int,
    pub(crate) login: Text,
    pub(crate) password: Text,
    pub(crate) queue: Text,
    #[serde(rename = "vHost")]
    pub(crate) v_host: Option<Text>,
    #[serde(rename = "uploadVHost")]
    pub(crate) upload_v_host: Option<Text>,
    #[serde(rename = "uploadQueue")]
    pub(crate) upload_queue: Option<Text>,
    #[serde(rename = "fiqaDownQueue")]
    pub(crate) fiqa_queue: Option<Text>,
    #[serde(rename = "fiqaUploadQueue")]
    pub(crate) fiqa_upload_queue: Option<Text>,
    #[serde(rename = "unNeedBindExchange")]
    pub(crate) as_it_is: Option<Bool>,
    pub(crate) exchange: Option<Exchange>,
}

/// The exchange that the queue is bound to.
#[derive(Deserialize)]
pub(crate) struct Exchange {
    pub(crate) name: Text,
    #[serde(rename = "type")]
    pub(crate) kind: Text,
    pub(crate) passive: Option<Bool>,
    pub(crate) durable: Option<Bool>,
    pub(crate) auto_delete: Option<Bool>,
    pub(crate) arguments: Option<Value>,
    #[serde(rename = "routingKey")]
    pub(crate) routing_key: Option<Text>,
}

/// What all commands have beside what identifies them.
#[derive(Deserialize)]
pub(crate) struct Command {
    pub(crate) extend_params: Option<ExtendParams>,
}

#[derive(Deserialize, Default)]
pub(crate) struct ExtendParams {
    pub(crate) path: Option<Text>,
    pub(crate) notify_path: Option<Text>,
}

#[derive(Deserialize)]
pub(crate) struct AddUsers {
    pub(crate) userid_list: Option<Texts>,
    pub(crate) user_info_list: Option<Vec<Fields>>,
}

/// Asks for the details of people (6.1).
#[derive(Serialize)]
pub(crate) struct AskDetails<'a> {
    pub(crate) userid_list: &'a [String],
}

/// The details of people (6.1).
#[derive(Deserialize)]
pub(crate) struct ToldDetails {
    pub(crate) data: DetailList,
}

#[derive(Deserialize)]
pub(crate) struct DetailList {
    pub(crate) user_list: Vec<Fields>,
}

/// A person as the platform has it (6.1).
#[derive(Deserialize)]
pub(crate) struct PlatformPerson {
    pub(crate) identity_id: Text,
    pub(crate) reg_photo: Option<String>,
    pub(crate) reg_url: Option<String>,
    pub(crate) relative_pic_url: Option<String>,
    pub(crate) info: Dict,
}

#[derive(Deserialize)]
pub(crate) struct DeleteUsers {
    pub(crate) userid_list: Texts,
}

#[derive(Deserialize)]
pub(crate) struct SyncPermissions {
    pub(crate) permissions_info_list: Vec<PermissionName>,
}

#[derive(Deserialize)]
pub(crate) struct PermissionName {
    pub(crate) id: Text,
    pub(crate) info: Named,
}

#[derive(Deserialize)]
pub(crate) struct Named {
    pub(crate) name: Text,
}

#[derive(Deserialize)]
pub(crate) struct Fiqa {
    pub(crate) info: FiqaPicture,
}

#[derive(Deserialize)]
pub(crate) struct FiqaPicture {
    pub(crate) image_base64_str: String,
    pub(crate) fiqa_level: Option<Text>,
}

/// The result of a command (5.4).
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct CommandResult {
    pub(crate) success: bool,
    pub(crate) code: u16,
    pub(crate) message: String,
    pub(crate) dev_sno: String,
    #[serde(rename = "messageKey")]
    pub(crate) method: String,
    #[serde(default, rename = "messageId", skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    pub(crate) result: Value,
}

/// What became of people.
#[derive(Serialize, Default)]
pub(crate) struct UserResults {
    pub(crate) success_users: Vec<UserResult>,
    pub(crate) failed_users: Vec<UserResult>,
}

#[derive(Serialize)]
pub(crate) struct UserResult {
    pub(crate) userid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<String>,
    pub(crate) message: String,
    pub(crate) code: u16,
}

/// What became of permission groups.
#[derive(Serialize, Default)]
pub(crate) struct PermissionResults {
    pub(crate) success_permission: Vec<PermissionResult>,
    pub(crate) failed_permission: Vec<PermissionResult>,
}

#[derive(Serialize)]
pub(crate) struct PermissionResult {
    pub(crate) permission_id: String,
    pub(crate) permission_name: String,
    pub(crate) message: String,
    pub(crate) code: u16,
}

/// The faces of a picture (5.3).
#[derive(Serialize)]
pub(crate) struct FiqaResults {
    pub(crate) data: Vec<FiqaFace>,
}

#[derive(Serialize)]
pub(crate) struct FiqaFace {
    pub(crate) bbox: [i64; 4],
    pub(crate) fails: Vec<&'static str>,
    pub(crate) fiqa_result: bool,
    pub(crate) info: FiqaInfo,
    pub(crate) score: f64,
    pub(crate) success: Vec<&'static str>,
}

#[derive(Serialize)]
pub(crate) struct FiqaInfo {
    pub(crate) brightness: f64,
    pub(crate) clarity: f64,
    pub(crate) face_size: i64,
    pub(crate) headpose: HeadPose,
    pub(crate) mask: f64,
    pub(crate) occlusion: [bool; 3],
    pub(crate) partial: bool,
}

#[derive(Serialize)]
pub(crate) struct HeadPose {
    pub(crate) pitch_angle: f64,
    pub(crate) roll_angle: f64,
    pub(crate) yaw_angle: f64,
}
