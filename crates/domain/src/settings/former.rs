//! Reads settings in the form of former versions: words and numbers separated by spaces, without a common form.

use std::time::Duration;

use crate::{
    Area, CameraDefaults, ContactUse, Decider, DoorRules, LivenessRule, Proof, Similarity, TimeService, WhenFull,
};

/// The former form of a setting.
pub(super) struct Former<T> {
    /// Name of its row. While the row exists it takes precedence; writing the new row removes it.
    pub(super) name: &'static str,
    /// Parses the value; `None` when no version has written such a value.
    pub(super) read: fn(&str) -> Option<T>,
}

/// `no` was the only word; open was stored as no value.
pub(super) fn console_open(text: &str) -> Option<bool> {
    (text == "no").then_some(false)
}

/// `without` was the only word; with pictures was stored as no value.
pub(super) fn pictures(text: &str) -> Option<bool> {
    (text == "without").then_some(false)
}

pub(super) fn when_full(text: &str) -> Option<WhenFull> {
    match text {
        "overwrite" => Some(WhenFull::Overwrite),
        "stop" => Some(WhenFull::Stop),
        _ => None,
    }
}

/// A word, or the start and end of the daily window.
pub(super) fn liveness(text: &str) -> Option<LivenessRule> {
    match text {
        "always" => Some(LivenessRule::Always),
        "never" => Some(LivenessRule::Never),
        daily => {
            let (from, to) = daily.split_once(' ')?;
            Some(LivenessRule::Daily(from.parse().ok()?, to.parse().ok()?))
        }
    }
}

/// On or off, minutes, port, server.
pub(super) fn time_service(text: &str) -> Option<TimeService> {
    let [enabled, every_minutes, port, server] = words(text)?;
    let enabled = known(enabled, [("on", true), ("off", false)])?;
    let (every_minutes, port) = (every_minutes.parse().ok()?, port.parse().ok()?);
    Some(TimeService { enabled, every_minutes, port, server: server.to_owned() })
}

/// Threshold, re-arm milliseconds, pixels, and the four edges of the area; `-` for no value.
pub(super) fn camera_defaults(text: &str) -> Option<CameraDefaults> {
    let [threshold, rearm, min_face_px, left, top, right, bottom] = words(text)?;
    let area = match [left, top, right, bottom] {
        ["-", "-", "-", "-"] => None,
        [left, top, right, bottom] => Some(Area {
            left: left.parse().ok()?,
            top: top.parse().ok()?,
            right: right.parse().ok()?,
            bottom: bottom.parse().ok()?,
        }),
    };
    Some(CameraDefaults {
        threshold: optional(threshold)?.map(Similarity::new),
        rearm: optional(rearm)?.map(Duration::from_millis),
        min_face_px: optional(min_face_px)?,
        area,
    })
}

/// Decider, proof, threshold, hold milliseconds, contact, byte order of cards.
pub(super) fn door_rules(text: &str) -> Option<DoorRules> {
    let (decider, proof, threshold, hold, contact, order) = match text.split(' ').collect::<Vec<_>>()[..] {
        [decider, proof, threshold, hold, contact, order] => (decider, proof, threshold, hold, contact, order),
        // The form before readers were supported: a face, or `more` than could be checked.
        [decider, "face", threshold, hold] => (decider, "face", threshold, hold, "closes", "straight"),
        [decider, "more", threshold, hold] => (decider, "impossible", threshold, hold, "closes", "straight"),
        _ => return None,
    };
    Some(DoorRules {
        decided_by: known(decider, DECIDERS)?,
        proof: known(proof, PROOFS)?,
        threshold: Similarity::new(threshold.parse().ok()?),
        hold: Duration::from_millis(hold.parse().ok()?),
        contact: known(contact, CONTACTS)?,
        cards_reversed: known(order, [("straight", false), ("reversed", true)])?,
    })
}

const DECIDERS: [(&str, Decider); 4] = [
    ("face", Decider::Face),
    ("remote", Decider::Remote),
    ("face-or-remote", Decider::FaceOrRemote),
    ("face-then-remote", Decider::FaceThenRemote),
];
const PROOFS: [(&str, Proof); 6] = [
    ("face", Proof::Face),
    ("card", Proof::Card),
    ("face-or-card", Proof::FaceOrCard),
    ("face-and-card", Proof::FaceAndCard),
    ("face-and-document", Proof::FaceAndDocument),
    ("impossible", Proof::Impossible),
];
const CONTACTS: [(&str, ContactUse); 3] =
    [("closes", ContactUse::Closes), ("opens", ContactUse::Opens), ("unused", ContactUse::Unused)];

