//! Person libraries (chapter 2).

use domain::names::holds;
use domain::{LibraryChange, LibraryFilter, LibraryId, LibraryKind, LibraryName, NewLibrary};

use crate::codes::Fault;
use crate::convert::{Paging, name};
use crate::request::Caller;
use crate::wire::libraries::{self, AddLibrary, DeleteLibraries, Libraries, LibraryRow, ListLibraries, UpdateLibrary};
use crate::wire::{Answer, Done, Text};

/// Creates an empty library (/personlib/add, section 2.1).
pub(crate) async fn add(caller: Caller, request: AddLibrary) -> Result<Answer<libraries::LibraryId>, Fault> {
    let name = library_name(&request.lib_name)?;
    let library = NewLibrary { name, kind: LibraryKind::Allow, description: String::new(), note: None };
    let made = caller.acts().create_library(library).await?;
    Ok(Answer::of(libraries::LibraryId { lib_id: made.id.0 }))
}

/// Removes libraries with their people, also from what cameras watch for (/personlib/delete, section 2.2).
pub(crate) async fn delete(caller: Caller, request: DeleteLibraries) -> Result<Done, Fault> {
    let ids: Vec<_> = request.lib_id.0.into_iter().map(LibraryId).collect();
    if ids.is_empty() || ids.contains(&LibraryId::DEFAULT) {
        return Err(Fault::argument("lib_id is empty, or names the library that stays"));
    }
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    caller.acts().withdraw_libraries(ids).await?;
    Ok(Done::DONE)
}

/// Renames a library (/personlib/update, section 2.3).
pub(crate) async fn update(caller: Caller, request: UpdateLibrary) -> Result<Done, Fault> {
    let change = LibraryChange { name: Some(library_name(&request.lib_name)?), ..LibraryChange::default() };
    caller.acts().update_library(LibraryId(request.lib_id.0), change).await?;
    Ok(Done::DONE)
}

/// Lists libraries by id (/personlib/list, section 2.4).
pub(crate) async fn list(caller: Caller, request: ListLibraries) -> Result<Answer<Libraries>, Fault> {
    let paging = Paging::new(request.page, request.pagesize)?;
    let part = request.lib_name.unwrap_or_default().0;
    let mut all = caller.reading()?.libraries(LibraryFilter::default()).await?;
    all.retain(|library| holds(library.name.as_str(), &part));
    let (total, page) = paging.cut(all);
    let row =
        |library: domain::Library| LibraryRow { lib_id: library.id.0, lib_name: library.name.as_str().to_owned() };
    Ok(Answer::of(Libraries { total, list: page.into_iter().map(row).collect() }))
}

fn library_name(Text(text): &Text) -> Result<LibraryName, Fault> {
    Ok(LibraryName::new(name("lib_name", text)?)?)
}
