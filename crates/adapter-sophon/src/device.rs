//! What all requests and pushes share.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adapter::{FtpLimits, Outbound};
use domain::{Appliance, Error, Note, Noted, Result, State};
use ipnet::IpNet;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, watch};

pub(crate) use crate::settings::{HISTORY, PLATFORM, REALTIME, STATUS};
use crate::settings::{HistoryServers, PlatformAddress, RealtimeServers, ReportedCameras, StatusServer};

/// The adapter's name, also of its state.
pub(crate) const NAME: &str = "sophon";

/// Further values of the adapter's state.
pub(crate) const RESULT: &str = "result";
pub(crate) const REPORTED: &str = "reported cameras";

/// How the adapter is reached; fixed while it runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Callers from anywhere else are refused.
    pub allow_from: Vec<IpNet>,
    /// What callers must prove beside that.
    pub login: Option<Login>,
    /// The certificates (PEM) that the one of the platform's broker must be issued by; `None`: those that the machine
    /// trusts. Read at every connection.
    pub ca_file: Option<PathBuf>,
    /// The least time between two uploads of the history (quirk S-PERIOD).
    pub history_every: Duration,
    /// The shortest interval between two attempts to reach the platform (quirk S-RETRY).
    pub retry_after: Duration,
    /// Where capture cameras upload pictures; `None`: nowhere.
    pub ftp: Option<Ftp>,
}

/// The FTP server.
#[derive(Debug, Clone)]
pub struct Ftp {
    /// Its socket, which outlives a restart of the adapter.
    pub listener: Arc<TcpListener>,
    /// The login of the cameras.
    pub login: Login,
    /// What it allows.
    pub limits: FtpLimits,
}

/// A login of the configuration: by HTTP basic authentication, or by FTP.
#[derive(Clone)]
pub struct Login {
    /// Login name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl Login {
    /// Whether this is the login, found out in a time that tells nothing of it but its length.
    pub(crate) fn is(&self, user: &str, password: &str) -> bool {
        let same = |one: &str, other: &str| one.as_bytes().ct_eq(other.as_bytes());
        (same(&self.user, user) & same(&self.password, password)).into()
    }

    /// Checks a login under the lock-out of the device. Names that are not the user's count as one.
    ///
    /// # Errors
    /// `WrongCredentials`, `Locked`.
    pub(crate) async fn check(
        &self,
        appliance: &Appliance,
        (user, password): (&str, &str),
        origin: Option<IpAddr>,
    ) -> Result<()> {
        let name = if user == self.user { user } else { "" };
        appliance.log_in_as_configured(name, self.is(user, password), (origin, NAME)).await
    }
}

/// The password is not shown.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Where the platform wants what the device tells, as it said at the login; nothing while there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PlatformServers {
    /// The login; `None` while the device is not logged in.
    pub(crate) login: Option<PlatformLogin>,
    /// For realtime events.
    pub(crate) realtime: Vec<String>,
    /// For the history.
    pub(crate) history: Vec<String>,
    /// Between two uploads of the history.
    pub(crate) history_every: Duration,
    /// For the status.
    pub(crate) status: Option<String>,
    /// Between two reports of the status.
    pub(crate) status_every: Duration,
    /// For the list of cameras.
    pub(crate) cameras: Option<String>,
    /// For cameras that are added or removed, one by one; a platform has this or the list.
    pub(crate) operations: Option<String>,
}

/// A login at the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlatformLogin {
    /// Where the device logged in, and with which code.
    pub(crate) address: PlatformAddress,
    /// The end of the URL of every call.
    pub(crate) signature: String,
}

/// What all requests and pushes share.
pub(crate) struct Device {
    pub(crate) config: Config,
    pub(crate) appliance: Appliance,
    pub(crate) outbound: Outbound,
    /// Held from reading what the adapter keeps, or which names are taken, until it is changed.
    pub(crate) one_at_a_time: Mutex<()>,
    /// Changes with the addresses that events and status are sent to, and with the platform.
    pub(crate) servers_changed: watch::Sender<u64>,
    /// What the platform said at the last login; nothing once it refuses the token.
    pub(crate) platform_servers: watch::Sender<PlatformServers>,
}

impl Device {
    pub(crate) fn new(config: Config, appliance: Appliance, outbound: Outbound) -> Self {
        let servers_changed = watch::Sender::new(0);
        let platform_servers = watch::Sender::new(PlatformServers::default());
        Self { config, appliance, outbound, one_at_a_time: Mutex::default(), servers_changed, platform_servers }
    }

    /// The adapter's durable values.
    pub(crate) fn state(&self) -> State {
        self.appliance.state(NAME)
    }

    /// Where realtime events go.
    pub(crate) async fn realtime(&self) -> Result<RealtimeServers> {
        self.kept(REALTIME).await
    }

    /// Where the history goes.
    pub(crate) async fn history(&self) -> Result<HistoryServers> {
        self.kept(HISTORY).await
    }

    /// Where the status goes.
    pub(crate) async fn status(&self) -> Result<StatusServer> {
        self.kept(STATUS).await
    }

    /// How the platform is found.
    pub(crate) async fn platform(&self) -> Result<PlatformAddress> {
        self.kept(PLATFORM).await
    }

    /// The servers of the platform, none without a platform; `None` while the device is not logged in at the one that is
    /// set.
    pub(crate) async fn servers_of_platform(&self) -> Result<Option<PlatformServers>> {
        let address = self.platform().await?;
        if address.login_url.is_none() {
            return Ok(Some(PlatformServers::default()));
        }
        let servers = self.platform_servers.borrow().clone();
        let is_current = servers.login.as_ref().is_some_and(|login| login.address == address);
        Ok(is_current.then_some(servers))
    }

    /// Ends the login that the call to this URL was made with, unless there is another by now.
    pub(crate) fn end_login_of(&self, url: &str) {
        self.platform_servers.send_if_modified(|servers| {
            let is_its = servers.login.as_ref().is_some_and(|login| url.ends_with(&login.signature));
            if is_its {
                *servers = PlatformServers::default();
            }
            is_its
        });
    }

    /// The cameras that the platform knows of.
    pub(crate) async fn reported(&self) -> Result<ReportedCameras> {
        self.kept(REPORTED).await
    }

    /// The licence code, `dev_sno`.
    pub(crate) async fn dev_sno(&self) -> Result<String> {
        match self.platform().await?.dev_sno {
            Some(code) => Ok(code),
            None => Ok(self.appliance.device().await?.serial),
        }
    }

    /// What is noted on a person or group beside what the core knows.
    pub(crate) async fn noted(&self, thing: impl Into<Noted>) -> Result<Map<String, Value>> {
        match self.state().note(thing).await? {
            Some(text) => serde_json::from_str(&text).map_err(Error::internal("reading a note of sophon")),
            None => Ok(Map::new()),
        }
    }

    /// A note, to be written with what it is about.
    pub(crate) fn noting(&self, more: &Map<String, Value>) -> Result<Note> {
        let text = if more.is_empty() { None } else { Some(written(more)?) };
        Ok(self.state().noting(text))
    }

    /// A kept value, or the one that a new device has; `Unavailable` while it cannot be read.
    async fn kept<T: DeserializeOwned + Default>(&self, key: &str) -> Result<T> {
        let read = |text: &str| serde_json::from_str(text).map_err(|error| error.to_string());
        Ok(self.state().read_value(key, read).await?.unwrap_or_default())
    }
}

/// A value as it is kept.
pub(crate) fn written(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal("writing a setting of sophon"))
}
