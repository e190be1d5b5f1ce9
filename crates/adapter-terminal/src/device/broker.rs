//! The address of the broker, and how the device logs in there.

use std::path::PathBuf;

use adapter::{TrustError, server_trust};
use rumqttc::{MqttOptions, TlsConfiguration, Transport};
use url::Url;

use super::link::IN_FLIGHT;
use crate::convert::is_topic;

/// The largest message that is accepted, with its topic, bytes.
const LARGEST_MESSAGE: usize = (8 << 20) + (64 << 10);
/// The largest message that is sent, with its topic, bytes.
const LARGEST_ANSWER: usize = 65 << 20;
/// The keep-alive interval of the connection, seconds.
const KEEP_ALIVE: u64 = 30;

/// Over which connection the device obeys commands that open doors, remove people, restart or reset it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    /// Over TLS only.
    #[default]
    Tls,
    /// Over any: the network between device and broker is trusted.
    Network,
}

/// How the device connects to its broker; fixed while it runs.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// `mqtt://host:port`, or `mqtts://host:port` for TLS; without a port 1883 or 8883.
    pub broker: String,
    /// Empty: the device does not log in.
    pub username: String,
    /// The file with the password; a line feed at its end is not part of it. Read at every connection.
    pub password_file: Option<PathBuf>,
    /// The certificates (PEM) that the broker's must be issued by; `None`: those that the machine trusts.
    pub ca_file: Option<PathBuf>,
    /// Over which connection the device obeys commands that open doors, remove people, restart or reset it.
    pub trust: Trust,
    /// At most nine digits; when empty they are derived from the serial number.
    pub device_id: String,
    /// The prefix of all topics.
    pub topic_prefix: String,
}

impl Config {
    /// Everything that is wrong with it: the field, and what would be right.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        problems.extend(Broker::read(self).err().map(|error| ("broker", error.to_string())));
        let digits = self.device_id.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || self.device_id.len() > 9 {
            problems.push(("device_id", "must be at most nine digits".to_owned()));
        }
        let prefix = &self.topic_prefix;
        if prefix.len() > 200 || !is_topic(prefix) || prefix.ends_with('/') {
            let rule = "must be 1 to 200 bytes without +, #, control characters, $ at the start and / at the end";
            problems.push(("topic_prefix", rule.to_owned()));
        }
        problems
    }
}

/// Why the broker's address or the files beside it cannot be used; contains no password.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// Not `mqtt://host:port` or `mqtts://host:port`.
    #[error("must be mqtt://host:port or mqtts://host:port, without user name, path or query")]
    Address,
    /// The password cannot be read.
    #[error("the password file cannot be read: {0}")]
    Password(std::io::Error),
    /// The certificates cannot be used.
    #[error(transparent)]
    Certificates(#[from] TrustError),
}

/// The address of the broker, and the login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broker {
    host: String,
    port: u16,
    encrypted: bool,
    username: String,
    password_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
}

impl Broker {
    pub(crate) fn read(config: &Config) -> Result<Self, BrokerError> {
        let url = Url::parse(&config.broker).map_err(|_| BrokerError::Address)?;
        let encrypted = match url.scheme() {
            "mqtt" => false,
            "mqtts" => true,
            _ => return Err(BrokerError::Address),
        };
        let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        if !bare || !url.username().is_empty() || url.password().is_some() {
            return Err(BrokerError::Address);
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(BrokerError::Address)?;
        Ok(Self {
            host: host.to_owned(),
            port: url.port().unwrap_or(if encrypted { 8883 } else { 1883 }),
            encrypted,
            username: config.username.clone(),
            password_file: config.password_file.clone(),
            ca_file: config.ca_file.clone(),
        })
    }

    /// Whether the broker proves who it is, by a certificate.
    pub(crate) fn is_authenticated(&self) -> bool {
        self.encrypted
    }

    /// How to connect; the files are read at each call, so that they can be changed while the device runs.
    pub(crate) async fn options(&self, id: &str) -> Result<MqttOptions, BrokerError> {
        // IPv6 addresses are in brackets for the connection and without them for the certificate.
        let mut options = MqttOptions::new(id, self.host.clone(), self.port);
        options.set_keep_alive(std::time::Duration::from_secs(KEEP_ALIVE));
        // Commands sent while the device was offline would be executed late: a door would open an hour later.
        options.set_clean_session(true);
        options.set_manual_acks(true);
        options.set_inflight(IN_FLIGHT);
        options.set_max_packet_size(LARGEST_MESSAGE, LARGEST_ANSWER);
        if !self.username.is_empty() {
            options.set_credentials(self.username.clone(), self.password().await?);
        }
        if self.encrypted {
            let trust = server_trust(self.ca_file.as_deref()).await?;
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(trust)));
        }
        Ok(options)
    }

    async fn password(&self) -> Result<String, BrokerError> {
        let Some(file) = &self.password_file else { return Ok(String::new()) };
        let password = tokio::fs::read_to_string(file).await.map_err(BrokerError::Password)?;
        Ok(password.trim_end_matches(['\r', '\n']).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broker(url: &str) -> Option<(String, u16, bool)> {
        let config = Config {
            broker: url.to_owned(),
            username: String::new(),
            password_file: None,
            ca_file: None,
            trust: Trust::Tls,
            device_id: String::new(),
            topic_prefix: "mqtt/face".to_owned(),
        };
        Broker::read(&config).ok().map(|broker| (broker.host, broker.port, broker.encrypted))
    }

    #[test]
    fn an_address_is_a_scheme_a_host_and_perhaps_a_port() {
        assert_eq!(broker("mqtt://127.0.0.1:61613"), Some(("127.0.0.1".to_owned(), 61613, false)));
        assert_eq!(broker("mqtt://broker.example"), Some(("broker.example".to_owned(), 1883, false)));
        assert_eq!(broker("mqtts://broker.example/"), Some(("broker.example".to_owned(), 8883, true)));
        for bad in ["", "127.0.0.1:1883", "http://a", "mqtt://", "mqtt://u:p@a", "mqtt://a/path", "mqtt://a?x=1"] {
            assert_eq!(broker(bad), None, "{bad}");
        }
    }
}
