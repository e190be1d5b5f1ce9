//! The values that the document allows in the fields of a person.

use serde_json::Value;

use super::time;
use crate::codes::people::{Flaw, PersonFault};
use crate::wire::Fields;

/// The values that a field may have.
#[derive(Debug, Clone, Copy)]
enum Allowed {
    /// A whole number in these bounds.
    Number(i64, i64),
    /// One of these numbers.
    OneOf(&'static [i64]),
    /// A date; also that for no value.
    Date,
    /// A time; also that for no value.
    Time,
    /// The end of a period; also that for no value.
    End,
    /// Text of at most this many bytes.
    Text(usize),
}

use Allowed::{Date, End, Number, OneOf, Text, Time};

/// The ethnic group 0 is allowed because it is reported for a person whose group is not known.
const RULES: &[(&str, Allowed)] = &[
    ("name", Text(31)),
    ("personType", OneOf(&[0, 1])),
    ("gender", OneOf(&[0, 1])),
    ("nation", Number(0, 57)),
    ("idCard", Text(31)),
    ("birthday", Date),
    ("telnum1", Text(31)),
    ("native", Text(31)),
    ("address", Text(71)),
    ("notes", Text(1024)),
    ("cardType", Number(0, u32::MAX as i64)),
    ("cardType2", OneOf(&[0, 1, 2, 3])),
    ("WiegandType", OneOf(&[0, 1, 6, 7])),
    ("WGFacilityCode", Number(0, u32::MAX as i64)),
    ("CardMode", OneOf(&[0, 1])),
    ("RFCardMode", OneOf(&[0, 1])),
    ("isCheckSimilarity", OneOf(&[0, 1])),
];

/// The fields of the validity, which are refused with a code of their own.
const VALIDITY: &[(&str, Allowed)] = &[
    ("tempCardType", OneOf(&[0, 1, 2, 3])),
    ("tempValid", OneOf(&[0, 1, 2, 3])),
    ("cardValidBegin", Time),
    ("validBegin", Time),
    ("cardValidEnd", End),
    ("validEnd", End),
];

/// The fields that identify a person.
const IDENTITY: [&str; 4] = ["name", "idCard", "cardNum2", "RFIDCard"];

/// The replacement of an unreadable character: it would make two different texts of another charset equal.
const UNREADABLE: char = '\u{fffd}';

/// Whether a text has no unreadable character.
pub(crate) fn is_readable(text: &str) -> bool {
    !text.contains(UNREADABLE)
}

/// The reason for refusing an unreadable field.
pub(crate) fn unreadable(name: &str) -> String {
    format!("{name} is not readable: send UTF-8")
}

/// The reason for refusing the first of these fields that is unreadable.
pub(crate) fn first_unreadable(fields: &Fields, names: &[&str]) -> Option<String> {
    let damaged = |name: &&&str| fields.text(name).is_some_and(|text| !is_readable(&text));
    names.iter().find(damaged).map(|name| unreadable(name))
}

/// The first field with a value that the document does not allow; an empty field counts as not sent.
pub(crate) fn flaw(fields: &Fields) -> Option<Flaw> {
    let of = |rules: &[(&str, Allowed)], fault: PersonFault| {
        let wrong = |(name, allowed): &&(&str, Allowed)| fields.is_sent(name) && !allowed.allows(fields, name);
        rules.iter().find(wrong).map(|(name, allowed)| fault.because(format_args!("{name} {}", allowed.rule())))
    };
    let unreadable = || first_unreadable(fields, &IDENTITY).map(|why| PersonFault::Value.because(why));
    unreadable().or_else(|| of(RULES, PersonFault::Value)).or_else(|| of(VALIDITY, PersonFault::PersonStore))
}

impl Allowed {
    fn allows(self, fields: &Fields, name: &str) -> bool {
        let text = || fields.text(name).unwrap_or_default();
        match self {
            Number(least, most) => fields.int(name).is_some_and(|number| (least..=most).contains(&number)),
            OneOf(numbers) => fields.int(name).is_some_and(|number| numbers.contains(&number)),
            Date => time::is_zero(&text()) || time::date(&text()).is_some(),
            Time => time::is_zero(&text()) || time::civil(&text()).is_some(),
            End => time::is_zero(&text()) || time::last_day_and_time(&text()).is_some(),
            Text(most) => {
                let is_text = matches!(fields.get(name), Some(Value::String(_) | Value::Number(_)));
                is_text && text().len() <= most
            }
        }
    }

