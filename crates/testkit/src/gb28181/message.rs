//! SIP messages of the simulated peers.

use md5::{Digest, Md5};

/// A SIP message.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) first: String,
    fields: Vec<(String, String)>,
    pub(super) body: String,
}

impl Message {
    pub(super) fn read(datagram: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(datagram).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let first = lines.next()?.to_owned();
        let field = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
        Some(Self { first, fields: lines.filter_map(field).collect(), body: body.to_owned() })
    }

    pub(super) fn status(&self) -> Option<u16> {
        self.first.strip_prefix("SIP/2.0 ")?.split(' ').next()?.parse().ok()
    }

    pub(super) fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }

    /// The user of the address in a field.
    pub(super) fn user(&self, name: &str) -> &str {
        let address = self.field(name).split_once("sip:").map_or("", |(_, address)| address);
        address.split(['@', '>']).next().unwrap_or_default()
    }

    /// An answer to this request, with additional header lines.
    pub(super) fn answer(&self, status: &str, more: &str, body: &str) -> String {
        let [via, from, call, number] = ["Via", "From", "Call-ID", "CSeq"].map(|name| self.field(name));
        let to = self.field("To");
        let tag = if to.contains(";tag=") { "" } else { ";tag=peer" };
        format!(
            "SIP/2.0 {status}\r\nVia: {via}\r\nFrom: {from}\r\nTo: {to}{tag}\r\nCall-ID: {call}\r\nCSeq: {number}\r\n\
             {more}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    /// Whether its login is right for this method, nonce and password.
    pub(super) fn proves(&self, method: &str, nonce: &str, password: &str) -> bool {
        let sent = self.field("Authorization");
        let [user, realm, uri, response] = ["username", "realm", "uri", "response"].map(|name| quoted(sent, name));
        quoted(sent, "nonce") == nonce && !user.is_empty() && {
            let secret = hashed(&format!("{user}:{realm}:{password}"));
            response == hashed(&format!("{secret}:{nonce}:{}", hashed(&format!("{method}:{uri}"))))
        }
    }
}

/// The login for the challenge in a refusal.
pub(super) fn authorization(refusal: &Message, method: &str, uri: &str, user: &str, password: &str) -> String {
    let challenge = refusal.field("WWW-Authenticate");
    let (realm, nonce) = (quoted(challenge, "realm"), quoted(challenge, "nonce"));
    let secret = hashed(&format!("{user}:{realm}:{password}"));
    let response = hashed(&format!("{secret}:{nonce}:{}", hashed(&format!("{method}:{uri}"))));
    format!(
        "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\", \
         algorithm=MD5"
    )
}

fn quoted<'a>(text: &'a str, name: &str) -> &'a str {
    let start = text.split([' ', ',']).find_map(|part| part.strip_prefix(&format!("{name}=\"")));
    start.and_then(|value| value.strip_suffix('"')).unwrap_or_default()
}

fn hashed(text: &str) -> String {
    hex::encode(Md5::digest(text))
}
