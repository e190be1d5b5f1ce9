//! Translates the key events of a reader, which uses a US keyboard layout.

use evdev::KeyCode;

/// Placeholder for a key without a character; it makes a card number invalid.
const NO_CHARACTER: char = '\u{fffd}';

/// State of a keyboard.
#[derive(Debug, Default)]
pub(super) struct Keyboard {
    shift: bool,
}

/// The result of a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// A character.
    Character(char),
    /// The end of a line.
    End,
}

impl Keyboard {
    /// Processes a key event: `value` is 1 for press, 2 for repeat, 0 for release.
    pub(super) fn turn(&mut self, key: KeyCode, value: i32) -> Option<Typed> {
        if matches!(key, KeyCode::KEY_LEFTSHIFT | KeyCode::KEY_RIGHTSHIFT) {
            self.shift = value != 0;
            return None;
        }
        // Readers do not repeat keys; a stuck key must not repeat a digit.
        if value != 1 {
            return None;
        }
        Some(match key {
            KeyCode::KEY_ENTER | KeyCode::KEY_KPENTER | KeyCode::KEY_TAB => Typed::End,
            key => Typed::Character(character(key, self.shift)),
        })
    }
}

fn character(key: KeyCode, shift: bool) -> char {
    let row = ROWS.iter().find_map(|(first, plain, shifted)| {
        let place = usize::from(key.code().checked_sub(first.code())?);
        (if shift { shifted } else { plain }).chars().nth(place)
    });
    row.unwrap_or(NO_CHARACTER)
}

/// Ranges of consecutive key codes: the first key, and the characters without and with shift.
const ROWS: [(KeyCode, &str, &str); 7] = [
    (KeyCode::KEY_1, "1234567890-=", "!@#$%^&*()_+"),
    (KeyCode::KEY_Q, "qwertyuiop[]", "QWERTYUIOP{}"),
    (KeyCode::KEY_A, "asdfghjkl;'`", "ASDFGHJKL:\"~"),
    (KeyCode::KEY_BACKSLASH, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (KeyCode::KEY_KPASTERISK, "*", "*"),
    (KeyCode::KEY_SPACE, " ", " "),
    (KeyCode::KEY_KP7, "789-456+1230.", "789-456+1230."),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The result of pressing and releasing these keys in turn.
    fn typed(keys: &[KeyCode]) -> Vec<Typed> {
        let mut keyboard = Keyboard::default();
        keys.iter()
            .flat_map(|key| [(key, 1), (key, 2), (key, 0)])
            .filter_map(|(key, value)| keyboard.turn(*key, value))
            .collect()
    }

    fn text(typed: &[Typed]) -> String {
        let one = |typed: &Typed| if let Typed::Character(character) = typed { *character } else { '\n' };
        typed.iter().map(one).collect()
    }

    #[test]
    fn digits_are_typed_on_either_block() {
        let keys = [
            KeyCode::KEY_1,
            KeyCode::KEY_9,
            KeyCode::KEY_0,
            KeyCode::KEY_KP1,
            KeyCode::KEY_KP5,
            KeyCode::KEY_KP9,
            KeyCode::KEY_KP0,
            KeyCode::KEY_KPENTER,
        ];
        assert_eq!(text(&typed(&keys)), "1901590\n");
    }

    #[test]
    fn shift_makes_capitals_and_signs() {
        let mut keyboard = Keyboard::default();
        let mut press = |key, value| keyboard.turn(key, value);
        assert_eq!(press(KeyCode::KEY_LEFTSHIFT, 1), None);
        assert_eq!(press(KeyCode::KEY_SEMICOLON, 1), Some(Typed::Character(':')));
        assert_eq!(press(KeyCode::KEY_Z, 1), Some(Typed::Character('Z')));
        assert_eq!(press(KeyCode::KEY_LEFTSHIFT, 0), None);
        assert_eq!(press(KeyCode::KEY_SLASH, 1), Some(Typed::Character('/')));
        assert_eq!(press(KeyCode::KEY_GRAVE, 1), Some(Typed::Character('`')));
    }

    #[test]
    fn a_key_without_a_character_is_not_passed_over() {
        assert_eq!(typed(&[KeyCode::KEY_F1]), [Typed::Character(NO_CHARACTER)]);
        assert_eq!(typed(&[KeyCode::KEY_LEFTCTRL]), [Typed::Character(NO_CHARACTER)]);
    }
}
