//! Tolerant parsing of response header fields.

use std::net::IpAddr;
use std::time::Duration;

use super::wire::Response;

/// Session timeout when the camera announces none (RFC 2326 12.37), seconds.
const DEFAULT_TIMEOUT: u64 = 60;
/// Maximum interval between keepalives, seconds: routers drop idle connections.
const LONGEST_INTERVAL: u64 = 30;

/// The Session field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SessionField {
    /// Session id for requests; `None` when the camera gives none.
    pub(super) id: Option<String>,
    /// Interval between keepalives: half the session timeout, at most 30 s.
    pub(super) keepalive: Duration,
}

impl SessionField {
    pub(super) fn of(answer: &Response) -> Self {
        let field = answer.fields.get("Session").unwrap_or_default();
        let (id, rest) = field.split_once(';').unwrap_or((field, ""));
        let id = Some(id.trim()).filter(|id| !id.is_empty());
        let timeout = parameters(rest).find_map(|(name, value)| {
            name.eq_ignore_ascii_case("timeout").then(|| value.parse::<u64>().ok()).flatten()
        });
        // A timeout of 0 would leave no time for keepalives.
        let timeout = timeout.filter(|seconds| *seconds > 0).unwrap_or(DEFAULT_TIMEOUT);
        let half = Duration::from_secs(timeout.min(2 * LONGEST_INTERVAL)) / 2;
        Self { id: id.map(str::to_owned), keepalive: half }
    }
}

/// The Transport field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct TransportField {
    /// Whether packets come over UDP, whatever was requested.
    pub(super) by_datagram: bool,
    /// Interleaved channel of the video.
    pub(super) channel: Option<u8>,
    /// Source port of datagrams.
    pub(super) server_port: Option<u16>,
    /// Source address of datagrams, when it differs from the camera's.
    pub(super) source: Option<IpAddr>,
}

impl TransportField {
    pub(super) fn of(answer: &Response) -> Self {
        let field = answer.fields.get("Transport").unwrap_or_default();
        let mut said = Self::default();
        let protocol = field.split([';', ',']).next().unwrap_or_default().trim().to_ascii_uppercase();
        for (name, value) in parameters(field.split(',').next().unwrap_or_default()) {
            let first = value.split('-').next().unwrap_or_default().trim();
            match name.to_ascii_lowercase().as_str() {
                "interleaved" => said.channel = first.parse().ok(),
                "server_port" => said.server_port = first.parse().ok().filter(|port| *port > 0),
                "source" => said.source = value.parse().ok(),
                _ => {}
            }
        }
        said.by_datagram = said.channel.is_none() && !protocol.ends_with("/TCP") && said.server_port.is_some();
        said
    }
}

/// Parameters `name=value` separated by semicolons, without surrounding blanks and quotes.
fn parameters(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(';').filter_map(|part| {
        let (name, value) = part.split_once('=')?;
        Some((name.trim(), value.trim().trim_matches('"')))
    })
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};

    use super::*;
    use crate::rtsp::wire::{Incoming, Reader};

    fn answer(fields: &str) -> Response {
        let text = format!("RTSP/1.0 200 OK\r\n{fields}\r\n\r\n");
        match Reader::default().next(&mut BytesMut::from(text.as_str())) {
            Ok(Some(Incoming::Response(answer))) => answer,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_session_is_read_with_blanks_and_without_a_sensible_timeout() {
        let cases = [
            ("Session: 12345678", 30.0),
            ("Session: 12345678;timeout=60", 30.0),
            ("session:12345678 ; timeout = 60", 30.0),
            ("Session: 12345678;timeout=0", 30.0),
            ("Session: 12345678;timeout=", 30.0),
            ("Session: 12345678;Timeout=\"10\";x", 5.0),
            ("Session: 12345678;timeout=5", 2.5),
            ("Session: 12345678;timeout=4294967296", 30.0),
            ("Session: 12345678;timeout=-1", 30.0),
        ];
        for (field, keepalive) in cases {
            let session = SessionField::of(&answer(field));
            assert_eq!(
                (session.id.as_deref(), session.keepalive.as_secs_f64()),
                (Some("12345678"), keepalive),
                "{field}"
            );
        }
        assert_eq!(SessionField::of(&answer("CSeq: 1")).id, None);
    }

    #[test]
    fn a_transport_is_read_or_left_open() {
        let of = |field: &str| TransportField::of(&answer(&format!("Transport: {field}")));
        assert_eq!(of("RTP/AVP/TCP;unicast;interleaved=4-5;ssrc=DEADBEEF").channel, Some(4));
        assert_eq!(of("RTP/AVP/TCP; unicast; Interleaved = 2 - 3 ;mode=\"PLAY\"").channel, Some(2));
        for open in
            ["RTP/AVP/TCP;unicast", "RTP/AVP/TCP;interleaved=", "RTP/AVP/TCP;interleaved=300-301", "", "garbage"]
        {
            assert_eq!(of(open), TransportField::default(), "{open}");
        }
        let datagrams = of("RTP/AVP;unicast;client_port=5000-5001;server_port=6970-6971;source=192.0.2.1");
        let source = Some(IpAddr::from([192, 0, 2, 1]));
        assert_eq!((datagrams.by_datagram, datagrams.server_port, datagrams.source), (true, Some(6970), source));
        assert_eq!(of("RTP/AVP/UDP;server_port=6970").server_port, Some(6970));
        assert_eq!(of("RTP/AVP/UDP;server_port=0-1;source=cam").server_port, None);
        assert!(answer("a: b").body == Bytes::new());
    }
}
