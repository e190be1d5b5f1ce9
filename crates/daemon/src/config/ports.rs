//! Ports that are used twice. Adapters with the same address share a listener; anything else on the same port is a
//! mistake that would only show when the second one is opened.

use std::net::SocketAddr;

use super::Config;
use super::problem::Problems;

struct Listening {
    key: &'static str,
    address: SocketAddr,
    encrypted: bool,
}

/// Adds a problem for each listener that cannot be opened beside an earlier one.
pub(super) fn check(config: &Config, problems: &mut Problems<'_>) {
    let all: Vec<_> = listening(config).into_iter().filter(|one| problems.none_with(one.key)).collect();
    for (number, one) in all.iter().enumerate() {
        if let Some(other) = all.iter().take(number).find(|other| collide(one, other)) {
            let (key, address) = (other.key, other.address);
            problems
                .add(one.key, format!("{} and {key} ({address}) cannot be open at once; change a port", one.address));
        }
    }
}

fn listening(config: &Config) -> Vec<Listening> {
    let Config { console, sensetime, uniview, facebox, sophon, .. } = config;
    let clear = |key, address| Listening { key, address, encrypted: false };
    let mut all = vec![clear("console.listen", console.listen)];
    if sensetime.enabled {
        all.push(clear("sensetime.listen", sensetime.listen));
        let address = sensetime.listen_https;
        all.push(Listening { key: "sensetime.listen_https", address, encrypted: true });
    }
    if uniview.enabled {
        all.push(clear("uniview.listen", uniview.listen));
    }
    if facebox.enabled {
        all.push(clear("facebox.listen", facebox.listen));
    }
    if sophon.enabled {
        all.push(clear("sophon.listen", sophon.listen));
    }
    all
}

fn collide(one: &Listening, other: &Listening) -> bool {
    let (a, b) = (one.address, other.address);
    if a.port() != b.port() || a.port() == 0 {
        return false;
    }
    if a == b {
        return one.encrypted != other.encrypted;
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
            "[console]\nlisten = {console:?}\n[sensetime]\nlisten = {sensetime:?}\nlisten_https = {https:?}\n[facebox]\nenabled = false"
        ))
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
