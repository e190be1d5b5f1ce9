//! SIP messages: as much of RFC 3261 as a camera and its platform say to each other by datagram.

use http_auth::{PasswordClient, PasswordParams};

/// Most header fields of a message.
const MOST_FIELDS: usize = 64;
/// Every branch begins so.
const MAGIC: &str = "z9hG4bK";

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    Request { method: String, uri: String },
    Response { code: u16, reason: String },
}

/// A message; the names of its fields are in their long form.
#[derive(Clone)]
pub(super) struct Message {
    pub(super) start: Start,
    fields: Vec<(String, String)>,
    pub(super) body: String,
}

impl Message {
    /// A datagram that is no whole message is `None`.
    pub(super) fn parse(datagram: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(datagram);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let start = start(lines.next()?)?;
        let mut fields = Vec::new();
        for line in lines.take(MOST_FIELDS) {
            let (name, value) = line.split_once(':')?;
            fields.push((long(name.trim()).to_owned(), value.trim().to_owned()));
        }
        Some(Self { start, fields, body: body.to_owned() })
    }

    pub(super) fn request(method: &str, uri: &str) -> Self {
        let start = Start::Request { method: method.to_owned(), uri: uri.to_owned() };
        Self { start, fields: Vec::new(), body: String::new() }
    }

    /// The answer to a request.
    pub(super) fn answer(request: &Self, code: u16, reason: &str) -> Self {
        let start = Start::Response { code, reason: reason.to_owned() };
        let kept = |name: &str| ["Via", "From", "To", "Call-ID", "CSeq"].contains(&name);
        let mut fields: Vec<_> = request.fields.iter().filter(|(name, _)| kept(name)).cloned().collect();
        for (_, to) in fields.iter_mut().filter(|(name, to)| name == "To" && !to.contains(";tag=")) {
            to.push_str(&format!(";tag={}", token()));
        }
        Self { start, fields, body: String::new() }
    }

    #[must_use]
    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub(super) fn carrying(mut self, kind: &str, body: String) -> Self {
        self.body = body;
        self.with("Content-Type", kind)
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut text = match &self.start {
            Start::Request { method, uri } => format!("{method} {uri} SIP/2.0\r\n"),
            Start::Response { code, reason } => format!("SIP/2.0 {code} {reason}\r\n"),
        };
        for (name, value) in &self.fields {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n{}", self.body.len(), self.body));
        text.into_bytes()
    }

    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let same = |(other, _): &&(String, String)| other.eq_ignore_ascii_case(name);
        self.fields.iter().find(same).map(|(_, value)| value.as_str())
    }

    pub(super) fn method(&self) -> Option<&str> {
        match &self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => self.field("CSeq")?.split_whitespace().nth(1),
        }
    }

    /// Whom a request is for.
    pub(super) fn uri(&self) -> Option<&str> {
        match &self.start {
            Start::Request { uri, .. } => Some(uri),
            Start::Response { .. } => None,
        }
    }

    /// The code of a response.
    pub(super) fn code(&self) -> Option<u16> {
        match self.start {
            Start::Response { code, .. } => Some(code),
            Start::Request { .. } => None,
        }
    }

    /// The user in the address of a field.
    pub(super) fn user(&self, field: &str) -> Option<&str> {
        let (_, address) = self.field(field)?.split_once("sip:")?;
        address.split(['@', '>', ';']).next().filter(|user| !user.is_empty())
    }

    /// The branch of the topmost hop: what answers belong to.
    pub(super) fn branch(&self) -> Option<&str> {
        let (_, branch) = self.field("Via")?.split_once(";branch=")?;
        branch.split([';', ',']).next().map(str::trim)
    }

    /// The answer to the challenge in this response, as a field of the next request; `None` when there is none that
    /// we know how to answer.
    pub(super) fn authorization(&self, method: &str, uri: &str, user: &str, password: &str) -> Option<(&str, String)> {
        let (challenge, name) = match self.code()? {
            401 => (self.field("WWW-Authenticate")?, "Authorization"),
            407 => (self.field("Proxy-Authenticate")?, "Proxy-Authorization"),
            _ => return None,
        };
        let mut client = PasswordClient::builder().challenges(challenge).build().ok()?;
        let PasswordClient::Digest(_) = client else { return None };
        let params = PasswordParams { username: user, password, uri, method, body: None };
        client.respond(&params).ok().map(|value| (name, value))
    }
}

