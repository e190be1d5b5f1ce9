//! The section of the MQTT face terminal.

use std::path::PathBuf;

use serde::Deserialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BrokerTrust {
    /// Over TLS only.
    Tls,
    /// Over any connection.
    Network,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Terminal {
    pub(crate) enabled: bool,
    /// `mqtt://host:port`, or `mqtts://host:port` for TLS.
    pub(crate) broker: String,
    /// Empty: no login.
    pub(crate) username: String,
    /// Holds the password; read at every connection.
    pub(crate) password_file: PathBuf,
    /// Certificates that the broker's must come from; those of the machine when empty.
    pub(crate) ca_file: PathBuf,
    /// Over which connection commands that open doors, remove people, restart or reset are obeyed.
    pub(crate) broker_trust: BrokerTrust,
    /// At most nine digits; made from the serial number when empty.
    pub(crate) device_id: String,
    /// What all topics begin with.
    pub(crate) topic_prefix: String,
}

impl Default for Terminal {
    fn default() -> Self {
        Self {
            enabled: false,
            broker: "mqtt://127.0.0.1:1883".into(),
            username: String::new(),
            password_file: PathBuf::new(),
            ca_file: PathBuf::new(),
            broker_trust: BrokerTrust::Tls,
            device_id: String::new(),
            topic_prefix: "mqtt/face".into(),
        }
    }
}

impl Terminal {
    /// As the adapter has it.
    pub(crate) fn settings(&self) -> adapter_terminal::Config {
        let file = |path: &PathBuf| (!path.as_os_str().is_empty()).then(|| path.clone());
        adapter_terminal::Config {
            broker: self.broker.clone(),
            username: self.username.clone(),
            password_file: file(&self.password_file),
            ca_file: file(&self.ca_file),
            trust: match self.broker_trust {
                BrokerTrust::Tls => adapter_terminal::Trust::Tls,
                BrokerTrust::Network => adapter_terminal::Trust::Network,
            },
            device_id: self.device_id.clone(),
            topic_prefix: self.topic_prefix.clone(),
        }
    }
}
