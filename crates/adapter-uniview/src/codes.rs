//! The code table (section 14.1) and the way from the core's errors to it.
#![deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]

use axum::http::StatusCode;
use domain::{Error, Thing};

adapter::code_table! {
    u16;
    Common = 1, "Common Error";
    Arguments = 2, "Invalid Arguments";
    NotAuthorized = 3, "Not Authorized";
    NotSupported = 4, "Not Supported";
    UserStatus = 5, "Abnormal User Status";
    Busy = 6, "System Busy";
    WrongLogin = 1000, "Incorrect username or passwd";
    NoPermission = 1001, "User does not have permission";
    TooManyLogins = 1002, "The maxinum number of user logins has been reaches";
    TooManyAddresses = 1003, "The user login ip has reaches the upper limit.";
    AddressLocked = 1004, "User login ip locked.";
    LibraryLimit = 1100, "Face lib num has reached the upper limit";
    LibraryExists = 1101, "The face lib name already exists";
    PersonLimit = 1200, "The number of faces has reached the max limit";
    CertificateType = 1201, "Wrong ID number type";
    ImageFormat = 1202, "Image format error";
    ImageSize = 1203, "Image size is too large";
    Exclusive = 1500, "Algo type does not support simultaneous config";
    ClothesLibraryExists = 1600, "The workclothes lib name already exists";
    ClothesLibraryLimit = 1601, "Workclothes lib num has reached the upper limit";
    ClothesLimit = 1700, "The number of workclothes has reached the max limit";
    ClothesSize = 1701, "Image size is too large";
    ClothesImport = 1702, "Importing picture failed";
    DeviceRead = 1800, "Error in obtaining device information";
    DeviceWrite = 1801, "Error setting device information";
    Upgrade = 1900, "Upgrade failure";
    PackageDamaged = 1901, "File verification failure";
    PackageVersion = 1902, "The version number does not match";
    PackageDevice = 1903, "The device type does not match";
    UpgradeResources = 1904, "Failed to apply for memory or other reasons";
    PackageSignature = 1905, "Digital signature verification fails";
    UpgradeProgress = 1906, "Failed to obtain upgrade progress";
}

/// The code for a failure of the core. Operations with codes of their own for a failure map it themselves.
pub fn code(error: &Error) -> Code {
    match error {
        Error::NotFound { .. } | Error::Invalid { .. } => Code::Arguments,
        Error::AlreadyExists { what } => already_exists(*what),
        Error::NoFace | Error::ManyFaces | Error::LowQuality { .. } | Error::BadPicture { .. } => Code::ImageFormat,
        Error::LimitReached { what } => limit_reached(*what),
        Error::Busy => Code::Busy,
        Error::WrongCredentials => Code::WrongLogin,
        Error::Locked { .. } => Code::AddressLocked,
        Error::Forbidden => Code::NoPermission,
        Error::NotSupported { .. } => Code::NotSupported,
        Error::InUse { .. } | Error::StorageFull | Error::Unavailable { .. } | Error::Internal { .. } => Code::Common,
    }
}

fn already_exists(what: Thing) -> Code {
    match what {
        Thing::Library => Code::LibraryExists,
        Thing::Person
        | Thing::PersonCode
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
        | Thing::PermissionGroup => Code::Arguments,
    }
}

fn limit_reached(what: Thing) -> Code {
    match what {
        Thing::Library => Code::LibraryLimit,
        Thing::Person | Thing::PersonCode => Code::PersonLimit,
        Thing::Picture => Code::ClothesLimit,
        // A channel has room for so many areas and targets of all its algorithms together.
        Thing::Rule => Code::Exclusive,
        // No code of its own exists (quirk "14.1 modules 1300, 1400, 2000, 2100, 2200").
        Thing::Camera
        | Thing::CameraCapacity
        | Thing::Record
        | Thing::Account
        | Thing::Task
        | Thing::NetworkPort
        | Thing::TimeServer
        | Thing::Relay
        | Thing::Feed
        | Thing::PermissionGroup => Code::Common,
    }
}

