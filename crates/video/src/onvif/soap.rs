//! SOAP 1.2 requests and their responses.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ports::{Clock, SourceError};
use domain::{DeviceAddress, Timestamp};
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Response, StatusCode};
use roxmltree::Node;
use sha1::{Digest, Sha1};
use url::Url;

use super::document;
use super::place::service;
use crate::http::{Http, Question, asks_again};
use crate::session::plain;

/// Maximum size of a response, bytes: dozens of profiles take a tenth of it.
const LARGEST_ANSWER: usize = 1 << 20;
/// Maximum length of the excerpt shown of a response that is not an envelope, characters.
const LONGEST_EXCERPT: usize = 40;

const ENVELOPE: &str = "http://www.w3.org/2003/05/soap-envelope";
const SECURITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const UTILITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const DIGEST: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";

/// A camera and the ways to authenticate at it.
pub(super) struct Peer<'a> {
    pub(super) http: &'a Http,
    pub(super) clock: &'a dyn Clock,
    pub(super) device: &'a DeviceAddress,
    /// Ways to authenticate, most probable first.
    pub(super) manners: Vec<Manner>,
    /// Index of the first one that has not failed.
    manner: AtomicUsize,
}

/// A way to authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// By a token in every message, with a time this far ahead of the local clock, milliseconds. Also by HTTP, when
    /// challenged.
    Token(i64),
    /// Only by HTTP: some cameras reject messages with a token.
    Http,
}

/// A request.
pub(super) struct Ask<'a> {
    /// Name of the operation.
    pub(super) name: &'static str,
    /// Namespace of the service.
    pub(super) service: &'static str,
    /// Content of the operation's element.
    pub(super) content: &'a str,
    /// Whether the request is authenticated.
    pub(super) signed: bool,
    /// Expected content of the response, for errors.
    pub(super) wanted: &'static str,
}

impl<'a> Peer<'a> {
    pub(super) fn new(http: &'a Http, clock: &'a dyn Clock, device: &'a DeviceAddress) -> Self {
        Self { http, clock, device, manners: vec![Manner::Token(0)], manner: AtomicUsize::new(0) }
    }

    /// Sends a request and passes the body of the response to `read`. When the login is refused, the remaining ways to
    /// authenticate are tried.
    pub(super) async fn ask<T>(
        &self,
        url: &Url,
        ask: &Ask<'_>,
        read: impl Fn(Node<'_, '_>) -> Option<T>,
    ) -> Result<T, SourceError> {
        let first = self.manner.load(Relaxed);
        for (number, manner) in self.manners.iter().enumerate().skip(first) {
            let answer = self.send(url, ask, *manner).await?;
            let (refused, asked) = (is_refusal(answer.status()), asks_again(&answer));
            let result = if refused { Err(SourceError::Unauthorised) } else { self.read(answer, ask, &read).await };
            // A camera that challenged by HTTP and refused the answer has checked the password: it is wrong.
            let may_be_manner = ask.signed && !self.device.user.is_empty() && !asked;
            if result.as_ref().err() != Some(&SourceError::Unauthorised) || !may_be_manner {
                return result;
            }
            self.manner.store(number + 1, Relaxed);
        }
        Err(SourceError::Unauthorised)
    }

    /// Sends the request, following one redirect to another path of the camera.
    async fn send(&self, url: &Url, ask: &Ask<'_>, manner: Manner) -> Result<Response, SourceError> {
        let kind = "application/soap+xml; charset=utf-8";
        let body = Some((kind, self.envelope(ask, manner)));
        let question = Question { url, body, what: ask.name };
        let answer = self.http.ask(&question, self.device).await?;
        let place = answer.headers().get(LOCATION).filter(|_| answer.status().is_redirection());
        match place.and_then(|place| service(self.device, place.to_str().ok()?).ok()) {
            Some(url) => self.http.ask(&Question { url: &url, ..question }, self.device).await,
            None => Ok(answer),
        }
    }

