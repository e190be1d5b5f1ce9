//! People.

use domain::{Category, Gender, LibraryKind, Person, PersonCode, Profile};
use jiff::tz::TimeZone;

use super::{cards, nations, or_blank, time, validity, values};
use crate::codes::people::{Flaw, PersonFault};
use crate::wire::Fields;
use crate::wire::people::{OwnFields, PersonFields};
use crate::wire::replies::{FoundPerson, PersonDetails, PersonRow};

/// The longest `customId`, bytes: the document's length includes a terminator.
const MAX_CUSTOM_ID: usize = 47;
/// `cardType2`: the public number.
const PUBLIC: i64 = 0;
/// `cardType2`: no number is sent.
const NO_ACCESS: i64 = 3;
/// `cardType2`: the number is entered manually.
const MANUAL: i64 = 2;
/// `WiegandType`: with a separate facility code.
const WITH_FACILITY: [i64; 2] = [6, 7];

/// The fields of a person that were sent, with the first value that the document does not allow.
pub(crate) fn read(fields: &Fields) -> PersonFields {
    PersonFields { flaw: values::flaw(fields), ..PersonFields::read(fields) }
}

/// The person's id.
pub(crate) fn code(fields: &PersonFields) -> Result<PersonCode, Flaw> {
    let id = fields.custom_id.as_ref().ok_or(PersonFault::NoCustomId)?;
    if id.len() > MAX_CUSTOM_ID {
        // Two ids could become one if they were cut.
        return Err(PersonFault::NoCustomId.because(format_args!("customId is longer than {MAX_CUSTOM_ID} bytes")));
    }
    if !values::is_readable(id) {
        return Err(PersonFault::Value.because(values::unreadable("customId")));
    }
    if id.contains(',') {
        // QueryPerson lists ids separated by commas.
        return Err(PersonFault::NoCustomId.because("customId must not contain a comma"));
    }
    id.parse().map_err(|_| PersonFault::NoCustomId.because("customId must consist of printable characters"))
}

/// The cards that were sent, as the device keeps them: Wiegand, built-in reader.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SentCards {
    pub(crate) wiegand: Option<String>,
    pub(crate) rf: Option<String>,
}

impl SentCards {
    pub(crate) fn of(fields: &PersonFields) -> Self {
        let mode = |name, or| fields.own.number(name).unwrap_or(or) == 1;
        let card = |text: &Option<String>, hexadecimal| text.as_deref().map(|text| cards::number(text, hexadecimal));
        Self {
            // Platforms send 0 for no card.
            wiegand: card(&fields.card_num, mode("CardMode", 0)).filter(|number| number != "0"),
            rf: card(&fields.rf_card, mode("RFCardMode", 1)).filter(|number| number != "0"),
        }
    }
}

/// Refuses a card without the fields that belong to it; `before` are the fields known already.
pub(crate) fn check_cards(fields: &PersonFields, before: &OwnFields) -> Result<(), PersonFault> {
    let own = before.clone().with(&fields.own);
    // A modification without fields of cards is not checked.
    if fields.own.number("cardType2") != Some(MANUAL) && fields.own.number("WiegandType").is_none() {
        return Ok(());
    }
    if own.number("cardType2") == Some(MANUAL) && own.card_num().is_none() {
        return Err(PersonFault::NoCard);
    }
    let needs_facility = own.number("WiegandType").is_some_and(|kind| WITH_FACILITY.contains(&kind));
    if needs_facility && own.number("WGFacilityCode").is_none() { Err(PersonFault::NoFacility) } else { Ok(()) }
}

/// The profile with the fields that were sent; `own` are the fields of cards known before.
pub(crate) fn profile(
    fields: &PersonFields,
    own: &OwnFields,
    before: Profile,
    zone: &TimeZone,
) -> Result<Profile, Flaw> {
    let text = |sent: &Option<String>, kept: String| sent.clone().map_or(kept, blank);
    let sent = validity::SentValidity {
        kind: fields.temp_card_type,
        begin: fields.valid_begin.clone(),
        end: fields.valid_end.clone(),
        uses: fields.effect_number,
    };
    Ok(Profile {
        cards: put_cards(fields, own, before.cards),
        validity: sent.put_into(&before.validity, zone).ok_or_else(|| validity_flaw(fields))?,
        category: category(fields.person_type, before.category),
        name: text(&fields.name, before.name),
        gender: fields.gender.map_or(before.gender, gender),
        birth_date: fields.birthday.as_deref().map_or(before.birth_date, time::date),
        document_number: text(&fields.id_card, before.document_number),
        phone: text(&fields.telnum, before.phone),
        native_place: text(&fields.native, before.native_place),
        address: text(&fields.address, before.address),
        remark: fields.notes.clone().map_or(before.remark, blank),
        ethnic_group: fields
            .nation
            .map_or(before.ethnic_group, |nation| nations::name(nation).unwrap_or_default().to_owned()),
        ..before
    })
}