/// Why a call fails: the answer to the caller, and the cause for the log.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The code in the body.
    pub(crate) code: Code,
    /// 200 except for authentication and routing.
    pub(crate) status: StatusCode,
    /// Whether the login was right, only the nonce too old.
    pub(crate) stale: bool,
    /// The text of the answer, where that of the code does not explain it.
    pub(crate) told: Option<&'static str>,
    /// For the log: the field, and what is wrong with it.
    detail: Option<String>,
    /// For the log.
    cause: Option<Error>,
}

/// Maximum length of what the log shows of a request, characters.
const MAX_DETAIL: usize = 200;

impl Fault {
    /// A missing, mistyped or impossible field; the caller only learns that there is one.
    pub(crate) fn argument(why: impl AsRef<str>) -> Self {
        let detail = why.as_ref().chars().take(MAX_DETAIL).collect();
        Self { detail: Some(detail), ..Code::Arguments.into() }
    }

    /// A request without a usable login. Each is answered with a challenge.
    pub(crate) fn login(code: Code) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, ..code.into() }
    }

    /// A good login whose nonce is too old or was used before.
    pub(crate) fn stale() -> Self {
        Self { stale: true, ..Self::login(Code::NotAuthorized) }
    }

    /// A request in clear where logins in clear are refused.
    pub(crate) fn in_clear() -> Self {
        let told = Some(adapter::LOGIN_REFUSED);
        Self { told, ..Self::with_status(StatusCode::FORBIDDEN, Code::NotAuthorized) }
    }

    /// A failure that HTTP has a status for.
    pub(crate) fn with_status(status: StatusCode, code: Code) -> Self {
        Self { status, ..code.into() }
    }

    /// The same fault under another code.
    pub(crate) fn with_code(self, code: Code) -> Self {
        Self { code, ..self }
    }

    /// The HTTP status in the body: 0 for 200.
    pub(crate) fn status_code(&self) -> u16 {
        if self.status == StatusCode::OK { 0 } else { self.status.as_u16() }
    }

    /// Logs the reason of a refusal, where the code alone does not give it, and failures of the device itself.
    pub(crate) fn report(&self, path: &str) {
        let own = self.cause.as_ref().filter(|error| matches!(error, Error::Internal { .. } | Error::StorageFull));
        if let Some(error) = own {
            tracing::error!(path, error = error.chain(), "call failed");
        } else if self.detail.is_some() || self.cause.is_some() {
            let why = self.cause.as_ref().map(Error::chain);
            tracing::info!(path, code = self.code.number(), detail = self.detail, why, "call refused");
        }
    }
}

impl From<Code> for Fault {
    fn from(code: Code) -> Self {
        Self { code, status: StatusCode::OK, stale: false, told: None, detail: None, cause: None }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let fault = Self::from(code(&error));
        Self { cause: Some(error), ..fault }
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
        assert_eq!(numbers.len(), 32);
    }

    #[test]
    fn failures_of_the_core_have_the_codes_of_the_document() {
        let cases = [
            (Error::NotFound { what: Thing::Camera }, 2),
            (Error::invalid("library name", "too long"), 2),
            (Error::AlreadyExists { what: Thing::Library }, 1101),
            (Error::AlreadyExists { what: Thing::Camera }, 2),
            (Error::LimitReached { what: Thing::Library }, 1100),
            (Error::LimitReached { what: Thing::Person }, 1200),
            (Error::LimitReached { what: Thing::Camera }, 1),
            (Error::LimitReached { what: Thing::Rule }, 1500),
            (Error::BadPicture { why: String::new() }, 1202),
            (Error::Busy, 6),
            (Error::WrongCredentials, 1000),
            (Error::Locked { until: Timestamp::from_millis(0) }, 1004),
            (Error::Forbidden, 1001),
            (Error::NotSupported { what: "this" }, 4),
            (Error::StorageFull, 1),
            (Error::internal("writing")("disk"), 1),
        ];
        for (error, number) in cases {
            assert_eq!(code(&error).number(), number, "{error}");
        }
    }

    #[test]
    fn the_body_repeats_the_status_of_authentication_and_routing_only() {
        assert_eq!(Fault::argument("page").status_code(), 0);
        assert_eq!((Fault::stale().status_code(), Fault::stale().stale), (401, true));
        assert_eq!(Fault::with_status(StatusCode::NOT_FOUND, Code::Arguments).status_code(), 404);
    }
}
