//! The door's rules as the setting holds them: who decides, what must be shown, the threshold, milliseconds, the
//! contact, and the bytes of cards.

use std::time::Duration;

use super::{ContactUse, Decider, DoorRules, Proof};
use crate::Similarity;

/// The words of the setting.
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
const ORDERS: [(&str, bool); 2] = [("straight", false), ("reversed", true)];

/// As the setting holds them.
pub(super) fn write(rules: &DoorRules) -> String {
    let word = DECIDERS.iter().find(|(_, decider)| *decider == rules.decided_by).map_or("remote", |(word, _)| word);
    let proof = PROOFS.iter().find(|(_, proof)| *proof == rules.proof).map_or("impossible", |(word, _)| word);
    let contact = CONTACTS.iter().find(|(_, contact)| *contact == rules.contact).map_or("closes", |(word, _)| word);
    let order = if rules.cards_reversed { "reversed" } else { "straight" };
    format!("{word} {proof} {} {} {contact} {order}", rules.threshold.value(), rules.hold.as_millis())
}

/// From the setting; `None` when it makes no sense.
pub(super) fn read(text: &str) -> Option<DoorRules> {
    let (word, proof, threshold, hold, contact, order) = match text.split(' ').collect::<Vec<_>>().as_slice() {
        [word, proof, threshold, hold, contact, order] => (*word, *proof, *threshold, *hold, *contact, *order),
        // As they were kept before there were readers: a face is enough, or nothing that could be shown.
        [word, "face", threshold, hold] => (*word, "face", *threshold, *hold, "closes", "straight"),
        [word, "more", threshold, hold] => (*word, "impossible", *threshold, *hold, "closes", "straight"),
        _ => return None,
    };
    Some(DoorRules {
        decided_by: DECIDERS.iter().find(|(known, _)| *known == word)?.1,
        proof: PROOFS.iter().find(|(known, _)| *known == proof)?.1,
        threshold: Similarity::new(threshold.parse().ok()?),
        hold: Duration::from_millis(hold.parse().ok()?),
        contact: CONTACTS.iter().find(|(known, _)| *known == contact)?.1,
        cards_reversed: ORDERS.iter().find(|(known, _)| *known == order)?.1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_read_back_as_written() {
        for (decided_by, proof) in DECIDERS.iter().flat_map(|(_, decider)| PROOFS.map(|(_, proof)| (*decider, proof))) {
            let hold = Duration::from_millis(1234);
            let rules = DoorRules { decided_by, proof, threshold: Similarity::new(0.87), hold, ..DoorRules::default() };
            for (contact, cards_reversed) in CONTACTS.map(|(_, contact)| (contact, contact == ContactUse::Opens)) {
                let rules = DoorRules { contact, cards_reversed, ..rules };
                assert_eq!(read(&write(&rules)), Some(rules));
            }
        }
        for damaged in [
            "",
            "face",
            "face card 0 1",
            "sesame face 0 1 closes straight",
            "face face x 1 closes straight",
            "face face 0 1 closes",
        ] {
            assert_eq!(read(damaged), None, "{damaged}");
        }
    }

    #[test]
    fn rules_from_before_there_were_readers_go_on() {
        let hold = Duration::from_millis(200);
        let rules = DoorRules { threshold: Similarity::new(0.5), hold, ..DoorRules::default() };
        assert_eq!(read("face face 0.5 200"), Some(rules));
        assert_eq!(read("face more 0.5 200"), Some(DoorRules { proof: Proof::Impossible, ..rules }));
        let asked = DoorRules { decided_by: Decider::FaceThenRemote, ..rules };
        assert_eq!(read("face-then-remote face 0.5 200"), Some(asked));
    }
}
