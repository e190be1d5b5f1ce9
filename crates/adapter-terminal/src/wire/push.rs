//! Messages that the device sends of its own accord.

use serde::Serialize;

/// A message; over MQTT and HTTP alike.
#[derive(Serialize)]
pub(crate) struct Message<T> {
    pub(crate) operator: &'static str,
    pub(crate) info: T,
}

impl<T: Serialize> Message<T> {
    /// The message as bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        // Structs of plain values can always be written.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// The offline notice (section 10.3) and the heartbeat (section 15).
#[derive(Serialize)]
pub(crate) struct Presence {
    #[serde(rename = "facesluiceId")]
    pub(crate) device: String,
    /// Absent in the last will.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time: Option<String>,
}

/// The online notice (section 10.1).
#[derive(Serialize)]
pub(crate) struct Online {
    #[serde(rename = "facesluiceId")]
    pub(crate) device: String,
    pub(crate) username: String,
    pub(crate) time: String,
    pub(crate) ip: String,
    pub(crate) facesname: String,
}

/// A record or an opening to the broker (sections 5, 6).
#[derive(Serialize)]
pub(crate) struct Pushed {
    #[serde(flatten)]
    pub(crate) subject: Subject,
    #[serde(rename = "facesluiceId")]
    pub(crate) device: String,
    #[serde(rename = "facesluiceName")]
    pub(crate) device_name: String,
    pub(crate) time: String,
    pub(crate) direction: &'static str,
    /// 0 at once, 2 because a platform asked for it.
    #[serde(rename = "PushType")]
    pub(crate) push_type: u8,
    #[serde(flatten)]
    pub(crate) face: Option<FaceEdges>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pic: Option<String>,
}

/// What a record or an opening is about.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Subject {
    /// RecPush.
    Person(Box<Authentication>),
    /// StrSnapPush.
    Stranger {
        #[serde(rename = "SnapID")]
        id: String,
    },
    /// RecPush of a record without a match.
    Nobody {},
}

/// The person of RecPush (section 5), in which most numbers are text.
#[derive(Serialize)]
pub(crate) struct Authentication {
    #[serde(rename = "customId")]
    pub(crate) custom_id: String,
    #[serde(rename = "personId")]
    pub(crate) person_id: String,
    #[serde(rename = "RecordID")]
    pub(crate) record_id: String,
    #[serde(rename = "VerifyStatus")]
    pub(crate) verify_status: String,
    #[serde(rename = "PersonType")]
    pub(crate) person_type: String,
    #[serde(rename = "personName")]
    pub(crate) name: String,
    /// The misspelt name that older platforms read.
    #[serde(rename = "persionName")]
    pub(crate) name_misspelt: String,
    pub(crate) similarity1: String,
    /// Absent from openings, as the fields of cards and documents are without a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) similarity2: Option<&'static str>,
    pub(crate) otype: String,
    #[serde(rename = "cardNum2")]
    pub(crate) card_num: String,
    #[serde(rename = "RFIDCard", skip_serializing_if = "Option::is_none")]
    pub(crate) rf_card: Option<String>,
    #[serde(rename = "idCard", skip_serializing_if = "Option::is_none")]
    pub(crate) id_card: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) telnum: Option<String>,
    /// 1 for a new record, 0 for one that was queued.
    #[serde(rename = "Sendintime")]
    pub(crate) in_time: u8,
}

/// The edges of a face, in pixels.
#[derive(Serialize)]
pub(crate) struct FaceEdges {
    pub(crate) left: String,
    pub(crate) top: String,
    pub(crate) right: String,
    pub(crate) bottom: String,
}

/// What a reader read (sections 14.3, 21, 23).
#[derive(Serialize)]
pub(crate) struct Scanned {
    #[serde(rename = "facesluiceId")]
    pub(crate) device: String,
    #[serde(rename = "facesluiceName")]
    pub(crate) device_name: String,
    pub(crate) time: String,
    #[serde(flatten)]
    pub(crate) content: ScanContent,
}

