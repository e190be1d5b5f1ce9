//! Conversions of the door's rules.

use domain::{ContactUse, Decider, Means, Proof, Similarity, WiegandFormat};

/// The bits that require a mask and a temperature, for which the device has no sensor.
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

/// The decider of an `OpendoorWay`; `None` for an unknown one.
pub(crate) fn decider(way: i64) -> Option<Decider> {
    [Decider::Face, Decider::Remote, Decider::FaceOrRemote, Decider::FaceThenRemote]
        .into_iter()
        .find(|decider| i64::from(self::way(*decider)) == way)
}

/// `FaceThreshold`, 50 to 100.
pub(crate) fn threshold(threshold: Similarity) -> u8 {
    threshold.percent().max(50)
}

/// The use of the contact by `ControlType` (0 Wiegand, 1 contact, 2 both) and `IOType` (0 closed, 1 open).
pub(crate) fn contact(control_type: i64, io_type: i64) -> ContactUse {
    match (control_type, io_type) {
        (0, _) => ContactUse::Unused,
        (_, 1) => ContactUse::Opens,
        _ => ContactUse::Closes,
    }
}

/// Whether this change of its use switches the contact, which opens a door that is wired for the former use.
pub(crate) fn turns_contact(before: ContactUse, after: ContactUse) -> bool {
    (before == ContactUse::Opens) != (after == ContactUse::Opens)
}

/// Whether numbers are sent to a controller with this `ControlType`.
pub(crate) fn sends_numbers(control_type: i64) -> bool {
    matches!(control_type, 0 | 2)
}

/// The format of a `Wiegand` setting: 26 or 34 bits, however the number is composed.
pub(crate) fn format(wiegand: i64) -> WiegandFormat {
    match wiegand {
        0 | 4 | 6 => WiegandFormat::Bits26,
        _ => WiegandFormat::Bits34,
    }
}

/// The number of a stranger: all bits are ones.
pub(crate) fn ones(wiegand: i64) -> u64 {
    match format(wiegand) {
        WiegandFormat::Bits26 => 0xff_ffff,
        WiegandFormat::Bits34 => 0xffff_ffff,
    }
}

/// Whether a `VerifyMode` needs no sensors for masks and temperature.
pub(crate) fn is_verify_mode(mode: i64) -> bool {
    mode & CHECKS == 0 && matches!(mode, 1..=4 | 21..=26)
}

/// The proof that a `VerifyMode` requires. The two kinds of cards (21 to 23, 24 to 26) are treated alike: readers
/// report numbers only. An ID card counts only together with its holder's face, because its picture is not compared:
/// alone (2) it is treated as with the white list (3), and as an alternative (4) it is ignored.
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

/// Whether a `VerifyMode` involves ID cards.
pub(crate) fn involves_documents(mode: i64) -> bool {
    matches!(mode, 2..=4)
}

/// Whether a `VerifyMode` involves cards.
pub(crate) fn involves_cards(mode: i64) -> bool {
    matches!(mode, 21..=26)
}

/// The `otype` of an opening by these means under this `VerifyMode`: cards are of the kind that the
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

/// The `VerifyMode` in force: as a platform has `set` it, unless the proof was set elsewhere since.
pub(crate) fn mode_in_force(proof: Proof, set: i64) -> i64 {
    if proof == self::proof(set) { set } else { verify_mode(proof).into() }
}

/// The `VerifyMode` of this proof, where no platform has set one.
fn verify_mode(proof: Proof) -> u8 {
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
    fn the_contact_is_switched_by_its_polarity_and_by_what_takes_it_out_of_use() {
        for (before, after, turns) in [((1, 0), (1, 1), true), ((1, 1), (0, 1), true), ((0, 1), (2, 1), true)]
            .into_iter()
            .chain([((1, 0), (0, 0), false), ((1, 1), (2, 1), false), ((0, 0), (0, 1), false)])
        {
            let used = |(control, polarity)| contact(control, polarity);
            assert_eq!(turns_contact(used(before), used(after)), turns, "{before:?} {after:?}");
        }
    }

    #[test]
    fn openings_by_card_have_the_kind_of_the_mode() {
        for (mode, card, with_face) in
            [(21, 21, 22), (22, 21, 22), (23, 21, 22), (24, 24, 25), (26, 24, 25), (1, 24, 25)]
        {
            assert_eq!(entry_type(Means::Card, mode), card, "{mode}");
            assert_eq!(entry_type(Means::FaceAndCard, mode), with_face, "{mode}");
        }
        assert_eq!((entry_type(Means::FaceAndDocument, 2), entry_type(Means::FaceAndDocument, 3)), (3, 3));
    }

    #[test]
    fn every_mode_requires_what_the_device_can_check() {
        for mode in (0..=30).filter(|mode| is_verify_mode(*mode)) {
            assert_ne!(proof(mode), Proof::Impossible, "{mode}");
            assert_eq!(proof(verify_mode(proof(mode)).into()), proof(mode), "{mode}");
        }
        let faces: Vec<i64> = (0..=30).filter(|mode| proof(*mode) == Proof::Face).collect();
        assert_eq!(faces, [1, 4]);
        for demanding in [257, 261, 513, 793] {
            assert!(!is_verify_mode(demanding), "{demanding}: there are no sensors for masks and temperature");
        }
    }
}
