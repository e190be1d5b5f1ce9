//! The error table of appendix A, and the codes of the core's errors.
#![deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]

use domain::{Error, Thing};

adapter::code_table! {
    i32;
    Unknown = -1, "Unknown error";
    NoData = -105, "Data does not exist";
    NoUser = -108, "User does not exist";
    NoCamera = -109, "Camera does not exist";
    EmptyLibrary = -110, "No face image in the library";
    WrongPassword = -113, "Username or password error";
    UserExists = -114, "User already exists";
    ChannelTaken = -115, "The channel already has a camera";
    FaceExists = -116, "The face image already exists";
    NoLibrary = -117, "The face library does not exist";
    LibraryLimit = -118, "The number of face library has reached the limit";
    LibraryExists = -119, "The face library already exists";
    FaceLimit = -122, "The number of images has reached the limit";
    LibraryInUse = -123, "The library has been bound to the camera please untie it before deleting";
    NoFaceImage = -126, "No such face image in the library";
    SnapModeSwitch = -610, "Snap mode switch failed";
    NoPermission = -140, "User does not have permission to operate";
    NotLoggedIn = -141, "User is not logged in";
    WeakPassword = -142, "User password too weak";
    NoRole = -143, "Role id not found";
    UserLimit = -144, "User limit exceed";
    WrongCurrentPassword = -145, "Current user name or password incorrect";
    RoleInUse = -146, "Role cannot be deleted cause users exist in the role";
    RoleExists = -147, "Role has already exist";
    RoleLimit = -148, "Role limit exceed";
    ComputingPower = -151, "Insufficient computing power";
    ImgIdExists = -1100, "'img_id' exists.";
    NoFace = -1101, "No face detected";
    LowQuality = -1102, "The face image quality is too low";
    BadPicture = -1104, "Incorrect image format or broken image";
    NothingToExport = -2100, "No content to export";
    ImgIdTooLong = -2754, "The img_id is too long";
    DeleteSelf = -2824, "Current user cannot delete himself";
    Parameter = -3596, "Parameter input error";
    MsgId = -3599, "'msg_id' error";
    Upgrade = -3603, "Upgrade failed";
    Network = -3606, "Network configuration error";
    AlreadyInMode = -3607, "The current system is already in this mode";
    SwitchMode = -3608, "Switch mode failed";
    Ntp = -3614, "NTP server access error";
    CertificateImport = -3616, "The crt or key file cannot be imported in HTTPS mode";
    CertificateDelete = -3617, "The crt or key file cannot be deleted in HTTPS mode";
    ToggleHttps = -3619, "Toggle https/http failed";
    ImageSnapMode = -3620, "The capture strategy cannot be modified in Image mode";
    Internal = -3624, "System internal error";
    NoCertificate = -3625, "crt or key file not yet imported";
}

/// The code for a failure of the core.
pub fn code(error: &Error) -> Code {
    match error {
        Error::NotFound { what } => not_found(*what),
        Error::AlreadyExists { what } => already_exists(*what),
        Error::Invalid { .. } | Error::NotSupported { .. } => Code::Parameter,
        Error::NoFace => Code::NoFace,
        // Where one face is wanted, the largest is taken; the table has no code for too many.
        Error::ManyFaces | Error::LowQuality { .. } => Code::LowQuality,
        Error::BadPicture { .. } => Code::BadPicture,
        Error::LimitReached { what } => limit_reached(*what),
        Error::InUse { by } => in_use(*by),
        Error::WrongCredentials | Error::Locked { .. } => Code::WrongPassword,
        Error::Forbidden => Code::NoPermission,
        Error::Busy | Error::StorageFull | Error::Unavailable { .. } | Error::Internal { .. } => Code::Internal,
    }
}

fn not_found(what: Thing) -> Code {
    match what {
        Thing::Library => Code::NoLibrary,
        Thing::Person | Thing::PersonCode => Code::NoFaceImage,
        Thing::Camera => Code::NoCamera,
        Thing::Account => Code::NoUser,
        Thing::NetworkPort => Code::Network,
        Thing::TimeServer => Code::Ntp,
        Thing::CameraCapacity
        | Thing::Record
        | Thing::Picture
        | Thing::Relay
        | Thing::Task
        | Thing::Feed
        | Thing::Rule
        | Thing::PermissionGroup => Code::NoData,
    }
}