/// The content of a scan, under the name of its kind.
#[derive(Serialize)]
pub(crate) enum ScanContent {
    #[serde(rename = "QRCodeInfo")]
    Code(String),
    #[serde(rename = "CardInfo")]
    Card(CardInfo),
    #[serde(rename = "IDCardInfo")]
    Document(Box<IdCardInfo>),
}

/// A card.
#[derive(Serialize)]
pub(crate) struct CardInfo {
    #[serde(rename = "Endian")]
    pub(crate) endian: String,
    #[serde(rename = "CardMode")]
    pub(crate) card_mode: String,
    #[serde(rename = "CardNum")]
    pub(crate) card_num: String,
}

/// An ID card.
#[derive(Serialize)]
pub(crate) struct IdCardInfo {
    #[serde(rename = "IDCard_Idno")]
    pub(crate) number: String,
    #[serde(rename = "IDCard_Name")]
    pub(crate) name: String,
    #[serde(rename = "IDCard_Gender")]
    pub(crate) gender: u8,
    #[serde(rename = "IDCard_Nation")]
    pub(crate) nation: usize,
    #[serde(rename = "IDCard_Birthday")]
    pub(crate) birthday: String,
    #[serde(rename = "IDCard_Address")]
    pub(crate) address: String,
    #[serde(rename = "IDCard_Idissue")]
    pub(crate) issuer: String,
    #[serde(rename = "IDCard_Idperiod")]
    pub(crate) valid: String,
    #[serde(rename = "IDCard_photo")]
    pub(crate) photo: String,
}

/// A record to the HTTP subscriber (section 9.4), with the pictures beside `info`.
#[derive(Serialize)]
pub(crate) struct SubscriberPush {
    pub(crate) operator: &'static str,
    pub(crate) info: SubscriberRecord,
    /// The captured picture.
    #[serde(rename = "SanpPic", skip_serializing_if = "Option::is_none")]
    pub(crate) captured: Option<String>,
    /// The enrolled picture.
    #[serde(rename = "RegisteredPic", skip_serializing_if = "Option::is_none")]
    pub(crate) registered: Option<String>,
}

/// `info` of VerifyPush or SnapPush.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum SubscriberRecord {
    Person(Box<Verify>),
    Stranger(Snap),
}

/// SnapPush.
#[derive(Serialize)]
pub(crate) struct Snap {
    #[serde(rename = "DeviceID")]
    pub(crate) device: i64,
    #[serde(rename = "CreateTime")]
    pub(crate) time: String,
    #[serde(rename = "PictureType")]
    pub(crate) picture_type: u8,
    #[serde(rename = "Sendintime")]
    pub(crate) in_time: u8,
}

/// VerifyPush.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Verify {
    #[serde(rename = "DeviceID")]
    pub(crate) device: i64,
    #[serde(rename = "PersonID")]
    pub(crate) person_id: i64,
    #[serde(rename = "RecordID")]
    pub(crate) record_id: i64,
    pub(crate) create_time: String,
    pub(crate) similarity1: f64,
    pub(crate) similarity2: f64,
    pub(crate) verify_status: u8,
    pub(crate) verfy_type: u8,
    pub(crate) person_type: u8,
    pub(crate) name: String,
    pub(crate) gender: u8,
    pub(crate) nation: usize,
    pub(crate) card_type: i64,
    pub(crate) id_card: String,
    pub(crate) birthday: String,
    pub(crate) telnum: String,
    pub(crate) native: String,
    pub(crate) address: String,
    pub(crate) notes: String,
    pub(crate) mj_card_from: i64,
    pub(crate) mj_card_no: u64,
    #[serde(rename = "RFIDCard")]
    pub(crate) rf_card: String,
    #[serde(rename = "CustomizeID")]
    pub(crate) customize_id: i64,
    #[serde(rename = "PersonUUID")]
    pub(crate) person_uuid: String,
    pub(crate) tempvalid: i64,
    pub(crate) valid_begin: String,
    pub(crate) valid_end: String,
    pub(crate) sendintime: u8,
}
