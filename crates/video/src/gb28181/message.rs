//! SIP messages: the part of RFC 3261 that cameras and platforms use over UDP.

use http_auth::{PasswordClient, PasswordParams};

use crate::challenge;

/// Maximum number of header fields of a message.
const MOST_FIELDS: usize = 64;
/// Prefix of every branch (RFC 3261).
const MAGIC: &str = "z9hG4bK";

/// Start line of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    Request { method: String, uri: String },
    Response { code: u16, reason: String },
}

/// A message; field names are in their long form.
#[derive(Clone)]
pub(super) struct Message {
    pub(super) start: Start,
    fields: Vec<(String, String)>,
    pub(super) body: String,
}

impl Message {
    /// Parses a datagram; `None` when it is not a SIP message. Lines may end in LF alone and may be folded; lines that
    /// are not fields are skipped.
    pub(super) fn parse(datagram: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(datagram);
        let text = text.trim_start_matches(['\r', '\n', '\0', '\u{feff}']);
        let (head, body) = split(text);
        let mut lines = head.lines();
        let start = start(lines.next()?.trim())?;
        let fields = fields(lines);
        // The datagram ends the body, regardless of Content-Length.
        (!fields.is_empty()).then(|| Self { start, fields, body: body.to_owned() })
    }

    pub(super) fn request(method: &str, uri: &str) -> Self {
        let start = Start::Request { method: method.to_owned(), uri: uri.to_owned() };
        Self { start, fields: Vec::new(), body: String::new() }
    }

    /// The response to a request.
    pub(super) fn answer(request: &Self, code: u16, reason: &str) -> Self {
        let start = Start::Response { code, reason: reason.to_owned() };
        let kept = |name: &str| ["Via", "From", "To", "Call-ID", "CSeq"].contains(&name);
        let mut fields: Vec<_> = request.fields.iter().filter(|(name, _)| kept(name)).cloned().collect();
        for (_, to) in fields.iter_mut().filter(|(name, to)| name == "To" && parameter(to, "tag").is_none()) {
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
        self.fields(name).next()
    }

    /// All fields of a name.
    fn fields(&self, name: &str) -> impl Iterator<Item = &str> {
        let same = move |(other, _): &&(String, String)| other.eq_ignore_ascii_case(name);
        self.fields.iter().filter(same).map(|(_, value)| value.as_str())
    }

    pub(super) fn method(&self) -> Option<&str> {
        match &self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => self.field("CSeq")?.split_whitespace().nth(1),
        }
    }

    /// Whether this is a request of this method, or a response to one.
    pub(super) fn is_of(&self, method: &str) -> bool {
        self.method().is_some_and(|own| own.eq_ignore_ascii_case(method))
    }

    /// The CSeq number.
    pub(super) fn number(&self) -> Option<u32> {
        self.field("CSeq")?.split_whitespace().next()?.parse().ok()
    }

    /// The request URI; `None` for a response.
    pub(super) fn uri(&self) -> Option<&str> {
        match &self.start {
            Start::Request { uri, .. } => Some(uri),
            Start::Response { .. } => None,
        }
    }

    /// The status code; `None` for a request.
    pub(super) fn code(&self) -> Option<u16> {
        match self.start {
            Start::Response { code, .. } => Some(code),
            Start::Request { .. } => None,
        }
    }

    /// The user part of the address in a field, in angle brackets or bare.
    pub(super) fn user(&self, field: &str) -> Option<&str> {
        let value = self.field(field)?;
        let address = value.rsplit_once('<').map_or(value, |(_, address)| address);
        let scheme = ["sip:", "sips:"].into_iter().find_map(|scheme| {
            let at = address.to_ascii_lowercase().find(scheme)?;
            address.get(at + scheme.len()..)
        });
        let user = scheme.unwrap_or(address).split(['@', '>', ';', ':']).next()?.trim();
        (!user.is_empty()).then_some(user)
    }

    /// The id of the sender: some devices fill only one of the two fields.
    pub(super) fn sender(&self) -> Option<&str> {
        self.user("From").or_else(|| self.user("To"))
    }

