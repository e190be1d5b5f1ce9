//! HTTP digest as the document has it (section 1; RFC 7616 with MD5 and `qop=auth`).

use adapter::Authorization;
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq;

/// The realm of the document. HA1 is kept for it.
pub const REALM: &str = "NVRDVR";

/// An answer to a challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) username: String,
    /// Digits, as the device gave them out.
    pub(crate) nonce: u64,
    /// How many requests the client has made with this nonce.
    pub(crate) count: u32,
    /// Everything hashed behind HA1.
    proof: String,
    /// 32 hexadecimal digits, in lower case.
    response: String,
}

impl Digest {
    /// The answer to a challenge of this device for this request; `None` for anything else. `target` is the path with
    /// the query as it was sent; clients may leave out the query of what they hash.
    pub(crate) fn read(sent: &Authorization, method: &str, target: &str) -> Option<Self> {
        let of = |name| sent.parameter(name);
        let right = sent.scheme() == "digest"
            && of("realm")? == REALM
            && of("algorithm").is_none_or(|algorithm| algorithm.eq_ignore_ascii_case("MD5"))
            && of("qop")?.eq_ignore_ascii_case("auth");
        let (uri, nonce, count, cnonce) = (of("uri")?, of("nonce")?, of("nc")?, of("cnonce")?);
        let path = target.split('?').next().unwrap_or_default();
        if !right || (uri != target && uri != path) || count.len() != 8 {
            return None;
        }
        let request = hashed(&format!("{method}:{uri}"));
        let qop = of("qop")?;
        Some(Self {
            username: of("username")?.to_owned(),
            nonce: nonce.parse().ok()?,
            count: u32::from_str_radix(count, 16).ok()?,
            proof: format!("{nonce}:{count}:{cnonce}:{qop}:{request}"),
            response: of("response")?.to_ascii_lowercase(),
        })
    }

    /// Whether it was made with the password that HA1 was made of. Takes the same time for every wrong answer.
    pub(crate) fn is_proved_by(&self, ha1: &str) -> bool {
        let expected = hashed(&format!("{ha1}:{}", self.proof));
        expected.as_bytes().ct_eq(self.response.as_bytes()).into()
    }
}

/// The challenge in the form and order of the document, with every value quoted: samples of the vendor search for the
/// quotes.
pub(crate) fn challenge(nonce: u64, stale: bool) -> String {
    let stale = if stale { "TRUE" } else { "FALSE" };
    format!(r#"Digest qop="auth",algorithm="MD5",realm="{REALM}",nonce="{nonce}",stale="{stale}""#)
}

fn hashed(text: &str) -> String {
    hex::encode(Md5::digest(text))
}

#[cfg(test)]
mod tests {
    use axum::http::header::AUTHORIZATION;
    use axum::http::{HeaderMap, HeaderValue};

    use super::*;

    const PICTURE: &str = "/api/v2/smart/picture?Type=1&Index=ubs_5_0_0_0_0_0_752_55_64647_1716521787&Size=222974";

    fn read(field: &str, method: &str, target: &str) -> Option<Digest> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(field).unwrap())]);
        Digest::read(&Authorization::of(&headers)?, method, target)
    }

    fn proves(field: &str, method: &str, target: &str) -> bool {
        let ha1 = hashed("admin:NVRDVR:admin123.");
        assert_eq!(ha1, "98ca67a03cba1d7167bf0096cb957f7d");
        read(field, method, target).is_some_and(|digest| digest.is_proved_by(&ha1))
    }

    fn document(rest: &str) -> String {
        format!("Digest username=\"admin\", realm=\"NVRDVR\", nonce=\"1923473498\", {rest}")
    }

    #[test]
    fn the_example_of_the_document_verifies() {
        let field = document(
            "uri=\"/api/v2/algo/list\", algorithm=\"MD5\", qop=auth, nc=00000002, \
             cnonce=\"1a42d15d190f2f7c93cfe0f749aa4674\", response=\"ebaadf53a48e3156cd5a1485b63658b0\"",
        );
        assert!(proves(&field, "POST", "/api/v2/algo/list"));
        let digest = read(&field, "POST", "/api/v2/algo/list").unwrap();
        assert_eq!((digest.nonce, digest.count, digest.username.as_str()), (1_923_473_498, 2, "admin"));
        assert!(
            proves(
                &field
                    .to_uppercase()
                    .replace("DIGEST USERNAME=\"ADMIN\"", "Digest username=\"admin\"")
                    .replace("/API/V2/ALGO/LIST", "/api/v2/algo/list")
                    .replace("QOP=AUTH", "qop=auth")
                    .replace("1A42D15D190F2F7C93CFE0F749AA4674", "1a42d15d190f2f7c93cfe0f749aa4674"),
                "POST",
                "/api/v2/algo/list"
            ),
            "hexadecimal digits and names in either case"
        );
        assert!(!proves(&field, "GET", "/api/v2/algo/list") && !proves(&field, "POST", "/api/v2/device/get"));
    }

    #[test]
    fn a_picture_may_be_proved_with_and_without_its_query() {
        let field = |uri: &str, response: &str| {
            document(&format!(
                "uri=\"{uri}\", algorithm=\"MD5\", qop=auth, nc=00000001, cnonce=\"0a4f113b\", response=\"{response}\""
            ))
        };
        assert!(proves(&field(PICTURE, "a583687f059ea49273183e0cd28c480f"), "GET", PICTURE));
        let path = "/api/v2/smart/picture";
        let request = hashed(&format!("GET:{path}"));
        let ha1 = "98ca67a03cba1d7167bf0096cb957f7d";
        let response = hashed(&format!("{ha1}:1923473498:00000001:0a4f113b:auth:{request}"));
        assert!(proves(&field(path, &response), "GET", PICTURE));
        assert!(!proves(&field(path, &response), "GET", "/api/v2/smart/other"));
    }

    #[test]
    fn what_answers_no_challenge_of_this_device_is_none() {
        let whole = "uri=\"/a\", algorithm=\"MD5\", qop=auth, nc=00000001, cnonce=\"c\", response=\"r\"";
        assert!(read(&document(whole), "POST", "/a").is_some());
        for bad in [
            document(whole).replace("NVRDVR", "other"),
            document(whole).replace("Digest", "Basic"),
            document(whole).replace("MD5", "SHA-256"),
            document(whole).replace("qop=auth", "qop=auth-int"),
            document(whole).replace("00000001", "1"),
            document(whole).replace("00000001", "0000000g"),
            document(whole).replace("1923473498", "abc"),
            document("uri=\"/a\", qop=auth, nc=00000001, response=\"r\""),
            document("uri=\"/a\", nc=00000001, cnonce=\"c\", response=\"r\""),
        ] {
            assert_eq!(read(&bad, "POST", "/a"), None, "{bad}");
        }
    }

    #[test]
    fn the_challenge_is_that_of_the_document() {
        let expected = r#"Digest qop="auth",algorithm="MD5",realm="NVRDVR",nonce="1923473498",stale="FALSE""#;
        assert_eq!(challenge(1_923_473_498, false), expected);
        assert!(challenge(1, true).ends_with(r#"stale="TRUE""#));
    }
}
