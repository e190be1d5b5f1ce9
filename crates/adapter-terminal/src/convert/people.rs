//! People: from what was sent to the device's person, and back.

use domain::{Category, Gender, LibraryKind, Person, PersonCode, Profile};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{cards, nations, or_blank, time, validity, values};
use crate::codes::{Flaw, PersonFault};
use crate::wire::people::{OwnFields, PersonFields};

/// The longest `customId`, bytes: the document counts a terminator.
const MAX_CUSTOM_ID: usize = 47;
/// `cardType2`: the number that all have.
const PUBLIC: i64 = 0;
/// `cardType2`: no number is sent.
const NO_ACCESS: i64 = 3;
/// `cardType2`: the number is typed in.
const MANUAL: i64 = 2;
/// `WiegandType`: with a facility code of its own.
const WITH_FACILITY: [i64; 2] = [6, 7];

/// The person's id.
pub(crate) fn code(fields: &PersonFields) -> Result<PersonCode, Flaw> {
    let id = fields.custom_id.as_ref().ok_or(PersonFault::NoCustomId)?;
    if id.len() > MAX_CUSTOM_ID {
        // Cutting an id would make one person of two.
        return Err(PersonFault::NoCustomId.because(format_args!("customId is longer than {MAX_CUSTOM_ID} bytes")));
    }
    if !values::is_readable(id) {
        return Err(PersonFault::Value.because(values::unreadable("customId")));
    }
    if id.contains(',') {
        // QueryPerson lists ids with a comma between them.
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
            // 0 is how platforms write that there is none.
            wiegand: card(&fields.card_num, mode("CardMode", 0)).filter(|number| number != "0"),
            rf: card(&fields.rf_card, mode("RFCardMode", 1)).filter(|number| number != "0"),
        }
    }
}

/// Whether what belongs together was sent together; `before` is what is known already.
pub(crate) fn check_cards(fields: &PersonFields, before: &OwnFields) -> Result<(), PersonFault> {
    let own = before.clone().with(&fields.own);
    // A modification that says nothing of cards needs nothing.
    if fields.own.number("cardType2") != Some(MANUAL) && fields.own.number("WiegandType").is_none() {
        return Ok(());
    }
    if own.number("cardType2") == Some(MANUAL) && own.card_num().is_none() {
        return Err(PersonFault::NoCard);
    }
    let needs_facility = own.number("WiegandType").is_some_and(|kind| WITH_FACILITY.contains(&kind));
    if needs_facility && own.number("WGFacilityCode").is_none() { Err(PersonFault::NoFacility) } else { Ok(()) }
}