    async fn read<T>(
        &self,
        answer: Response,
        ask: &Ask<'_>,
        read: &impl Fn(Node<'_, '_>) -> Option<T>,
    ) -> Result<T, SourceError> {
        let status = answer.status();
        let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let charset = kind.split(';').find_map(|part| part.trim().strip_prefix("charset=")).map(str::to_owned);
        let body = self.http.body(answer, ask.name, LARGEST_ANSWER, document::is_whole).await?;
        let text = document::envelope(&body.bytes, charset.as_deref().map(|name| name.trim_matches('"')));
        understood(&text, status, ask, read).map_err(|why| match body.cut {
            Some(cut) if document::parse(&text).is_err() => cut,
            _ => why,
        })
    }

    fn envelope(&self, ask: &Ask<'_>, manner: Manner) -> String {
        let Ask { name, service, content, signed, .. } = ask;
        let token = match manner {
            Manner::Token(ahead) if *signed && !self.device.user.is_empty() => self.token(ahead),
            Manner::Token(_) | Manner::Http => String::new(),
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope xmlns:s=\"{ENVELOPE}\"><s:Header>{token}</s:Header>\
             <s:Body><{name} xmlns=\"{service}\">{content}</{name}></s:Body></s:Envelope>"
        )
    }

    /// A token that proves knowledge of the password, dated by the camera's clock: cameras reject a token with a wrong
    /// time.
    fn token(&self, ahead: i64) -> String {
        let nonce: [u8; 16] = rand::random();
        let created = written(self.clock.now().plus_millis(ahead));
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

/// Escapes text for use in an element.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn is_refusal(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

/// The result of `read` on the body of an envelope; a fault is an error.
pub(super) fn understood<T>(
    answer: &str,
    status: StatusCode,
    ask: &Ask<'_>,
    read: &impl Fn(Node<'_, '_>) -> Option<T>,
) -> Result<T, SourceError> {
    let Ask { name, wanted, .. } = ask;
    let Ok(document) = document::parse(answer) else { return Err(no_document(answer, status, name)) };
    let root = document.root_element();
    let Some(body) = child(root, "Body").filter(|_| root.tag_name().name().eq_ignore_ascii_case("Envelope")) else {
        let what = plain(root.tag_name().name());
        let other =
            || SourceError::Broken(format!("the camera answers {name} with the document {what}, not with SOAP"));
        return Err(if status.is_success() { other() } else { no_document(answer, status, name) });
    };
    match child(body, "Fault") {
        Some(fault) => Err(refusal(fault, name)),
        None => read(body).ok_or_else(|| {
            let what = body.first_element_child().map_or("nothing", |answer| answer.tag_name().name());
            SourceError::Broken(format!("the camera answers {name} with {}, without {wanted}", plain(what)))
        }),
    }
}

/// The error for a response that is not an XML document.
fn no_document(answer: &str, status: StatusCode, name: &str) -> SourceError {
    match status {
        StatusCode::NOT_FOUND => SourceError::NoStream(format!("the camera answers 404 to {name}")),
        status if !status.is_success() => {
            SourceError::Broken(format!("the camera answers {} to {name}", status.as_u16()))
        }
        _ if answer.is_empty() => SourceError::Broken(format!("the camera answers {name} with nothing")),
        _ => SourceError::Broken(format!("the camera answers {name} with no XML document: {}", excerpt(answer))),
    }
}

/// The beginning of a text, up to the first URL, which may contain a login.
fn excerpt(text: &str) -> String {
    let before_address = text.split("://").next().unwrap_or_default();
    let start: String = plain(before_address).chars().take(LONGEST_EXCERPT).collect();
    format!("`{}`", start.trim())
}

fn refusal(fault: Node<'_, '_>, name: &str) -> SourceError {
    let of = |names: &[&str]| {
        let named = fault.descendants().filter(|node| names.contains(&node.tag_name().name()));
        named.filter_map(|node| node.text()).map(str::trim).filter(|text| !text.is_empty()).collect::<Vec<_>>()
    };
    let codes = of(&["Value", "faultcode"]);
    let reason = of(&["Text", "faultstring"]).first().map(|reason| plain(reason)).unwrap_or_default();
    // Some cameras state the reason only in the text.
    let (code, words) = (codes.join(" "), reason.to_lowercase());
    let unknown = ["NotAuthorized", "FailedAuthentication", "InvalidSecurity"].iter().any(|word| code.contains(word))
        || ["not authorized", "unauthorized", "authentication fail"].iter().any(|word| words.contains(word));
    match codes.last() {
        _ if unknown => SourceError::Unauthorised,
        Some(code) if reason.is_empty() => SourceError::Broken(format!("the camera refuses {name}: {}", plain(code))),
        _ => SourceError::Broken(format!("the camera refuses {name}: {reason}")),
    }
}

/// The first child element with this name, in any namespace: cameras differ in them.
pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.is_element() && child.tag_name().name().eq_ignore_ascii_case(name))
}

