//! Selects the index for a filter of people.

use domain::names::folded;
use domain::{AnyOf, Category, LibraryKind, PersonFilter};
use rusqlite::types::Value;

use super::{ADDRESS, CARD, DOCUMENT, NAME};
use crate::columns::{time, whole, word};
use crate::connection::View;
use crate::error::Fault;
use crate::lists::Selection;
use crate::texts::{self, PersonTexts, has};

/// The selection of a filter. Among several conditions, the one that usually matches the fewest people determines the
/// index.
pub(super) fn select(db: &View<'_>, filter: &PersonFilter) -> Result<Selection, Fault> {
    let PersonFilter { library, name, document_number, gender, age, address, created_from, created_to, .. } = filter;
    let texts = [name, document_number, address];
    let by_membership = library.is_some() && texts.iter().all(|text| text.is_none());
    let mut selection = if by_membership {
        // A left join is free as long as no condition needs the person.
        Selection::new("person_library AS m LEFT JOIN person AS p ON p.id = m.person", "m.created_at", "m.person")
    } else {
        Selection::new(BY_CREATION, "p.created_at", "p.id")
    };
    let mut and = |source, condition, value: Option<Value>| match value {
        Some(value) if by_membership => selection.and(condition, [value]),
        Some(value) => selection.and_from(source, condition, [value]),
        None => {}
    };
    let enrolment = filter.enrolment.map(|state| word(&state));
    and("person AS p INDEXED BY person_by_enrolment", "p.enrolment = ?", enrolment);
    and("person AS p INDEXED BY person_by_gender", "p.gender = ?", gender.map(|gender| word(&gender)));
    and("person AS p INDEXED BY person_by_age", "p.age = ?", age.map(whole));
    let key = |kind, text: &Option<String>| text.as_deref().map(|text| db.keys.key_of(kind, text));
    and("person AS p INDEXED BY person_by_address", "p.address_key = ?", key(ADDRESS, address));
    and("person AS p INDEXED BY person_by_name", "p.name_key = ?", key(NAME, &name.as_deref().map(folded)));
    and("person AS p INDEXED BY person_by_document", "p.document_key = ?", key(DOCUMENT, document_number));
    let created = if by_membership { ["m.created_at >= ?", "m.created_at <= ?"] } else { CREATED };
    for (condition, bound) in created.into_iter().zip([created_from, created_to]) {
        bound.iter().for_each(|at| selection.and(condition, [time(*at)]));
    }
    if let Some(library) = library {
        selection.and(if by_membership { "m.library = ?" } else { MEMBER }, [Value::from(library.0)]);
    }
    select_rest(db, &mut selection, filter)?;
    Ok(selection)
}

/// Conditions that no index supports.
fn select_rest(db: &View<'_>, selection: &mut Selection, filter: &PersonFilter) -> Result<(), Fault> {
    let PersonFilter { blocked, card, any, .. } = filter;
    select_parts(db, selection, filter)?;
    if filter.gender_unstated {
        selection.and("p.gender IS NULL", []);
    }
    if let Some(blocked) = blocked {
        selection.and(BLOCKED, [word(&Category::Blocked), word(&LibraryKind::Block), Value::from(*blocked)]);
    }
    if let Some(card) = card {
        let card = db.keys.key_of(CARD, card);
        selection.and("EXISTS (SELECT 1 FROM person_card WHERE person = p.id AND number_key = ?)", [card]);
    }
    match any {
        Some(any) => select_any(db, selection, any),
        None => Ok(()),
    }
}

/// Conditions on parts of sealed texts: the people who meet them are found among the opened texts.
fn select_parts(db: &View<'_>, selection: &mut Selection, filter: &PersonFilter) -> Result<(), Fault> {
    let name = filter.name_part.as_deref().map(folded);
    let document = filter.document_number_part.as_deref().map(folded);
    let phone = filter.phone_part.as_deref();
    if name.is_none() && document.is_none() && phone.is_none() {
        return Ok(());
    }
    let meets = |text: &str, part: Option<&str>| part.is_none_or(|part| has(text, part));
    let found = texts::people(db)?.json(|texts| {
        meets(&texts.name, name.as_deref())
            && meets(&texts.document_number, document.as_deref())
            && meets(&texts.phone, phone)
    });
    selection.and("p.id IN (SELECT value FROM json_each(?))", [found.into()]);
    Ok(())
}

