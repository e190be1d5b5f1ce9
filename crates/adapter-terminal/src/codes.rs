//! The error tables: each operator has its own codes and texts. The texts are the document's, with its spelling.

pub(crate) mod people;

/// A line of an operator's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Sent as text.
    pub code: u16,
    /// The text for the platform.
    pub detail: &'static str,
}

macro_rules! tables {
    ($($operator:literal $table:ident { $($name:ident = $code:literal $detail:literal;)* })*) => {
        $(
            #[doc = concat!("The table of ", $operator, ".")]
            #[allow(dead_code, reason = "a table is kept whole")]
            pub(crate) mod $table {
                use crate::codes::Refusal;
                $(pub(crate) const $name: Refusal = Refusal { code: $code, detail: $detail };)*
            }
        )*

        /// All lines of all tables, each with its operator.
        pub const ALL: &[(&str, Refusal)] = &[$($(($operator, $table::$name)),*),*];
    };
}

tables! {
    "EditPerson" edit_person {
        PACKET = 460 "Data out of range";
        NO_CUSTOM_ID = 461 "can't find customId";
        NO_INFO = 462 "Parameter error";
        NOT_BASE64 = 463 "pic base64 data decode err";
        NO_FEATURE = 464 "Get pic Person Feature err, please change a pic";
        OTHER = 465 "other";
        FULL = 467 "Person num is full";
        TOO_SHORT = 468 "get URI pic data len too short";
        TOO_LARGE = 469 "get URI pic data len too long";
        UNKNOWN_HOST = 470 "get URI server ip error";
        DOWNLOAD = 471 "get pic and connect URI IP error";
        NO_PICTURE = 472 "get pic and get URI error";
        RFID_TAKEN = 473 "RFIDCard already exist";
        NO_FACILITY = 474 "Get WGFacilityCode error";
        NO_CARD = 475 "Get cardNum2 error";
        CARD_TAKEN = 476 "cardNum2 already exist";
    }
    "SearchPerson" search_person {
        PACKET = 460 "Data out of range";
        NO_INFO = 462 "Parameter error";
        NO_CUSTOM_ID = 463 "Parameter customId error";
        NO_PERSON = 464 "can't find customId's person";
    }
    "SearchPersonList" search_list {
        PACKET = 460 "Data out of range";
        NO_INFO = 462 "Parameter error";
        OTHER_DEVICE = 465 "Unknow facesluiceId";
        NO_PERSON = 466 "can not find person";
    }
    "DelPerson" del_person {
        NO_CUSTOM_ID = 461 "can't find customId";
        NO_INFO = 462 "Parameter error";
        NO_PERSON = 464 "can't find customId's person";
    }
    "DeleteAllPerson" delete_all {
        PACKET = 460 "Data out of range";
        NO_INFO = 462 "Parameter error";
        NO_WORD = 463 "Parameter deleteall error";
    }
    "AddPersons" add_persons {
        BUSY = 410 "AddPersons is busy";
        NO_BEGIN = 412 "can not find DataBegin";
        NO_END = 413 "can not find DataEnd";
        NO_INFO = 414 "Parameter error";
        NO_NUMBER = 415 "can not find PersonNum";
        TOO_MANY = 416 "PersonNum out of range";
        OTHER_NUMBER = 417 "json of person's data is not equal PersonNum";
        NO_LIST = 418 "can not find info";
        PACKET = 460 "Data out of range";
    }
    "EditPersons" edit_persons {
        BUSY = 410 "EditPersons is busy";
        NO_BEGIN = 412 "can not find DataBegin";
        NO_END = 413 "can not find DataEnd";
        NO_INFO = 414 "Parameter error";
        NO_NUMBER = 415 "can not find PersonNum";
        TOO_MANY = 416 "PersonNum out of range";
        OTHER_NUMBER = 417 "json of person's data is not equal PersonNum";
        NO_LIST = 418 "can not find data";
        PACKET = 460 "Data out of range";
    }
    "DeletePersons" delete_persons {
        NO_BEGIN = 412 "can not find DataBegin";
        NO_END = 413 "can not find DataEnd";
        NO_INFO = 414 "Parameter error";
        NO_NUMBER = 415 "can not find PersonNum";
        TOO_MANY = 416 "PersonNum out of range";
        OTHER_NUMBER = 417 "json of person's data is not equal PersonNum";
        NO_LIST = 418 "can not find customId";
    }
    "EditPersonsNew" edit_persons_new {
        BUSY = 410 "EditPersonsNew is busy";
        NO_BEGIN = 412 "can not find DataBegin";
        NO_END = 413 "can not find DataEnd";
        NO_INFO = 414 "Parameter error";
        NO_NUMBER = 415 "can not find PersonNum";
        TOO_MANY = 416 "PersonNum out of range";
        OTHER_NUMBER = 417 "json of person's data is not equal PersonNum";
        NO_LIST = 418 "can not find data";
        PACKET = 460 "Data out of range";
    }
    "Upconfig" up_config {
        FAILED = 461 "Set param fail";
        NO_INFO = 462 "Parameter error";
    }
    "UpSoundconfig" up_sound {
        NO_INFO = 462 "Parameter error";
    }
    "UpHTTPconfig" up_http {
        NO_INFO = 462 "Parameter error";
        ADDRESS = 463 "ServerAddr error";
        PORT = 464 "ServerPort error";
    }
    "UpTPTconfig" up_temperature {
        NO_INFO = 462 "Parameter error";
    }
    "UpMQTTconfig" up_mqtt {
        NO_INFO = 462 "Parameter error";
        NOTHING_TO_RESUME = 463 "ResumefromBreakpoint need Topic Snap or Verify";
    }
    "SetSysTime" set_time {
        NO_INFO = 462 "Parameter error";
        NO_TIME = 463 "Can't find SysTime";
    }
    "UpFaceconfig" up_face {
        NO_INFO = 462 "Parameter error";
        OTHER_DEVICE = 463 "unknow facesluiceId";
    }
    "UpDoorconfig" up_door {
        NO_INFO = 462 "Parameter error";
        VERIFY_MODE = 463 "VerifyMode error";
    }
    "Unlock" unlock {
        NO_KEY = 461 "Can't get json key 'xxx'";
        WRONG = 462 "Key 'xxx' value[yyy] is wrong";
    }
    "EditAD" edit_ad {
        NO_INFO = 461 "Parameter error";
        NO_SLOT = 462 "Can't find adslot";
        NO_SUCH_SLOT = 463 "AD num is full";
        DOWNLOAD = 465 "AD file download fail";
        OTHER_DEVICE = 467 "unknow facesluiceId";
    }
    "DelAD" del_ad {
        NO_INFO = 461 "Parameter error";
        NO_SLOT = 462 "Can't find adslot";
        NO_SUCH_SLOT = 463 "adslot out of range";
    }
    "GetAudio" get_audio {
        NO_INFO = 462 "Parameter error";
        NONE = 463 "Can't find Audio";
    }
    "voiceplay" voice_play {
        NO_INFO = 462 "Parameter error";
        NO_NAME = 463 "can't find voicetype param";
        NO_FILE = 464 "can't find VoiceFileName";
    }
    "ShowQRCode" show_qr_code {
        NO_INFO = 462 "Parameter error";
        NO_DATA = 463 "can't find QRCodeData Param";
        OTHER_DEVICE = 464 "Unknow facesluiceId";
    }
    "GetSceneSnap" scene_snap {
        NO_INFO = 462 "Parameter error";
        FAILED = 463 "GetSceneSnap error";
        NOT_SUPPORTED = 464 "Version not support GetSceneSnap";
        OTHER_DEVICE = 465 "Unknow facesluiceId";
    }
    "GetPictureSimilarity" similarity {
        NO_INFO = 462 "Parameter error";
        OTHER_DEVICE = 463 "Unknow facesluiceId";
        NO_FIRST = 464 "Unknow pic1info";
        NO_SECOND = 465 "Unknow pic2info";
        FIRST_NOT_BASE64 = 466 "base64_decode pic1info error";
        FIRST_NO_FEATURE = 467 "GetPersonFeature pic1info error";
        SECOND_NOT_BASE64 = 468 "base64_decode pic2info error";
        SECOND_NO_FEATURE = 469 "GetPersonFeature pic2info error";
    }
    "GetPictureSearch" picture_search {
        PACKET = 460 "Data out of range";
        OTHER_DEVICE = 461 "Unkonw facesluiceId";
        NO_INFO = 462 "Parameter error";
        NO_SIMILARITY = 463 "Unkonw MaxSimilarity";
        NO_NUMBER = 464 "Unkonw MaxNum";
        NO_PICTURE = 465 "Unkonw picinfo";
        NO_PERSON = 466 "No Meet Conditions Person";
        NO_FEATURE = 467 "GetPersonFeature picinfo error";
        NOT_BASE64 = 468 "base64_decode picinfo error";
    }
    "DetectFaceFromPic" detect_face {
        NO_INFO = 462 "Parameter error";
        OTHER_DEVICE = 463 "Unknow facesluiceId";
        NO_PICTURE = 464 "Unknow picinfo";
        NOT_BASE64 = 465 "base64_decode picinfo error";
    }
    "ManualPushRecords" push_records {
        NO_INFO = 462 "Parameter error";
        OTHER_DEVICE = 463 "Unknow facesluiceId";
        NO_BEGIN = 464 "Unknow TimeS";
        NO_END = 465 "Unknow TimeE";
        NONE = 466 "Can't Find any record issue, please check TimeS and TimeE";
        OFF = 467 "Unknow RecordUploadType";
    }
    "ManualPushSnaps" push_snaps {
        NO_INFO = 462 "Parameter error";
        OTHER_DEVICE = 463 "Unknow facesluiceId";
        NO_BEGIN = 464 "Unknow TimeS";
        NO_END = 465 "Unknow TimeE";
        NONE = 466 "Can't Find any snap issue, please check TimeS and TimeE";
        OFF = 467 "Unknow StrangerUploadType";
    }
    "QueryProgress" query_progress {
        NO_INFO = 461 "Can't find info";
    }
    "PushAck" push_ack {
        NO_INFO = 462 "Can't find info";
        NO_TYPE = 463 "can't find PushAckType param";
        NO_SUCH_TYPE = 464 "PushAckType Error";
        NO_ID = 465 "SnapOrRecordID Param Error";
        OFF = 466 "ResumefromBreakpoint !=1 or Snap or Record Push mode error";
        FAILED = 468 "SetItemPushed error";
        NO_RECORD = 469 "can not find SnapOrRecordID";
    }
    "Upgrade" upgrade {
        NO_INFO = 461 "Parameter error";
        NO_NAME = 462 "Can't find name";
        DOWNLOAD = 463 "Upgrade file download fail";
        NO_PATH = 464 "Can't find path";
        OTHER_DEVICE = 468 "unknow facesluiceId";
        NO_UPGRADE = 475 "Upgrade is not supported for this type's file";
    }
}

