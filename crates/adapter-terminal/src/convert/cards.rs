//! Card numbers: decimal on the device, whatever notation the platform uses.

/// The number of a card as the device keeps it: decimal, so that one card in two notations has one number.
pub(crate) fn number(text: &str, hexadecimal: bool) -> String {
    let text = text.trim();
    let read = if hexadecimal { u64::from_str_radix(text, 16).ok() } else { text.parse().ok() };
    read.map_or_else(|| text.to_owned(), |number: u64| number.to_string())
}

/// The number of a card in the platform's notation; hexadecimal has at least the eight digits of an ordinary card.
pub(crate) fn text(number: u64, hexadecimal: bool) -> String {
    if hexadecimal { format!("{number:08x}") } else { number.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_card_has_one_number() {
        assert_eq!(number("519f7d29", true), number("1369406761", false));
        assert_eq!(number("0017", false), "17");
        assert_eq!(number("visitor 7", true), "visitor 7");
    }

    #[test]
    fn a_card_number_reads_back() {
        for (text, hexadecimal) in [("519f7d29", true), ("000000ff", true), ("1369406761", false)] {
            assert_eq!(super::text(number(text, hexadecimal).parse().unwrap(), hexadecimal), text);
        }
    }
}
