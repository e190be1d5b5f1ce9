//! Which people a filter finds.

use domain::names::{holds, same};
use domain::{AnyOf, Person, PersonFilter, Profile};

/// Whether the filter finds the person.
pub(super) fn fits(filter: &PersonFilter, person: &Person) -> bool {
    let profile = &person.profile;
    filter.library.is_none_or(|library| person.libraries.contains(&library))
        && filter.name.as_ref().is_none_or(|name| same(&profile.name, name))
        && filter.name_part.as_ref().is_none_or(|part| holds(&profile.name, part))
        && filter.phone_part.as_ref().is_none_or(|part| profile.phone.contains(part))
        && filter.card.as_ref().is_none_or(|card| profile.cards.contains(card))
        && filter.document_number.as_ref().is_none_or(|number| profile.document_number == *number)
        && filter.document_number_part.as_ref().is_none_or(|part| holds(&profile.document_number, part))
        && filter.gender.is_none_or(|gender| profile.gender == Some(gender))
        && (!filter.gender_unstated || profile.gender.is_none())
        && filter.age.is_none_or(|age| profile.age == Some(age))
        && filter.address.as_ref().is_none_or(|address| profile.address == *address)
        && filter.enrolment.is_none_or(|state| person.enrolment.state() == state)
        && filter.created_from.is_none_or(|from| person.created_at >= from)
        && filter.created_to.is_none_or(|to| person.created_at <= to)
        && filter.any.as_ref().is_none_or(|any| fits_any(any, profile))
}

/// Empty texts are no conditions; without conditions all people match.
fn fits_any(any: &AnyOf, profile: &Profile) -> bool {
    let text = Some(&any.text).filter(|text| !text.is_empty());
    let age = any.age.as_ref().filter(|age| !age.is_empty());
    let no_condition = text.is_none() && age.is_none() && any.gender.is_none();
    let texts = [&profile.name, &profile.document_number, &profile.address];
    no_condition
        || text.is_some_and(|wanted| texts.iter().any(|text| holds(text, wanted)))
        || age.is_some_and(|wanted| profile.age.is_some_and(|age| age.to_string().contains(wanted)))
        || any.gender.is_some_and(|gender| profile.gender == Some(gender))
}
