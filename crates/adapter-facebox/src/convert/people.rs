//! People.

use domain::{Category, Gender, Library, LibraryId, LibraryKind, Person, PersonFilter, Profile};
use jiff::tz::TimeZone;

use super::pictures::person_address;
use super::pinyin::pinyin;
use super::{Paging, bounded, filter, name, remark, time_text, wanted};
use crate::codes::Fault;
use crate::wire::people::{AddPerson, PersonRow, QueryPeople, UpdatePerson};

/// The longest number, characters.
const MAX_NUMBER: usize = 64;

/// 0 unknown, 1 male, 2 female.
pub(crate) fn sex(gender: Option<Gender>) -> u8 {
    match gender {
        None => 0,
        Some(Gender::Male) => 1,
        Some(Gender::Female) => 2,
    }
}

fn gender(sex: i64) -> Result<Option<Gender>, Fault> {
    match sex {
        0 => Ok(None),
        1 => Ok(Some(Gender::Male)),
        2 => Ok(Some(Gender::Female)),
        _ => Err(Fault::field("sex")),
    }
}

/// 0 white list, 1 black list.
pub(crate) fn category(category: Category) -> u8 {
    u8::from(category == Category::Blocked)
}

/// Whether the number means the black list.
fn blocked(category: i64) -> Result<bool, Fault> {
    match category {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Fault::field("category")),
    }
}

/// The fields of a person; `None` leaves a field as it is.
#[derive(Debug, Default)]
pub(crate) struct Details {
    name: Option<String>,
    gender: Option<Option<Gender>>,
    pub(crate) card_no: Option<String>,
    phone: Option<String>,
    blocked: Option<bool>,
    remark: Option<String>,
}

impl Details {
    /// The fields of a new person.
    pub(crate) fn of_new(person: &AddPerson) -> Result<Self, Fault> {
        let AddPerson { name, sex, card_no, phone, category, remark, .. } = person;
        Self::new((Some(name), *sex, card_no.as_ref()), (phone.as_ref(), *category, remark.as_ref()))
    }

    /// The fields of a change.
    pub(crate) fn of_change(change: &UpdatePerson) -> Result<Self, Fault> {
        let UpdatePerson { name, sex, card_no, phone, category, remark, .. } = change;
        Self::new((name.as_ref(), *sex, card_no.as_ref()), (phone.as_ref(), *category, remark.as_ref()))
    }

    fn new(
        (full_name, sex, card_no): (Option<&String>, Option<i64>, Option<&String>),
        (phone, category, free): (Option<&String>, Option<i64>, Option<&String>),
    ) -> Result<Self, Fault> {
        let number =
            |field, text: Option<&String>| text.map(|text| bounded(field, text.clone(), MAX_NUMBER)).transpose();
        Ok(Self {
            name: full_name.map(|text| name("name", text.clone())).transpose()?,
            gender: sex.map(gender).transpose()?,
            card_no: number("card_no", card_no)?,
            phone: number("phone", phone)?,
            blocked: category.map(blocked).transpose()?,
            remark: free.map(|text| remark(Some(text.clone()))).transpose()?,
        })
    }

    /// The profile with the fields that were sent.
    pub(crate) fn put_into(self, profile: Profile) -> Profile {
        let category = match (self.blocked, profile.category) {
            (Some(true), _) => Category::Blocked,
            (Some(false), Category::Blocked) => Category::Staff,
            (_, category) => category,
        };
        Profile {
            name: self.name.unwrap_or(profile.name),
            gender: self.gender.unwrap_or(profile.gender),
            document_number: self.card_no.unwrap_or(profile.document_number),
            phone: self.phone.unwrap_or(profile.phone),
            remark: self.remark.unwrap_or(profile.remark),
            category,
            ..profile
        }
    }
}

/// The filter of a query for people, and the page.
pub(crate) fn query(query: QueryPeople) -> Result<(PersonFilter, Paging), Fault> {
    let paging = Paging::new(query.page_no, query.page_size)?;
    let wanted = PersonFilter {
        library: query.lib_id.map(LibraryId),
        name_part: filter(query.name, query.username),
        document_number: wanted(query.card_no),
        phone_part: wanted(query.phone),
        blocked: query.category.map(blocked).transpose()?,
        ..PersonFilter::default()
    };
    Ok((wanted, paging))
}

/// The entry of a person; of several libraries the requested one, or else the first.
pub(crate) fn row(person: Person, asked: Option<LibraryId>, libraries: &[Library], zone: &TimeZone) -> PersonRow {
    let library = asked.or_else(|| person.libraries.first().copied()).unwrap_or(LibraryId(0));
    let named = libraries.iter().find(|known| known.id == library);
    let blocked =
        libraries.iter().any(|known| known.kind == LibraryKind::Block && person.libraries.contains(&known.id));
    PersonRow {
        lib_id: library.0,
        lib_name: named.map(|library| library.name.as_str().to_owned()).unwrap_or_default(),
        person_id: person.id.0,
        pinyin: pinyin(&person.profile.name),
        sex: sex(person.profile.gender),
        category: category(person.profile.category).max(u8::from(blocked)),
        pic_url: person_address(&person.photo),
        create_time: time_text(person.created_at, zone),
        name: person.profile.name,
        card_no: person.profile.document_number,
        phone: person.profile.phone,
        remark: person.profile.remark,
    }
}