/// The field that makes a validity invalid although each field is valid by itself.
fn validity_flaw(fields: &PersonFields) -> Flaw {
    let (begin, end) = (fields.valid_begin.is_some(), fields.valid_end.is_some());
    PersonFault::PersonStore.because(match fields.temp_card_type {
        Some(1 | 2) if !begin => "cardValidBegin is missing",
        Some(1 | 2) if !end => "cardValidEnd is missing",
        Some(3) => "EffectNumber must be the number of passes",
        _ => "cardValidEnd does not fit cardValidBegin",
    })
}

/// The text; empty for a blank, which is the document's form of no value.
fn blank(text: String) -> String {
    if text.trim().is_empty() { String::new() } else { text }
}

/// On the white list, a person keeps a category that another interface has set.
fn category(person_type: Option<i64>, before: Category) -> Category {
    match (person_type, before) {
        (Some(1), _) => Category::Blocked,
        (Some(_), Category::Blocked) => Category::Staff,
        (Some(_) | None, before) => before,
    }
}

fn gender(code: i64) -> Option<Gender> {
    match code {
        0 => Some(Gender::Male),
        1 => Some(Gender::Female),
        _ => None,
    }
}

/// Cards set through this document are replaced by those that are sent; cards set elsewhere stay.
fn put_cards(fields: &PersonFields, own: &OwnFields, mut cards: Vec<String>) -> Vec<String> {
    let SentCards { wiegand, rf } = SentCards::of(fields);
    let hexadecimal = |name, or| own.number(name).unwrap_or(or) == 1;
    let before = [
        (&fields.card_num, own.card_num().map(|text| cards::number(text, hexadecimal("CardMode", 0)))),
        (&fields.rf_card, own.rf_card().map(|text| cards::number(text, hexadecimal("RFCardMode", 1)))),
    ];
    for (sent, before) in before {
        cards.retain(|card| sent.is_none() || Some(card) != before.as_ref());
    }
    for card in [wiegand, rf].into_iter().flatten() {
        if !cards.contains(&card) {
            cards.push(card);
        }
    }
    cards
}

/// 1 on the black list, 0 on the white one; `block` are the libraries of the blocked.
pub(crate) fn person_type(person: &Person, block: &[domain::LibraryId]) -> u8 {
    let blocked = person.profile.category == Category::Blocked || person.libraries.iter().any(|id| block.contains(id));
    u8::from(blocked)
}

/// The block lists.
pub(crate) fn block_libraries(libraries: &[domain::Library]) -> Vec<domain::LibraryId> {
    libraries.iter().filter(|library| library.kind == LibraryKind::Block).map(|library| library.id).collect()
}

pub(crate) fn gender_code(gender: Option<Gender>) -> u8 {
    u8::from(gender == Some(Gender::Female))
}

/// The Wiegand card: the one set through this document while the person still has it, else the first that is a number,
/// else 0.
pub(crate) fn card_num(profile: &Profile, own: &OwnFields) -> u64 {
    let hexadecimal = own.number("CardMode") == Some(1);
    let set = own.card_num().map(|text| cards::number(text, hexadecimal));
    let rf = rf_number(own);
    let held = |card: &String| profile.cards.contains(card);
    let other = || profile.cards.iter().find(|card| Some(*card) != rf.as_ref()).cloned();
    set.filter(held).or_else(other).and_then(|card| card.parse().ok()).unwrap_or(0)
}

/// The number sent to the door controller when the person enters: `public` for `cardType2` 0 and for a person
/// without a card, none for 3, else the card, preceded by its facility code where that is a separate field.
pub(crate) fn wiegand_number(profile: &Profile, own: &OwnFields, public: u64) -> Option<u64> {
    let card = card_num(profile, own);
    match own.number("cardType2") {
        Some(NO_ACCESS) => None,
        Some(PUBLIC) => Some(public),
        _ if card == 0 => Some(public),
        _ => {
            let facility = own.number("WGFacilityCode").unwrap_or(0).unsigned_abs();
            let (bits, most) = match own.number("WiegandType") {
                Some(6) => (16, 0xff),
                Some(7) => (24, 0xff),
                _ => return Some(card),
            };
            // Overlapping parts would form another person's number.
            (card >> bits == 0 && facility <= most).then_some((facility << bits) | card)
        }
    }
}