fn already_exists(what: Thing) -> Code {
    match what {
        Thing::Library => Code::LibraryExists,
        Thing::PersonCode => Code::ImgIdExists,
        Thing::Person | Thing::Picture => Code::FaceExists,
        Thing::Camera | Thing::CameraCapacity => Code::ChannelTaken,
        Thing::Account => Code::UserExists,
        Thing::Record
        | Thing::Task
        | Thing::NetworkPort
        | Thing::TimeServer
        | Thing::Relay
        | Thing::Feed
        | Thing::Rule
        | Thing::PermissionGroup => Code::Internal,
    }
}

fn limit_reached(what: Thing) -> Code {
    match what {
        Thing::Library => Code::LibraryLimit,
        Thing::Person | Thing::PersonCode | Thing::Picture => Code::FaceLimit,
        Thing::Camera | Thing::CameraCapacity => Code::ComputingPower,
        Thing::Account => Code::UserLimit,
        // The table has no code for it.
        Thing::Relay => Code::Parameter,
        Thing::Record
        | Thing::Task
        | Thing::NetworkPort
        | Thing::TimeServer
        | Thing::Feed
        | Thing::Rule
        | Thing::PermissionGroup => Code::Internal,
    }
}

fn in_use(by: Thing) -> Code {
    match by {
        Thing::Camera | Thing::CameraCapacity | Thing::Task => Code::LibraryInUse,
        Thing::Library
        | Thing::Person
        | Thing::PersonCode
        | Thing::Record
        | Thing::Picture
        | Thing::Account
        | Thing::NetworkPort
        | Thing::TimeServer
        | Thing::Relay
        | Thing::Feed
        | Thing::Rule
        | Thing::PermissionGroup => Code::Unknown,
    }
}

/// Why a call fails: the answer to the caller, and the cause for the log.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The code of the answer.
    pub(crate) code: Code,
    /// Appended to the text of the code; never a secret.
    detail: Option<String>,
    /// For the log.
    cause: Option<Error>,
}

/// The longest detail, characters.
const MAX_DETAIL: usize = 200;

impl Fault {
    /// A wrong parameter; `why` names the field.
    pub(crate) fn parameter(why: impl Into<String>) -> Self {
        Self::with_detail(Code::Parameter, why)
    }

    /// A refusal with more than the text of its code.
    pub(crate) fn with_detail(code: Code, why: impl Into<String>) -> Self {
        let why: String = why.into();
        Self { code, detail: Some(why.chars().take(MAX_DETAIL).collect()), cause: None }
    }

    /// The text of the answer.
    pub(crate) fn message(&self) -> String {
        let text = self.code.text();
        self.detail.as_ref().map_or_else(|| text.to_owned(), |detail| format!("{text}: {detail}"))
    }

    /// Logs a failure of the device itself.
    pub(crate) fn report(&self) {
        if let Some(error) = self.alarm() {
            tracing::error!(error = error.chain(), "call failed");
        }
    }

    /// Logs the reason of a refusal for the integrator, where the code alone does not give it.
    pub(crate) fn explain(&self, msg_id: i64) {
        if let Some(reason) = self.detail.as_deref().filter(|_| self.alarm().is_none()) {
            tracing::info!(msg_id, code = self.code.number(), reason, "call refused");
        }
    }

    /// The error, when it is a failure of the device itself.
    pub(crate) fn alarm(&self) -> Option<&Error> {
        self.cause.as_ref().filter(|_| self.code == Code::Internal)
    }
}

impl From<Code> for Fault {
    fn from(code: Code) -> Self {
        Self { code, detail: None, cause: None }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self { code: code(&error), detail: detail(&error), cause: Some(error) }
    }
}

