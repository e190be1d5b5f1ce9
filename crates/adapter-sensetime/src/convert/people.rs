//! Enrolled people.

use domain::{AnyOf, Gender, LibraryId, Person, PersonCode, PersonFilter, Profile};
use jiff::tz::TimeZone;

use super::{bounded, paths, time};
use crate::codes::{Code, Fault};
use crate::wire::Text;
use crate::wire::people::{FaceRow, PersonFields, PersonTexts, QueryFaces};

/// The longest `img_id`, characters.
const MAX_IMG_ID: usize = 48;
/// The longest `fuzzy_key`, characters.
const MAX_FUZZY_KEY: usize = 40;

/// The caller's id of a new picture; `None` when the device is to generate one.
pub(crate) fn new_code(img_id: Option<Text>) -> Result<Option<PersonCode>, Fault> {
    let Some(img_id) = img_id.and_then(Text::filled) else { return Ok(None) };
    if img_id.chars().count() > MAX_IMG_ID {
        return Err(Code::ImgIdTooLong.into());
    }
    if !img_id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(Fault::parameter("img_id holds other characters than letters, digits and '-'"));
    }
    Ok(Some(img_id.parse()?))
}

/// The id of a picture that must exist; an invalid id belongs to none.
pub(crate) fn code(img_id: &Text) -> Result<PersonCode, Fault> {
    img_id.0.parse().map_err(|_| Code::NoFaceImage.into())
}

/// The fields of a person; `None` for one that was not sent. An empty text removes a value.
#[derive(Debug, Default)]
pub(crate) struct Statements {
    name: Option<String>,
    document_number: Option<String>,
    address: Option<String>,
    gender: Option<Option<Gender>>,
    age: Option<Option<u8>>,
}

impl Statements {
    /// Checks the fields against the rules.
    pub(crate) fn read(fields: PersonFields) -> Result<Self, Fault> {
        let text = |field, text: Option<Text>| text.map(|text| bounded(field, text)).transpose();
        Ok(Self {
            name: text("person_name", fields.person_name)?,
            document_number: text("person_idcard", fields.person_idcard)?,
            address: text("person_addr", fields.person_addr)?,
            gender: fields.person_gender.map(|text| text.filled().map(|text| gender(&text)).transpose()).transpose()?,
            age: fields.person_age.map(|text| text.filled().map(|text| age(&text)).transpose()).transpose()?,
        })
    }

    /// The profile with the fields that were sent.
    pub(crate) fn put_into(self, mut profile: Profile) -> Profile {
        profile.name = self.name.unwrap_or(profile.name);
        profile.document_number = self.document_number.unwrap_or(profile.document_number);
        profile.address = self.address.unwrap_or(profile.address);
        profile.gender = self.gender.unwrap_or(profile.gender);
        profile.age = self.age.unwrap_or(profile.age);
        profile
    }
}

/// '0' female, '1' male.
fn gender(text: &str) -> Result<Gender, Fault> {
    match text {
        "0" => Ok(Gender::Female),
        "1" => Ok(Gender::Male),
        _ => Err(Fault::parameter("person_gender is not 0 or 1")),
    }
}

/// '0' female, '1' male, empty when unknown.
pub(crate) fn gender_text(gender: Option<Gender>) -> &'static str {
    match gender {
        Some(Gender::Female) => "0",
        Some(Gender::Male) => "1",
        None => "",
    }
}

fn age(text: &str) -> Result<u8, Fault> {
    let age = text.trim().parse().ok().filter(|age| (1..=120).contains(age));
    age.ok_or_else(|| Fault::parameter("person_age is not 1 to 120"))
}

/// The age as text, empty when unknown.
pub(crate) fn age_text(age: Option<u8>) -> String {
    age.map_or_else(String::new, |age| age.to_string())
}

/// The conditions of 1035.
pub(crate) fn filter(query: QueryFaces, person: PersonFields, zone: &TimeZone) -> Result<PersonFilter, Fault> {
    let created = query.create_time.and_then(Text::filled);
    let created = created.map(|text| time::beginning("create_time", &text, zone)).transpose()?;
    let mut filter = PersonFilter {
        library: Some(LibraryId(query.lib_id.0)),
        name: person.person_name.and_then(Text::filled),
        document_number: person.person_idcard.and_then(Text::filled),
        gender: person.person_gender.and_then(Text::filled).map(|text| gender(&text)).transpose()?,
        age: person.person_age.and_then(Text::filled).map(|text| age(&text)).transpose()?,
        address: person.person_addr.and_then(Text::filled),
        ..Default::default()
    };
    if let Some(key) = query.fuzzy_key.and_then(Text::filled) {
        filter.any = Some(any_of(key, &filter)?);
    }
    if let Some(created) = created {
        (filter.created_from, filter.created_to) = (Some(*created.start()), Some(*created.end()));
    }
    Ok(filter)
}