/// The card of the built-in reader as the platform wrote it, while the person still has it.
pub(crate) fn rf_card(profile: &Profile, own: &OwnFields) -> Option<String> {
    let number = rf_number(own)?;
    own.rf_card().filter(|_| profile.cards.contains(&number)).map(str::to_owned)
}

fn rf_number(own: &OwnFields) -> Option<String> {
    own.rf_card().map(|text| cards::number(text, own.number("RFCardMode").unwrap_or(1) == 1))
}

pub(crate) fn birthday(profile: &Profile) -> String {
    profile.birth_date.map_or_else(|| "0000-00-00".to_owned(), |date| date.to_string())
}

/// The answer to SearchPerson.
pub(crate) fn details(person: Person, own: &OwnFields, block: &[domain::LibraryId], zone: &TimeZone) -> PersonDetails {
    let person_type = person_type(&person, block).to_string();
    let Person { id, code, profile, created_at, .. } = person;
    let list = validity::fields(&profile.validity, zone);
    let created = time::text_with_t(created_at, zone);
    let number = |name| own.number(name).unwrap_or(0).to_string();
    PersonDetails {
        person_id: id.to_string(),
        custom_id: code.to_string(),
        gender: gender_code(profile.gender).to_string(),
        address: or_blank(&profile.address).to_owned(),
        create_time: created.clone(),
        creat_time: created,
        telnum1: or_blank(&profile.phone).to_owned(),
        person_type,
        card_num2: card_num(&profile, own).to_string(),
        birthday: birthday(&profile),
        nation: nations::code(&profile.ethnic_group).to_string(),
        native: or_blank(&profile.native_place).to_owned(),
        notes: or_blank(&profile.remark).to_owned(),
        card_type2: number("cardType2"),
        card_mode: number("CardMode"),
        temp_card_type: list.kind.to_string(),
        effect_number: list.uses.to_string(),
        card_valid_begin: list.begin,
        card_valid_end: list.end,
        name: profile.name,
        id_card: profile.document_number,
    }
}

/// A row of SearchPersonList.
pub(crate) fn row(person: &Person, own: &OwnFields, block: &[domain::LibraryId], zone: &TimeZone) -> PersonRow {
    let (profile, list) = (&person.profile, validity::fields(&person.profile.validity, zone));
    PersonRow {
        lib_id: person.id.0,
        person_type: person_type(person, block),
        name: profile.name.clone(),
        gender: gender_code(profile.gender),
        nation: nations::code(&profile.ethnic_group),
        card_type: own.number("cardType").unwrap_or(0),
        id_card: profile.document_number.clone(),
        birthday: birthday(profile),
        telnum1: or_blank(&profile.phone).to_owned(),
        native: or_blank(&profile.native_place).to_owned(),
        address: or_blank(&profile.address).to_owned(),
        notes: or_blank(&profile.remark).to_owned(),
        card_type2: own.number("cardType2").unwrap_or(0),
        card_num2: card_num(profile, own),
        rf_card: rf_card(profile, own).unwrap_or_else(|| "0".to_owned()),
        temp_card_type: list.kind,
        custom_id: person.code.to_string(),
        card_valid_begin: list.begin,
        card_valid_end: list.end,
    }
}

/// A row of GetPictureSearch.
pub(crate) fn hit(person: &Person, own: &OwnFields, block: &[domain::LibraryId], zone: &TimeZone) -> FoundPerson {
    let profile = &person.profile;
    FoundPerson {
        person_type: person_type(person, block).to_string(),
        name: profile.name.clone(),
        card_type2: own.number("cardType2").unwrap_or(0).to_string(),
        card_num2: card_num(profile, own).to_string(),
        gender: gender_code(profile.gender).to_string(),
        nation: nations::code(&profile.ethnic_group).to_string(),
        id_card: or_blank(&profile.document_number).to_owned(),
        birthday: birthday(profile),
        telnum1: or_blank(&profile.phone).to_owned(),
        native: or_blank(&profile.native_place).to_owned(),
        address: or_blank(&profile.address).to_owned(),
        notes: or_blank(&profile.remark).to_owned(),
        custom_id: person.code.to_string(),
        time: time::text_with_slash(person.created_at, zone),
    }
}