fn words<const N: usize>(text: &str) -> Option<[&str; N]> {
    text.split(' ').collect::<Vec<_>>().try_into().ok()
}

fn known<T: Copy, const N: usize>(word: &str, words: [(&str, T); N]) -> Option<T> {
    words.into_iter().find(|(known, _)| *known == word).map(|(_, value)| value)
}

/// A number, or `-` for none.
fn optional<T: std::str::FromStr>(word: &str) -> Option<Option<T>> {
    if word == "-" { Some(None) } else { word.parse().ok().map(Some) }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    fn rules() -> DoorRules {
        DoorRules { threshold: Similarity::new(0.5), hold: Duration::from_millis(200), ..DoorRules::default() }
    }

    #[test]
    fn door_rules_are_read_as_every_version_wrote_them() {
        for (text, read) in [
            ("face face 0.5 200 closes straight", rules()),
            (
                "face-or-remote face-and-card 0.5 200 opens reversed",
                DoorRules {
                    decided_by: Decider::FaceOrRemote,
                    proof: Proof::FaceAndCard,
                    contact: ContactUse::Opens,
                    cards_reversed: true,
                    ..rules()
                },
            ),
            // Before readers were supported.
            ("face face 0.5 200", rules()),
            ("face more 0.5 200", DoorRules { proof: Proof::Impossible, ..rules() }),
            ("face-then-remote face 0.5 200", DoorRules { decided_by: Decider::FaceThenRemote, ..rules() }),
        ] {
            assert_eq!(door_rules(text), Some(read), "{text}");
        }
        for damaged in [
            "",
            "face",
            "face card 0 1",
            "sesame face 0 1 closes straight",
            "face face x 1 closes straight",
            "face face 0 1 closes",
        ] {
            assert_eq!(door_rules(damaged), None, "{damaged}");
        }
    }

    #[test]
    fn camera_defaults_are_read_with_and_without_values() {
        let all = CameraDefaults {
            threshold: Some(Similarity::new(0.91)),
            rearm: Some(Duration::from_secs(5)),
            min_face_px: Some(124),
            area: Some(Area { left: 0.25, top: 0.0, right: 1.0, bottom: 0.5 }),
        };
        assert_eq!(camera_defaults("0.91 5000 124 0.25 0 1 0.5"), Some(all));
        assert_eq!(camera_defaults("0.91 5000 124 - - - -"), Some(CameraDefaults { area: None, ..all }));
        assert_eq!(camera_defaults("- - - - - - -"), Some(CameraDefaults::default()));
        for damaged in ["", "- - -", "x - - - - - -", "- - - 0.25 - - -"] {
            assert_eq!(camera_defaults(damaged), None, "{damaged}");
        }
    }

    #[test]
    fn a_time_service_is_read() {
        for (switch, enabled) in [("on", true), ("off", false)] {
            let service = TimeService { enabled, server: "ntp.example".into(), port: 1123, every_minutes: 7 };
            assert_eq!(time_service(&format!("{switch} 7 1123 ntp.example")), Some(service));
        }
        for damaged in ["", "on", "on x 123 a", "off 10 123"] {
            assert_eq!(time_service(damaged), None, "{damaged}");
        }
    }

    #[test]
    fn words_are_read_and_no_others() {
        let night = LivenessRule::Daily(time(22, 0, 0, 0), time(6, 30, 0, 0));
        let rules = ["always", "never", "22:00:00 06:30:00"].map(liveness);
        assert_eq!(rules, [LivenessRule::Always, LivenessRule::Never, night].map(Some));
        assert_eq!(["overwrite", "stop"].map(when_full), [Some(WhenFull::Overwrite), Some(WhenFull::Stop)]);
        assert_eq!((console_open("no"), pictures("without")), (Some(false), Some(false)));
        assert_eq!((liveness("22:00"), when_full(""), console_open("yes"), pictures("with")), (None, None, None, None));
    }
}
