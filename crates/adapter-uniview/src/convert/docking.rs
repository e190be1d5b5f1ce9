//! Addresses of platforms.

use url::Url;

/// Where messages go: a platform without a path gets this one (quirk "13.1 address").
pub(crate) fn target(url: &str, default_path: &str) -> String {
    match Url::parse(url) {
        Ok(mut parsed) if parsed.path() == "/" && parsed.query().is_none() => {
            parsed.set_path(default_path);
            parsed.into()
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_without_a_path_gets_one() {
        let target = |url| target(url, "/custom/router1");
        assert_eq!(target("http://192.0.2.1:8000"), "http://192.0.2.1:8000/custom/router1");
        assert_eq!(target("http://192.0.2.1:8000/"), "http://192.0.2.1:8000/custom/router1");
        for whole in ["http://192.0.2.1/alarm?slot=1", "https://a/b/", "http://192.0.2.1/?a=b"] {
            assert_eq!(target(whole), whole);
        }
    }
}
