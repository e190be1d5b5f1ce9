//! Comparison of names in searches, independent of letter case and character encoding, in every script.

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// The folded form of a text, by which searches compare. Texts are the same if they are a compatibility caseless match
/// (Unicode section 3.13, D146): `ИВАН` and `иван`, `ß` and `SS`, `é` of one character and of two, `Ａｎｎ` and `ann`.
/// Folding is independent of the language: the dotless `ı` differs from `i`. Whole characters are compared: `e` is not
/// a part of `é`. Folding is idempotent.
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let (decompose, compose) = (DecomposingNormalizerBorrowed::new_nfd(), ComposingNormalizerBorrowed::new_nfkc());
    let fold = |text: &str| compose.normalize(&CaseMapper::new().fold_string(text)).into_owned();
    // Twice, for letters that result from compatibility normalisation, such as those of `℡`.
    fold(&fold(&decompose.normalize(text)))
}

/// Whether two texts have the same [`folded`] form.
pub fn same(one: &str, other: &str) -> bool {
    folded(one) == folded(other)
}

/// Whether the [`folded`] form of a text contains that of `part`; true for an empty part.
pub fn holds(text: &str, part: &str) -> bool {
    folded(text).contains(&folded(part))
}

/// The text with U+FFFD in place of every character that could change how a terminal, a log or a table shows the rest:
/// control characters, line separators and marks of writing direction.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return text.into();
    }
    text.chars().map(|c| if is_unsafe(c) { char::REPLACEMENT_CHARACTER } else { c }).collect::<String>().into()
}

/// Whether [`printable`] replaces a character.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn letter_case_does_not_matter_in_any_script() {
        for (name, part) in [
            ("ANN", "ann"),
            ("Иван", "иван"),
            ("ИВАН Петров", "ван п"),
            ("Straße", "STRASSE"),
            ("STRASSE", "straße"),
            ("ẞ", "ss"),
            ("Αλέξανδρος", "ΑΛΈΞΑΝΔΡΟΣ"),
            ("Ἀριστοφάνης ὁ", "ἈΡΙΣΤΟΦΆΝΗΣ"),
            ("Δράκος", "δράκοσ"),
            ("Արամ", "արամ"),
            ("ნინო", "ᲜᲘᲜᲝ"),
            ("Ꮳ", "ꮳ"),
            ("𐐀", "𐐨"),
            ("Ǆ", "ǆ"),
            ("ﬁona", "FIONA"),
        ] {
            assert!(holds(name, part), "{name} {part}");
            assert!(holds(part, part) && holds(name, ""), "{part}");
        }
    }

    #[test]
    fn the_encoding_of_a_character_does_not_matter() {
        for (one, other) in [
            ("Jose\u{301}", "JOSÉ"),
            ("Å", "a\u{30a}"),
            ("Nguyễn", "NGUYE\u{302}\u{303}N"),
            ("Йод", "и\u{306}од"),
            ("김철수", "\u{1100}\u{1175}\u{11b7}철수"),
            ("Ａｎｎ　Ｌｅｅ", "ann lee"),
            ("ｶﾞｰﾄﾞ", "ガード"),
            ("李①", "李1"),
            ("\u{212b}ngstro\u{308}m", "ångström"),
            ("℡", "tel"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
    }

    #[test]
    fn different_characters_differ() {
        for (name, part) in [
            ("José", "jose"),
            ("Ильдар", "й"),
            ("ılgaz", "ilgaz"),
            ("张三", "張三"),
            ("Ann", "%"),
            ("Ann", "_nn"),
            ("Ann", "A.n"),
            ("Ann Lee", "AnnLee"),
        ] {
            assert!(!holds(name, part), "{name} {part}");
        }
        assert!(holds("100%_Ann", "%_a"));
    }

    #[test]
    fn nothing_unprintable_is_left() {
        for (text, shown) in [
            ("\u{1b}[2J\u{7}Ann", "\u{fffd}[2J\u{fffd}Ann"),
            ("a\nb\rc\td", "a\u{fffd}b\u{fffd}c\u{fffd}d"),
            ("\u{9b}31m", "\u{fffd}31m"),
            ("gpj.\u{202e}exe", "gpj.\u{fffd}exe"),
            ("李 é 😀 n\u{303}", "李 é 😀 n\u{303}"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    proptest! {
        #[test]
        fn folding_a_folded_text_changes_nothing(text in "\\PC{0,24}") {
            let once = folded(&text);
            prop_assert_eq!(folded(&once), once);
        }

        #[test]
        fn a_text_in_capitals_is_the_same_text(text in "[a-zа-яα-ωა-ჰ]{0,24}") {
            prop_assert_eq!(folded(&text.to_uppercase()), folded(&text));
        }
    }
}
