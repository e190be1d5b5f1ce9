//! What the device connects to: cameras, platforms, brokers, relays.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::ports::{AdapterState, SettingsStore};
use domain::{Camera, ConnectError, OutboundPolicy, Source, StreamAddress};
use store::Store;
use tokio::task::JoinSet;
use url::Url;

use super::finding::Finding;
use crate::config::Config;
use crate::key;

const TIMEOUT: Duration = Duration::from_secs(3);

/// A place to connect to over TCP.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Peer {
    check: &'static str,
    /// Whom an installer knows it as.
    name: String,
    host: String,
    port: u16,
}

/// Tries everything at once.
pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    let mut trials = JoinSet::new();
    for (number, peer) in peers(config).into_iter().enumerate() {
        let policy = config.outbound.policy();
        trials.spawn(async move { (number, try_peer(&peer, policy).await) });
    }
    // In the order of the peers, whichever answers first.
    trials.join_all().await.into_iter().collect::<BTreeMap<_, _>>().into_values().collect()
}

async fn try_peer(peer: &Peer, policy: OutboundPolicy) -> Finding {
    let Peer { check, name, host, port } = peer;
    let place = format!("{name} ({host}:{port})");
    match policy.connect(host, *port, TIMEOUT).await {
        Ok(_) => Finding::ok(check, format!("{place} answers")),
        Err(error) => Finding::problem(check, format!("{place}: {error}"), remedy(&error)),
    }
}

fn remedy(error: &ConnectError) -> &'static str {
    match error {
        ConnectError::UnknownHost => "check the name and the name servers of the device",
        ConnectError::NotAllowed => "allow the address in [outbound], or use another one",
        ConnectError::TimedOut => "check power, cable, address, gateway and firewalls",
        ConnectError::Failed(_) => "check the port, and whether it is switched on there",
    }
}

fn peers(config: &Config) -> Vec<Peer> {
    let mut peers = Vec::new();
    if config.terminal.enabled {
        peers.extend(of_url("broker", "terminal", &config.terminal.broker));
    }
    let stored = key::existing(&config.storage).ok();
    // What keeps it from being opened is a finding of the storage.
    if let Some(store) = stored.and_then(|key| Store::open_beside(&config.storage.dir, &key).ok()) {
        peers.extend(store.cameras().unwrap_or_default().iter().filter_map(of_camera));
        peers.extend(platforms(config, &store));
        peers.extend(store.relays().unwrap_or_default().iter().map(|relay| Peer {
            check: "relay",
            name: if relay.name.is_empty() { format!("of camera {}", relay.camera.0) } else { relay.name.clone() },
            host: relay.address.ip().to_string(),
            port: relay.address.port(),
        }));
    }
    peers
}

fn platforms(config: &Config, store: &impl AdapterState) -> Vec<Peer> {
    let value = |adapter: &'static str| move |key: &str| store.value(adapter, key).ok().flatten();
    let all = [
        (config.sensetime.enabled, "sensetime", adapter_sensetime::push_urls(value("sensetime"))),
        (config.uniview.enabled, "uniview", adapter_uniview::push_urls(value("uniview"))),
        (config.sophon.enabled, "sophon", adapter_sophon::push_urls(value("sophon"))),
        (config.terminal.enabled, "terminal", adapter_terminal::push_urls(value("terminal"))),
    ];
    let enabled = all.into_iter().filter(|(enabled, ..)| *enabled);
    let mut peers: Vec<_> =
        enabled.flat_map(|(_, name, urls)| urls.into_iter().filter_map(|url| of_url("platform", name, &url))).collect();
    // Several pushes may go to the same one.
    peers.sort_unstable();
    peers.dedup();
    peers
}

fn of_url(check: &'static str, name: &str, url: &str) -> Option<Peer> {
    let url = Url::parse(url).ok()?;
    let default = match url.scheme() {
        "mqtt" => Some(1883),
        "mqtts" => Some(8883),
        _ => url.port_or_known_default(),
    };
    let port = url.port().or(default)?;
    Some(Peer { check, name: name.to_owned(), host: url.host_str()?.to_owned(), port })
}

/// Where a camera is connected to; nothing where it connects itself, or where packets are sent without a connection.
fn of_camera(camera: &Camera) -> Option<Peer> {
    let (host, port) = match &camera.settings.source {
        Source::Rtsp { url } => {
            let address = StreamAddress::parse(url).ok()?;
            let port = address.port.unwrap_or(if address.encrypted { 322 } else { 554 });
            (address.host, port)
        }
        Source::Onvif(device) | Source::Capture { device, .. } => (device.host.clone(), device.port),
        Source::File { .. } | Source::Gb28181 { .. } | Source::Pushed { .. } => return None,
    };
    let name = format!("{} {}", camera.id.0, camera.settings.name);
    Some(Peer { check: "camera", name, host, port })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::State;

    fn at(url: &str) -> Option<(String, u16)> {
        of_url("platform", "x", url).map(|peer| (peer.host, peer.port))
    }

    #[test]
    fn a_url_has_a_host_and_a_port() {
        assert_eq!(at("http://cloud.example/x"), Some(("cloud.example".into(), 80)));
        assert_eq!(at("https://cloud.example:8443"), Some(("cloud.example".into(), 8443)));
        assert_eq!(at("mqtts://broker.example"), Some(("broker.example".into(), 8883)));
        assert_eq!(at("http://[::1]:7/"), Some(("[::1]".into(), 7)));
        assert_eq!((at(""), at("cloud.example"), at("file:///x")), (None, None, None));
    }

    #[tokio::test]
    async fn what_answers_is_fine_and_what_does_not_is_a_problem() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let peer = Peer { check: "camera", name: "1 gate".into(), host: "127.0.0.1".into(), port };
        assert_eq!(try_peer(&peer, OutboundPolicy::OPEN).await.state, State::Ok);
        drop(listener);
        let refused = try_peer(&peer, OutboundPolicy::OPEN).await;
        assert!(refused.state == State::Problem && refused.remedy.contains("port"), "{refused:?}");
        let forbidden = try_peer(&peer, OutboundPolicy::default()).await;
        assert!(forbidden.remedy.contains("[outbound]"), "{forbidden:?}");
    }
}