/// The element at the path below `node`.
pub(super) fn below<'a, 'i>(node: Node<'a, 'i>, path: &[&str]) -> Option<Node<'a, 'i>> {
    path.iter().try_fold(node, |node, name| child(node, name))
}

/// The trimmed text of the element at the path below `node`.
pub(super) fn text<'a>(node: Node<'a, '_>, path: &[&str]) -> Option<&'a str> {
    below(node, path)?.text().map(str::trim).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str, status: StatusCode) -> Result<String, SourceError> {
        let ask = Ask { name: "GetIt", service: "", content: "", signed: false, wanted: "it" };
        understood(&document::envelope(text.as_bytes(), None), status, &ask, &text_of)
    }

    fn text_of(body: Node<'_, '_>) -> Option<String> {
        super::text(body, &["It"]).map(str::to_owned)
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
    fn a_fault_is_read_in_the_older_form_too() {
        let old = envelope("<e:Fault><faultcode>e:Client</faultcode><faultstring>busy</faultstring></e:Fault>");
        let why = SourceError::Broken("the camera refuses GetIt: busy".into());
        assert_eq!(answer(&old, StatusCode::OK), Err(why));
        let silent = envelope("<e:Fault><e:Code><e:Value>ter:NoProfile</e:Value></e:Code></e:Fault>");
        let why = SourceError::Broken("the camera refuses GetIt: ter:NoProfile".into());
        assert_eq!(answer(&silent, StatusCode::OK), Err(why));
    }

    #[test]
    fn what_is_no_answer_is_named() {
        let deep = "<a>".repeat(40_000);
        let entities = "<!DOCTYPE e [<!ENTITY a \"aaaa\">]><Envelope><Body><It>&a;</It></Body></Envelope>";
        let many = envelope(&"<a/>".repeat(document::MOST_NODES as usize));
        for (text, named) in [
            ("", "with nothing"),
            ("hello", "with no XML document: `hello`"),
            ("see rtsp://user:secret@camera", "with no XML document: `see rtsp`"),
            ("<html></html>", "with the document html, not with SOAP"),
            (&deep, "with no XML document: `<a><a>"),
            (entities, "with no XML document"),
            (&many, "with no XML document"),
            (&envelope("<Other/>"), "with Other, without it"),
            (&envelope(""), "with nothing, without it"),
        ] {
            let SourceError::Broken(why) = answer(text, StatusCode::OK).unwrap_err() else { panic!("{named}") };
            assert!(why.starts_with("the camera answers GetIt ") && why.contains(named), "{why}");
        }
        for page in ["", "<html></html>"] {
            assert!(matches!(answer(page, StatusCode::NOT_FOUND), Err(SourceError::NoStream(_))), "{page}");
        }
        let why = SourceError::Broken("the camera answers 503 to GetIt".into());
        assert_eq!(answer("", StatusCode::SERVICE_UNAVAILABLE), Err(why));
    }
}
