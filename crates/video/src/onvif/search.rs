//! Discovery of cameras in the network: WS-Discovery over UDP.

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

use super::document;
use super::soap::{child, text};
use crate::session::plain;

/// Maximum number of cameras returned by a search.
const MOST_FOUND: usize = 1024;
/// Maximum size of a response, bytes: the largest datagram.
const LARGEST_ANSWER: usize = 65_536;
/// Delay before the probe is sent again, so that a lost datagram does not hide a camera.
const AGAIN: Duration = Duration::from_millis(250);

/// Sends probes to `place`, collects responses for `patience`, and returns the cameras ordered by address.
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

/// Local addresses to send from: a multicast leaves through one interface, so it is sent from each.
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
    // A timeout alone lets a stream of datagrams go on: the socket is looked at first.
    while found.len() < MOST_FOUND && Instant::now() < until {
        match timeout_at(until, socket.recv_from(&mut answer)).await {
            Ok(Ok((length, from))) => {
                found.extend(cameras(&answer[..length], id, from.ip()));
            }
            // A probe reached a closed port; other devices are not affected.
            Ok(Err(error)) => tracing::debug!(%error, "failed to receive a discovery response"),
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

/// The cameras in a response to the probe with this id.
pub(super) fn cameras(answer: &[u8], id: &str, from: IpAddr) -> Vec<(Key, FoundCamera)> {
    let answer = document::envelope(answer, None);
    let Ok(document) = document::parse(&answer) else { return Vec::new() };
    let envelope = document.root_element();
    let related = child(envelope, "Header").and_then(|header| text(header, &["RelatesTo"]));
    // Some cameras omit RelatesTo; the port was opened for this probe, so the response belongs to it.
    if related.is_some_and(|related| !bare(related).eq_ignore_ascii_case(bare(id))) {
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

/// An id without its URN prefix.
fn bare(id: &str) -> &str {
    let id = id.strip_prefix("urn:").unwrap_or(id);
    id.strip_prefix("uuid:").unwrap_or(id)
}

/// The host is the address that the response came from: the reported one may belong to another network.
fn camera(node: Node<'_, '_>, from: IpAddr) -> (Key, FoundCamera) {
    let addresses = text(node, &["XAddrs"]).unwrap_or_default().split([' ', '\t', '\r', '\n', ',', ';']);
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

/// The first non-empty value of one of these kinds in the scopes `onvif://www.onvif.org/KIND/VALUE`.
fn scope(scopes: &str, kinds: &[&str]) -> String {
    let value = |scope: &str| {
        let (kind, value) = scope.strip_prefix("onvif://www.onvif.org/")?.split_once('/')?;
        let wanted = kinds.iter().any(|wanted| kind.eq_ignore_ascii_case(wanted));
        // Some cameras use a national encoding.
        let value = plain(document::decoded(&percent_decode_str(value).collect::<Vec<_>>(), None).trim());
        (wanted && !value.is_empty()).then_some(value)
    };
    scopes.split_whitespace().find_map(value).unwrap_or_default()
}

/// Multicast address of WS-Discovery.
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
        assert_eq!(cameras(answer("uuid:1", body).as_bytes(), "uuid:1", FROM), [((FROM, 8080), wanted)]);
    }

    #[test]
    fn what_answers_something_else_is_no_camera() {
        let bare = "<ProbeMatch/>";
        assert_eq!(cameras(answer("uuid:1", bare).as_bytes(), "uuid:1", FROM)[0].1.port, 80);
        for text in [answer("uuid:2", bare), String::new(), "<E/>".into(), answer("uuid:1", "")] {
            assert_eq!(cameras(text.as_bytes(), "uuid:1", FROM), [], "{text}");
        }
    }

    #[test]
    fn an_answer_is_understood_in_any_encoding_and_with_junk_around_it() {
        let body = "<ProbeMatch><Scopes>onvif://www.onvif.org/name/%B4%F3%C3%C5 onvif://www.onvif.org/location/LABEL\
            </Scopes><XAddrs>https://192.0.2.7/a,http://10.1.1.1:8899/onvif/device_service;</XAddrs></ProbeMatch>";
        let text = answer("urn:UUID:1", body).replace("UUID", "uuid");
        let (before, behind) = text.split_once("LABEL").unwrap();
        let sent = [b"\r\n<?xml version=\"1.0\"?>", before.as_bytes(), b"\xb4\xf3\xc3\xc5", behind.as_bytes(), b"\0\0"];
        let unrelated = sent.concat().split_first().map(|(_, rest)| rest.to_vec()).unwrap();
        for sent in [sent.concat(), unrelated] {
            let found = cameras(&sent, "uuid:1", FROM);
            assert_eq!(found[0].0, (FROM, 8899));
            assert_eq!([&found[0].1.name, &found[0].1.location], ["\u{5927}\u{95e8}"; 2]);
        }
        let silent = format!("<E><Body><ProbeMatches>{body}</ProbeMatches></Body></E>");
        assert_eq!(cameras(silent.as_bytes(), "uuid:1", FROM).len(), 1);
    }

    #[tokio::test]
    async fn a_stream_of_datagrams_does_not_prolong_a_search() {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
        let flood = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
        for _ in 0..8 {
            let text = answer("uuid:1", "<ProbeMatch/>");
            flood.send_to(text.as_bytes(), socket.local_addr().unwrap()).await.unwrap();
        }
        socket.readable().await.unwrap();
        let mut found = BTreeMap::new();
        collect(&socket, "uuid:1", Instant::now(), &mut found).await;
        assert_eq!(found, BTreeMap::new(), "none is read at the deadline");
        collect(&socket, "uuid:1", Instant::now() + AGAIN, &mut found).await;
        assert_eq!(found.len(), 1);
    }
}
