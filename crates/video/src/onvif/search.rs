//! Which cameras there are in the network: WS-Discovery by datagram.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use domain::FoundCamera;
use domain::ports::SourceError;
use futures_util::future::join_all;
use percent_encoding::percent_decode_str;
use roxmltree::Node;
use sysinfo::Networks;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::soap::{child, parse, text};
use crate::session::plain;

/// Cameras taken of one search.
const MOST_FOUND: usize = 1024;
/// Longest answer: what fits into a datagram.
const LARGEST_ANSWER: usize = 65_536;
/// The question is sent twice, so that a lost datagram does not hide a camera.
const AGAIN: Duration = Duration::from_millis(250);

/// Asks at `place` and collects answers for so long; by address.
pub(crate) async fn search(place: SocketAddr, patience: Duration) -> Result<Vec<FoundCamera>, SourceError> {
    let until = Instant::now() + patience;
    let searches = join_all(sides(place).into_iter().map(|side| search_from(side, place, until))).await;
    let mut found = BTreeMap::new();
    let mut failure = None;
    for search in searches {
        match search {
            Ok(cameras) => found.extend(cameras),
            Err(error) => failure = Some(SourceError::Unreachable(error.to_string())),
        }
    }
    match failure {
        Some(why) if found.is_empty() => Err(why),
        _ => Ok(found.into_values().take(MOST_FOUND).collect()),
    }
}

/// Where to ask from: a multicast leaves through one port of the machine, so it is sent through each.
fn sides(place: SocketAddr) -> Vec<IpAddr> {
    let anywhere = if place.is_ipv4() { IpAddr::from([0; 4]) } else { IpAddr::from([0; 16]) };
    if !place.ip().is_multicast() {
        return vec![anywhere];
    }
    let networks = Networks::new_with_refreshed_list();
    let own = networks.values().flat_map(sysinfo::NetworkData::ip_networks).map(|network| network.addr);
    let usable = |address: &IpAddr| address.is_ipv4() == place.is_ipv4() && !address.is_loopback();
    let own: Vec<_> = own.filter(usable).collect();
    if own.is_empty() { vec![anywhere] } else { own }
}

type Key = (IpAddr, u16);

async fn search_from(side: IpAddr, place: SocketAddr, until: Instant) -> std::io::Result<BTreeMap<Key, FoundCamera>> {
    let socket = UdpSocket::bind((side, 0)).await?;
    let id = format!("uuid:{}", uuid::Uuid::new_v4());
    let question = probe(&id);
    socket.send_to(question.as_bytes(), place).await?;
    let mut found = BTreeMap::new();
    let pause = Instant::now() + AGAIN;
    collect(&socket, &id, pause.min(until), &mut found).await;
    socket.send_to(question.as_bytes(), place).await?;
    collect(&socket, &id, until, &mut found).await;
    Ok(found)
}

async fn collect(socket: &UdpSocket, id: &str, until: Instant, found: &mut BTreeMap<Key, FoundCamera>) {
    let mut answer = vec![0; LARGEST_ANSWER];
    while found.len() < MOST_FOUND {
        match timeout_at(until, socket.recv_from(&mut answer)).await {
            Ok(Ok((length, from))) => {
                let text = std::str::from_utf8(&answer[..length]).unwrap_or_default();
                found.extend(cameras(text, id, from.ip()));
            }
            // Somebody's port was closed: nothing to do with the others.
            Ok(Err(error)) => tracing::debug!(%error, "an answer to a search was lost"),
            Err(_) => return,
        }
    }
}

fn probe(id: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:w=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
         xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\" \
         xmlns:dn=\"http://www.onvif.org/ver10/network/wsdl\"><e:Header><w:MessageID>{id}</w:MessageID>\
         <w:To e:mustUnderstand=\"1\">urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>\
         <w:Action e:mustUnderstand=\"1\">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>\
         <e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"
    )
}

