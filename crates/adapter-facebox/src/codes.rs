//! The code table, and the codes of the core's errors.
#![deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]

use domain::{Error, Thing, UnusableAddress};

adapter::code_table! {
    u16;
    Unknown = 1, "unknown error";
    Json = 2, "parse input json error";
    Parameter = 3, "Invalid para: ";
    Sql = 4, "sql error";
    Session = 5, "invalid session";
    NoData = 6, "data not exist";
    Timeout = 7, "timeout";
    Database = 8, "database not available";
    NoUser = 100, "unknown user";
    UserExists = 101, "user exists";
    WrongPassword = 102, "wrong password";
    LibraryExists = 200, "library exists";
    NoLibrary = 201, "library does not exist";
    LibraryInUse = 202, "library in use";
    BadRtsp = 300, "invalid rtsp";
    CameraExists = 301, "camera exists";
    SearchFailed = 302, "search failed";
    CameraInUse = 303, "camera in use";
    TaskExists = 400, "task exists";
    NoTask = 401, "task does not exist";
    CompareFailed = 402, "compare failed";
    PersonLimit = 500, "add person failed";
    PersonExists = 501, "person exists";
    NoFace = 502, "no usable face";
    BadPicture = 503, "bad picture";
    CardExists = 504, "card_no exists";
    TaskRuns = 601, "task is running";
}

/// The code for a failure of the core.
pub fn code(error: &Error) -> Code {
    match error {
        Error::NotFound { what } => not_found(*what),
        Error::AlreadyExists { what } => already_exists(*what),
        Error::Invalid { .. } => Code::Parameter,
        Error::NoFace | Error::ManyFaces | Error::LowQuality { .. } => Code::NoFace,
        Error::BadPicture { .. } => Code::BadPicture,
        Error::LimitReached { what } => limit_reached(*what),
        Error::InUse { by } => in_use(*by),
        Error::WrongCredentials | Error::Locked { .. } => Code::WrongPassword,
        Error::Forbidden => Code::Session,
        Error::StorageFull => Code::Database,
        Error::Busy | Error::NotSupported { .. } | Error::Unavailable { .. } | Error::Internal { .. } => Code::Unknown,
    }
}

fn not_found(what: Thing) -> Code {
    match what {
        Thing::Library => Code::NoLibrary,
        Thing::Account => Code::NoUser,
        Thing::Task => Code::NoTask,
        Thing::Person
        | Thing::PersonCode
        | Thing::Camera
        | Thing::CameraCapacity
        | Thing::Record
        | Thing::Picture
        | Thing::NetworkPort
        | Thing::TimeServer
        | Thing::Relay
        | Thing::Feed
        | Thing::Rule
        | Thing::PermissionGroup => Code::NoData,
    }
}

fn already_exists(what: Thing) -> Code {
    match what {
        Thing::Library => Code::LibraryExists,
        Thing::Person | Thing::PersonCode | Thing::Picture => Code::PersonExists,
        Thing::Camera => Code::CameraExists,
        Thing::Account => Code::UserExists,
        Thing::Task => Code::TaskExists,
        Thing::CameraCapacity
        | Thing::Record
        | Thing::NetworkPort
        | Thing::TimeServer
        | Thing::Relay
        | Thing::Feed
        | Thing::Rule
        | Thing::PermissionGroup => Code::Unknown,
    }
}

fn limit_reached(what: Thing) -> Code {
    match what {
        Thing::Person | Thing::PersonCode => Code::PersonLimit,
        Thing::Picture => Code::Database,
        Thing::Library
        | Thing::Camera
        | Thing::CameraCapacity
        | Thing::Record
        | Thing::Account
        | Thing::Task
        | Thing::NetworkPort
        | Thing::TimeServer
        | Thing::Relay
        | Thing::Feed
        | Thing::Rule
        | Thing::PermissionGroup => Code::Unknown,
    }
}

/// Codes for libraries and pictures in use; operations on other things map this error themselves.
fn in_use(by: Thing) -> Code {
    match by {
        Thing::Person | Thing::PersonCode => Code::PersonExists,
        Thing::Camera
        | Thing::CameraCapacity
        | Thing::Library
        | Thing::Record
        | Thing::Picture
        | Thing::Account
        | Thing::Task
        | Thing::NetworkPort
        | Thing::TimeServer
        | Thing::Relay
        | Thing::Feed
        | Thing::Rule
        | Thing::PermissionGroup => Code::LibraryInUse,
    }
}

/// Why a call fails: the answer to the caller, and the cause for the log.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The code of the answer.
    pub(crate) code: Code,
    /// Appended to the text of the code: the field of code 3, the reason of code 300, the error of code 1.
    detail: Option<String>,
    /// For the log.
    cause: Option<Error>,
}

/// The longest field name in an answer, characters.
const MAX_FIELD: usize = 100;

