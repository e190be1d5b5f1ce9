//! The Content-Type of a request.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use encoding_rs::Encoding;

use super::parameters::Parameterised;

/// Maximum length of a boundary, bytes; RFC 2046 allows 70.
const MAX_BOUNDARY: usize = 200;

/// Whether the body is multipart of any kind.
pub fn is_multipart(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(|value| value.as_bytes().trim_ascii_start());
    kind.and_then(|kind| kind.get(..MULTIPART.len())).is_some_and(|kind| kind.eq_ignore_ascii_case(MULTIPART))
}

const MULTIPART: &[u8] = b"multipart/";

/// The Content-Type of a form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FormType {
    /// Boundary of its parts.
    pub(crate) boundary: String,
    /// Charset, if named and known.
    pub(crate) charset: Option<&'static Encoding>,
}

impl FormType {
    /// Parses the header; `None` when the request is not a form or has no boundary.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let kind = Parameterised::read(headers.get(CONTENT_TYPE)?.as_bytes());
        let boundary = std::str::from_utf8(kind.parameter("boundary").ok()??).ok()?;
        let fits = kind.is_whole && kind.value == "multipart/form-data" && (1..=MAX_BOUNDARY).contains(&boundary.len());
        fits.then(|| Self { boundary: boundary.to_owned(), charset: charset_of(&kind) })
    }
}

/// The charset that a Content-Type names; `None` when missing or unknown.
pub(crate) fn charset(content_type: &HeaderValue) -> Option<&'static Encoding> {
    charset_of(&Parameterised::read(content_type.as_bytes()))
}

fn charset_of(kind: &Parameterised) -> Option<&'static Encoding> {
    kind.parameter("charset").ok().flatten().and_then(Encoding::for_label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::GBK;

    fn headers(content_type: &str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_bytes(content_type.as_bytes()).unwrap())])
    }

    #[test]
    fn a_form_has_a_boundary_however_it_is_written() {
        for content_type in [
            "multipart/form-data; boundary=x=1",
            "multipart/form-data;boundary=x=1",
            "Multipart/Form-Data ; Boundary=\"x=1\"",
            "multipart/form-data;charset=utf-8; boundary = \"x=1\" ;",
            "\tMULTIPART/FORM-DATA\t;\tBOUNDARY=x=1\t",
        ] {
            let form = FormType::of(&headers(content_type)).unwrap();
            assert_eq!(form.boundary, "x=1", "{content_type}");
            assert!(is_multipart(&headers(content_type)), "{content_type}");
        }
        let gbk = FormType::of(&headers("multipart/form-data; boundary=a; charset=\"GBK\"")).unwrap();
        assert_eq!(gbk.charset, Some(GBK));
    }

    #[test]
    fn what_has_no_boundary_is_no_form() {
        for content_type in [
            "",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=a; boundary=b",
            "multipart/mixed; boundary=a",
            "application/json; boundary=a",
            &format!("multipart/form-data; boundary={}", "a".repeat(201)),
        ] {
            assert_eq!(FormType::of(&headers(content_type)), None, "{content_type}");
        }
        assert_eq!(FormType::of(&HeaderMap::new()), None);
        assert!(!is_multipart(&HeaderMap::new()) && !is_multipart(&headers("application/json ; charset=\"UTF-8\"")));
    }
}