/// The cameras of an answer to the question of this id.
fn cameras(answer: &str, id: &str, from: IpAddr) -> Vec<(Key, FoundCamera)> {
    let Some(document) = parse(answer) else { return Vec::new() };
    let envelope = document.root_element();
    let related = child(envelope, "Header").and_then(|header| text(header, &["RelatesTo"]));
    if related != Some(id) {
        return Vec::new();
    }
    let matches = child(envelope, "Body").and_then(|body| child(body, "ProbeMatches"));
    matches
        .into_iter()
        .flat_map(|m| m.children())
        .filter(roxmltree::Node::is_element)
        .map(|m| camera(m, from))
        .collect()
}

/// The camera's own address is the one it answers from: what it names may be one it has in another network.
fn camera(node: Node<'_, '_>, from: IpAddr) -> (Key, FoundCamera) {
    let addresses = text(node, &["XAddrs"]).unwrap_or_default().split_whitespace();
    let urls: Vec<_> =
        addresses.filter_map(|text| Url::parse(text).ok()).filter(|url| url.scheme() == "http").collect();
    let same = urls.iter().find(|url| url.host_str().is_some_and(|host| host.parse() == Ok(from)));
    let port = same.or(urls.first()).and_then(Url::port_or_known_default).unwrap_or(80);
    let scopes = text(node, &["Scopes"]).unwrap_or_default();
    let found = FoundCamera {
        host: from.to_string(),
        port,
        maker: scope(scopes, &["manufacturer", "mfr"]),
        name: scope(scopes, &["name"]),
        hardware: scope(scopes, &["hardware"]),
        location: scope(scopes, &["location"]),
    };
    ((from, port), found)
}

/// What the scopes `onvif://www.onvif.org/KIND/VALUE` say of one of the kinds; the first that is not empty.
fn scope(scopes: &str, kinds: &[&str]) -> String {
    let value = |scope: &str| {
        let (kind, value) = scope.strip_prefix("onvif://www.onvif.org/")?.split_once('/')?;
        let wanted = kinds.iter().any(|wanted| kind.eq_ignore_ascii_case(wanted));
        let value = plain(&percent_decode_str(value).decode_utf8_lossy());
        (wanted && !value.is_empty()).then_some(value)
    };
    scopes.split_whitespace().find_map(value).unwrap_or_default()
}

/// Where cameras listen for searches.
pub(crate) const EVERYBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(239, 255, 255, 250)), 3702);

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

    fn answer(id: &str, body: &str) -> String {
        format!("<E><Header><RelatesTo>{id}</RelatesTo></Header><Body><ProbeMatches>{body}</ProbeMatches></Body></E>")
    }

    #[test]
    fn a_camera_is_described_by_its_scopes() {
        let body = "<ProbeMatch><Scopes>onvif://www.onvif.org/name/Acme%20Gate \n onvif://www.onvif.org/location/ \
            onvif://www.onvif.org/location/north onvif://www.onvif.org/hardware/A-1 \
            onvif://www.onvif.org/Manufacturer/Acme urn:other</Scopes>\
            <XAddrs>http://10.1.1.1/onvif/device_service http://192.0.2.7:8080/onvif/device_service</XAddrs></ProbeMatch>";
        let wanted = FoundCamera {
            host: "192.0.2.7".into(),
            port: 8080,
            maker: "Acme".into(),
            name: "Acme Gate".into(),
            hardware: "A-1".into(),
            location: "north".into(),
        };
        assert_eq!(cameras(&answer("uuid:1", body), "uuid:1", FROM), [((FROM, 8080), wanted)]);
    }

    #[test]
    fn what_answers_something_else_is_no_camera() {
        let bare = "<ProbeMatch/>";
        assert_eq!(cameras(&answer("uuid:1", bare), "uuid:1", FROM)[0].1.port, 80);
        for text in [answer("uuid:2", bare), String::new(), "<E/>".into(), answer("uuid:1", "")] {
            assert_eq!(cameras(&text, "uuid:1", FROM), [], "{text}");
        }
    }
}
