//! Parses addresses of streams as operators and platforms write them, often with a password that is not
//! percent-encoded.

use std::net::IpAddr;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::Source;

/// Maximum length of an address, bytes.
const MAX_LENGTH: usize = 2048;

/// Why an address cannot be used, and what would be right. Contains nothing of the address, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnusableAddress(pub &'static str);

const TOO_LONG: UnusableAddress = UnusableAddress("longer than 2048 bytes");
const NO_STREAM: UnusableAddress = UnusableAddress("it does not begin with rtsp://, rtsps:// or file://");
const CONTROL: UnusableAddress = UnusableAddress("it holds control characters");
const NOT_TEXT: UnusableAddress = UnusableAddress("user name or password is not UTF-8");
const NO_HOST: UnusableAddress =
    UnusableAddress("it names no host, as in rtsp://host:port/path; in a password / is written %2F");
const BAD_HOST: UnusableAddress = UnusableAddress(
    "the host is not a name or an address: in user name and password @ is written %40, / %2F, ? %3F, # %23 and % %25",
);
const BAD_PORT: UnusableAddress = UnusableAddress(
    "the port is not 1 to 65535: in user name and password : is written %3A, @ %40, / %2F, ? %3F, # %23 and % %25",
);
const BAD_FRAGMENT: UnusableAddress =
    UnusableAddress("after # only transport=tcp or transport=udp may follow; in a password # is written %23");
const TWO_WAYS: UnusableAddress = UnusableAddress(
    "it can be read in two ways: in user name and password @ is written %40, : %3A, / %2F, ? %3F, # %23 and % %25",
);
const NO_FILE: UnusableAddress = UnusableAddress("a file lies on this device: file:///path");

/// Transport of the packets of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StreamTransport {
    /// Over the RTSP connection; over UDP when the camera refuses that.
    #[default]
    Any,
    /// Over the RTSP connection.
    Tcp,
    /// Over UDP.
    Udp,
}

/// The parts of the address of an RTSP stream:
/// `rtsp://[user[:password]@]host[:port][/path][?query][#transport=udp|tcp]`.
///
/// Delimiters such as `#`, `/` and `?` that are not percent-encoded in the password are accepted if the address can be
/// parsed in one way only.
#[derive(Clone, PartialEq, Eq)]
pub struct StreamAddress {
    /// Whether the scheme is `rtsps`.
    pub encrypted: bool,
    /// Decoded; may be empty.
    pub user: String,
    /// Decoded; may be empty.
    pub password: String,
    /// A name or an IP address; IPv6 addresses are in brackets.
    pub host: String,
    /// `None`: the default port of the scheme.
    pub port: Option<u16>,
    /// Path and query as written.
    pub path: String,
    /// From the fragment, which is not sent to the camera.
    pub transport: StreamTransport,
}

/// Never shows user and password.
impl std::fmt::Debug for StreamAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamAddress").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Source {
    /// The source that a URL names: a stream (`rtsp://`, `rtsps://`) or a video file (`file:///path`).
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn of_url(url: &str) -> Result<Self, UnusableAddress> {
        let url = url.trim().to_owned();
        let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase()).unwrap_or_default();
        match scheme.as_str() {
            _ if url.len() > MAX_LENGTH => Err(TOO_LONG),
            "rtsp" | "rtsps" => StreamAddress::parse(&url).map(|_| Self::Rtsp { url }),
            "file" if names_file(&url) => Ok(Self::File { url }),
            "file" => Err(NO_FILE),
            _ => Err(NO_STREAM),
        }
    }

    /// Checks the address of a stream or file; cameras of other kinds have none.
    pub(crate) fn check_url(&self) -> Result<(), UnusableAddress> {
        match self {
            Self::Rtsp { url } | Self::File { url } => Self::of_url(url).map(drop),
            Self::Onvif(_) | Self::Gb28181 { .. } | Self::Capture { .. } | Self::Pushed { .. } => Ok(()),
        }
    }
}

fn names_file(url: &str) -> bool {
    let path = &url["file://".len()..];
    let path = path.strip_prefix("localhost").unwrap_or(path);
    path.len() > 1 && path.starts_with('/')
}

impl StreamAddress {
    /// The address as a URL, with everything percent-encoded that must be.
    pub fn to_url(&self) -> String {
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        self.to_url_with_login(Some(encoded(&self.password)).filter(|password| !password.is_empty()).as_deref())
    }

    /// As [`to_url`](Self::to_url), with this password as it is.
    pub(crate) fn to_url_with_login(&self, password: Option<&str>) -> String {
        let scheme = if self.encrypted { "rtsps" } else { "rtsp" };
        let user = utf8_percent_encode(&self.user, NON_ALPHANUMERIC);
        let login = match password {
            None if self.user.is_empty() => String::new(),
            None => format!("{user}@"),
            Some(password) => format!("{user}:{password}@"),
        };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let transport = match self.transport {
            StreamTransport::Any => "",
            StreamTransport::Tcp => "#transport=tcp",
            StreamTransport::Udp => "#transport=udp",
        };
        format!("{scheme}://{login}{}{port}{}{transport}", self.host, self.path)
    }

