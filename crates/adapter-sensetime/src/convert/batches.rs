//! File names that describe the person in a picture: `name_imgid_idcard_gender_age_addr.ext`, `#` for no value (section
//! 3.19).

use domain::Person;

use super::people::{age_text, gender_text};
use crate::codes::Fault;
use crate::wire::Text;
use crate::wire::people::PersonFields;

/// A part without a value.
const NOTHING: &str = "#";
const SEPARATOR: char = '_';
const PARTS: usize = 6;
/// The longest part of a generated name, bytes: a name of all six is still valid on file systems.
const MAX_PART: usize = 48;
/// The longest name and address in a generated name, bytes.
const MAX_LONG_PART: usize = 72;

/// Refuses a file name that does not describe a person: an empty one, and one in which the client replaced characters
/// that it could not write, some by U+FFFD or the whole name by `?`.
pub(crate) fn check_legible(file_name: &str) -> Result<(), Fault> {
    let stem = file_stem(file_name);
    let name = stem.split(SEPARATOR).next().unwrap_or_default();
    if stem.trim().is_empty() {
        return Err(Fault::parameter("the file name is empty"));
    }
    if stem.contains(char::REPLACEMENT_CHARACTER) || (!name.is_empty() && name.bytes().all(|byte| byte == b'?')) {
        return Err(Fault::parameter("the file name has lost characters on its way"));
    }
    Ok(())
}

fn file_stem(file_name: &str) -> &str {
    let file = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// The fields of a person in a file name: the `img_id` and the others. A name of another form is the person's name.
pub(crate) fn statements(file_name: &str) -> (Option<Text>, PersonFields) {
    let stem = file_stem(file_name);
    let parts: Vec<&str> = stem.split(SEPARATOR).collect();
    let Ok([name, img_id, idcard, gender, age, addr]) = <[&str; PARTS]>::try_from(parts) else {
        return (None, PersonFields { person_name: Some(Text(stem.to_owned())), ..PersonFields::default() });
    };
    let part = |part: &str| (part != NOTHING).then(|| Text(part.to_owned()));
    let person = PersonFields {
        person_name: part(name),
        person_idcard: part(idcard),
        person_gender: part(gender),
        person_age: part(age),
        person_addr: part(addr),
    };
    (part(img_id), person)
}

/// The file name of a person, without an extension, which 1030 can read. Characters that a part must not contain are
/// replaced by `-`, and long parts are cut; the table beside the pictures has the full values.
pub(crate) fn stem(person: &Person) -> String {
    let profile = &person.profile;
    let parts = [
        part(&profile.name, MAX_LONG_PART),
        part(person.code.as_str(), MAX_PART),
        part(&profile.document_number, MAX_PART),
        part(gender_text(profile.gender), MAX_PART),
        part(&age_text(profile.age), MAX_PART),
        part(&profile.address, MAX_LONG_PART),
    ];
    parts.join(&SEPARATOR.to_string())
}

fn part(text: &str, most: usize) -> String {
    let is_strange =
        |c: char| c.is_control() || matches!(c, '_' | '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    let mut part = text.trim().replace(is_strange, "-");
    part.truncate(part.floor_char_boundary(most));
    if part.is_empty() { NOTHING.to_owned() } else { part }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Gender, LibraryId, PersonId, Profile, Timestamp};

    fn read(file_name: &str) -> [Option<String>; 6] {
        let (img_id, person) = statements(file_name);
        let PersonFields { person_name, person_idcard, person_gender, person_age, person_addr } = person;
        [person_name, img_id, person_idcard, person_gender, person_age, person_addr].map(|text| text.map(|text| text.0))
    }

    fn some<const N: usize>(texts: [&str; N]) -> [Option<String>; N] {
        texts.map(|text| (!text.is_empty()).then(|| text.to_owned()))
    }

    #[test]
    fn a_name_of_six_parts_describes_a_person() {
        let cases = [
            (
                "zhangsan_asdqwe12345_32011111_0_23_beijing.jpg",
                ["zhangsan", "asdqwe12345", "32011111", "0", "23", "beijing"],
            ),
            ("wang_#_#_1_#_#.jpg", ["wang", "", "", "1", "", ""]),
            ("C:\\photos\\a_b_c_1_2_St. Pölten.png", ["a", "b", "c", "1", "2", "St. Pölten"]),
            ("faces/张_三-1_#_0_7_#.PNG", ["张", "三-1", "", "0", "7", ""]),
            ("#_#_#_#_#_#", ["", "", "", "", "", ""]),
        ];
        for (file_name, expected) in cases {
            assert_eq!(read(file_name), some(expected), "{file_name}");
        }
    }

    #[test]
    fn any_other_name_is_the_name_of_the_person() {
        for (file_name, name) in
            [("haha.jpg", "haha"), ("a_b_c_d_e.jpg", "a_b_c_d_e"), ("1_2_3_4_5_6_7.x", "1_2_3_4_5_6_7")]
        {
            assert_eq!(read(file_name), some([name, "", "", "", "", ""]), "{file_name}");
        }
    }

    #[test]
    fn a_name_that_describes_no_person_is_refused() {
        for file_name in
            ["", ".jpg", " .jpg", "C:\\photos\\", "faces/", "张\u{fffd}_a_#_1_30_#.jpg", "??_a_#_1_30_??.jpg", "?.jpg"]
        {
            assert!(check_legible(file_name).is_err(), "{file_name}");
        }
        for file_name in ["张三.jpg", "who?_a_#_1_30_#.jpg", "#_a_#_#_#_?.jpg", "_a_#_#_#_#.jpg", "C:\\photos\\a.jpg"]
        {
            assert!(check_legible(file_name).is_ok(), "{file_name}");
        }
    }

    fn person(code: &str, profile: Profile) -> Person {
        Person {
            id: PersonId(1),
            code: code.parse().unwrap(),
            profile,
            libraries: vec![LibraryId(1)],
            photo: "0".repeat(64).parse().unwrap(),
            enrolment: domain::Enrolment::Enrolled,
            created_at: Timestamp::from_millis(0),
            updated_at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn a_file_name_made_from_a_person_reads_back() {
        let profile = Profile {
            name: "张三".into(),
            gender: Some(Gender::Female),
            age: Some(23),
            document_number: "32011111".into(),
            ..Profile::default()
        };
        let stem = stem(&person("abc-1", profile));
        assert_eq!(stem, "张三_abc-1_32011111_0_23_#");
        assert_eq!(read(&format!("{stem}.jpg")), some(["张三", "abc-1", "32011111", "0", "23", ""]));
    }

    #[test]
    fn a_file_name_made_from_a_person_has_no_path_and_a_bounded_length() {
        let profile = Profile { name: "../../etc".into(), address: "a_b:c\n".repeat(80), ..Profile::default() };
        let made = stem(&person(&"图/_".repeat(21), profile));
        assert_eq!(made.matches('_').count(), 5, "{made}");
        assert!(made.len() <= 250 && !made.contains(['/', '\\', '\n', ':']), "{made}");
        assert!(made.starts_with("..-..-etc_"));
    }
}
