//! What `info` of the answers holds, beside `result` and the device's number.

use serde::Serialize;

/// An outcome per person of a batch (AddPersons, EditPersons, EditPersonsNew).
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BatchDone {
    pub(crate) add_err_num: String,
    pub(crate) add_suc_num: String,
    pub(crate) add_err_info: Vec<FailedPerson>,
    pub(crate) add_suc_info: Vec<PersonKey>,
}

/// A person who was refused.
#[derive(Serialize)]
pub(crate) struct FailedPerson {
    #[serde(rename = "customId")]
    pub(crate) custom_id: String,
    pub(crate) errcode: String,
}

/// A person by id.
#[derive(Serialize)]
pub(crate) struct PersonKey {
    #[serde(rename = "customId")]
    pub(crate) custom_id: String,
}

/// QueryProgress.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Progress {
    pub(crate) query_type: &'static str,
    pub(crate) status: String,
}

/// Versions.
#[derive(Serialize)]
pub(crate) struct Versions {
    pub(crate) name: String,
    pub(crate) buildtime: String,
}

/// GetSysTime.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SysTime {
    pub(crate) sys_time: String,
}

/// Upconfig and SetFactoryDefault: whether the device restarts, 0 or 1.
#[derive(Serialize)]
pub(crate) struct Reboot {
    pub(crate) reboot: String,
}

impl Reboot {
    pub(crate) fn of(restart: bool) -> Self {
        Self { reboot: u8::from(restart).to_string() }
    }
}

/// UpMQTTconfig: whether the device connects again or restarts, 0 or 1.
#[derive(Serialize)]
pub(crate) struct Reconnect {
    #[serde(rename = "ReConnect")]
    pub(crate) reconnect: String,
    #[serde(rename = "Reboot")]
    pub(crate) reboot: &'static str,
}

/// Upgrade.
#[derive(Serialize)]
pub(crate) struct Upgraded {
    pub(crate) name: String,
}

/// Unlock: the fields that were sent.
#[derive(Serialize)]
pub(crate) struct Unlocked {
    #[serde(rename = "openDoor", skip_serializing_if = "Option::is_none")]
    pub(crate) open_door: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) uid: Option<String>,
}

/// EditPerson and DelPerson.
#[derive(Serialize)]
pub(crate) struct PersonIds {
    #[serde(rename = "personId")]
    pub(crate) person_id: String,
    #[serde(rename = "customId")]
    pub(crate) custom_id: String,
    /// EditPerson only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<&'static str>,
}

/// QueryPerson; clients read the numbers in either letter case.
#[derive(Serialize)]
pub(crate) struct AllIds {
    #[serde(rename = "TotalPersonNum")]
    pub(crate) total: String,
    #[serde(rename = "QueryPersonNum")]
    pub(crate) listed: String,
    #[serde(rename = "totalPersonNum")]
    pub(crate) total_lower_case: String,
    #[serde(rename = "queryPersonNum")]
    pub(crate) listed_lower_case: String,
    /// The ids, with commas between them.
    #[serde(rename = "customId")]
    pub(crate) custom_ids: String,
}

/// SearchPerson (section 4.2.2), in which numbers are text.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PersonDetails {
    pub(crate) person_id: String,
    pub(crate) custom_id: String,
    pub(crate) name: String,
    pub(crate) gender: String,
    pub(crate) id_card: String,
    pub(crate) address: String,
    pub(crate) create_time: String,
    /// The misspelt name of `createTime`.
    pub(crate) creat_time: String,
    pub(crate) telnum1: String,
    pub(crate) person_type: String,
    pub(crate) card_num2: String,
    pub(crate) birthday: String,
    pub(crate) nation: String,
    pub(crate) native: String,
    pub(crate) notes: String,
    pub(crate) card_type2: String,
    #[serde(rename = "CardMode")]
    pub(crate) card_mode: String,
    pub(crate) temp_card_type: String,
    #[serde(rename = "EffectNumber")]
    pub(crate) effect_number: String,
    pub(crate) card_valid_begin: String,
    pub(crate) card_valid_end: String,
}

/// SearchPersonList.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PersonList {
    pub(crate) total_person_num: u64,
    pub(crate) person_num: usize,
    pub(crate) list: Vec<PersonRow>,
}

/// A row of SearchPersonList (section 4.2.3), in which numbers are numbers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PersonRow {
    #[serde(rename = "LibID")]
    pub(crate) lib_id: i64,
    pub(crate) person_type: u8,
    pub(crate) name: String,
    pub(crate) gender: u8,
    pub(crate) nation: usize,
    pub(crate) card_type: i64,
    pub(crate) id_card: String,
    pub(crate) birthday: String,
    pub(crate) telnum1: String,
    pub(crate) native: String,
    pub(crate) address: String,
    pub(crate) notes: String,
    pub(crate) card_type2: i64,
    pub(crate) card_num2: u64,
    #[serde(rename = "RFIDCard")]
    pub(crate) rf_card: String,
    pub(crate) temp_card_type: i64,
    pub(crate) custom_id: String,
    pub(crate) card_valid_begin: String,
    pub(crate) card_valid_end: String,
}

/// DeletePersons.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Deleted {
    pub(crate) del_err_num: String,
    pub(crate) del_suc_num: String,
    pub(crate) del_err_info: Vec<PersonKey>,
    pub(crate) del_suc_info: Vec<PersonKey>,
}

/// GetSceneSnap.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SceneSnap {
    pub(crate) img_type: String,
    pub(crate) img_data: String,
}

/// GetPictureSimilarity, 0 to 100.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PictureSimilarity {
    pub(crate) similarity: String,
}

/// GetPictureSearch.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct FoundPeople {
    pub(crate) total_num: usize,
    pub(crate) search_info: Vec<FoundPerson>,
}

/// A row of GetPictureSearch (section 18.2), in which numbers are text.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FoundPerson {
    pub(crate) person_type: String,
    pub(crate) name: String,
    pub(crate) card_type2: String,
    pub(crate) card_num2: String,
    pub(crate) gender: String,
    pub(crate) nation: String,
    pub(crate) id_card: String,
    pub(crate) birthday: String,
    pub(crate) telnum1: String,
    pub(crate) native: String,
    pub(crate) address: String,
    pub(crate) notes: String,
    pub(crate) custom_id: String,
    #[serde(rename = "Time")]
    pub(crate) time: String,
}

/// DetectFaceFromPic: 1 for a face, 0 for none.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DetectedFace {
    pub(crate) detect_face: String,
}

/// PushAck.
#[derive(Serialize)]
pub(crate) struct Confirmed {
    #[serde(rename = "PushAckType")]
    pub(crate) kind: String,
    #[serde(rename = "SnapOrRecordID")]
    pub(crate) id: String,
}

/// ManualPushRecords and ManualPushSnaps: the number of records that will be pushed.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PushedAgain {
    pub(crate) record_num: String,
}

/// EditAD and DelAD.
#[derive(Serialize)]
pub(crate) struct AdvertisementId {
    pub(crate) adid: String,
}

/// GetAudio.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Sounds {
    pub(crate) audio_num: String,
    pub(crate) audio_name: Vec<String>,
    pub(crate) audio_customer_num: String,
    pub(crate) audio_customer_name: Vec<String>,
}