    /// The branch of the topmost Via.
    pub(super) fn branch(&self) -> Option<&str> {
        parameter(self.field("Via")?.split(',').next()?, "branch")
    }

    /// Requested duration of a login, seconds: from Expires, or from the Contact address.
    pub(super) fn stay(&self) -> Option<u64> {
        let own = self.field("Expires").and_then(|text| text.parse().ok());
        own.or_else(|| parameter(self.field("Contact")?, "expires")?.parse().ok())
    }

    /// Whether this response answers `request`: matched by Call-ID and CSeq, or by branch where a device omits one of
    /// them.
    pub(super) fn answers(&self, request: &Self) -> bool {
        let call = self.field("Call-ID").map(|call| Some(call) == request.field("Call-ID"));
        let number = self.number().map(|number| Some(number) == request.number());
        let branch = self.branch().map(|branch| Some(branch) == request.branch());
        let method = self.method().is_none_or(|method| request.is_of(method));
        method
            && match (call, number, branch) {
                (Some(call), Some(number), _) => call && number,
                (Some(call), None, branch) => call && branch != Some(false),
                // CSeq numbers repeat across calls.
                (None, number, branch) => branch == Some(true) && number != Some(false),
            }
    }

    /// The field that answers the challenge in this response, for the next request; `None` when there is no supported
    /// challenge.
    pub(super) fn authorization(&self, method: &str, uri: &str, user: &str, password: &str) -> Option<(&str, String)> {
        let (field, name) = match self.code()? {
            401 => ("WWW-Authenticate", "Authorization"),
            407 => ("Proxy-Authenticate", "Proxy-Authorization"),
            _ => return None,
        };
        let PasswordClient::Digest(mut client) = challenge::client(self.fields(field))? else { return None };
        let params = PasswordParams { username: user, password, uri, method, body: None };
        client.respond(&params).ok().map(|value| (name, value))
    }

    /// Whether the challenge in this response says that the nonce has expired but the password was right.
    pub(super) fn is_stale(&self) -> bool {
        challenge::is_stale(self.fields("WWW-Authenticate").chain(self.fields("Proxy-Authenticate")))
    }
}

/// Splits head and body at the empty line; without one, everything is head.
fn split(text: &str) -> (&str, &str) {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_end_matches(['\r', '\n']).is_empty() {
            return (&text[..at], &text[at + line.len()..]);
        }
        at += line.len();
    }
    (text.trim_end_matches('\0'), "")
}

fn fields<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in lines.take(MOST_FIELDS) {
        match (line.split_once(':'), fields.last_mut()) {
            _ if line.trim().is_empty() => {}
            (_, Some((_, value))) if line.starts_with([' ', '\t']) => {
                value.push(' ');
                value.push_str(line.trim());
            }
            (Some((name, value)), _) => fields.push((long(name.trim()).to_owned(), value.trim().to_owned())),
            (None, _) => {}
        }
    }
    fields
}

