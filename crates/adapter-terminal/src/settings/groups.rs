//! All settings, in the groups in which they are read and changed.

use super::values::{Group, Rule};

const SWITCH: Rule = Rule::Int(0, 1);
const ANY: Rule = Rule::Int(0, i64::MAX);
const PATH: Rule = Rule::Exact(512);
const TOPIC: Rule = Rule::Topic(200);
const SECRET: Rule = Rule::Exact(63);

pub(crate) const SYSTEM: Group = Group {
    key: "settings.system",
    settings: &[
        ("Language", "1", Rule::Int(0, 10)),
        ("DataBaseEnable", "1", SWITCH),
        ("IDcardType", "0", Rule::Int(0, 3)),
        ("CardReaderType", "1", ANY),
        ("CardOpenDoorWay", "0", SWITCH),
        ("FaceDisplay", "1", SWITCH),
        ("LiveDetectType", "1", Rule::Int(0, 2)),
        ("LiveDetectTimeBeg", "07:00:00", Rule::Clock),
        ("LiveDetectTimeEnd", "19:00:00", Rule::Clock),
        ("LiveThreshold", "90.340000", Rule::Fixed),
        ("LiveFrameNum", "2", Rule::Fixed),
        ("LedLightType", "0", Rule::Int(0, 5)),
        ("LedTimeBeg", "07:00:00", Rule::Clock),
        ("LedTimeEnd", "19:00:00", Rule::Clock),
        ("LedBrightness", "50", Rule::Int(0, 100)),
        ("LedDisableAfterSec", "30", ANY),
        ("LcdBLDisable", "0", SWITCH),
        ("LcdBLDisableAfterSec", "30", ANY),
        ("ScreenBrightness", "50", Rule::Int(0, 100)),
        ("WebTimeOut", "5", Rule::Int(2, 10)),
    ],
};

pub(crate) const SOUND: Group = Group {
    key: "settings.sound",
    settings: &[
        ("VerifySuccAudio", "1", SWITCH),
        ("VerifyFailAudio", "1", SWITCH),
        ("Volume", "90", Rule::Int(0, 100)),
        ("VerifySuccGuiTip", "1", SWITCH),
        ("VerifyFailGuiTip", "1", SWITCH),
        ("UnregisteredGuiTip", "1", SWITCH),
        ("DisplayPicture", "1", SWITCH),
        ("RemoteCtrlAudio", "0", SWITCH),
        ("IPHide", "0", SWITCH),
        ("IsShowName", "1", Rule::Int(0, 2)),
        ("IsShowTitle", "0", SWITCH),
        ("IsShowVersion", "0", SWITCH),
        ("IsShowDate", "1", SWITCH),
        ("IsShowTime", "1", SWITCH),
        ("IDCardNumHide", "0", SWITCH),
        ("ICCardNumHide", "0", SWITCH),
        ("IsShowDeviceID", "1", SWITCH),
        ("IsShowPersonNum", "1", SWITCH),
        ("VerifyTipContent", "please pass", Rule::Text(63)),
        ("UnregisterTipContent", "stranger", Rule::Text(63)),
        ("BlacklistTipContent", "no access", Rule::Text(63)),
    ],
};

pub(crate) const TEMPERATURE: Group = Group {
    key: "settings.temperature",
    settings: &[
        ("TemperatureMode", "0", SWITCH),
        ("ShowAbnormalTemp", "1", SWITCH),
        ("TemperatureCheck", "0.00", Rule::Decimal(-10.0, 10.0)),
        ("TemperatureLow", "28.00", Rule::Decimal(0.0, 120.0)),
        ("TemperatureHigh", "37.30", Rule::Decimal(0.0, 120.0)),
        ("EnvTemperature", "17.00", Rule::Decimal(-100.0, 200.0)),
        ("EnvTemperatureCheck", "0.00", Rule::Decimal(-100.0, 100.0)),
        ("OpenLaser", "1", SWITCH),
        ("TempFaceMinW", "350", Rule::Int(100, 500)),
        ("TempFaceMinH", "350", Rule::Int(50, 1000)),
    ],
};

pub(crate) const REPORTS: Group = Group {
    key: "settings.mqtt",
    settings: &[
        ("StrangerUploadType", "0", SWITCH),
        ("RecordUploadType", "1", Rule::Int(0, 2)),
        ("Direction", "0", Rule::Int(0, 2)),
        ("QRCode", "1", SWITCH),
        ("IDCard", "1", SWITCH),
        ("Card", "1", SWITCH),
        ("ResumefromBreakpoint", "0", SWITCH),
        ("KeepAliveInterval", "30", Rule::Int(5, 3600)),
        ("OnlineTopic", "", TOPIC),
        ("HeartbeatTopic", "", TOPIC),
    ],
};

/// The settings of the door that `DoorRules` lacks.
pub(crate) const DOOR: Group = Group {
    key: "settings.door",
    settings: &[
        ("IDCardThreshold", "50", Rule::Int(50, 100)),
        ("VerifyMode", "1", ANY),
        ("VerifyResetTime", "2", Rule::Int(1, 10)),
        ("Wiegand", "1", Rule::OneOf(&[0, 1, 4, 5, 6, 7])),
        ("PublicMjCardNo", "2", ANY),
        ("AutoMjCardBgnNo", "3", ANY),
        ("AutoMjCardEndNo", "4", ANY),
        ("ControlType", "1", Rule::Int(0, 2)),
        ("IOType", "0", SWITCH),
        ("Endian", "0", SWITCH),
        ("CardMode", "0", SWITCH),
        ("IsOutFF", "0", SWITCH),
        ("SnapResetTime", "0", Rule::Int(0, 15)),
    ],
};

pub(crate) const FACE: Group = Group {
    key: "settings.face",
    settings: &[
        ("recDistance", "200", Rule::Int(30, 200)),
        ("faceMinPixel", "124", Rule::Int(0, 960)),
        ("detectArea_x", "0", Rule::Even(0, 960)),
        ("detectArea_y", "0", Rule::Even(0, 1280)),
        ("detectArea_w", "960", Rule::Even(0, 960)),
        ("detectArea_h", "1280", Rule::Even(0, 1280)),
    ],
};

pub(crate) const SUBSCRIPTION: Group = Group {
    key: "settings.http",
    settings: &[
        ("ServerAddr", "", Rule::Exact(255)),
        ("ServerPort", "80", Rule::Int(1, 65535)),
        ("Verify", "0", Rule::Int(0, 4)),
        ("VerifyURL", "/Subscribe/Verify", PATH),
        ("Snap", "0", SWITCH),
        ("SnapURL", "/Subscribe/Snap", PATH),
        ("QRCode", "0", SWITCH),
        ("QRCodeURL", "/Subscribe/QRCode", PATH),
        ("IDCard", "0", SWITCH),
        ("IDCardURL", "/Subscribe/IDCard", PATH),
        ("BeatInterval", "30", Rule::Int(1, 86400)),
        ("BeatURL", "/Subscribe/HeartBeat", PATH),
        ("TimedPush", "0", SWITCH),
        ("PushInterval", "30", Rule::Int(0, 86400)),
        ("Auth", "0", SWITCH),
        ("UserName", "", SECRET),
        ("PassWord", "", SECRET),
        ("ResumefromBreakpoint", "0", SWITCH),
    ],
};
