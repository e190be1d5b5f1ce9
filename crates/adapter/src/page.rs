//! Requests that web pages have a browser send.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

/// What had a request sent, as far as the request tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A program: browsers state the origin of every request that can change something.
    Program,
    /// A page of the same host and port.
    OwnPage,
    /// A page of another site. It can have the browser of a visitor send forms and plain text, but no JSON.
    ForeignPage,
}

impl Sender {
    /// Of a request with these headers.
    pub fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let site = headers.get("sec-fetch-site").map(|value| value.to_str().unwrap_or_default());
        let origin = text(ORIGIN).map(|origin| origin.split_once("://").map(|(_, origin)| origin));
        match (origin, site) {
            (Some(origin), _) if origin.is_none() || origin != text(HOST) => Self::ForeignPage,
            (_, Some(site)) if !matches!(site, "same-origin" | "none") => Self::ForeignPage,
            (Some(_), _) => Self::OwnPage,
            (None, _) => Self::Program,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn sender(fields: &[(&'static str, &'static str)]) -> Sender {
        let field = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        Sender::of(&fields.iter().map(field).chain([(HOST, HeaderValue::from_static("box:8000"))]).collect())
    }

    #[test]
    fn the_origin_tells_pages_from_programs() {
        assert_eq!(sender(&[]), Sender::Program);
        assert_eq!(sender(&[("origin", "http://box:8000")]), Sender::OwnPage);
        assert_eq!(sender(&[("origin", "http://box:8000"), ("sec-fetch-site", "same-origin")]), Sender::OwnPage);
        for origin in ["http://box:8001", "http://evil.example", "null", "", "box:8000"] {
            assert_eq!(sender(&[("origin", origin)]), Sender::ForeignPage, "{origin}");
        }
        for site in ["cross-site", "same-site"] {
            assert_eq!(sender(&[("sec-fetch-site", site)]), Sender::ForeignPage, "{site}");
        }
    }
}
