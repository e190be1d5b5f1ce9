//! CSV tables for spreadsheets.

use std::io::{self, Write};

use csv::{Terminator, Writer, WriterBuilder};
use domain::names;

/// Without it, spreadsheets do not recognise UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// Characters that start a formula in spreadsheets, including full-width forms.
const FORMULA_STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// Characters that separate cells or rows for one spreadsheet or another.
const SEPARATORS: [char; 7] = [',', ';', '|', '\t', '\n', '\r', '\u{b}'];
/// Characters before the text of a cell.
const QUOTES: [char; 2] = ['"', '\''];
/// Control characters that text may contain.
const BLANKS: [char; 3] = ['\t', '\n', '\r'];

/// One value of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Text, which may be untrusted.
    Text(String),
    /// A number.
    Number(i64),
}

impl Cell {
    /// A text cell.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The cell as written. An apostrophe goes before what a spreadsheet would run as a formula, also where it takes
    /// another character for the separator, and control characters other than blanks are replaced.
    fn into_field(self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => harmless(&text),
        }
    }
}

fn harmless(text: &str) -> String {
    let mut field = String::with_capacity(text.len() + 1);
    // Whether the next character may be the first of a cell for some spreadsheet.
    let mut begins = true;
    for c in text.chars() {
        if begins && FORMULA_STARTS.contains(&c) {
            field.push('\'');
        }
        begins = SEPARATORS.contains(&c) || (begins && (c.is_whitespace() || QUOTES.contains(&c)));
        field.push(if names::is_unsafe(c) && !BLANKS.contains(&c) { char::REPLACEMENT_CHARACTER } else { c });
    }
    field
}

/// A CSV file being written: UTF-8 with a byte order mark, CR LF line ends, quotes where needed.
pub struct Table<W: Write> {
    rows: Writer<W>,
}

impl<W: Write> Table<W> {
    /// A table with these columns.
    ///
    /// # Errors
    /// Errors of the writer.
    pub fn new(mut out: W, header: &[&str]) -> io::Result<Self> {
        out.write_all(BYTE_ORDER_MARK)?;
        let mut rows = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
        rows.write_record(header)?;
        Ok(Self { rows })
    }

    /// Adds a row with one cell per column.
    ///
    /// # Errors
    /// Errors of the writer, and `InvalidData` for a wrong number of cells.
    pub fn add(&mut self, row: impl IntoIterator<Item = Cell>) -> io::Result<()> {
        Ok(self.rows.write_record(row.into_iter().map(Cell::into_field))?)
    }

    /// Flushes and returns the writer.
    ///
    /// # Errors
    /// Errors of the writer.
    pub fn finish(self) -> io::Result<W> {
        self.rows.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: Vec<Vec<Cell>>) -> String {
        let mut table = Table::new(Vec::new(), &["name", "score"]).unwrap();
        rows.into_iter().for_each(|row| table.add(row).unwrap());
        String::from_utf8(table.finish().unwrap()).unwrap()
    }

    #[test]
    fn a_table_is_utf_8_with_a_mark_and_quotes_what_needs_it() {
        let told =
            table(vec![vec![Cell::text("张三"), Cell::Number(-1)], vec![Cell::text("a,\"b\"\nc"), Cell::Number(7)]]);
        assert_eq!(told, "\u{feff}name,score\r\n张三,-1\r\n\"a,\"\"b\"\"\nc\",7\r\n");
    }

    #[test]
    fn no_text_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "＝1"] {
            let field = Cell::text(text).into_field();
            assert_eq!(field, format!("'{text}"));
        }
        assert_eq!(Cell::text("\t=1").into_field(), "'\t'=1");
        for text in ["a=1", "", "1-2", "#", "a; b", "a-b;c"] {
            assert_eq!(Cell::text(text).into_field(), text);
        }
    }

    #[test]
    fn no_text_is_a_formula_where_the_separator_is_another() {
        for (text, field) in [
            ("x;=1+1", "x;'=1+1"),
            ("x; =1", "x; '=1"),
            ("x;\"=1", "x;\"'=1"),
            ("x\n@SUM(A1)", "x\n'@SUM(A1)"),
            ("x\t-1", "x\t'-1"),
            ("x|+1", "x|'+1"),
            ("'=1", "''=1"),
        ] {
            assert_eq!(Cell::text(text).into_field(), field);
        }
        assert_eq!(Cell::text("\u{1b}[31mAnn\u{202e}").into_field(), "\u{fffd}[31mAnn\u{fffd}");
    }
}