    fn rule(self) -> String {
        match self {
            Number(least, most) => format!("must be a whole number, {least} to {most}"),
            OneOf(numbers) => {
                let numbers: Vec<_> = numbers.iter().map(i64::to_string).collect();
                format!("must be one of {}", numbers.join(", "))
            }
            Date => "must be a date, YYYY-MM-DD".to_owned(),
            Time | End => "must be a time, YYYY-MM-DD HH:MM:SS".to_owned(),
            Text(most) => format!("must be text of at most {most} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn flaw(fields: &Value) -> Option<(PersonFault, String)> {
        let flaw = super::flaw(&Fields::new(fields.as_object().unwrap().clone()))?;
        Some((flaw.fault, flaw.why.unwrap()))
    }

    #[test]
    fn a_value_that_is_not_allowed_names_its_field() {
        for (name, wrong) in [
            ("personType", json!(2)),
            ("personType", json!("x")),
            ("gender", json!(-1)),
            ("gender", json!(true)),
            ("nation", json!(58)),
            ("birthday", json!("1992-13-01")),
            ("birthday", json!("yesterday")),
            ("cardType2", json!("4")),
            ("WiegandType", json!(2)),
            ("WGFacilityCode", json!("a")),
            ("name", json!([])),
            ("name", json!("x".repeat(32))),
            ("address", json!({"street": 1})),
        ] {
            let (fault, why) = flaw(&json!({"customId": "a", name: wrong})).expect(name);
            assert!(fault == PersonFault::Value && why.starts_with(&format!("{name} must be ")), "{name}: {why}");
        }
        let (fault, why) = flaw(&json!({"validEnd": "2020-02-30 00:00:00"})).unwrap();
        assert_eq!((fault, &*why), (PersonFault::PersonStore, "validEnd must be a time, YYYY-MM-DD HH:MM:SS"));
    }

    #[test]
    fn fields_that_identify_a_person_must_be_readable() {
        for name in IDENTITY {
            let (fault, why) = flaw(&json!({"customId": "a", name: "1\u{fffd}"})).expect(name);
            assert_eq!((fault, why), (PersonFault::Value, format!("{name} is not readable: send UTF-8")));
        }
        assert_eq!(flaw(&json!({"notes": "\u{fffd}"})), None, "it does not identify the person");
    }

    #[test]
    fn a_period_ends_with_its_day() {
        for name in ["cardValidEnd", "validEnd"] {
            assert_eq!(flaw(&json!({name: "2026-03-31 24:00:00"})), None, "{name}");
            assert!(flaw(&json!({name: "2026-03-31 24:00:01"})).is_some(), "{name}");
        }
        for name in ["cardValidBegin", "validBegin"] {
            assert!(flaw(&json!({name: "2026-03-31 24:00:00"})).is_some(), "{name}");
        }
    }

    #[test]
    fn allowed_and_empty_values_are_accepted() {
        let good = json!({
            "customId": "a", "name": "张".repeat(10), "personType": "1", "gender": 0, "nation": "57", "cardType2": 3,
            "birthday": "0000-00-00", "WiegandType": 7, "tempCardType": 2, "cardValidBegin": "0000-00-00 00:00:00",
            "cardValidEnd": "2020-04-18T08:00:00", "notes": " ", "telnum1": 13_700_880_000_u64,
        });
        assert_eq!(flaw(&good), None);
        assert_eq!(flaw(&json!({"nation": 0})), None, "as it is reported when it is not known");
        for (name, _) in RULES.iter().chain(VALIDITY) {
            for empty in [json!(null), json!("")] {
                assert_eq!(flaw(&json!({*name: empty})), None, "{name}");
            }
        }
    }
}