const BLOCKED: &str =
    "(p.category = ? OR EXISTS (SELECT 1 FROM person_library AS l JOIN library ON library.id = l.library
     WHERE l.person = p.id AND library.kind = ?)) = ?";

const BY_CREATION: &str = "person AS p INDEXED BY person_by_creation";
const CREATED: [&str; 2] = ["p.created_at >= ?", "p.created_at <= ?"];
const MEMBER: &str = "EXISTS (SELECT 1 FROM person_library WHERE person = p.id AND library = ?)";

/// Adds the any-of condition; empty texts are ignored.
fn select_any(db: &View<'_>, selection: &mut Selection, any: &AnyOf) -> Result<(), Fault> {
    let wanted = Some(folded(&any.text)).filter(|text| !text.is_empty());
    let age = any.age.clone().filter(|age| !age.is_empty());
    if wanted.is_none() && age.is_none() && any.gender.is_none() {
        return Ok(());
    }
    let found = wanted.map(|part| {
        let is_found = |texts: &PersonTexts| {
            [&texts.name, &texts.document_number, &texts.address].into_iter().any(|text| has(text, &part))
        };
        texts::people(db).map(|people| people.json(is_found))
    });
    // A comparison with NULL is not true, and NULL is a list without values: one statement serves every combination.
    let values =
        [Value::from(found.transpose()?), Value::from(age), any.gender.map_or(Value::Null, |gender| word(&gender))];
    selection
        .and("(p.id IN (SELECT value FROM json_each(?)) OR instr(CAST(p.age AS TEXT), ?) > 0 OR p.gender = ?)", values);
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::{Gender, LibraryId, Timestamp};

    use super::*;
    use crate::connection::Database;

    #[test]
    fn no_filter_sorts_or_scans_everybody() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::testing(dir.path(), 1);
        let all = PersonFilter::default;
        let library = Some(LibraryId(1));
        let created_from = Some(Timestamp::from_millis(1));
        let name = Some("a".to_owned());
        let table = [
            (all(), "person_by_creation"),
            (PersonFilter { created_from, ..all() }, "person_by_creation (created_at>?)"),
            (PersonFilter { library, ..all() }, "PRIMARY KEY (library=?)"),
            (PersonFilter { library, created_from, ..all() }, "PRIMARY KEY (library=? AND created_at>?)"),
            (PersonFilter { library, gender: Some(Gender::Male), ..all() }, "PRIMARY KEY (library=?)"),
            (PersonFilter { name: name.clone(), library, ..all() }, "person_by_name (name_key=?)"),
            (PersonFilter { address: name.clone(), created_from, ..all() }, "(address_key=? AND created_at>?)"),
            (PersonFilter { document_number: name, age: Some(3), ..all() }, "person_by_document (document_key=?)"),
            (PersonFilter { gender: Some(Gender::Male), ..all() }, "person_by_gender (gender=?)"),
            (PersonFilter { name_part: Some("a".to_owned()), ..all() }, "INDEX person_by_creation"),
            (PersonFilter { phone_part: Some("1".to_owned()), ..all() }, "INDEX person_by_creation"),
            (PersonFilter { name_part: Some("a".to_owned()), library, ..all() }, "PRIMARY KEY (library=?)"),
            (PersonFilter { age: Some(3), gender: Some(Gender::Male), ..all() }, "person_by_age (age=?)"),
        ];
        for (filter, index) in table {
            let plan = database.read("explaining", |db| Ok(select(db, &filter)?.plan(db))).unwrap();
            assert!(plan.iter().filter(|step| step.contains(index)).count() == 2, "{filter:?}: {plan:?}");
            assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{filter:?}: {plan:?}");
        }
    }
}
