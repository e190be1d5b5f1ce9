//! The grammar `value; name=value; …` of RFC 9110, section 5.6.6, which Content-Type and Content-Disposition share, and
//! `scheme name=value, …` of section 11.4, which differs in its delimiters only.

use std::iter::Peekable;
use std::slice::Iter;

/// A field value with its parameters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parameterised {
    /// The value before the parameters, in lower case.
    pub(crate) value: String,
    parameters: Vec<Parameter>,
    /// Whether the whole field follows the grammar; anything after a violation is dropped.
    pub(crate) is_whole: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Parameter {
    /// In lower case.
    name: String,
    value: Vec<u8>,
}

/// The field violates the grammar, or repeats a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

type Bytes<'a> = Peekable<Iter<'a, u8>>;

impl Parameterised {
    /// Parses a field. Allows blanks around `;` and `=`, empty parameters, names in either case, and unquoted values up
    /// to the next `;`.
    pub(crate) fn read(field: &[u8]) -> Self {
        Self::read_delimited(field, b";", b';')
    }

    /// Parses credentials, as leniently as [`Parameterised::read`]: blanks end the scheme, and commas the parameters.
    pub(crate) fn read_credentials(field: &[u8]) -> Self {
        Self::read_delimited(field.trim_ascii(), b" \t", b',')
    }

    fn read_delimited(field: &[u8], after_value: &[u8], between: u8) -> Self {
        let mut bytes = field.iter().peekable();
        let value = lower_case(&until(&mut bytes, after_value));
        let mut parameters = Vec::new();
        let mut is_whole = true;
        while is_whole && bytes.next().is_some() {
            match Parameter::read(&mut bytes, between) {
                Ok(parameter) => parameters.extend(parameter),
                Err(Malformed) => is_whole = false,
            }
        }
        Self { value, parameters, is_whole }
    }

    /// The value of the parameter with this name, given in lower case; fails when it is repeated.
    pub(crate) fn parameter(&self, name: &str) -> Result<Option<&[u8]>, Malformed> {
        let mut found = self.parameters.iter().filter(|parameter| parameter.name == name);
        let first = found.next().map(|parameter| parameter.value.as_slice());
        if found.next().is_some() { Err(Malformed) } else { Ok(first) }
    }

    /// Names and values of all parameters.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.parameters.iter().map(|parameter| (parameter.name.as_str(), parameter.value.as_slice()))
    }
}

impl Parameter {
    /// The next parameter; `None` for an empty one.
    fn read(bytes: &mut Bytes<'_>, between: u8) -> Result<Option<Self>, Malformed> {
        let name = lower_case(&until(bytes, &[between, b'=']));
        match bytes.next_if_eq(&&b'=') {
            Some(_) => Ok(Some(Self { name, value: parameter_value(bytes, between)? })),
            None if name.is_empty() => Ok(None),
            None => Err(Malformed),
        }
    }
}

/// Lossy for non-ASCII, which no searched name contains.
fn lower_case(text: &[u8]) -> String {
    String::from_utf8_lossy(text).to_ascii_lowercase()
}

/// The trimmed bytes up to one of these delimiters, which is not consumed.
fn until(bytes: &mut Bytes<'_>, marks: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    while let Some(byte) = bytes.next_if(|byte| !marks.contains(byte)) {
        text.push(*byte);
    }
    text.trim_ascii().to_vec()
}

fn parameter_value(bytes: &mut Bytes<'_>, between: u8) -> Result<Vec<u8>, Malformed> {
    skip_blanks(bytes);
    if bytes.next_if_eq(&&b'"').is_none() {
        return Ok(until(bytes, &[between]));
    }
    let value = quoted(bytes)?;
    skip_blanks(bytes);
    if bytes.peek().is_none_or(|byte| **byte == between) { Ok(value) } else { Err(Malformed) }
}

/// The text up to the closing quotation mark. A backslash escapes only a quotation mark or another backslash: elsewhere
/// it belongs to a path sent without escaping.
fn quoted(bytes: &mut Bytes<'_>) -> Result<Vec<u8>, Malformed> {
    let mut value = Vec::new();
    loop {
        match bytes.next().ok_or(Malformed)? {
            b'"' => return Ok(value),
            b'\\' => value.push(bytes.next_if(|byte| matches!(byte, b'"' | b'\\')).copied().unwrap_or(b'\\')),
            byte => value.push(*byte),
        }
    }
}

fn skip_blanks(bytes: &mut Bytes<'_>) {
    while bytes.next_if(|byte| matches!(byte, b' ' | b'\t')).is_some() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(field: &str) -> Result<(String, Vec<(String, String)>), Malformed> {
        let read = Parameterised::read(field.as_bytes());
        let text = |(name, value): (&str, &[u8])| (name.to_owned(), String::from_utf8(value.to_vec()).unwrap());
        if read.is_whole { Ok((read.value.clone(), read.parameters().map(text).collect())) } else { Err(Malformed) }
    }

    #[test]
    fn blanks_cases_quotes_and_empty_parameters_do_not_matter() {
        let expected = Ok(("a/b".to_owned(), vec![("c".to_owned(), "D e".to_owned())]));
        for field in [
            "a/b;c=\"D e\"",
            "A/B ; C=\"D e\"",
            " a/b\t;\tc = \"D e\" ; ",
            "a/b;;c=D e;",
            "a/b; c=\"D\\ e\"".replace("\\ ", " ").as_str(),
        ] {
            assert_eq!(read(field), expected, "{field}");
        }
        assert_eq!(read("a/b"), Ok(("a/b".to_owned(), vec![])));
    }

    #[test]
    fn a_backslash_escapes_quotes_and_itself_and_is_part_of_a_path_otherwise() {
        let cases = [
            (r#"x; n="a\"b""#, r#"a"b"#),
            (r#"x; n="a\\b""#, r"a\b"),
            (r#"x; n="C:\photos\a.jpg""#, r"C:\photos\a.jpg"),
            (r#"x; n="a;b=c""#, "a;b=c"),
            (r#"x; n="\"\\\"""#, r#""\""#),
            (r#"x; n="""#, ""),
        ];
        for (field, value) in cases {
            assert_eq!(read(field).unwrap().1[0].1, value, "{field}");
        }
    }

    #[test]
    fn what_does_not_follow_the_grammar_is_malformed() {
        for field in ["x; n=\"a", "x; n=\"a\"b", "x; n=\"a\\\"", "x; n", "x; n=\"a\" m=b", "x; \"n\""] {
            assert_eq!(read(field), Err(Malformed), "{field}");
        }
    }

    #[test]
    fn what_stands_before_a_break_is_kept() {
        let broken = Parameterised::read(b"x; n=a; m=\"b; o=c");
        assert_eq!((broken.parameter("n"), broken.parameter("m")), (Ok(Some(&b"a"[..])), Ok(None)));
        assert!(!broken.is_whole);
    }

    #[test]
    fn a_parameter_that_comes_twice_says_nothing() {
        let twice = Parameterised::read(b"x; n=a; N=b");
        assert_eq!(twice.parameter("n"), Err(Malformed));
        assert_eq!(twice.parameter("m"), Ok(None));
    }
}
