//! Selects the index for a filter of people.

use domain::names::folded;
use domain::{AnyOf, Category, LibraryKind, PersonFilter};
use rusqlite::types::Value;

use crate::columns::{text, time, whole, word};
use crate::lists::Selection;

/// The selection of a filter. Among several conditions, the one that usually matches the fewest people determines the
/// index.
pub(super) fn select(filter: &PersonFilter) -> Selection {
    let PersonFilter { library, name, document_number, gender, age, address, created_from, created_to, .. } = filter;
    let texts = [name, document_number, address];
    let by_membership = library.is_some() && texts.iter().all(|text| text.is_none());
    let mut selection = if by_membership {
        // A left join is free as long as no condition needs the person.
        Selection::new("person_library AS m LEFT JOIN person AS p ON p.id = m.person", "m.created_at", "m.person")
    } else {
        let by_text = filter.name_part.is_some() || filter.phone_part.is_some();
        let index = if by_text { "person AS p INDEXED BY person_by_text" } else { BY_CREATION };
        Selection::new(index, "p.created_at", "p.id")
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
    and("person AS p INDEXED BY person_by_address", "p.address = ?", address.as_deref().map(text));
    and("person AS p INDEXED BY person_by_name", "p.name_folded = ?", name.as_deref().map(|name| folded(name).into()));
    and("person AS p INDEXED BY person_by_document", "p.document_number = ?", document_number.as_deref().map(text));
    let created = if by_membership { ["m.created_at >= ?", "m.created_at <= ?"] } else { CREATED };
    for (condition, bound) in created.into_iter().zip([created_from, created_to]) {
        bound.iter().for_each(|at| selection.and(condition, [time(*at)]));
    }
    if let Some(library) = library {
        selection.and(if by_membership { "m.library = ?" } else { MEMBER }, [Value::from(library.0)]);
    }
    select_rest(&mut selection, filter);
    selection
}

/// Conditions that no index supports.
fn select_rest(selection: &mut Selection, filter: &PersonFilter) {
    let PersonFilter { name_part, blocked, card, any, .. } = filter;
    if let Some(part) = name_part {
        selection.and("instr(p.name_folded, ?) > 0", [folded(part).into()]);
    }
    if let Some(part) = &filter.phone_part {
        selection.and("instr(p.phone, ?) > 0", [text(part)]);
    }
    if let Some(part) = &filter.document_number_part {
        selection.and("instr(p.document_folded, ?) > 0", [folded(part).into()]);
    }
    if filter.gender_unstated {
        selection.and("p.gender IS NULL", []);
    }
    if let Some(blocked) = blocked {
        selection.and(BLOCKED, [word(&Category::Blocked), word(&LibraryKind::Block), Value::from(*blocked)]);
    }
    if let Some(card) = card {
        selection.and("EXISTS (SELECT 1 FROM person_card WHERE person = p.id AND number = ?)", [text(card)]);
    }
    if let Some(any) = any {
        select_any(selection, any);
    }
}

const BLOCKED: &str =
    "(p.category = ? OR EXISTS (SELECT 1 FROM person_library AS l JOIN library ON library.id = l.library
     WHERE l.person = p.id AND library.kind = ?)) = ?";

const BY_CREATION: &str = "person AS p INDEXED BY person_by_creation";
const CREATED: [&str; 2] = ["p.created_at >= ?", "p.created_at <= ?"];
const MEMBER: &str = "EXISTS (SELECT 1 FROM person_library WHERE person = p.id AND library = ?)";

/// Adds the any-of condition; empty texts are ignored.
fn select_any(selection: &mut Selection, any: &AnyOf) {
    let wanted = Some(folded(&any.text)).filter(|text| !text.is_empty());
    let age = any.age.clone().filter(|age| !age.is_empty());
    if wanted.is_none() && age.is_none() && any.gender.is_none() {
        return;
    }
    // A comparison with NULL is not true, so one statement serves every combination.
    let values = [wanted.clone(), wanted.clone(), wanted, age].map(Value::from);
    let gender = any.gender.map_or(Value::Null, |gender| word(&gender));
    selection.and(
        "(instr(p.name_folded, ?) > 0 OR instr(p.document_folded, ?) > 0 OR instr(p.address_folded, ?) > 0
          OR instr(CAST(p.age AS TEXT), ?) > 0 OR p.gender = ?)",
        values.into_iter().chain([gender]),
    );
}

#[cfg(test)]
mod tests {
    use domain::{Gender, LibraryId, Timestamp};

    use super::*;
    use crate::connection::Database;

    #[test]
    fn no_filter_sorts_or_scans_everybody() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(dir.path(), 1).unwrap();
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
            (PersonFilter { name: name.clone(), library, ..all() }, "person_by_name (name_folded=?)"),
            (PersonFilter { address: name.clone(), created_from, ..all() }, "(address=? AND created_at>?)"),
            (PersonFilter { document_number: name, age: Some(3), ..all() }, "person_by_document (document_number=?)"),
            (PersonFilter { gender: Some(Gender::Male), ..all() }, "person_by_gender (gender=?)"),
            (PersonFilter { name_part: Some("a".to_owned()), ..all() }, "COVERING INDEX person_by_text"),
            (PersonFilter { phone_part: Some("1".to_owned()), ..all() }, "COVERING INDEX person_by_text"),
            (PersonFilter { name_part: Some("a".to_owned()), library, ..all() }, "PRIMARY KEY (library=?)"),
            (PersonFilter { age: Some(3), gender: Some(Gender::Male), ..all() }, "person_by_age (age=?)"),
        ];
        for (filter, index) in table {
            let plan = database.read("explaining", |db| Ok(select(&filter).plan(db))).unwrap();
            assert!(plan.iter().filter(|step| step.contains(index)).count() == 2, "{filter:?}: {plan:?}");
            assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{filter:?}: {plan:?}");
        }
    }
}
