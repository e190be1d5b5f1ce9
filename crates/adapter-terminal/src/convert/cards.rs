//! Card numbers: decimal on the device, whatever notation a platform uses.

/// What a platform calls a card, as the device keeps it: decimal, so that the same card in two notations is one.
pub(crate) fn number(text: &str, hexadecimal: bool) -> String {
    let text = text.trim();
    let read = if hexadecimal { u64::from_str_radix(text, 16).ok() } else { text.parse().ok() };
    read.map_or_else(|| text.to_owned(), |number: u64| number.to_string())
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
}
