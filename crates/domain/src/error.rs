//! Errors, distinguished by what the caller can do.

use std::error::Error as StdError;

use crate::Timestamp;

/// Result of the core.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of thing that an [`Error`] is about, from which an adapter derives its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Thing {
    /// A named set of people.
    Library,
    /// An enrolled person.
    Person,
    /// The platform's own id of a person.
    PersonCode,
    /// A camera or its channel number.
    Camera,
    /// Computing power for one more camera.
    CameraCapacity,
    /// An entry of the record log.
    Record,
    /// A stored picture.
    Picture,
    /// A user of the device.
    Account,
    /// A named watch over several cameras.
    Task,
    /// A network interface.
    NetworkPort,
    /// A time server.
    TimeServer,
    /// A relay that opens a door.
    Relay,
    /// An adapter's walk over the log.
    Feed,
    /// A rule over the objects that a camera sees.
    Rule,
    /// A group of people who may pass certain cameras.
    PermissionGroup,
}

impl std::fmt::Display for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Library => "library",
            Self::Person => "person",
            Self::PersonCode => "person code",
            Self::Camera => "camera",
            Self::CameraCapacity => "camera capacity",
            Self::Record => "record",
            Self::Picture => "picture",
            Self::Account => "account",
            Self::Task => "task",
            Self::NetworkPort => "network port",
            Self::TimeServer => "time server",
            Self::Relay => "relay",
            Self::Feed => "feed",
            Self::Rule => "rule",
            Self::PermissionGroup => "permission group",
        })
    }
}

/// An error of the core. Its text is for the log; each adapter has its own text for clients.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The thing does not exist.
    #[error("{what} does not exist")]
    NotFound {
        /// The kind of thing.
        what: Thing,
    },
    /// The name, code or number is in use.
    #[error("{what} already exists")]
    AlreadyExists {
        /// The kind of thing.
        what: Thing,
    },
    /// A value is outside what the rules allow.
    #[error("{field} is invalid: {why}")]
    Invalid {
        /// The domain name of the field.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The picture shows no face.
    #[error("no face in the picture")]
    NoFace,
    /// The picture shows several faces where one is wanted.
    #[error("more than one face in the picture")]
    ManyFaces,
    /// The face is too poor to be enrolled or compared.
    #[error("face quality is too low: {why}")]
    LowQuality {
        /// The component that failed.
        why: String,
    },
    /// The data is not a picture, or a picture beyond the limits.
    #[error("bad picture: {why}")]
    BadPicture {
        /// What is wrong with it.
        why: String,
    },
    /// The maximum number is reached.
    #[error("{what} limit reached")]
    LimitReached {
        /// The kind of thing.
        what: Thing,
    },
    /// The thing cannot be removed while something else uses it.
    #[error("in use by a {by}")]
    InUse {
        /// What uses it.
        by: Thing,
    },
    /// Overloaded; the same call may succeed later.
    #[error("busy")]
    Busy,
    /// An unknown user, or a wrong password; also at a camera.
    #[error("wrong user or password")]
    WrongCredentials,
    /// Locked after too many failed logins; the right password is refused too.
    #[error("login is locked")]
    Locked {
        /// End of the lock.
        until: Timestamp,
    },
    /// The role of the actor does not allow this.
    #[error("forbidden")]
    Forbidden,
    /// The device cannot do this.
    #[error("not supported: {what}")]
    NotSupported {
        /// What was requested.
        what: &'static str,
    },
    /// The storage is full.
    #[error("storage is full")]
    StorageFull,
    /// A part of the device is not working now.
    #[error("{what} is unavailable")]
    Unavailable {
        /// The part.
        what: &'static str,
    },
    /// An internal fault.
    #[error("{doing} failed")]
    Internal {
        /// What was being done.
        doing: &'static str,
        /// The cause, for the log.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Error {
    /// A shorthand for [`Error::Invalid`].
    pub fn invalid(field: &'static str, why: impl Into<String>) -> Self {
        Self::Invalid { field, why: why.into() }
    }

    /// A shorthand for [`Error::Internal`], to be used with `map_err`.
    pub fn internal<E: Into<Box<dyn StdError + Send + Sync>>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Internal { doing, source: source.into() }
    }

    /// The error and all its causes in one line, for the log.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}