fn start(line: &str) -> Option<Start> {
    if let Some(status) = line.strip_prefix("SIP/2.0 ") {
        let (code, reason) = status.split_once(' ').unwrap_or((status, ""));
        return Some(Start::Response { code: code.parse().ok()?, reason: reason.to_owned() });
    }
    let mut words = line.split(' ');
    let (method, uri, version) = (words.next()?, words.next()?, words.next()?);
    let usable = version == "SIP/2.0" && method.bytes().all(|byte| byte.is_ascii_uppercase());
    usable.then(|| Start::Request { method: method.to_owned(), uri: uri.to_owned() })
}

fn long(name: &str) -> &str {
    match name.to_ascii_lowercase().as_str() {
        "v" | "via" => "Via",
        "f" | "from" => "From",
        "t" | "to" => "To",
        "i" | "call-id" => "Call-ID",
        "m" | "contact" => "Contact",
        "c" | "content-type" => "Content-Type",
        "cseq" => "CSeq",
        _ => name,
    }
}

/// A new branch.
pub(super) fn branch() -> String {
    format!("{MAGIC}{}", token())
}

/// A text that nobody else makes.
pub(super) fn token() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &str = "INVITE sip:1@2 SIP/2.0\r\nv: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKa;rport\r\n\
        f: <sip:340@10>;tag=x\r\nTo: \"Gate\" <sip:341@10>\r\ni: c1\r\nCSeq: 2 INVITE\r\nSubject: a\r\n\r\nbody";

    #[test]
    fn a_message_is_read_in_its_long_and_short_forms() {
        let message = Message::parse(INVITE.as_bytes()).unwrap();
        assert_eq!((message.method(), message.branch()), (Some("INVITE"), Some("z9hG4bKa")));
        assert_eq!((message.user("From"), message.user("To")), (Some("340"), Some("341")));
        assert_eq!((message.field("call-id"), message.body.as_str()), (Some("c1"), "body"));
    }

    #[test]
    fn an_answer_goes_back_the_way_the_request_came() {
        let request = Message::parse(INVITE.as_bytes()).unwrap();
        let answer = Message::parse(&Message::answer(&request, 200, "OK").write()).unwrap();
        assert_eq!((answer.code(), answer.method(), answer.branch()), (Some(200), Some("INVITE"), Some("z9hG4bKa")));
        assert!(answer.field("To").unwrap().starts_with("\"Gate\" <sip:341@10>;tag="));
        assert_eq!((answer.field("Call-ID"), answer.field("Subject")), (Some("c1"), None));
    }

    #[test]
    fn what_is_no_message_is_none() {
        let many = format!("{}\r\n\r\n", INVITE.split("\r\n\r\n").next().unwrap());
        assert!(Message::parse(many.as_bytes()).is_some());
        for bad in
            ["", "\r\n\r\n", "SIP/2.0 abc OK\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "INVITE sip:1@2 SIP/2.0\r\nno\r\n\r\n"]
        {
            assert!(Message::parse(bad.as_bytes()).is_none(), "{bad:?}");
        }
        assert!(Message::parse(&[0xff, 0xfe, 0x00]).is_none());
    }

    #[test]
    fn a_challenge_is_answered_by_digest_alone() {
        let refusal = |scheme: &str| {
            let text = format!("SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: {scheme}\r\nCSeq: 1 REGISTER\r\n\r\n");
            Message::parse(text.as_bytes()).unwrap()
        };
        let digest = refusal("Digest realm=\"3402000000\", nonce=\"n\", algorithm=MD5");
        let (name, value) = digest.authorization("REGISTER", "sip:a@b", "1", "secret").unwrap();
        // By hand: MD5(MD5("1:3402000000:secret"):n:MD5("REGISTER:sip:a@b")).
        assert_eq!(name, "Authorization");
        assert!(value.contains("uri=\"sip:a@b\"") && !value.contains("secret"), "{value}");
        assert!(refusal("Basic realm=\"a\"").authorization("REGISTER", "sip:a@b", "1", "secret").is_none());
    }
}
