//! What the running daemon says of itself.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::finding::Finding;
use crate::config::Config;

const CHECK: &str = "daemon";
const TIMEOUT: Duration = Duration::from_secs(3);
/// The longest answer, bytes.
const LONGEST: u64 = 1 << 20;

/// The running daemon.
pub(super) enum Service {
    NotRunning,
    /// It does not answer, and why.
    Silent(String),
    Answers(Health),
}

/// What `/healthz` answers.
#[derive(Debug, Deserialize)]
pub(super) struct Health {
    status: String,
    version: String,
    #[serde(default)]
    reasons: Vec<String>,
    #[serde(default)]
    attention: Vec<String>,
}

/// Asks the daemon of this storage directory.
pub(super) async fn find(config: &Config) -> Service {
    let published = fs::read(config.storage.dir.join("run/listeners.json")).ok();
    let listeners = published.and_then(|text| serde_json::from_slice::<BTreeMap<String, SocketAddr>>(&text).ok());
    let Some(mut console) = listeners.and_then(|listeners| listeners.get("console").copied()) else {
        return Service::NotRunning;
    };
    if console.ip().is_unspecified() {
        console.set_ip(if console.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    match tokio::time::timeout(TIMEOUT, ask(console)).await {
        Ok(Ok(health)) => Service::Answers(health),
        // The file stays when the daemon is ended by force.
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => Service::NotRunning,
        Ok(Err(error)) => Service::Silent(error.to_string()),
        Err(_) => Service::Silent(format!("no answer within {} seconds", TIMEOUT.as_secs())),
    }
}

/// HTTP/1.0: the connection ends with the answer.
async fn ask(console: SocketAddr) -> std::io::Result<Health> {
    let mut connection = TcpStream::connect(console).await?;
    connection.write_all(format!("GET /healthz HTTP/1.0\r\nHost: {console}\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    connection.take(LONGEST).read_to_end(&mut answer).await?;
    let body = after(&answer, b"\r\n\r\n").unwrap_or_default();
    Ok(serde_json::from_slice(body)?)
}

fn after<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    let start = bytes.windows(mark.len()).position(|window| window == mark)?;
    bytes.get(start + mark.len()..)
}

impl Service {
    pub(super) fn is_up(&self) -> bool {
        matches!(self, Self::Answers(health) if health.status == "ok")
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        match self {
            Self::NotRunning => vec![Finding::warning(CHECK, "it is not running", "systemctl start polyface")],
            Self::Silent(why) => {
                vec![Finding::problem(CHECK, format!("its console: {why}"), "restart it; see its log")]
            }
            Self::Answers(health) => health.findings(),
        }
    }
}

impl Health {
    fn findings(&self) -> Vec<Finding> {
        let down = |reason: &String| Finding::problem(CHECK, reason.clone(), "see Health in operations.md");
        let alarm = |text: &String| Finding::warning(CHECK, text.clone(), "see Health in operations.md");
        let mut findings: Vec<_> = self.reasons.iter().map(down).collect();
        if self.status == "ok" {
            findings.push(Finding::ok(CHECK, format!("version {} serves", self.version)));
        }
        findings.extend(self.attention.iter().map(alarm));
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::State;

    #[test]
    fn reasons_are_problems_and_alarms_are_warnings() {
        let text = r#"{"status":"unavailable","version":"1.2.3","components":{"models":"down"},"reasons":["models: x"],"attention":["storage.key: y"]}"#;
        let health: Health = serde_json::from_str(text).unwrap();
        let states: Vec<_> = health.findings().iter().map(|finding| finding.state).collect();
        assert_eq!(states, [State::Problem, State::Warning]);
        assert!(!Service::Answers(health).is_up());
    }
}