/// The value of a parameter after the address of a field.
fn parameter<'a>(field: &'a str, name: &str) -> Option<&'a str> {
    let behind = field.rsplit_once('>').map_or(field, |(_, behind)| behind);
    behind.split(';').skip(1).find_map(|parameter| {
        let (own, value) = parameter.split_once('=')?;
        own.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}

fn start(line: &str) -> Option<Start> {
    let mut words = line.split_whitespace();
    let first = words.next()?;
    if first.eq_ignore_ascii_case("SIP/2.0") {
        let code = words.next()?.parse().ok()?;
        return Some(Start::Response { code, reason: words.collect::<Vec<_>>().join(" ") });
    }
    let (uri, version) = (words.next()?, words.next()?);
    let usable = version.eq_ignore_ascii_case("SIP/2.0") && first.bytes().all(|byte| byte.is_ascii_alphabetic());
    usable.then(|| Start::Request { method: first.to_ascii_uppercase(), uri: uri.to_owned() })
}

fn long(name: &str) -> &str {
    match name.to_ascii_lowercase().as_str() {
        "v" | "via" => "Via",
        "f" | "from" => "From",
        "t" | "to" => "To",
        "i" | "call-id" => "Call-ID",
        "m" | "contact" => "Contact",
        "c" | "content-type" => "Content-Type",
        "l" | "content-length" => "Content-Length",
        "s" | "subject" => "Subject",
        "cseq" => "CSeq",
        _ => name,
    }
}

/// A new branch.
pub(super) fn branch() -> String {
    format!("{MAGIC}{}", token())
}

/// A globally unique token.
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
    fn a_message_is_read_however_carelessly_it_is_written() {
        let usual = "REGISTER sip:1@2 SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\nFrom: <sip:340@10:5060>;tag=x\r\n\
            Call-ID: c1\r\nCSeq: 2 REGISTER\r\nContact: <sip:340@a>;expires=60\r\n\r\nbody";
        for text in [
            usual.replace("\r\n", "\n"),
            format!("\r\n\r\n{usual}"),
            usual.replace("REGISTER sip", "register  sip").replace("SIP/2.0\r\nVia", "sip/2.0\r\nVIA"),
            usual.replace("From: <sip:340@10:5060>;", "f:SIP:340@10;"),
            usual.replace("From: ", "From:\r\n \"sip:9@9\" "),
            usual.replace(";branch=", " ; Branch = ").replace("Call-ID", "nothing to say\r\ni"),
            usual.replace("From:", "Junk\r\nTo:"),
            usual.replace("Call-ID", "Content-Length: 9999\r\nCall-ID"),
        ] {
            let message = Message::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text:?}"));
            assert_eq!((message.method(), message.number()), (Some("REGISTER"), Some(2)), "{text:?}");
            assert_eq!((message.sender(), message.stay()), (Some("340"), Some(60)), "{text:?}");
            assert_eq!((message.branch(), message.field("Call-ID")), (Some("z9hG4bKa"), Some("c1")), "{text:?}");
            assert_eq!(message.body, "body", "{text:?}");
        }
        let unended = Message::parse(usual.split("\r\n\r\n").next().unwrap().as_bytes()).unwrap();
        assert_eq!(unended.stay(), Some(60));
        let label =
            Message::parse(b"MESSAGE sip:1@2 SIP/2.0\r\nFrom: \xb4\xf3 <sip:340@10>\r\n\r\n<Name>\xb4\xf3</Name>");
        assert_eq!(label.unwrap().sender(), Some("340"));
    }

    #[test]
    fn an_answer_belongs_to_the_request_of_its_call_and_number() {
        let request = Message::parse(INVITE.as_bytes()).unwrap();
        let answers = |fields: &str| {
            Message::parse(format!("SIP/2.0 200 OK\r\nFrom: a\r\n{fields}\r\n").as_bytes()).unwrap().answers(&request)
        };
        let via = "Via: SIP/2.0/UDP a;branch=z9hG4bKa\r\n";
        for fields in [
            "Call-ID: c1\r\nCSeq: 2 INVITE\r\n".to_owned(),
            "i: c1\r\nCSeq:  2  invite\r\n".to_owned(),
            "Call-ID: c1\r\nCSeq: 2\r\n".to_owned(),
            "Call-ID: c1\r\n".to_owned(),
            via.to_owned(),
            format!("{via}CSeq: 2 INVITE\r\n"),
            "Via: SIP/2.0/UDP a;branch=z9hG4bKother\r\nCall-ID: c1\r\nCSeq: 2 INVITE\r\n".to_owned(),
        ] {
            assert!(answers(&fields), "{fields:?}");
        }
        for fields in [
            String::new(),
            "Call-ID: c2\r\nCSeq: 2 INVITE\r\n".to_owned(),
            "Call-ID: c1\r\nCSeq: 1 INVITE\r\n".to_owned(),
            "Call-ID: c1\r\nCSeq: 2 BYE\r\n".to_owned(),
            "CSeq: 2 INVITE\r\n".to_owned(),
            format!("{via}Call-ID: c2\r\n"),
        ] {
            assert!(!answers(&fields), "{fields:?}");
        }
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
