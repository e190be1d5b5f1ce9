//! Conversions between the document's types and the core's. They are pure.

pub(crate) mod cards;
pub(crate) mod doors;
pub(crate) mod face;
pub(crate) mod nations;
pub(crate) mod people;
pub(crate) mod scene;
pub(crate) mod time;
mod topic;
pub(crate) mod validity;
pub(crate) mod values;

use domain::{RecordKind, Verdict};

pub(crate) use topic::is_topic;

/// The smallest generated id: seven digits, the first of which is not 0, because clients read it as a number.
const SMALLEST_ID: u32 = 1_000_000;

/// What a record is about: a person, or a stranger.
pub(crate) fn record_kind(verdict: Verdict) -> RecordKind {
    match verdict {
        Verdict::Known | Verdict::Blocked | Verdict::NotAllowedNow => RecordKind::People,
        Verdict::Stranger | Verdict::Unclear | Verdict::Spoof => RecordKind::Strangers,
    }
}

/// The device's number: as configured, or derived from the serial number.
pub(crate) fn device_id(configured: &str, serial: &str) -> String {
    if !configured.is_empty() {
        return configured.to_owned();
    }
    if (1..=9).contains(&serial.len()) && serial.bytes().all(|byte| byte.is_ascii_digit()) {
        return serial.to_owned();
    }
    let hash = serial.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (SMALLEST_ID + hash % (9 * SMALLEST_ID)).to_string()
}

/// A picture as a data URI; one client removes exactly this prefix.
pub(crate) fn data_uri(picture: &[u8]) -> String {
    match adapter::content_type(picture) {
        kind @ ("image/png" | "image/bmp") => adapter::data_uri(kind, picture),
        _ => adapter::data_uri("image/jpeg", picture),
    }
}

/// The text, cut between two characters to at most `bytes`.
pub(crate) fn cut(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        text.truncate((0..=bytes).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0));
    }
    text
}

/// The text, or a blank for an empty one.
pub(crate) fn or_blank(text: &str) -> &str {
    if text.is_empty() { " " } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_without_a_number_gets_one_from_its_serial_number() {
        assert_eq!(device_id("1306612", "PF0001"), "1306612");
        assert_eq!(device_id("", "20240017"), "20240017");
        let made = device_id("", "0f5c3b1e8a");
        assert!(made.len() == 7 && made.bytes().all(|byte| byte.is_ascii_digit()), "{made}");
        assert_eq!(made, device_id("", "0f5c3b1e8a"));
        assert_ne!(made, device_id("", "0f5c3b1e8b"));
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(cut("abc".into(), 3), "abc");
        assert_eq!(cut("张三".into(), 5), "张");
        assert_eq!(cut("张三".into(), 2), "");
    }
}
