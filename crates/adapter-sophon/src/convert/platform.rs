//! Addresses of the platform (9).

use url::Url;

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

/// The address with token and licence code, which every call to the platform carries (quirk S-TOKEN).
pub(crate) fn signed(mut url: Url, token: &str, dev_sno: &str) -> String {
    url.query_pairs_mut().append_pair("token", token).append_pair("dev_sno", dev_sno);
    url.into()
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
    fn calls_carry_token_code_and_hardware_address() {
        let url = Url::parse("http://a/b?c=1").unwrap();
        assert_eq!(signed(url, "t", "s n"), "http://a/b?c=1&token=t&dev_sno=s+n");
        assert_eq!(
            login("http://a/l", "S", "E0:A5:09:00:06:2b").unwrap(),
            "http://a/l?dev_sno=S&hex_mac=0xe0a50900062b"
        );
    }
}
