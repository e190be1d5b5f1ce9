//! The section `[sophon]`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use adapter::FtpLimits;
use adapter_sophon::{Ftp, Login};
use anyhow::Context;
use bytesize::ByteSize;
use ipnet::IpNet;
use serde::Deserialize;
use tokio::net::TcpListener;

use super::{Clear, Place, Problems, shapes};

/// The least time between two uploads of the history, which the document sets.
const HISTORY_EVERY: Duration = Duration::from_secs(20);
/// The shortest interval between two attempts to reach the platform.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Bounds of the FTP server.
const MAX_CONNECTIONS: usize = 256;
const MAX_UPLOADS: u32 = 6000;
const MIN_PICTURE: ByteSize = ByteSize::kib(64);
const MAX_PICTURE: ByteSize = ByteSize::mib(32);

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Sophon {
    pub(crate) enabled: bool,
    #[serde(deserialize_with = "shapes::listen")]
    pub(crate) listen: SocketAddr,
    #[serde(deserialize_with = "shapes::optional_listen")]
    pub(crate) listen_https: Option<SocketAddr>,
    pub(crate) clear: Clear,
    /// Callers from anywhere else are refused.
    #[serde(deserialize_with = "shapes::networks")]
    pub(crate) allow_from: Vec<IpNet>,
    /// What callers must prove beside that; nothing when empty.
    pub(crate) user: String,
    pub(crate) password_file: PathBuf,
    /// Certificates that the one of the platform's broker must come from; those of the machine when empty.
    pub(crate) ca_file: PathBuf,
    /// Whether capture cameras may upload pictures by FTP.
    pub(crate) ftp: bool,
    #[serde(deserialize_with = "shapes::listen")]
    pub(crate) ftp_listen: SocketAddr,
    /// The login of the cameras.
    pub(crate) ftp_user: String,
    pub(crate) ftp_password_file: PathBuf,
    /// Ports of data connections.
    #[serde(deserialize_with = "shapes::ports")]
    pub(crate) ftp_passive_ports: RangeInclusive<u16>,
    /// Maximum number of control connections.
    pub(crate) ftp_connections: usize,
    /// Maximum number of control connections of one address.
    pub(crate) ftp_connections_per_address: usize,
    /// Maximum number of pictures of one address in a minute.
    pub(crate) ftp_uploads_per_minute: u32,
    /// Maximum size of a picture.
    #[serde(deserialize_with = "shapes::size")]
    pub(crate) ftp_max_picture: ByteSize,
}

impl Default for Sophon {
    fn default() -> Self {
        let limits = FtpLimits::default();
        let loopback = IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8);
        Self {
            enabled: false,
            listen: SocketAddr::from(([0, 0, 0, 0], 5555)),
            listen_https: None,
            clear: Clear::default(),
            allow_from: vec![loopback, IpAddr::V6(Ipv6Addr::LOCALHOST).into()],
            user: String::new(),
            password_file: PathBuf::new(),
            ca_file: PathBuf::new(),
            ftp: false,
            ftp_listen: SocketAddr::from(([127, 0, 0, 1], 2121)),
            ftp_user: String::new(),
            ftp_password_file: PathBuf::new(),
            ftp_passive_ports: limits.passive_ports,
            ftp_connections: limits.connections,
            ftp_connections_per_address: limits.connections_of_address,
            ftp_uploads_per_minute: limits.uploads_per_minute,
            ftp_max_picture: ByteSize::b(limits.upload_bytes as u64),
        }
    }
}

impl Sophon {
    pub(crate) fn place(&self) -> Place {
        let Self { listen, listen_https: https, clear, .. } = *self;
        Place { section: "sophon", listen, https, switched: None, clear }
    }

    /// As the adapter has it.
    pub(crate) fn settings(&self) -> anyhow::Result<adapter_sophon::Config> {
        let login = self.login().map_err(|why| anyhow::anyhow!("sophon.password_file: {why}"))?;
        Ok(adapter_sophon::Config {
            allow_from: self.allow_from.clone(),
            login,
            ca_file: (!self.ca_file.as_os_str().is_empty()).then(|| self.ca_file.clone()),
            history_every: HISTORY_EVERY,
            retry_after: RETRY_AFTER,
            ftp: self.ftp_server()?,
        })
    }

    /// The FTP server with its socket opened, when it is enabled.
    fn ftp_server(&self) -> anyhow::Result<Option<Ftp>> {
        if !self.ftp {
            return Ok(None);
        }
        let login = self.ftp_login().map_err(|why| anyhow::anyhow!("sophon.ftp_password_file: {why}"))?;
        let open = || {
            let socket = std::net::TcpListener::bind(self.ftp_listen)?;
            socket.set_nonblocking(true)?;
            TcpListener::from_std(socket)
        };
        let listener = open().with_context(|| format!("the FTP server cannot listen on {}", self.ftp_listen))?;
        let limits = FtpLimits {
            passive_ports: self.ftp_passive_ports.clone(),
            connections: self.ftp_connections,
            connections_of_address: self.ftp_connections_per_address,
            upload_bytes: self.ftp_max_picture.as_u64() as usize,
            uploads_per_minute: self.ftp_uploads_per_minute,
            ..FtpLimits::default()
        };
        Ok(Some(Ftp { listener: Arc::new(listener), login, limits }))
    }

    /// The login of cameras; else why the password cannot be read.
    pub(super) fn ftp_login(&self) -> Result<Login, String> {
        Ok(Login { user: self.ftp_user.clone(), password: password(&self.ftp_password_file)? })
    }

    /// The login that callers must have, if any; else why the password cannot be read.
    pub(super) fn login(&self) -> Result<Option<Login>, String> {
        if self.user.is_empty() {
            return Ok(None);
        }
        Ok(Some(Login { user: self.user.clone(), password: password(&self.password_file)? }))
    }

    pub(super) fn check(&self, problems: &mut Problems<'_>) {
        let both = self.user.is_empty() == self.password_file.as_os_str().is_empty();
        problems.require(both, "sophon.user", "must be set together with password_file");
        problems.require(!self.user.contains(':'), "sophon.user", "must not contain a colon");
        self.check_ftp(problems);
    }

    fn check_ftp(&self, problems: &mut Problems<'_>) {
        let login = !self.ftp_user.is_empty() && !self.ftp_password_file.as_os_str().is_empty();
        problems.require(!self.ftp || login, "sophon.ftp", "needs ftp_user and ftp_password_file");
        let connections = 1..=MAX_CONNECTIONS;
        problems.require(connections.contains(&self.ftp_connections), "sophon.ftp_connections", "must be 1 to 256");
        let of_address = connections.contains(&self.ftp_connections_per_address);
        problems.require(of_address, "sophon.ftp_connections_per_address", "must be 1 to 256");
        let uploads = (1..=MAX_UPLOADS).contains(&self.ftp_uploads_per_minute);
        problems.require(uploads, "sophon.ftp_uploads_per_minute", "must be 1 to 6000");
        let size = (MIN_PICTURE..=MAX_PICTURE).contains(&self.ftp_max_picture);
        problems.require(size, "sophon.ftp_max_picture", "must be 64KiB to 32MiB");
    }
}

/// The password in a file; else why it cannot be read.
fn password(file: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("the file cannot be read: {error}"))?;
    let password = text.trim();
    if password.is_empty() { Err("the file is empty".to_owned()) } else { Ok(password.to_owned()) }
}
