//! Addresses that contradict each other. Sections with the same address share a listener; anything else on the same port
//! is a mistake that would only show when the second one is opened.

use std::net::SocketAddr;

use super::problem::Problems;
use super::{Clear, Config, Place};

struct Listening {
    key: String,
    address: SocketAddr,
    spoken: Spoken,
}

/// What is spoken at an address.
#[derive(PartialEq, Eq)]
enum Spoken {
    Http,
    /// For the listener with this HTTP address.
    Https {
        of: SocketAddr,
    },
    Ftp,
}

/// Adds a problem for each listener that cannot be opened beside an earlier one, and for sections that share one but not
/// its HTTPS address.
pub(super) fn check(config: &Config, problems: &mut Problems<'_>) {
    let places = config.places();
    check_shared(&places, problems);
    let all: Vec<_> = listening(config, &places).into_iter().filter(|one| problems.none_with(&one.key)).collect();
    for (number, one) in all.iter().enumerate() {
        if let Some(other) = all.iter().take(number).find(|other| collide(one, other)) {
            let (key, address) = (&other.key, other.address);
            problems.add(
                one.key.as_str(),
                format!("{} and {key} ({address}) cannot be open at once; change a port", one.address),
            );
        }
    }
}

/// Adds a problem for each section that other machines can reach and nobody there can log in to. The device starts with
/// it.
pub(super) fn check_reach(config: &Config, problems: &mut Problems<'_>) {
    for place in config.places() {
        if is_useless(&config.places(), &place) {
            problems.add(format!("{}.listen", place.section), USELESS);
        }
    }
}

/// Why a section that other machines can reach is useless to them.
pub(crate) const USELESS: &str =
    "logins from other machines are refused; set listen_https, or clear = \"allow\" in a network that you trust";

/// Whether other machines can reach a section and nobody there can log in.
pub(crate) fn is_useless(places: &[Place], place: &Place) -> bool {
    place.is_open() && place.clear == Clear::Refuse && https_of(places, place).is_none()
}

/// Where the listener of a section is always served over HTTPS.
fn https_of(places: &[Place], place: &Place) -> Option<SocketAddr> {
    place.https.or_else(|| places.iter().filter(|other| other.shares_with(place)).find_map(|other| other.https))
}

fn check_shared(places: &[Place], problems: &mut Problems<'_>) {
    for (number, place) in places.iter().enumerate() {
        let differ = |other: &Place| other.https.is_some() && place.https.is_some() && other.https != place.https;
        let mut earlier = places.iter().take(number);
        if let Some(other) = earlier.find(|other| other.shares_with(place) && differ(other)) {
            let key = format!("{}.listen_https", place.section);
            problems.add(key, format!("{0} has the same listen; its listen_https must be the same too", other.section));
        }
    }
}

fn listening(config: &Config, places: &[Place]) -> Vec<Listening> {
    let mut all = Vec::new();
    for place in places {
        let Place { section, listen, switched, .. } = *place;
        all.push(Listening { key: format!("{section}.listen"), address: listen, spoken: Spoken::Http });
        if let Some(address) = https_of(places, place).or(switched) {
            let spoken = Spoken::Https { of: listen };
            all.push(Listening { key: format!("{section}.listen_https"), address, spoken });
        }
    }
    if config.sophon.enabled && config.sophon.ftp {
        let address = config.sophon.ftp_listen;
        all.push(Listening { key: "sophon.ftp_listen".to_owned(), address, spoken: Spoken::Ftp });
    }
    all
}

fn collide(one: &Listening, other: &Listening) -> bool {
    let (a, b) = (one.address, other.address);
    if a.port() != b.port() || a.port() == 0 {
        return false;
    }
    if a == b {
        // What listens for HTTP on port 0 shares its listener with nothing.
        return one.spoken != other.spoken || matches!(one.spoken, Spoken::Https { of } if of.port() == 0);
    }
    // An unspecified address takes the port on every address of its kind; the one of IPv6 on those of IPv4 too.
    let covers = |a: SocketAddr, b: SocketAddr| a.ip().is_unspecified() && (a.is_ipv6() || b.is_ipv4());
    covers(a, b) || covers(b, a)
}

#[cfg(test)]
mod tests {
    use crate::config::tests::problems;

    fn refused(console: &str, sensetime: &str, https: &str) -> Vec<String> {
        problems(&format!(
            "[console]\nlisten = {console:?}\n[sensetime]\nlisten = {sensetime:?}\nlisten_https = {https:?}\nenabled = true"
        ))
    }

    #[test]
    fn sections_share_a_listener_in_https_as_well() {
        let both = |sensetime: &str, facebox: &str| {
            problems(&format!(
                "[sensetime]\nenabled = true\nlisten_https = {sensetime:?}\n[facebox]\nenabled = true\nlisten_https = {facebox:?}"
            ))
        };
        assert_eq!(both("", "0.0.0.0:443"), [] as [&str; 0]);
        assert_eq!(both("0.0.0.0:443", "0.0.0.0:443"), [] as [&str; 0]);
        assert_eq!(
            both("0.0.0.0:8443", "0.0.0.0:443"),
            [
                "`facebox.listen_https` in a.toml line 6: sensetime has the same listen; its listen_https must be the same too"
            ]
        );
        let apart = "[uniview]\nenabled = true\nlisten = \"0.0.0.0:81\"\nlisten_https = \"0.0.0.0:443\"\n\
                     [facebox]\nenabled = true\nlisten = \"0.0.0.0:82\"\nlisten_https = \"0.0.0.0:443\"";
        assert_eq!(problems(apart).len(), 1, "two listeners, one HTTPS address");
    }

    #[test]
    fn the_same_address_is_shared_and_port_0_is_never_taken() {
        assert_eq!(refused("127.0.0.1:80", "127.0.0.1:80", "0.0.0.0:443"), [] as [&str; 0]);
        assert_eq!(refused("127.0.0.1:0", "0.0.0.0:0", "127.0.0.1:0"), [] as [&str; 0]);
        assert_eq!(refused("127.0.0.1:80", "127.0.0.2:80", "[::1]:80"), [] as [&str; 0]);
    }

    #[test]
    fn a_port_on_all_addresses_is_taken_on_each() {
        let problems = refused("127.0.0.1:80", "0.0.0.0:80", "0.0.0.0:443");
        assert_eq!(
            problems,
            [
                "`sensetime.listen` in a.toml line 4: 0.0.0.0:80 and console.listen (127.0.0.1:80) cannot be open at once; \
              change a port"
            ]
        );
        assert_eq!(refused("127.0.0.1:80", "[::]:80", "0.0.0.0:443").len(), 1);
    }

    #[test]
    fn encryption_needs_a_port_of_its_own() {
        let problems = refused("127.0.0.1:80", "0.0.0.0:443", "0.0.0.0:443");
        assert!(problems[0].starts_with("`sensetime.listen_https` in a.toml line 5: "), "{problems:?}");
    }
}
