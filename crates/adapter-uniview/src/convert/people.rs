//! People.

use domain::{EnrolmentState, Gender, Person, PersonFilter, Profile};
use jiff::civil::Date;

use super::{ALL, MAX_NAME, Paging, bounded, name, pictures, seconds};
use crate::codes::{Code, Fault};
use crate::wire::people::{Details as Sent, ListPeople, PersonRow};
use crate::wire::{Int, Text};

/// Maximum length of a phone number, characters.
const MAX_TEL: usize = 32;
/// `model_status`: not modelled, modelling, modelled, modelling failed. The first does not occur: modelling starts when
/// the photo is stored.
const NOT_MODELLED: i64 = 1;
const MODELLING: u8 = 2;
const MODELLED: u8 = 3;
const FAILED: u8 = 4;

/// What is sent of a person, checked; `None` where it was left out.
pub(crate) struct Details {
    name: Option<String>,
    gender: Option<Option<Gender>>,
    email: Option<String>,
    tel: Option<String>,
    certificate_type: Option<String>,
    certificate_no: Option<String>,
    birth_date: Option<Option<Date>>,
}

impl Details {
    /// Checks what was sent.
    pub(crate) fn new(person_name: Option<Text>, sent: Sent) -> Result<Self, Fault> {
        let text = |field, text: Option<Text>, most| text.map(|Text(text)| bounded(field, text, most)).transpose();
        Ok(Self {
            name: person_name.map(|Text(text)| name("person_name", &text)).transpose()?,
            gender: sent.sex.map(gender).transpose()?,
            email: text("email", sent.email, MAX_NAME)?,
            tel: text("tel", sent.tel, MAX_TEL)?,
            certificate_type: sent.certificate_type.map(certificate_type).transpose()?,
            certificate_no: text("certificate_no", sent.certificate_no, MAX_NAME)?,
            birth_date: sent.birth_date.map(|Text(date)| birth_date(&date)).transpose()?,
        })
    }

    /// The profile with what was sent put in.
    pub(crate) fn put_into(self, profile: Profile) -> Profile {
        Profile {
            name: self.name.unwrap_or(profile.name),
            gender: self.gender.unwrap_or(profile.gender),
            email: self.email.unwrap_or(profile.email),
            phone: self.tel.unwrap_or(profile.phone),
            document_kind: self.certificate_type.unwrap_or(profile.document_kind),
            document_number: self.certificate_no.unwrap_or(profile.document_number),
            birth_date: self.birth_date.unwrap_or(profile.birth_date),
            ..profile
        }
    }
}

/// 1 male, 2 female, 99 not stated.
fn gender(Int(number): Int) -> Result<Option<Gender>, Fault> {
    match number {
        1 => Ok(Some(Gender::Male)),
        2 => Ok(Some(Gender::Female)),
        99 => Ok(None),
        _ => Err(Fault::argument("sex is none of 1, 2, 99")),
    }
}

/// 1 male, 2 female, 99 not stated.
pub(crate) fn sex(gender: Option<Gender>) -> u8 {
    match gender {
        Some(Gender::Male) => 1,
        Some(Gender::Female) => 2,
        None => 99,
    }
}

fn certificate_type(Int(number): Int) -> Result<String, Fault> {
    if matches!(number, 1..=3 | 99) { Ok(number.to_string()) } else { Err(Code::CertificateType.into()) }
}

/// The number of a kind of document; `None` for one that another adapter names.
pub(crate) fn certificate_number(kind: &str) -> Option<u8> {
    kind.parse().ok().filter(|number| matches!(number, 1..=3 | 99))
}

fn birth_date(text: &str) -> Result<Option<Date>, Fault> {
    let is_usual = text.len() == "YYYY-MM-DD".len();
    match text.parse::<Date>() {
        _ if text.is_empty() => Ok(None),
        Ok(date) if is_usual => Ok(Some(date)),
        _ => Err(Fault::argument("birth_date is not YYYY-MM-DD")),
    }
}

/// The filter of a query for people, and the page; no filter where the result is empty.
pub(crate) fn query(query: ListPeople) -> Result<(Option<PersonFilter>, Paging), Fault> {
    let paging = Paging::new(query.page, query.pagesize)?;
    let part =
        |field, text: Option<Text>| text.and_then(Text::filled).map(|text| bounded(field, text, MAX_NAME)).transpose();
    let gender = query.sex.filter(|Int(number)| *number != ALL).map(gender).transpose()?;
    let status = query.model_status.or(query.modeling_type).map_or(ALL, |Int(status)| status);
    let states = [EnrolmentState::Pending, EnrolmentState::Enrolled, EnrolmentState::Failed];
    let state = states.into_iter().find(|state| i64::from(model_status(*state)) == status);
    if state.is_none() && !matches!(status, NOT_MODELLED | ALL) {
        return Err(Fault::argument("model_status is none of 1, 2, 3, 4, 999"));
    }
    let filter = PersonFilter {
        library: Some(domain::LibraryId(query.lib_id.0)),
        name_part: part("person_name", query.person_name)?,
        document_number_part: part("certificate_no", query.certificate_no)?,
        gender: gender.flatten(),
        gender_unstated: gender == Some(None),
        enrolment: state,
        ..PersonFilter::default()
    };
    Ok(((status != NOT_MODELLED).then_some(filter), paging))
}

fn model_status(state: EnrolmentState) -> u8 {
    match state {
        EnrolmentState::Pending => MODELLING,
        EnrolmentState::Enrolled => MODELLED,
        EnrolmentState::Failed => FAILED,
    }
}

/// The entry of a person in a library.
pub(crate) fn row(person: Person, library: i64) -> PersonRow {
    let profile = person.profile;
    PersonRow {
        person_id: person.id.0,
        person_name: profile.name,
        sex: sex(profile.gender),
        email: profile.email,
        tel: profile.phone,
        modeling_type: model_status(person.enrolment.state()),
        certificate_type: certificate_number(&profile.document_kind),
        certificate_no: profile.document_number,
        image_path: pictures::address(pictures::LIBRARY, &person.photo, None),
        lib_id: library,
        birth_date: profile.birth_date.map(|date| date.to_string()).unwrap_or_default(),
        create_time: seconds(person.created_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn birth_dates_have_one_form() {
        assert_eq!(birth_date("2000-02-29").unwrap().unwrap().to_string(), "2000-02-29");
        assert_eq!(birth_date("").unwrap(), None);
        for bad in ["2001-02-29", "20000101", "2000-1-1", "2000-01-01T00:00", "soon"] {
            assert_eq!(birth_date(bad).unwrap_err().code, Code::Arguments, "{bad}");
        }
    }

    #[test]
    fn kinds_of_documents_of_other_adapters_have_no_number() {
        assert_eq!(["1", "99", "4", "passport", ""].map(certificate_number), [Some(1), Some(99), None, None, None]);
        assert_eq!(certificate_type(Int(4)).unwrap_err().code, Code::CertificateType);
    }
}
