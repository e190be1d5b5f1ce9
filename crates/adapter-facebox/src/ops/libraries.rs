//! Libraries.

use domain::names::holds;
use domain::{Library, LibraryFilter, LibraryId, LibraryKind, LibraryName, NewLibrary};

use crate::codes::Fault;
use crate::convert::{self, Paging, time_text};
use crate::request::Caller;
use crate::wire::libraries::{AddLibrary, LibraryKey, LibraryRow, QueryLibraries};
use crate::wire::{Answer, Done, Rows};

/// Makes a library (/AddLibrary, section 3.1).
pub(crate) async fn add_library(caller: Caller, request: AddLibrary) -> Result<Done, Fault> {
    let library = NewLibrary {
        name: LibraryName::new(request.name)?,
        kind: LibraryKind::Allow,
        description: convert::remark(request.remark)?,
    };
    let made = caller.acts().create_library(library).await?;
    keep_kind(&caller, made.id, request.kind.unwrap_or_default()).await?;
    Ok(Done::DONE)
}

/// Removes a library with its people (/DeleteLibrary, section 3.2).
pub(crate) async fn delete_library(caller: Caller, LibraryKey { lib_id }: LibraryKey) -> Result<Done, Fault> {
    let id = LibraryId(lib_id);
    caller.acts().remove_library(id).await?;
    keep_kind(&caller, id, 0).await?;
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
        kind: kind(caller, library.id).await?,
        name: library.name.as_str().to_owned(),
        person_count: library.people,
        remark: library.description,
        create_time: time_text(library.created_at, &caller.device.zone()),
    })
}

/// The document gives `type` no meaning: the number is kept here, 0 by not keeping it.
async fn keep_kind(caller: &Caller, id: LibraryId, kind: i64) -> Result<(), Fault> {
    let value = (kind != 0).then(|| kind.to_string());
    Ok(caller.device.state().set_value(&key(id), value).await?)
}

async fn kind(caller: &Caller, id: LibraryId) -> Result<i64, Fault> {
    let kept = caller.device.state().value(&key(id)).await?;
    Ok(kept.and_then(|kept| kept.parse().ok()).unwrap_or_default())
}

fn key(id: LibraryId) -> String {
    format!("library.{id}.type")
}
