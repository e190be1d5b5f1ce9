//! The table of status codes (section 3), and the codes of the core's errors.
#![deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]

use axum::http::StatusCode;
use domain::{Error, Thing};

adapter::code_table! {
    u16;
    Success = 0, "command carried out";
    CommandParameter = 40071, "wrong parameters of an MQ command";
    System = 50072, "system error";
    Remote = 50073, "data could not be fetched from the remote server";
    RemoteData = 50074, "data from the remote server is wrong";
    Parameter = 40091, "wrong parameters of a fog (REST) call";
    NoResource = 40491, "resource not found";
    ContentType = 41591, "wrong request type";
    BadRequest = 40000, "request failed";
    UnsupportedContentType = 40001, "wrong request type";
    Empty = 40002, "empty request";
    Picture = 40003, "bad picture";
    NoFace = 40004, "no face";
    Boolean = 40005, "bad boolean";
    LowQuality = 40006, "picture quality too low";
    PictureTooLarge = 40007, "picture too large";
    EmptyGroup = 40008, "comparison group is empty";
    FaceTooSmall = 40009, "face too small";
    BadFeature = 40010, "bad face feature";
    PersonExists = 40011, "person exists already";
    GroupName = 40012, "bad group name (duplicate, empty ...)";
    GroupNotLoaded = 40013, "group not loaded";
    StrangerStays = 40014, "stranger cannot be deleted";
    Full = 40015, "bad group length (database full)";
    NotFound = 40400, "resource not found";
    NoId = 40401, "id not found";
    TooLarge = 41300, "payload too large";
    NotImplemented = 50100, "not implemented";
}

impl Code {
    /// The name in the table, with its misspellings.
    pub fn status(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::CommandParameter | Self::Parameter => "PARAM_ERROR",
            Self::System => "SERVER_PROCESS_FAILED",
            Self::Remote => "REMOTE_SERVER_FAILED",
            Self::RemoteData => "REMOTE_DATA_FAILED",
            Self::NoResource | Self::NotFound => "NOT_FOUND",
            Self::ContentType => "CONTENT_TYPE_ERROR",
            Self::BadRequest => "BAD_REQUEST",
            Self::UnsupportedContentType => "UNSUPPORT_CONTENT_TYPE",
            Self::Empty => "EMPTY_REQUEST_JSON",
            Self::Picture => "IMAGE_ERROR",
            Self::NoFace => "NO_FACE",
            Self::Boolean => "BOOLEAN_ARGUMENT_ERROR",
            Self::LowQuality => "LOW_QUALITY_ERROR",
            Self::PictureTooLarge => "IMAGE_SIZE_TOO_LARGE_ERROR",
            Self::EmptyGroup => "EMPTY_GROUP_ERROR",
            Self::FaceTooSmall => "ENROLL_FACE_SIZE_NOT_ENOUGH_ERROR",
            Self::BadFeature => "BAD_FEATURE_ERROR",
            Self::PersonExists => "IDENTITY_EXSIT_ERROR",
            Self::GroupName => "GROUP_NAME_ERROR",
            Self::GroupNotLoaded => "GROUP_NOT_LOAD",
            Self::StrangerStays => "STRANGER_NOT_DELETE",
            Self::Full => "GROUP_LEN_ERROR",
            Self::NoId => "ID_NOT_FOUND",
            Self::TooLarge => "PAYLOAD_TOO_LARGE",
            Self::NotImplemented => "NOT_IMPLEMENTED",
        }
    }

    /// The HTTP status of a REST call that fails so: the first three digits of the code (quirk S-HTTP).
    pub fn http(self) -> StatusCode {
        StatusCode::from_u16(self.number() / 100).unwrap_or(StatusCode::OK)
    }
}

/// The code for a failure of the core.
pub fn code(error: &Error) -> Code {
    match error {
        Error::NotFound { what } => not_found(*what),
        Error::AlreadyExists { what } => already_exists(*what),
        Error::Invalid { .. } => Code::Parameter,
        Error::NoFace => Code::NoFace,
        Error::ManyFaces | Error::LowQuality { .. } => Code::LowQuality,
        Error::BadPicture { .. } => Code::Picture,
        Error::LimitReached { .. } => Code::Full,
        Error::NotSupported { .. } => Code::NotImplemented,
        Error::InUse { .. } | Error::WrongCredentials | Error::Locked { .. } | Error::Forbidden => Code::BadRequest,
        Error::Busy | Error::StorageFull | Error::Unavailable { .. } | Error::Internal { .. } => Code::System,
    }
}

