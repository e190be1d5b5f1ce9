//! Enumerations as stored in the database. A released value never changes its meaning.

use domain::{
    AuditClass, BehaviourKind, Category, Crossing, Direction, EnrolmentState, EntryKind, Expression, Gender,
    LibraryKind, Means, ObjectClass, PhotoFault, Role, SnapMode, TaskKind, Topic, UnclearFaces, Verdict,
};

/// An enumeration with a stored text for each of its values.
pub(crate) trait Word: Sized {
    /// Name of the enumeration, for errors.
    const WHAT: &'static str;
    /// The stored text.
    fn word(&self) -> &'static str;
    /// The value for a stored text.
    fn from_word(word: &str) -> Option<Self>;
}

macro_rules! words {
    ($($type:ident ($what:literal) { $($value:ident = $word:literal),+ $(,)? })+) => {$(
        impl Word for $type {
            const WHAT: &'static str = $what;

            fn word(&self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }

            fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$value),)+
                    _ => None,
                }
            }
        }
    )+};
}

words! {
    AuditClass ("class of audit entries") {
        Logins = "logins",
        Failures = "failures",
        Accounts = "accounts",
        Doors = "doors",
        Flows = "flows",
        Exports = "exports",
        Settings = "settings",
        Contents = "contents",
    }
    LibraryKind ("library kind") { Allow = "allow", Block = "block" }
    Gender ("gender") { Female = "female", Male = "male" }
    Category ("category") {
        Staff = "staff",
        Visitor = "visitor",
        Blocked = "blocked",
        Stranger = "stranger",
        Vip = "vip",
    }
    EnrolmentState ("enrolment") { Enrolled = "enrolled", Pending = "pending", Failed = "failed" }
    PhotoFault ("photo fault") {
        BadPicture = "bad_picture",
        NoFace = "no_face",
        ManyFaces = "many_faces",
        LowQuality = "low_quality",
    }
    Expression ("expression") {
        Angry = "angry",
        Disgusted = "disgusted",
        Scared = "scared",
        Happy = "happy",
        Sad = "sad",
        Surprised = "surprised",
        Neutral = "neutral",
    }
    EntryKind ("kind of entry") {
        Record = "record",
        Correction = "correction",
        Behaviour = "behaviour",
        Clip = "clip",
        Opening = "opening",
        Notice = "notice",
    }
    Means ("means of an opening") {
        Face = "face",
        Card = "card",
        Code = "code",
        Document = "document",
        FaceAndCard = "face_and_card",
        FaceAndDocument = "face_and_document",
        Command = "command",
    }
    BehaviourKind ("kind of behaviour") {
        Line = "line",
        LineCount = "line_count",
        Area = "area",
        Enter = "enter",
        Leave = "leave",
        Border = "border",
        AreaCount = "area_count",
        Crowd = "crowd",
        Gathering = "gathering",
        Loitering = "loitering",
        Absence = "absence",
        Alone = "alone",
        Fast = "fast",
        Parking = "parking",
        Presence = "presence",
    }
    ObjectClass ("class of objects") { Person = "person", Vehicle = "vehicle", Cycle = "cycle", Dog = "dog" }
    Crossing ("way across a line") { AToB = "a_to_b", BToA = "b_to_a", Both = "both" }
    Topic ("topic of a notice") {
        Camera = "camera",
        Storage = "storage",
        Reader = "reader",
        Feed = "feed",
        Software = "software",
    }
    Verdict ("verdict") {
        Known = "known",
        Stranger = "stranger",
        Unclear = "unclear",
        Blocked = "blocked",
        NotAllowedNow = "not_allowed_now",
        Spoof = "spoof",
    }
    Direction ("direction") { Entry = "entry", Exit = "exit" }
    TaskKind ("task kind") { Plain = "plain", RollCall = "roll_call", SignIn = "sign_in" }
    UnclearFaces ("treatment of unclear faces") { AsUnclear = "tell", AsStrangers = "strangers", Ignore = "ignore" }
    SnapMode ("snap mode") { Best = "best", Timed = "timed", First = "first" }
    Role ("role") { Viewer = "viewer", Operator = "operator", Admin = "admin" }
}
