//! Request URLs of a session: controls relative to a base, and redirects.

use std::net::IpAddr;

use domain::ports::SourceError;
use url::Url;

use super::wire::Response;
use crate::session::plain;

/// Maximum length of a URL accepted from a camera, bytes.
const LONGEST: usize = 2048;

/// The base URL of controls (RFC 2326 C.1.1).
pub(super) fn base(url: &Url, description: &Response) -> String {
    let named = ["Content-Base", "Content-Location"].into_iter().find_map(|name| description.fields.get(name));
    match named.filter(|named| usable(named)) {
        None => url.to_string(),
        Some(named) if is_absolute(named) => named.to_owned(),
        Some(named) if named.starts_with('/') => url.join(named).map_or_else(|_| url.to_string(), Into::into),
        // Some cameras omit the scheme.
        Some(named) => format!("rtsp://{named}"),
    }
}

/// The URL of a control: joined as players do, not as RFC 1808 specifies.
pub(super) fn control(base: &str, control: Option<&str>) -> String {
    match control.filter(|control| usable(control)) {
        None | Some("*") => base.to_owned(),
        Some(control) if is_absolute(control) => control.to_owned(),
        Some(control) if base.ends_with('/') => format!("{base}{}", control.trim_start_matches('/')),
        Some(control) => format!("{base}/{}", control.trim_start_matches('/')),
    }
}

fn is_absolute(address: &str) -> bool {
    address.split_once("://").is_some_and(|(scheme, _)| scheme.to_ascii_lowercase().starts_with("rtsp"))
}

/// Whether the URL can be used in a request.
fn usable(address: &str) -> bool {
    (1..=LONGEST).contains(&address.len()) && address.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The target of a redirect, which must be at the same camera: following a redirect to another host would send the
/// login there.
pub(super) fn target(from: &Url, answer: &Response, peer: IpAddr) -> Result<Url, SourceError> {
    let refused = |why: String| Err(SourceError::Broken(why));
    let code = answer.code;
    let Some(mut to) = answer.fields.get("Location").and_then(|location| from.join(location.trim()).ok()) else {
        return refused(format!("the camera answers {code} without an address that can be played"));
    };
    if to.scheme() != "rtsp" {
        return refused(format!("the camera redirects to {}, only rtsp is supported", plain(to.scheme())));
    }
    let here = |host: &str| host.trim_matches(['[', ']']).parse() == Ok(peer);
    let Some(host) = to.host_str().filter(|host| !host.is_empty()) else {
        return refused(format!("the camera answers {code} without an address that can be played"));
    };
    if !from.host_str().is_some_and(|own| own.eq_ignore_ascii_case(host)) && !here(host) {
        return refused(format!(
            "the camera redirects to {}: if this is intended, configure that address",
            plain(host)
        ));
    }
    to.set_fragment(None);
    match to.set_username("").and_then(|()| to.set_password(None)) {
        Ok(()) if to != *from => Ok(to),
        _ => refused("the camera redirects to the address that was asked".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::rtsp::wire::{Incoming, Reader};

    fn answer(code: u16, field: &str) -> Response {
        let text = format!("RTSP/1.0 {code} x\r\n{field}\r\n\r\n");
        match Reader::default().next(&mut BytesMut::from(text.as_str())) {
            Ok(Some(Incoming::Response(answer))) => answer,
            other => panic!("{other:?}"),
        }
    }

    fn moved(location: &str) -> Result<String, String> {
        let from = Url::parse("rtsp://cam:8554/live").unwrap();
        let target = target(&from, &answer(302, &format!("Location: {location}")), IpAddr::from([192, 0, 2, 7]));
        target.map(Into::into).map_err(|why| why.to_string())
    }

    #[test]
    fn a_redirect_within_the_camera_is_followed() {
        let cases = [
            ("rtsp://cam:8554/main", "rtsp://cam:8554/main"),
            ("rtsp://CAM/main#x", "rtsp://CAM/main"),
            ("rtsp://192.0.2.7:555/main", "rtsp://192.0.2.7:555/main"),
            ("rtsp://user:pass@cam/main", "rtsp://cam/main"),
            ("/main?a=b", "rtsp://cam:8554/main?a=b"),
        ];
        for (location, to) in cases {
            assert_eq!(moved(location).as_deref(), Ok(to), "{location}");
        }
    }

    #[test]
    fn a_redirect_elsewhere_or_to_itself_is_refused_with_the_reason() {
        for (location, why) in [
            ("rtsp://other/main", "other"),
            ("rtsp://192.0.2.8/main", "192.0.2.8"),
            ("http://cam/main", "http"),
            ("rtsps://cam/main", "rtsps"),
            ("rtsp://cam:8554/live", "address that was asked"),
            ("rtsp:///live", "302"),
        ] {
            let refusal = moved(location).unwrap_err();
            assert!(refusal.contains(why), "{location}: {refusal}");
        }
        let from = Url::parse("rtsp://cam/live").unwrap();
        assert!(target(&from, &answer(302, "A: b"), IpAddr::from([192, 0, 2, 7])).is_err());
    }

    #[test]
    fn controls_are_joined_as_players_do() {
        let url = Url::parse("rtsp://cam/live?x=1").unwrap();
        let cases = [
            ("A: b", Some("trackID=1"), "rtsp://cam/live?x=1/trackID=1"),
            ("Content-Base: rtsp://cam/live/", Some("trackID=1"), "rtsp://cam/live/trackID=1"),
            ("content-base: rtsp://10.9.8.7:554/a/", Some("?ctype=video"), "rtsp://10.9.8.7:554/a/?ctype=video"),
            ("Content-Base: rtsp://cam/live/", Some("rtsp://10.9.8.7/a/1"), "rtsp://10.9.8.7/a/1"),
            ("Content-Base: 192.0.2.7/live", Some("*"), "rtsp://192.0.2.7/live"),
            ("Content-Location: /other/", None, "rtsp://cam/other/"),
            ("Content-Base: rtsp://cam/a b/", Some("1 2"), "rtsp://cam/live?x=1"),
        ];
        for (field, of, wanted) in cases {
            assert_eq!(control(&base(&url, &answer(200, field)), of), wanted, "{field}");
        }
    }
}