impl Fault {
    /// A missing, mistyped or impossible field.
    pub(crate) fn field(name: impl AsRef<str>) -> Self {
        let field = name.as_ref().chars().take(MAX_FIELD).collect();
        Self { code: Code::Parameter, detail: Some(field), cause: None }
    }

    /// A request in clear where logins in clear are refused.
    pub(crate) fn in_clear() -> Self {
        Self { code: Code::Session, detail: Some(adapter::LOGIN_REFUSED.to_owned()), cause: None }
    }

    /// An address that cannot be used; `why` contains nothing of it.
    pub(crate) fn address(why: &UnusableAddress) -> Self {
        Self { code: Code::BadRtsp, detail: Some(why.to_string()), cause: None }
    }

    /// The text of the answer.
    pub(crate) fn message(&self) -> String {
        let (text, detail) = (self.code.text(), self.detail.as_deref().unwrap_or_default());
        let between = if detail.is_empty() || self.code == Code::Parameter { "" } else { ": " };
        format!("{text}{between}{detail}")
    }

    /// Logs the reason of a refusal for the integrator, where the code alone does not give it.
    pub(crate) fn explain(&self, path: &str) {
        if self.detail.is_some() && !self.cause.as_ref().is_some_and(is_own) {
            let why = self.cause.as_ref().map(Error::chain);
            tracing::info!(path, code = self.code.number(), reason = self.message(), why, "call refused");
        }
    }

    /// Logs a failure of the device itself.
    pub(crate) fn report(&self) {
        if let Some(error) = self.cause.as_ref().filter(|error| is_own(error)) {
            tracing::error!(error = error.chain(), "call failed");
        }
    }
}

/// Whether the error is a failure of the device itself.
fn is_own(error: &Error) -> bool {
    matches!(error, Error::Internal { .. } | Error::StorageFull)
}

impl From<Code> for Fault {
    fn from(code: Code) -> Self {
        Self { code, detail: None, cause: None }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let code = code(&error);
        let detail = if let Error::Invalid { field, .. } = &error {
            Some(wire_name(field).to_owned())
        } else {
            // Code 1 has no meaning of its own; an inner cause is for the log only.
            (code == Code::Unknown && !is_own(&error)).then(|| error.to_string())
        };
        Self { code, detail, cause: Some(error) }
    }
}

/// The document's name of a field of the core.
fn wire_name(field: &'static str) -> &'static str {
    match field {
        "library name" | "camera name" | "user name" | "task name" => "name",
        "library" | "libraries" => "lib_id",
        "task cameras" => "camera_list1",
        "account" => "user_id",
        "channel" => "camera_id",
        "source" => "rtsp",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    #[test]
    fn the_table_has_every_code_once() {
        let mut numbers: Vec<_> = Code::ALL.iter().map(|code| code.number()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 27);
    }

    #[test]
    fn every_kind_of_thing_has_codes_of_its_own() {
        let missing = |what| code(&Error::NotFound { what }).number();
        assert_eq!([Thing::Library, Thing::Account, Thing::Camera].map(missing), [201, 100, 6]);
        let taken = |what| code(&Error::AlreadyExists { what }).number();
        assert_eq!([Thing::Library, Thing::Account, Thing::Camera].map(taken), [200, 101, 301]);
        let full = |what| code(&Error::LimitReached { what }).number();
        assert_eq!([Thing::Person, Thing::Library, Thing::Picture].map(full), [500, 1, 8]);
        assert_eq!(code(&Error::InUse { by: Thing::Camera }).number(), 202);
    }

    #[test]
    fn faults_of_photos_rights_and_the_device_have_codes() {
        let cases = [
            (Error::NoFace, 502),
            (Error::ManyFaces, 502),
            (Error::BadPicture { why: String::new() }, 503),
            (Error::WrongCredentials, 102),
            (Error::Locked { until: Timestamp::from_millis(0) }, 102),
            (Error::Forbidden, 5),
            (Error::StorageFull, 8),
            (Error::internal("writing")("disk"), 1),
        ];
        for (error, number) in cases {
            assert_eq!(code(&error).number(), number, "{error}");
        }
    }

    #[test]
    fn the_answer_names_the_field_but_not_the_inner_cause() {
        assert_eq!(Fault::field("lib_id").message(), "Invalid para: lib_id");
        assert_eq!(Fault::from(Error::invalid("library name", "too long")).message(), "Invalid para: name");
        assert_eq!(Fault::from(Error::internal("writing")("the secret path")).message(), "unknown error");
        assert_eq!(Fault::from(Error::Busy).message(), "unknown error: busy");
        let full = Error::LimitReached { what: Thing::Account };
        assert_eq!(Fault::from(full).message(), "unknown error: account limit reached");
        assert_eq!(Fault::from(Error::invalid("task cameras", "none")).message(), "Invalid para: camera_list1");
    }
}