    /// Parses an address.
    ///
    /// # Errors
    /// When it is not such an address, or can be parsed in more than one way.
    pub fn parse(text: &str) -> Result<Self, UnusableAddress> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").ok_or(NO_STREAM)?;
        let encrypted = match scheme.to_ascii_lowercase().as_str() {
            "rtsp" => false,
            "rtsps" => true,
            _ => return Err(NO_STREAM),
        };
        if text.len() > MAX_LENGTH {
            return Err(TOO_LONG);
        }
        if text.chars().any(char::is_control) {
            return Err(CONTROL);
        }
        let address = choose(rest)?;
        Ok(Self { encrypted, ..address })
    }

    /// Parses user and password before the `@` at `at`, and host, port, path, query and fragment after it; without `@`
    /// all of it is the latter.
    fn parse_at(rest: &str, at: Option<usize>) -> Result<Self, UnusableAddress> {
        let (login, tail) = at.map_or(("", rest), |at| (&rest[..at], &rest[at + 1..]));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let (authority, path) = tail.split_at(authority_end(tail));
        let (host, port) = host_and_port(authority)?;
        let (path, transport) = match path.split_once('#') {
            None => (path, StreamTransport::Any),
            Some((path, "transport=tcp")) => (path, StreamTransport::Tcp),
            Some((path, "transport=udp")) => (path, StreamTransport::Udp),
            Some(_) => return Err(BAD_FRAGMENT),
        };
        let (user, password) = (decoded(user)?, decoded(password)?);
        let (host, path) = (host.to_owned(), path.to_owned());
        Ok(Self { encrypted: false, user, password, host, port, path, transport })
    }

    /// How certain it is that this is a host and not part of a password, 0..=2.
    fn certainty(&self) -> u8 {
        let bare = self.host.trim_matches(['[', ']']);
        if bare.parse::<IpAddr>().is_ok() { 2 } else { u8::from(bare.contains('.') || bare == "localhost") }
    }
}

/// Parses by RFC 3986. When that fails, uses another `@` as the end of the password. [`TWO_WAYS`] when another way is
/// as likely as the first.
fn choose(rest: &str) -> Result<StreamAddress, UnusableAddress> {
    let standard_at = rest[..authority_end(rest)].rfind('@');
    let standard = StreamAddress::parse_at(rest, standard_at);
    let others = rest.match_indices('@').map(|(at, _)| Some(at)).filter(|at| *at != standard_at);
    let mut others = others.filter(|at| may_be_login(&rest[..at.unwrap_or_default()]));
    let mut others = std::iter::from_fn(|| others.next().map(|at| StreamAddress::parse_at(rest, at))).flatten();
    let Ok(first) = standard.clone().or_else(|_| others.next().ok_or(NO_HOST)) else {
        return standard;
    };
    let other = others.map(|other| other.certainty()).max();
    let sure = first.certainty();
    if other.is_none_or(|other| sure == 2 || sure > other) { Ok(first) } else { Err(TWO_WAYS) }
}

/// Whether the text may be a user name and a password that is not percent-encoded.
fn may_be_login(text: &str) -> bool {
    let user = text.split(':').next().unwrap_or_default();
    user.len() < text.len() && !user.is_empty() && !user.contains(['/', '?', '#'])
}

fn authority_end(text: &str) -> usize {
    text.find(['/', '?', '#']).unwrap_or(text.len())
}

fn host_and_port(authority: &str) -> Result<(&str, Option<u16>), UnusableAddress> {
    let (host, port) = match authority.find(']') {
        Some(end) if authority.starts_with('[') => authority.split_at(end + 1),
        _ => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    if host.is_empty() {
        return Err(NO_HOST);
    }
    let usable = match host.strip_prefix('[') {
        Some(address) => address.trim_end_matches(']').parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.len() <= 253 && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')),
    };
    if !usable {
        return Err(BAD_HOST);
    }
    match port {
        "" | ":" => Ok((host, None)),
        _ => {
            let number = port.strip_prefix(':').filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
            let number = number.and_then(|number| number.parse().ok()).filter(|number| *number > 0);
            number.map(|number| (host, Some(number))).ok_or(BAD_PORT)
        }
    }
}

/// Percent-decodes a text; a percent sign that begins no code is kept.
fn decoded(text: &str) -> Result<String, UnusableAddress> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| NOT_TEXT)?;
    if text.chars().any(char::is_control) { Err(CONTROL) } else { Ok(text.into_owned()) }
}
