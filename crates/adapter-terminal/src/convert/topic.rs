//! Names of topics.

/// The longest name that the protocol can carry, bytes.
const LONGEST: usize = 65_535;

/// Whether messages can be published under this name at any broker: what MQTT forbids or advises against (sections 1.5.3
/// and 4.7 of version 3.1.1) has brokers end the connection. Names that begin with `$` belong to the broker.
pub(crate) fn is_topic(name: &str) -> bool {
    let forbidden = |c: char| c.is_control() || matches!(c, '+' | '#') || is_noncharacter(c);
    (1..=LONGEST).contains(&name.len()) && !name.starts_with('$') && !name.contains(forbidden)
}

/// Code points that Unicode keeps free of characters for good.
fn is_noncharacter(c: char) -> bool {
    let code = u32::from(c);
    (0xfdd0..=0xfdef).contains(&code) || code & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_what_every_broker_takes() {
        for good in ["a", "/", "mqtt/face/basic", "a b", "\u{4eba}\u{8138}/1", "a/$x", &"x".repeat(LONGEST)] {
            assert!(is_topic(good), "{good}");
        }
        let bad = [
            "",
            "a/+",
            "#",
            "a\0",
            "a\nb",
            "\u{1}",
            "\u{7f}",
            "\u{85}",
            "a\u{ffff}",
            "\u{1fffe}",
            "\u{fdd0}",
            "$SYS/x",
        ];
        for bad in bad.into_iter().chain([&*"x".repeat(LONGEST + 1)]) {
            assert!(!is_topic(bad), "{bad:?}");
        }
    }
}
