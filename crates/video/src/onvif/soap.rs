//! One question in SOAP 1.2 and its answer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::ports::{Clock, SourceError};
use domain::{DeviceAddress, Timestamp};
use reqwest::StatusCode;
use roxmltree::{Document, Node, ParsingOptions};
use sha1::{Digest, Sha1};
use url::Url;

use crate::http::{Http, Question};
use crate::session::plain;

/// Largest answer taken, bytes: a camera with dozens of profiles needs a tenth of it.
const LARGEST_ANSWER: usize = 1 << 20;
/// Most nodes of a document; an answer of the largest size made of nothing but tags would have more.
const MOST_NODES: u32 = 50_000;

const ENVELOPE: &str = "http://www.w3.org/2003/05/soap-envelope";
const SECURITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const UTILITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const DIGEST: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";

/// A camera to be asked.
pub(super) struct Peer<'a> {
    pub(super) http: &'a Http,
    pub(super) clock: &'a dyn Clock,
    pub(super) device: &'a DeviceAddress,
    /// How far the camera's clock is ahead of ours, milliseconds.
    pub(super) ahead: i64,
}

/// What is asked.
pub(super) struct Ask<'a> {
    /// Its name, for errors and the action.
    pub(super) name: &'static str,
    /// The namespace of the service.
    pub(super) service: &'static str,
    /// The element's content.
    pub(super) content: &'a str,
    /// Whether the camera must know who asks.
    pub(super) signed: bool,
}

impl Peer<'_> {
    /// Asks, and hands the body of the envelope to `read`.
    pub(super) async fn ask<T>(
        &self,
        url: &Url,
        ask: &Ask<'_>,
        read: impl FnOnce(Node<'_, '_>) -> Option<T>,
    ) -> Result<T, SourceError> {
        let kind = "application/soap+xml; charset=utf-8";
        let question = Question { url, body: Some((kind, self.envelope(ask))), what: ask.name };
        let answer = self.http.ask(&question, self.device).await?;
        let status = answer.status();
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(SourceError::Unauthorised);
        }
        let body = self.http.body(answer, ask.name, LARGEST_ANSWER).await?;
        understood(&body, status, ask.name, read)
    }

    fn envelope(&self, ask: &Ask<'_>) -> String {
        let Ask { name, service, content, signed } = ask;
        let token = if *signed && !self.device.user.is_empty() { self.token() } else { String::new() };
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope xmlns:s=\"{ENVELOPE}\"><s:Header>{token}</s:Header>\
             <s:Body><{name} xmlns=\"{service}\">{content}</{name}></s:Body></s:Envelope>"
        )
    }

    /// Proves that the password is known, by the camera's own clock: others refuse a token that is not of now.
    fn token(&self) -> String {
        let nonce: [u8; 16] = rand::random();
        let created = written(self.clock.now().plus_millis(self.ahead));
        let mut hash = Sha1::new();
        [&nonce[..], created.as_bytes(), self.device.password.as_bytes()].iter().for_each(|part| hash.update(part));
        let (digest, nonce) = (STANDARD.encode(hash.finalize()), STANDARD.encode(nonce));
        let user = escaped(&self.device.user);
        format!(
            "<Security s:mustUnderstand=\"1\" xmlns=\"{SECURITY}\"><UsernameToken><Username>{user}</Username>\
             <Password Type=\"{DIGEST}\">{digest}</Password>\
             <Nonce EncodingType=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0\
             #Base64Binary\">{nonce}</Nonce><Created xmlns=\"{UTILITY}\">{created}</Created></UsernameToken></Security>"
        )
    }
}

fn written(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{at:.3}")
}

/// Text as it may stand in an element.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What `read` makes of the body of an envelope; a fault is an error.
fn understood<T>(
    answer: &Bytes,
    status: StatusCode,
    name: &str,
    read: impl FnOnce(Node<'_, '_>) -> Option<T>,
) -> Result<T, SourceError> {
    let senseless = || SourceError::Broken(format!("the answer to {name} makes no sense"));
    let parsed = std::str::from_utf8(answer).ok().and_then(|text| parse(text.trim_start_matches('\u{feff}')));
    let Some(document) = parsed else {
        return Err(match status {
            StatusCode::OK => senseless(),
            StatusCode::NOT_FOUND => SourceError::NoStream(format!("the camera answers 404 to {name}")),
            other => SourceError::Broken(format!("the camera answers {} to {name}", other.as_u16())),
        });
    };
    let body = child(document.root_element(), "Body").ok_or_else(senseless)?;
    match child(body, "Fault") {
        Some(fault) => Err(refusal(fault, name)),
        None => read(body).ok_or_else(senseless),
    }
}