/// The line of operators without a table: the document's most common one.
pub(crate) const NO_INFO: Refusal = Refusal { code: 462, detail: "Parameter error" };
/// The line of Unlock without `info`.
pub(crate) const UNLOCK_NO_INFO: Refusal = Refusal { code: unlock::NO_KEY.code, detail: "Can't get json key 'info'" };
/// The line for a failure of the device itself, where the operator's table has none.
pub(crate) const FAILED: Refusal = up_config::FAILED;

#[cfg(test)]
mod tests {
    use domain::{Error, Thing};

    use super::people::{edit_person, person_fault};
    use super::*;

    #[test]
    fn no_table_has_a_code_twice() {
        let mut lines: Vec<_> = ALL.iter().map(|(operator, refusal)| (*operator, refusal.code)).collect();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), ALL.len());
    }

    #[test]
    fn faults_of_the_core_have_lines() {
        let cases = [
            (Error::NoFace, 464),
            (Error::BadPicture { why: String::new() }, 463),
            (Error::LimitReached { what: Thing::Person }, 467),
            (Error::invalid("cards", "taken"), 476),
            (Error::StorageFull, 465),
        ];
        for (error, code) in cases {
            assert_eq!(edit_person(person_fault(&error)).code, code, "{error}");
        }
    }
}
