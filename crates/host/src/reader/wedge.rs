//! Readers that act as a keyboard.

use std::path::Path;

use async_trait::async_trait;
use domain::Scan;
use domain::ports::{ReaderError, Scans};
use evdev::raw_stream::{EventStream, RawDevice};
use evdev::{EventSummary, InputEvent, SynchronizationCode};

use super::keys::{Keyboard, Typed};
use super::line::{Completed, Line};
use super::{Desk, lost};

/// A reader that acts as a keyboard.
pub(super) struct Wedge {
    events: EventStream,
    decoder: KeyDecoder,
}

impl Wedge {
    /// Opens and grabs the keyboard, so that its keys do not reach the console.
    pub(super) fn open(device: &Path, desk: Desk) -> Result<Self, ReaderError> {
        let open = || {
            let mut device = RawDevice::open(device)?;
            device.grab()?;
            device.into_event_stream()
        };
        let events = open().map_err(|error: std::io::Error| ReaderError::Unreachable(error.to_string()))?;
        Ok(Self { events, decoder: KeyDecoder::new(desk) })
    }
}

#[async_trait]
impl Scans for Wedge {
    async fn next(&mut self) -> Result<Scan, ReaderError> {
        loop {
            let event = self.events.next_event().await.map_err(|error| lost(&error))?;
            if let Some(scan) = self.decoder.take(event) {
                return Ok(scan);
            }
        }
    }
}

/// Converts key events to lines, and lines to scans.
struct KeyDecoder {
    keyboard: Keyboard,
    line: Line,
    desk: Desk,
}

impl KeyDecoder {
    fn new(desk: Desk) -> Self {
        Self { keyboard: Keyboard::default(), line: Line::new(desk.reads.longest()), desk }
    }

    fn take(&mut self, event: InputEvent) -> Option<Scan> {
        match event.destructure() {
            EventSummary::Key(_, key, value) => match self.keyboard.turn(key, value)? {
                Typed::Character(character) => {
                    let mut bytes = [0; 4];
                    character.encode_utf8(&mut bytes).bytes().for_each(|byte| drop(self.line.push(byte)));
                    None
                }
                Typed::End => self.complete(),
            },
            // Events were lost, so the line is incomplete.
            EventSummary::Synchronization(_, SynchronizationCode::SYN_DROPPED, _) => {
                self.keyboard = Keyboard::default();
                self.line.spoil();
                None
            }
            _ => None,
        }
    }

    fn complete(&mut self) -> Option<Scan> {
        match self.line.push(b'\n')? {
            Completed::Line(line) => self.desk.take(&line),
            Completed::Void => {
                self.desk.refuse("the line is too long, or keys were lost");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::Reads;
    use evdev::{EventType, KeyCode};

    fn decoder(reads: Reads) -> KeyDecoder {
        KeyDecoder::new(Desk { reader: "gate".into(), reads })
    }

    fn press(decoder: &mut KeyDecoder, keys: &[KeyCode]) -> Vec<Scan> {
        let event = |kind: EventType, code, value| InputEvent::new(kind.0, code, value);
        let strokes = keys.iter().flat_map(|key| [(key, 1), (key, 0)]);
        let events = strokes.flat_map(|(key, value)| {
            [event(EventType::KEY, key.code(), value), event(EventType::SYNCHRONIZATION, 0, 0)]
        });
        events.filter_map(|event| decoder.take(event)).collect()
    }

    const CARDS: Reads = Reads::Cards { hexadecimal: false };
    const CARD: [KeyCode; 4] = [KeyCode::KEY_1, KeyCode::KEY_KP2, KeyCode::KEY_3, KeyCode::KEY_ENTER];

    #[test]
    fn digits_and_enter_are_a_card() {
        assert_eq!(press(&mut decoder(CARDS), &[CARD, CARD].concat()), [Scan::Card(123), Scan::Card(123)]);
    }

    #[test]
    fn a_number_with_a_strange_key_is_no_card() {
        let strange = [&[KeyCode::KEY_F5], CARD.as_slice()].concat();
        assert_eq!(press(&mut decoder(CARDS), &strange), []);
    }

    #[test]
    fn a_line_of_which_keys_were_lost_is_void_as_a_whole() {
        let mut decoder = decoder(CARDS);
        press(&mut decoder, &CARD[..2]);
        let dropped = InputEvent::new(EventType::SYNCHRONIZATION.0, SynchronizationCode::SYN_DROPPED.0, 0);
        assert_eq!(decoder.take(dropped), None);
        assert_eq!(press(&mut decoder, &CARD[2..]), []);
        assert_eq!(press(&mut decoder, &CARD), [Scan::Card(123)]);
    }

    #[test]
    fn a_code_keeps_its_signs() {
        let keys = [KeyCode::KEY_LEFTSHIFT, KeyCode::KEY_A, KeyCode::KEY_SLASH, KeyCode::KEY_B, KeyCode::KEY_ENTER];
        assert_eq!(press(&mut decoder(Reads::Codes), &keys), [Scan::Code("a/b".into())]);
    }

    #[test]
    fn a_keyboard_that_is_not_there_is_unreachable() {
        let opened = Wedge::open(Path::new("/dev/input/event999"), Desk { reader: "gate".into(), reads: CARDS });
        assert!(matches!(opened, Err(ReaderError::Unreachable(_))));
    }
}
