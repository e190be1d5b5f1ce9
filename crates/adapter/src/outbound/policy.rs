//! URLs that the device may call.

use url::{Host, Url};

pub use domain::OutboundPolicy as Policy;

use super::OutboundError;

/// Maximum length of a URL, bytes.
const LONGEST_URL: usize = 2048;

/// Checks whether a URL may be called. Names are resolved, and their addresses checked, at the time of the call.
///
/// # Errors
/// `BadUrl`, `NotAllowed`.
pub(super) fn check(policy: Policy, url: &str) -> Result<Url, OutboundError> {
    let bad = |why| OutboundError::BadUrl { why };
    if url.len() > LONGEST_URL {
        return Err(bad("longer than 2048 bytes"));
    }
    let url = Url::parse(url.trim()).map_err(|_| bad("not an absolute URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("a user name or password in it"));
    }
    match url.host() {
        Some(Host::Ipv4(address)) if !policy.allows(address.into()) => Err(OutboundError::NotAllowed),
        Some(Host::Ipv6(address)) if !policy.allows(address.into()) => Err(OutboundError::NotAllowed),
        Some(_) => Ok(url),
        None => Err(bad("no host")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOSED: Policy = Policy { allow_private: false, allow_loopback: false };
    const PRIVATE: Policy = Policy { allow_private: true, allow_loopback: false };
    const OPEN: Policy = Policy::OPEN;

    fn allowed(policy: Policy, url: &str) -> bool {
        check(policy, url).is_ok()
    }

    #[test]
    fn public_addresses_and_names_pass() {
        for url in ["http://8.8.8.8/x", "https://[2606:4700::1111]:8443/", "http://platform.example/push?key=1"] {
            assert!(allowed(CLOSED, url), "{url}");
        }
    }

    #[test]
    fn private_networks_pass_when_allowed() {
        for host in ["10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "[fd00::1]", "[::ffff:10.0.0.1]"] {
            let url = format!("http://{host}/");
            assert!(!allowed(CLOSED, &url) && allowed(PRIVATE, &url), "{url}");
        }
    }

    #[test]
    fn the_device_itself_passes_only_when_loopback_is_allowed() {
        let spellings = [
            "127.0.0.1",
            "127.9.9.9",
            "2130706433",
            "0x7f.1",
            "017700000001",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::127.0.0.1]",
            "[2002:7f00:1::]",
            "169.254.169.254",
            "[fe80::1]",
        ];
        for host in spellings {
            let url = format!("http://{host}/");
            assert!(!allowed(PRIVATE, &url) && allowed(OPEN, &url), "{url}");
        }
    }

    #[test]
    fn some_addresses_never_pass() {
        for host in ["0.0.0.0", "0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "[::]", "[ff02::1]"] {
            assert!(!allowed(OPEN, &format!("http://{host}/")), "{host}");
        }
    }

    #[test]
    fn other_schemes_credentials_and_relative_urls_are_refused() {
        let urls = [
            "",
            "/path",
            "platform.example",
            "ftp://8.8.8.8/",
            "file:///etc/passwd",
            "http://",
            "gopher://8.8.8.8",
            "http://user@8.8.8.8/",
            "http://user:secret@8.8.8.8/",
            "http://8.8.8.8@127.0.0.1/",
            "javascript:alert(1)",
        ];
        for url in urls {
            let error = check(OPEN, url).unwrap_err();
            assert!(matches!(error, OutboundError::BadUrl { .. }), "{url}");
            assert!(!error.to_string().contains("secret"));
        }
    }
}
