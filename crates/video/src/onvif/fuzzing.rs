//! Fuzz target for responses of ONVIF cameras.

use std::net::{IpAddr, Ipv4Addr};

use reqwest::StatusCode;

use super::soap::{Ask, child, understood};
use super::{clock, document, media, search};

/// Input: a response to each request, and to a discovery.
pub fn soap(data: &[u8]) {
    let text = document::envelope(data, None);
    let ask = Ask { name: "GetIt", service: "", content: "", signed: false, wanted: "it" };
    let _ = understood(&text, StatusCode::OK, &ask, &|body| child(body, "It").map(|_| ()));
    let _ = search::cameras(data, "uuid:1", IpAddr::V4(Ipv4Addr::LOCALHOST));
    let Ok(document) = document::parse(&text) else { return };
    for node in document.descendants() {
        assert!(!clock::ahead(Some(node), 0).is_empty());
        let _ = (media::profiles(node).len(), media::uri(node));
    }
}
