//! Libraries.

use domain::names::holds;
use domain::{Library, LibraryFilter, LibraryId, LibraryKind, LibraryName, NewLibrary};

use crate::codes::Fault;
use crate::convert::{self, Paging, time_text};
use crate::request::Caller;
use crate::wire::libraries::{AddLibrary, LibraryKey, LibraryRow, QueryLibraries};
use crate::wire::{Answer, Done, Rows};

/// Adds a library (/AddLibrary, section 3.1).
pub(crate) async fn add_library(caller: Caller, request: AddLibrary) -> Result<Done, Fault> {
    let library = NewLibrary {
        name: LibraryName::new(request.name)?,
        kind: LibraryKind::Allow,
        description: convert::remark(request.remark)?,
        note: caller.note_of_kind(request.kind),
    };
    caller.acts().create_library(library).await?;
    Ok(Done::DONE)
}

/// Removes a library with its people (/DeleteLibrary, section 3.2).
pub(crate) async fn delete_library(caller: Caller, LibraryKey { lib_id }: LibraryKey) -> Result<Done, Fault> {
    caller.acts().remove_library(LibraryId(lib_id)).await?;
    Ok(Done::DONE)
}

/// Lists libraries by id (/QueryLibraryList, section 3.3).
pub(crate) async fn query_library_list(
    caller: Caller,
    query: QueryLibraries,
) -> Result<Answer<Rows<LibraryRow>>, Fault> {
    let paging = Paging::new(query.page_no, query.page_size)?;
    let name = convert::filter(query.name, query.username);
    let mut rows = Vec::new();
    for library in caller.reading()?.libraries(LibraryFilter::default()).await? {
        let row = row(&caller, library).await?;
        let named = name.as_ref().is_none_or(|part| holds(&row.name, part));
        rows.extend(Some(row).filter(|row| named && query.kind.is_none_or(|kind| row.kind == kind)));
    }
    Ok(Answer::of(paging.cut(rows)))
}

async fn row(caller: &Caller, library: Library) -> Result<LibraryRow, Fault> {
    Ok(LibraryRow {
        lib_id: library.id.0,
        kind: caller.noted_kind(library.id).await?,
        name: library.name.as_str().to_owned(),
        person_count: library.people,
        remark: library.description,
        create_time: time_text(library.created_at, &caller.device.zone()),
    })
}
