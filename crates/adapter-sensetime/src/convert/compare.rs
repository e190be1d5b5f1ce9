//! Hits of a search by picture.

use domain::{Hit, Library, LibraryId};

use super::people::{age_text, gender_text};
use super::{libraries, paths};
use crate::wire::compare::Hit as WireHit;
use crate::wire::records::MatchedLib;

/// A hit, as a member of the first searched library that has the person; `None` when that library was removed
/// meanwhile.
pub(crate) fn hit(hit: Hit, ranking: i64, searched: &[LibraryId], all: &[Library], extension: &str) -> Option<WireHit> {
    let Hit { person, similarity } = hit;
    let library = searched.iter().find(|id| person.libraries.contains(id))?;
    let library = all.iter().find(|known| known.id == *library)?;
    Some(WireHit {
        img_path: paths::face(library.id, &person.code, extension),
        img_id: person.code.as_str().to_owned(),
        library: MatchedLib {
            lib_id: library.id.0,
            lib_name: library.name.as_str().to_owned(),
            lib_type: libraries::lib_type(library.kind),
        },
        ranking,
        similarity: similarity.percent(),
        id: person.profile.document_number,
        name: person.profile.name,
        gender: gender_text(person.profile.gender).to_owned(),
        age: age_text(person.profile.age),
        address: person.profile.address,
    })
}