/// The detail of an error for the caller, under the document's names.
pub(crate) fn detail(error: &Error) -> Option<String> {
    match error {
        Error::Invalid { field, why } => Some(format!("{} is invalid: {why}", wire_name(field))),
        Error::NotSupported { .. } | Error::Unavailable { .. } | Error::Busy | Error::StorageFull => {
            Some(error.to_string())
        }
        // The table's only code for it is that of a wrong parameter.
        Error::LimitReached { what: Thing::Relay } => Some(error.to_string()),
        Error::NotFound { .. }
        | Error::AlreadyExists { .. }
        | Error::NoFace
        | Error::ManyFaces
        | Error::LowQuality { .. }
        | Error::BadPicture { .. }
        | Error::LimitReached { .. }
        | Error::InUse { .. }
        | Error::WrongCredentials
        | Error::Locked { .. }
        | Error::Forbidden
        | Error::Internal { .. } => None,
    }
}

/// The document's name of a field of the core.
fn wire_name(field: &'static str) -> &'static str {
    match field {
        "library name" => "lib_name",
        "library" | "libraries" => "lib_id",
        "person code" => "img_id",
        "camera name" => "camera_name",
        "face size" => "facesize_min",
        "source" | "server" => "url",
        "every_minutes" => "ntp_cycle",
        "user name" => "user_name",
        "address" => "ip",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    #[test]
    fn the_table_has_every_code_once_and_all_are_negative() {
        let mut numbers: Vec<_> = Code::ALL.iter().map(|code| code.number()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 46);
        assert!(numbers.iter().all(|number| *number < 0));
    }

    #[test]
    fn missing_things_have_codes_of_their_own() {
        let cases = [(Thing::Library, -117), (Thing::Person, -126), (Thing::Camera, -109), (Thing::Account, -108)];
        for (what, number) in cases {
            assert_eq!(code(&Error::NotFound { what }).number(), number, "{what}");
        }
    }

    #[test]
    fn existing_things_and_full_ones_have_codes_of_their_own() {
        let cases = [(Thing::Library, -119, -118), (Thing::PersonCode, -1100, -122), (Thing::Camera, -115, -151)];
        for (what, exists, full) in cases {
            assert_eq!(code(&Error::AlreadyExists { what }).number(), exists, "{what}");
            assert_eq!(code(&Error::LimitReached { what }).number(), full, "{what}");
        }
    }

    #[test]
    fn faults_of_photos_logins_and_the_device_have_codes() {
        let cases = [
            (Error::NoFace, -1101),
            (Error::LowQuality { why: String::new() }, -1102),
            (Error::BadPicture { why: String::new() }, -1104),
            (Error::InUse { by: Thing::Camera }, -123),
            (Error::WrongCredentials, -113),
            (Error::Locked { until: Timestamp::from_millis(0) }, -113),
            (Error::Forbidden, -140),
            (Error::invalid("age", "not 1 to 120"), -3596),
            (Error::StorageFull, -3624),
            (Error::internal("writing")("disk"), -3624),
        ];
        for (error, number) in cases {
            assert_eq!(code(&error).number(), number, "{error}");
        }
    }

    #[test]
    fn the_answer_names_the_field_but_not_the_inner_cause() {
        assert_eq!(Fault::parameter("lib_id is missing").message(), "Parameter input error: lib_id is missing");
        let fault = Fault::from(Error::internal("writing")("the secret path"));
        assert_eq!(fault.message(), "System internal error");
        assert!(fault.alarm().is_some());
    }

    #[test]
    fn fields_are_named_as_in_the_document_and_temporary_faults_are_described() {
        let cases = [
            (Error::invalid("library name", "too long"), "Parameter input error: lib_name is invalid: too long"),
            (Error::invalid("every_minutes", "0"), "Parameter input error: ntp_cycle is invalid: 0"),
            (Error::invalid("channel", "not 1 to 16"), "Parameter input error: channel is invalid: not 1 to 16"),
            (Error::LimitReached { what: Thing::Relay }, "Parameter input error: relay limit reached"),
            (Error::Busy, "System internal error: busy"),
            (Error::StorageFull, "System internal error: storage is full"),
            (Error::NotFound { what: Thing::Library }, "The face library does not exist"),
        ];
        for (error, message) in cases {
            assert_eq!(Fault::from(error).message(), message);
        }
    }
}
