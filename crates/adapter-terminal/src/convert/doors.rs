//! The door between the document's words and the core's.

use domain::{ContactUse, Decider, Means, Proof, Similarity, WiegandFormat};

/// The bits that demand a mask and a temperature, which no sensor of the device tells.
const CHECKS: i64 = 0x300;

/// `OpendoorWay`.
pub(crate) fn way(decided_by: Decider) -> u8 {
    match decided_by {
        Decider::Face => 0,
        Decider::Remote => 1,
        Decider::FaceOrRemote => 2,
        Decider::FaceThenRemote => 3,
    }
}

/// `None` for a way that there is not.
pub(crate) fn decider(way: i64) -> Option<Decider> {
    [Decider::Face, Decider::Remote, Decider::FaceOrRemote, Decider::FaceThenRemote]
        .into_iter()
        .find(|decider| i64::from(self::way(*decider)) == way)
}

/// `FaceThreshold`, 50 to 100.
pub(crate) fn threshold(threshold: Similarity) -> u8 {
    threshold.percent().max(50)
}

/// What `ControlType` (0 Wiegand, 1 contact, 2 both) and `IOType` (0 closed, 1 open) make of the contact.
pub(crate) fn contact(control_type: i64, io_type: i64) -> ContactUse {
    match (control_type, io_type) {
        (0, _) => ContactUse::Unused,
        (_, 1) => ContactUse::Opens,
        _ => ContactUse::Closes,
    }
}

/// Whether `ControlType` has numbers sent to a controller.
pub(crate) fn sends_numbers(control_type: i64) -> bool {
    matches!(control_type, 0 | 2)
}

/// `Wiegand`: all of them are 26 bits or 34, however a number is made up.
pub(crate) fn format(wiegand: i64) -> WiegandFormat {
    match wiegand {
        0 | 4 | 6 => WiegandFormat::Bits26,
        _ => WiegandFormat::Bits34,
    }
}

/// The number of a stranger: nothing but ones.
pub(crate) fn ones(wiegand: i64) -> u64 {
    match format(wiegand) {
        WiegandFormat::Bits26 => 0xff_ffff,
        WiegandFormat::Bits34 => 0xffff_ffff,
    }
}

/// Whether a `VerifyMode` is one of a machine without sensors for masks and temperature.
pub(crate) fn is_verify_mode(mode: i64) -> bool {
    mode & CHECKS == 0 && matches!(mode, 1..=4 | 21..=26)
}

/// What a `VerifyMode` demands. The two kinds of cards (21 to 23, 24 to 26) are one: readers tell numbers. An ID card
/// proves something only beside its holder's face, because its picture is compared with nobody's: alone (2) it is as
/// with the white list (3), and as an alternative (4) it is none.
pub(crate) fn proof(mode: i64) -> Proof {
    match mode {
        1 | 4 => Proof::Face,
        2 | 3 => Proof::FaceAndDocument,
        21 | 24 => Proof::Card,
        22 | 25 => Proof::FaceAndCard,
        23 | 26 => Proof::FaceOrCard,
        _ => Proof::Impossible,
    }
}

/// Whether a `VerifyMode` has to do with ID cards.
pub(crate) fn demands_document(mode: i64) -> bool {
    matches!(mode, 2..=4)
}

/// Whether a `VerifyMode` has to do with cards.
pub(crate) fn demands_card(mode: i64) -> bool {
    matches!(mode, 21..=26)
}

/// The `otype` of somebody who was let in by this, where this `VerifyMode` is in force: cards are of the kind that the
/// mode names.
pub(crate) fn entry_type(by: Means, mode: i64) -> i64 {
    let rfid = matches!(mode, 21..=23);
    match by {
        Means::FaceAndDocument | Means::Document => 3,
        Means::FaceAndCard => {
            if rfid {
                22
            } else {
                25
            }
        }
        Means::Card => {
            if rfid {
                21
            } else {
                24
            }
        }
        Means::Face | Means::Code | Means::Command => 1,
    }
}

/// The `VerifyMode` that demands this, where no platform has set one.
pub(crate) fn verify_mode(proof: Proof) -> u8 {
    match proof {
        Proof::Face => 1,
        Proof::Card => 24,
        Proof::FaceAndCard => 25,
        Proof::FaceOrCard => 26,
        Proof::FaceAndDocument | Proof::Impossible => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_numbered_from_0_to_3() {
        for number in 0..=3 {
            assert_eq!(decider(number).map(way), Some(number as u8));
        }
        assert_eq!((decider(-1), decider(4)), (None, None));
    }

    #[test]
    fn openings_by_card_are_of_the_kind_that_the_mode_names() {
        for (mode, card, with_face) in
            [(21, 21, 22), (22, 21, 22), (23, 21, 22), (24, 24, 25), (26, 24, 25), (1, 24, 25)]
        {
            assert_eq!(entry_type(Means::Card, mode), card, "{mode}");
            assert_eq!(entry_type(Means::FaceAndCard, mode), with_face, "{mode}");
        }
        assert_eq!((entry_type(Means::FaceAndDocument, 2), entry_type(Means::FaceAndDocument, 3)), (3, 3));
    }

    #[test]
    fn every_mode_demands_what_the_device_can_check() {
        for mode in (0..=30).filter(|mode| is_verify_mode(*mode)) {
            assert_ne!(proof(mode), Proof::Impossible, "{mode}");
            assert_eq!(proof(verify_mode(proof(mode)).into()), proof(mode), "{mode}");
        }
        let faces: Vec<i64> = (0..=30).filter(|mode| proof(*mode) == Proof::Face).collect();
        assert_eq!(faces, [1, 4]);
        for demanding in [257, 261, 513, 793] {
            assert!(!is_verify_mode(demanding), "{demanding}: nothing tells masks and temperature");
        }
    }
}