/// The condition on a part of any field; it must not be combined with `exact` conditions.
fn any_of(key: String, exact: &PersonFilter) -> Result<AnyOf, Fault> {
    if key.chars().count() > MAX_FUZZY_KEY {
        return Err(Fault::parameter("fuzzy_key is longer than 40 characters"));
    }
    let alone = PersonFilter { library: exact.library, ..Default::default() };
    if *exact != alone {
        return Err(Fault::parameter("fuzzy_key stands beside an exact condition"));
    }
    let digits = key.bytes().all(|b| b.is_ascii_digit());
    Ok(AnyOf { age: digits.then(|| key.clone()), gender: gender(&key).ok(), text: key })
}

/// A row of 1035 and 1032: the person as a member of `library`.
pub(crate) fn row(person: Person, library: LibraryId, extension: &str, zone: &TimeZone) -> FaceRow {
    FaceRow {
        create_time: time::text(person.created_at, zone),
        img_path: paths::face(library, &person.code, extension),
        img_id: person.code.as_str().to_owned(),
        lib_id: library.0,
        person: texts(person.profile),
    }
}

fn texts(profile: Profile) -> PersonTexts {
    PersonTexts {
        person_age: age_text(profile.age),
        person_gender: gender_text(profile.gender).to_owned(),
        person_addr: profile.address,
        person_idcard: profile.document_number,
        person_name: profile.name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Fields, read};
    use serde_json::{Value, json};

    fn fields(value: &Value) -> Fields {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn an_img_id_is_48_letters_digits_and_hyphens() {
        let code_of = |text: &str| new_code(Some(Text(text.into()))).map(|c| c.map(|c| c.as_str().to_owned()));
        assert_eq!(code_of("").unwrap(), None);
        assert_eq!(code_of("Test-3").unwrap().as_deref(), Some("Test-3"));
        assert!(code_of(&"a".repeat(48)).is_ok());
        assert_eq!(code_of(&"a".repeat(49)).unwrap_err().code, Code::ImgIdTooLong);
        assert_eq!(code_of(&"图".repeat(49)).unwrap_err().code, Code::ImgIdTooLong);
        for bad in ["test_3", "a b", "../x", "图"] {
            assert_eq!(code_of(bad).unwrap_err().code, Code::Parameter, "{bad}");
        }
    }

    #[test]
    fn only_the_fields_sent_change_and_an_empty_text_removes_a_value() {
        let before = Profile { name: "wang".into(), age: Some(14), gender: Some(Gender::Male), ..Default::default() };
        let sent = read(fields(&json!({"person_age": 90, "person_gender": "", "person_addr": "wuhan"}))).unwrap();
        let after = Statements::read(sent).unwrap().put_into(before);
        assert_eq!((after.name.as_str(), after.age, after.gender), ("wang", Some(90), None));
        assert_eq!(after.address, "wuhan");
    }

    #[test]
    fn age_and_gender_outside_the_rules_are_refused() {
        for bad in [json!({"person_age": "0"}), json!({"person_age": "121"}), json!({"person_gender": "2"})] {
            let sent = read(fields(&bad)).unwrap();
            assert_eq!(Statements::read(sent).unwrap_err().code, Code::Parameter, "{bad}");
        }
    }

    fn filter_of(value: &Value) -> Result<PersonFilter, Fault> {
        filter(read(fields(value)).unwrap(), read(fields(value)).unwrap(), &TimeZone::UTC)
    }

    #[test]
    fn a_fuzzy_key_searches_all_fields_and_stands_alone() {
        let found = filter_of(&json!({"lib_id": 1, "fuzzy_key": "1"})).unwrap().any.unwrap();
        assert_eq!(found, AnyOf { text: "1".into(), age: Some("1".into()), gender: Some(Gender::Male) });
        let found = filter_of(&json!({"lib_id": 1, "fuzzy_key": "wu", "person_name": ""})).unwrap().any.unwrap();
        assert_eq!(found, AnyOf { text: "wu".into(), age: None, gender: None });
        assert!(filter_of(&json!({"lib_id": 1, "fuzzy_key": "wu", "person_age": "3"})).is_err());
        assert!(filter_of(&json!({"lib_id": 1, "fuzzy_key": "x".repeat(41)})).is_err());
        assert!(filter_of(&json!({"lib_id": 1, "fuzzy_key": "wu", "create_time": "2019"})).is_ok());
    }

    #[test]
    fn exact_conditions_are_all_taken() {
        let found = filter_of(&json!({
            "lib_id": "3", "person_name": "wang", "person_idcard": 130182, "person_age": 14, "person_gender": 1,
            "person_addr": "wuhan", "create_time": "1970-01-01 00:00:10",
        }));
        let expected = PersonFilter {
            library: Some(LibraryId(3)),
            name: Some("wang".into()),
            document_number: Some("130182".into()),
            gender: Some(Gender::Male),
            age: Some(14),
            address: Some("wuhan".into()),
            created_from: Some(domain::Timestamp::from_millis(10_000)),
            created_to: Some(domain::Timestamp::from_millis(10_999)),
            ..Default::default()
        };
        assert_eq!(found.unwrap(), expected);
    }
}