/// A document without a type definition, hence without entities of its own.
pub(super) fn parse(text: &str) -> Option<Document<'_>> {
    Document::parse_with_options(text, ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() }).ok()
}

fn refusal(fault: Node<'_, '_>, name: &str) -> SourceError {
    let code: String =
        fault.descendants().filter(|node| node.tag_name().name() == "Value").filter_map(|v| v.text()).collect();
    let reason = fault.descendants().find(|node| matches!(node.tag_name().name(), "Text" | "faultstring"));
    let reason = plain(reason.and_then(|node| node.text()).unwrap_or_default().trim());
    let unknown = ["NotAuthorized", "FailedAuthentication", "InvalidSecurity"].iter().any(|word| code.contains(word));
    // Some cameras say it in the text only.
    if unknown || reason.to_lowercase().contains("not authorized") {
        return SourceError::Unauthorised;
    }
    SourceError::Broken(format!("the camera refuses {name}: {reason}"))
}

/// The first child element of that name, of whatever name space: cameras differ in them.
pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.is_element() && child.tag_name().name() == name)
}

/// The element below, step by step.
pub(super) fn below<'a, 'i>(node: Node<'a, 'i>, path: &[&str]) -> Option<Node<'a, 'i>> {
    path.iter().try_fold(node, |node, name| child(node, name))
}

/// The trimmed text of the element below.
pub(super) fn text<'a>(node: Node<'a, '_>, path: &[&str]) -> Option<&'a str> {
    below(node, path)?.text().map(str::trim).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str, status: StatusCode) -> Result<String, SourceError> {
        let read = |body: Node<'_, '_>| text_of(body);
        understood(&Bytes::copy_from_slice(text.as_bytes()), status, "GetIt", read)
    }

    fn text_of(body: Node<'_, '_>) -> Option<String> {
        text(body, &["It"]).map(str::to_owned)
    }

    fn envelope(body: &str) -> String {
        format!("<e:Envelope xmlns:e=\"{ENVELOPE}\"><e:Body>{body}</e:Body></e:Envelope>")
    }

    #[test]
    fn the_body_is_read_whatever_its_name_spaces() {
        let sent = envelope("<x:It xmlns:x=\"urn:x\"> a &amp; b </x:It>");
        assert_eq!(answer(&sent, StatusCode::OK), Ok("a & b".to_owned()));
    }

    #[test]
    fn a_fault_is_a_wrong_login_or_what_it_says() {
        let fault = |code: &str, reason: &str| {
            let code =
                format!("<e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>{code}</e:Value></e:Subcode></e:Code>");
            envelope(&format!("<e:Fault>{code}<e:Reason><e:Text>{reason}</e:Text></e:Reason></e:Fault>"))
        };
        let refused = |text: &str| answer(text, StatusCode::BAD_REQUEST).unwrap_err();
        assert_eq!(refused(&fault("ter:NotAuthorized", "")), SourceError::Unauthorised);
        assert_eq!(refused(&fault("", "Sender not Authorized")), SourceError::Unauthorised);
        let why = SourceError::Broken("the camera refuses GetIt: no such profile".into());
        assert_eq!(refused(&fault("ter:NoProfile", "no such profile")), why);
    }

    #[test]
    fn what_is_no_envelope_makes_no_sense() {
        let deep = "<a>".repeat(40_000);
        let entities = "<!DOCTYPE e [<!ENTITY a \"aaaa\">]><Envelope><Body><It>&a;</It></Body></Envelope>";
        let many = envelope(&"<a/>".repeat(MOST_NODES as usize));
        for text in ["", "hello", "<html></html>", &deep, entities, &many, &envelope("<Other/>")] {
            let why = answer(text, StatusCode::OK).unwrap_err();
            assert_eq!(why, SourceError::Broken("the answer to GetIt makes no sense".into()));
        }
        assert!(matches!(answer("", StatusCode::NOT_FOUND), Err(SourceError::NoStream(_))));
        assert!(matches!(answer("", StatusCode::SERVICE_UNAVAILABLE), Err(SourceError::Broken(_))));
    }
}