/// The profile with what was sent put in; `own` is what was known of cards before.
pub(crate) fn profile(
    fields: &PersonFields,
    own: &OwnFields,
    before: Profile,
    zone: &TimeZone,
) -> Result<Profile, Flaw> {
    let text = |sent: &Option<String>, kept: String| sent.clone().map_or(kept, blank);
    let sent = validity::Sent {
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

/// Which field keeps a validity from being one, each of its fields being readable by itself.
fn validity_flaw(fields: &PersonFields) -> Flaw {
    let (begin, end) = (fields.valid_begin.is_some(), fields.valid_end.is_some());
    PersonFault::PersonStore.because(match fields.temp_card_type {
        Some(1 | 2) if !begin => "cardValidBegin is missing",
        Some(1 | 2) if !end => "cardValidEnd is missing",
        Some(3) => "EffectNumber must be the number of passes",
        _ => "cardValidEnd does not fit cardValidBegin",
    })
}

/// A blank is how the document writes nothing.
fn blank(text: String) -> String {
    if text.trim().is_empty() { String::new() } else { text }
}

/// Who was more than ordinary elsewhere stays so on the white list.
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

/// The cards that this document set go where it sets others; those of others stay.
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

/// The libraries whose people must not pass.
pub(crate) fn block_libraries(libraries: &[domain::Library]) -> Vec<domain::LibraryId> {
    libraries.iter().filter(|library| library.kind == LibraryKind::Block).map(|library| library.id).collect()
}

pub(crate) fn gender_code(gender: Option<Gender>) -> u8 {
    u8::from(gender == Some(Gender::Female))
}

/// The Wiegand card: as this document set it while the person still has it, else the first that is a number, else 0.
pub(crate) fn card_num(profile: &Profile, own: &OwnFields) -> u64 {
    let hexadecimal = own.number("CardMode") == Some(1);
    let set = own.card_num().map(|text| cards::number(text, hexadecimal));
    let rf = rf_number(own);
    let held = |card: &String| profile.cards.contains(card);
    let other = || profile.cards.iter().find(|card| Some(*card) != rf.as_ref()).cloned();
    set.filter(held).or_else(other).and_then(|card| card.parse().ok()).unwrap_or(0)
}

/// The number sent to the controller of the door when the person enters: `public` for `cardType2` 0 and for somebody
/// without a card, none for 3, else the card, before it its facility code where that was filled in separately.
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
            // What overlaps would be another's number.
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

/// The fields of 4.2.2, in which numbers are text.
pub(crate) fn details(person: &Person, own: &OwnFields, block: &[domain::LibraryId], zone: &TimeZone) -> Value {
    let (profile, list) = (&person.profile, validity::fields(&person.profile.validity, zone));
    let created = time::text_with_t(person.created_at, zone);
    let number = |name, or: i64| own.number(name).unwrap_or(or).to_string();
    json!({
        "personId": person.id.to_string(),
        "customId": person.code.as_str(),
        "name": profile.name,
        "gender": gender_code(profile.gender).to_string(),
        "idCard": profile.document_number,
        "address": or_blank(&profile.address),
        "createTime": created,
        "creatTime": created,
        "telnum1": or_blank(&profile.phone),
        "personType": person_type(person, block).to_string(),
        "cardNum2": card_num(profile, own).to_string(),
        "birthday": birthday(profile),
        "nation": nations::code(&profile.ethnic_group).to_string(),
        "native": or_blank(&profile.native_place),
        "notes": or_blank(&profile.remark),
        "cardType2": number("cardType2", 0),
        "CardMode": number("CardMode", 0),
        "tempCardType": list.kind.to_string(),
        "EffectNumber": list.uses.to_string(),
        "cardValidBegin": list.begin,
        "cardValidEnd": list.end,
    })
}

/// A row of 4.2.3, in which numbers are numbers.
pub(crate) fn row(person: &Person, own: &OwnFields, block: &[domain::LibraryId], zone: &TimeZone) -> Value {
    let (profile, list) = (&person.profile, validity::fields(&person.profile.validity, zone));
    json!({
        "LibID": person.id.0,
        "personType": person_type(person, block),
        "name": profile.name,
        "gender": gender_code(profile.gender),
        "nation": nations::code(&profile.ethnic_group),
        "cardType": own.number("cardType").unwrap_or(0),
        "idCard": profile.document_number,
        "birthday": birthday(profile),
        "telnum1": or_blank(&profile.phone),
        "native": or_blank(&profile.native_place),
        "address": or_blank(&profile.address),
        "notes": or_blank(&profile.remark),
        "cardType2": own.number("cardType2").unwrap_or(0),
        "cardNum2": card_num(profile, own),
        "RFIDCard": rf_card(profile, own).unwrap_or_else(|| "0".to_owned()),
        "tempCardType": list.kind,
        "customId": person.code.as_str(),
        "cardValidBegin": list.begin,
        "cardValidEnd": list.end,
    })
}

/// A row of 18.2, in which numbers are text.
pub(crate) fn hit(person: &Person, own: &OwnFields, block: &[domain::LibraryId], zone: &TimeZone) -> Value {
    let profile = &person.profile;
    json!({
        "personType": person_type(person, block).to_string(),
        "name": profile.name,
        "cardType2": own.number("cardType2").unwrap_or(0).to_string(),
        "cardNum2": card_num(profile, own).to_string(),
        "gender": gender_code(profile.gender).to_string(),
        "nation": nations::code(&profile.ethnic_group).to_string(),
        "idCard": or_blank(&profile.document_number),
        "birthday": birthday(profile),
        "telnum1": or_blank(&profile.phone),
        "native": or_blank(&profile.native_place),
        "address": or_blank(&profile.address),
        "notes": or_blank(&profile.remark),
        "customId": person.code.as_str(),
        "Time": time::text_with_slash(person.created_at, zone),
    })
}
