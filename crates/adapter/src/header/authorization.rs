//! Credentials of a request.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::parameters::Parameterised;

/// The credentials of an Authorization field: a scheme and its parameters (RFC 9110, section 11.4), as real clients write
/// them: values quoted or not, in any order, with any spacing.
#[derive(Debug)]
pub struct Authorization {
    read: Parameterised,
}

impl Authorization {
    /// Those of a request; `None` when it has none, or several, or they violate the grammar.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut fields = headers.get_all(AUTHORIZATION).iter();
        let (Some(field), None) = (fields.next(), fields.next()) else { return None };
        let read = Parameterised::read_credentials(field.as_bytes());
        read.is_whole.then_some(Self { read })
    }

    /// The scheme, in lower case.
    pub fn scheme(&self) -> &str {
        &self.read.value
    }

    /// The value of a parameter, whose name is given in lower case; `None` when it is missing, repeated or not UTF-8.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.read.parameter(name).ok().flatten().and_then(|value| std::str::from_utf8(value).ok())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(field: &str) -> Option<Authorization> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_bytes(field.as_bytes()).unwrap())]);
        Authorization::of(&headers)
    }

    #[test]
    fn quotes_order_case_and_spacing_do_not_matter() {
        for field in [
            "Digest username=\"admin\", uri=\"/a?b=1\", nc=00000002",
            "digest  uri=/a?b=1,USERNAME=admin , nc=\"00000002\"",
            "DIGEST\tnc = 00000002,, uri = \"/a?b=1\",username = \"admin\",",
        ] {
            let read = of(field).unwrap();
            let values = ["username", "uri", "nc"].map(|name| read.parameter(name));
            assert_eq!(
                (read.scheme(), values),
                ("digest", [Some("admin"), Some("/a?b=1"), Some("00000002")]),
                "{field}"
            );
        }
    }

    #[test]
    fn what_is_ambiguous_says_nothing() {
        assert!(of("Digest username=\"a").is_none() && of("Digest username").is_none());
        let twice = of("Digest nc=1, nc=2, realm=\"a\\\"b\"").unwrap();
        assert_eq!((twice.parameter("nc"), twice.parameter("realm")), (None, Some("a\"b")));
        let mut headers = HeaderMap::new();
        for field in ["Digest a=1", "x"] {
            headers.append(AUTHORIZATION, HeaderValue::from_static(field));
        }
        assert!(Authorization::of(&headers).is_none() && Authorization::of(&HeaderMap::new()).is_none());
    }
}