fn not_found(what: Thing) -> Code {
    match what {
        Thing::Person | Thing::PersonCode => Code::NoId,
        Thing::Library
        | Thing::Camera
        | Thing::CameraCapacity
        | Thing::Record
        | Thing::Picture
        | Thing::Account
        | Thing::Task
        | Thing::NetworkPort
        | Thing::TimeServer
        | Thing::Relay
        | Thing::Feed
        | Thing::Rule
        | Thing::PermissionGroup => Code::NoResource,
    }
}

fn already_exists(what: Thing) -> Code {
    match what {
        Thing::Person | Thing::PersonCode => Code::PersonExists,
        Thing::Library | Thing::PermissionGroup => Code::GroupName,
        Thing::Camera
        | Thing::CameraCapacity
        | Thing::Record
        | Thing::Picture
        | Thing::Account
        | Thing::Task
        | Thing::NetworkPort
        | Thing::TimeServer
        | Thing::Relay
        | Thing::Feed
        | Thing::Rule => Code::BadRequest,
    }
}

/// Maximum length of a detail in an answer, characters.
const MAX_DETAIL: usize = 200;

/// Why a call fails: the answer to the caller, and the cause for the log.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The code of the answer.
    pub(crate) code: Code,
    /// The HTTP status, where it is not that of the code.
    pub(crate) http: Option<StatusCode>,
    /// Appended to the text of the code.
    detail: Option<String>,
    /// For the log.
    cause: Option<Error>,
}

impl Fault {
    /// A code, and what is wrong.
    pub(crate) fn with(code: Code, detail: impl AsRef<str>) -> Self {
        let detail = detail.as_ref().chars().filter(|c| !c.is_control()).take(MAX_DETAIL).collect();
        Self { detail: Some(detail), ..code.into() }
    }

    /// A parameter that is missing, mistyped or impossible.
    pub(crate) fn parameter(detail: impl AsRef<str>) -> Self {
        Self::with(Code::Parameter, detail)
    }

    /// The same fault of a command instead of a call: wrong parameters have another code there.
    pub(crate) fn of_command(self) -> Self {
        let code = if self.code == Code::Parameter { Code::CommandParameter } else { self.code };
        Self { code, ..self }
    }

    /// A failure that HTTP has a status for, and the table no code.
    pub(crate) fn with_status(http: StatusCode, detail: &str) -> Self {
        Self { http: Some(http), ..Self::with(Code::BadRequest, detail) }
    }

    /// The text of the answer.
    pub(crate) fn message(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{}: {detail}", self.code.text()),
            None => self.code.text().to_owned(),
        }
    }

    /// The HTTP status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        self.http.unwrap_or_else(|| self.code.http())
    }

    /// Logs why a call was refused, or what the device itself is at fault for.
    pub(crate) fn report(&self, call: &str) {
        let own = self.cause.as_ref().filter(|error| matches!(error, Error::Internal { .. } | Error::StorageFull));
        if let Some(error) = own {
            tracing::error!(call, error = error.chain(), "call failed");
        } else {
            let why = self.cause.as_ref().map(Error::chain);
            tracing::debug!(call, code = self.code.number(), detail = self.detail, why, "call refused");
        }
    }
}

impl From<Code> for Fault {
    fn from(code: Code) -> Self {
        Self { code, http: None, detail: None, cause: None }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let detail = if let Error::Invalid { field, why } = &error { Some(format!("{field}: {why}")) } else { None };
        let fault = Self::from(code(&error));
        Self { detail, cause: Some(error), ..fault }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_of_http_begins_the_code() {
        let http = |code: Code| code.http().as_u16();
        assert_eq!([Code::Parameter, Code::NoId, Code::ContentType, Code::TooLarge].map(http), [400, 404, 415, 413]);
        assert_eq!([Code::System, Code::NotImplemented].map(http), [500, 501]);
    }

    #[test]
    fn failures_of_the_core_have_the_codes_of_the_table() {
        let cases = [
            (Error::NotFound { what: Thing::Library }, 40491),
            (Error::NotFound { what: Thing::Person }, 40401),
            (Error::NotFound { what: Thing::PermissionGroup }, 40491),
            (Error::AlreadyExists { what: Thing::PermissionGroup }, 40012),
            (Error::AlreadyExists { what: Thing::Library }, 40012),
            (Error::AlreadyExists { what: Thing::PersonCode }, 40011),
            (Error::invalid("library name", "too long"), 40091),
            (Error::NoFace, 40004),
            (Error::LowQuality { why: String::new() }, 40006),
            (Error::BadPicture { why: String::new() }, 40003),
            (Error::LimitReached { what: Thing::Person }, 40015),
            (Error::NotSupported { what: "this" }, 50100),
            (Error::StorageFull, 50072),
        ];
        for (error, number) in cases {
            assert_eq!(code(&error).number(), number, "{error}");
        }
    }
}
