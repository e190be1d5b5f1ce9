//! Addresses of the platform (9).

use url::{Url, form_urlencoded};

/// An address that the platform gives: absolute, or a path below scheme, host and port of `base` (section 9). `None` when
/// it is no address. `http://host:port:/path` is taken for `http://host:port/path` (quirk S-NOTIFY).
pub(crate) fn composed(base: &str, given: &str) -> Option<Url> {
    let given = given.trim();
    if given.starts_with("http") {
        return Url::parse(&repaired(given)).ok();
    }
    let mut url = Url::parse(base).ok()?;
    let (path, query) = given.split_once('?').map_or((given, None), |(path, query)| (path, Some(query)));
    url.set_path(path);
    url.set_query(query);
    url.set_fragment(None);
    Some(url)
}

/// Without a colon before the path.
fn repaired(given: &str) -> String {
    let Some((scheme, rest)) = given.split_once("://") else { return given.to_owned() };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    format!("{scheme}://{}{path}", host.trim_end_matches(':'))
}

/// The address of a picture: a path below the address of the picture server, where the platform names one, otherwise
/// composed like all others (section 9).
pub(crate) fn picture_address(login_url: &str, server: Option<&str>, given: &str) -> Option<Url> {
    let given = given.trim();
    let server = server.map(str::trim).filter(|server| !server.is_empty() && !given.starts_with("http"));
    let Some(server) = server else { return composed(login_url, given) };
    let server = composed(login_url, server)?;
    Url::parse(&format!("{}/{}", server.as_str().trim_end_matches('/'), given.trim_start_matches('/'))).ok()
}

/// Token and licence code, which every call to the platform carries (quirk S-TOKEN).
pub(crate) fn signature(token: &str, dev_sno: &str) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    pairs.append_pair("token", token).append_pair("dev_sno", dev_sno).finish()
}

/// The address with a signature at the end.
pub(crate) fn signed(mut url: Url, signature: &str) -> String {
    let query = match url.query() {
        Some(query) => format!("{query}&{signature}"),
        None => signature.to_owned(),
    };
    url.set_query(Some(&query));
    url.into()
}

/// Where a broker is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BrokerAddress {
    /// A name or an IP address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Whether the connection is encrypted.
    pub(crate) encrypted: bool,
}

/// The port that is registered for AMQP over TLS.
const AMQPS: u16 = 5671;

/// The address of a broker. It is reached over TLS at the port registered for that, and where the platform writes
/// `amqps://` before the host. `None` when it is no address.
pub(crate) fn broker_address(host: &str, port: i64) -> Option<BrokerAddress> {
    let port = u16::try_from(port).ok().filter(|port| *port > 0)?;
    let host = host.trim();
    let (scheme, host) = host.split_once("://").unwrap_or(("", host));
    let encrypted = match scheme.to_ascii_lowercase().as_str() {
        "amqps" => true,
        "amqp" => false,
        "" => port == AMQPS,
        _ => return None,
    };
    let host = host.trim_end_matches('/').trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then(|| BrokerAddress { host: host.to_owned(), port, encrypted })
}

/// The address of a login: licence code and hardware address (section 4).
pub(crate) fn login(login_url: &str, dev_sno: &str, mac: &str) -> Option<String> {
    let mut url = Url::parse(login_url).ok()?;
    let digits: String = mac.chars().filter(char::is_ascii_hexdigit).collect();
    url.query_pairs_mut()
        .append_pair("dev_sno", dev_sno)
        .append_pair("hex_mac", &format!("0x{}", digits.to_lowercase()));
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_composed_as_the_document_says() {
        let composed = |base, given| composed(base, given).map(String::from);
        for (given, expected) in [
            ("/getRecord", "http://xxxx.com:90/getRecord"),
            ("getRecord?a=1", "http://xxxx.com:90/getRecord?a=1"),
            ("https://y.com/a", "https://y.com/a"),
            ("http://192.0.2.1:90:/getResult", "http://192.0.2.1:90/getResult"),
        ] {
            assert_eq!(composed("http://xxxx.com:90/login?x=1", given).as_deref(), Some(expected), "{given}");
        }
        assert_eq!(composed("none", "/a"), None);
    }

    #[test]
    fn pictures_are_below_the_address_of_their_server() {
        let address = |server, given| picture_address("http://a.com:90/login", server, given).map(String::from);
        for (server, given, expected) in [
            (Some("http://b.com/img"), "/1/a.jpg", "http://b.com/img/1/a.jpg"),
            (Some("http://b.com:81/img/"), "a.jpg?x=1", "http://b.com:81/img/a.jpg?x=1"),
            (Some("/img"), "/a.jpg", "http://a.com:90/img/a.jpg"),
            (Some("http://b.com/img"), "http://c.com/a.jpg", "http://c.com/a.jpg"),
            (Some(" "), "/a.jpg", "http://a.com:90/a.jpg"),
            (None, "/a.jpg", "http://a.com:90/a.jpg"),
        ] {
            assert_eq!(address(server, given).as_deref(), Some(expected), "{server:?} {given}");
        }
    }

    #[test]
    fn a_broker_is_reached_over_tls_by_its_port_or_scheme() {
        let at = |host: &str, port| broker_address(host, port).map(|at| (at.host, at.port, at.encrypted));
        assert_eq!(at(" 192.0.2.1 ", 5672), Some(("192.0.2.1".into(), 5672, false)));
        assert_eq!(at("mq.example", 5671), Some(("mq.example".into(), 5671, true)));
        assert_eq!(at("AMQPS://mq.example/", 7000), Some(("mq.example".into(), 7000, true)));
        assert_eq!(at("amqp://[2001:db8::1]", 5671), Some(("2001:db8::1".into(), 5671, false)));
        for (host, port) in [("", 5672), ("amqps://", 5672), ("http://mq.example", 5672), ("mq", 0), ("mq", 70_000)] {
            assert_eq!(at(host, port), None, "{host} {port}");
        }
    }

    #[test]
    fn calls_carry_token_code_and_hardware_address() {
        let url = Url::parse("http://a/b?c=1").unwrap();
        let signature = signature("t&", "s n");
        assert_eq!(signed(url, &signature), "http://a/b?c=1&token=t%26&dev_sno=s+n");
        assert_eq!(signed(Url::parse("http://a/b").unwrap(), &signature), format!("http://a/b?{signature}"));
        assert_eq!(
            login("http://a/l", "S", "E0:A5:09:00:06:2b").unwrap(),
            "http://a/l?dev_sno=S&hex_mac=0xe0a50900062b"
        );
    }
}
