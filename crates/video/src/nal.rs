//! NAL units of access units in Annex B format.

/// Start code prefix of every unit.
const START: [u8; 3] = [0, 0, 1];

/// The bytes that follow each start code.
pub(crate) fn bodies(unit: &[u8]) -> impl Iterator<Item = &[u8]> {
    unit.windows(4).enumerate().filter(|(_, window)| window[..3] == START).map(|(at, _)| &unit[at + 3..])
}

/// NAL unit headers: the two bytes after each start code.
pub(crate) fn heads(unit: &[u8]) -> impl Iterator<Item = (u8, u8)> {
    bodies(unit).map(|body| (body[0], body.get(1).copied().unwrap_or_default()))
}
