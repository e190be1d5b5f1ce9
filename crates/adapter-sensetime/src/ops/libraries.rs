//! Face libraries.

use domain::{LibraryChange, LibraryFilter, LibraryId, NewLibrary};

use crate::codes::Fault;
use crate::convert::{QUERY_PAGE, libraries, window};
use crate::request::Call;
use crate::wire::libraries::{AddLib, DeleteLib, Lib, LibKey, QueryLibs, UpdateLib};
use crate::wire::{Nothing, Rows};

/// Lists all libraries, newest first (1028, section 3.1).
pub(crate) async fn list_libs(call: Call) -> Result<Vec<Lib>, Fault> {
    rows(&call, LibraryFilter::default()).await
}

/// Adds a library (1025, section 3.2).
pub(crate) async fn add_lib(call: Call) -> Result<LibKey, Fault> {
    let new: AddLib = call.read()?;
    let library = NewLibrary {
        name: libraries::name(new.lib_name)?,
        kind: libraries::kind(new.lib_type)?,
        description: String::new(),
        note: None,
    };
    let made = call.acts()?.create_library(library).await?;
    Ok(libraries::key(&made))
}

/// Removes a library with its pictures (1026, section 3.3).
pub(crate) async fn delete_lib(call: Call) -> Result<Nothing, Fault> {
    let DeleteLib { lib_id } = call.read()?;
    call.acts()?.remove_library(LibraryId(lib_id.0)).await?;
    Ok(Nothing::NOTHING)
}

/// Sets a library's name and type (1027, section 3.4).
pub(crate) async fn update_lib(call: Call) -> Result<LibKey, Fault> {
    let wanted: UpdateLib = call.read()?;
    let change = LibraryChange {
        name: Some(libraries::name(wanted.lib_name)?),
        kind: Some(libraries::kind(wanted.lib_type)?),
        ..LibraryChange::default()
    };
    let changed = call.acts()?.update_library(LibraryId(wanted.lib_id.0), change).await?;
    Ok(libraries::key(&changed))
}

/// Lists the libraries that meet conditions, newest first (1034, section 3.5).
pub(crate) async fn query_libs(call: Call) -> Result<Rows<Lib>, Fault> {
    let query: QueryLibs = call.read()?;
    let window = window(query.start_no, query.qry_len, QUERY_PAGE)?;
    let all = rows(&call, libraries::filter(query)?).await?;
    let total = all.len() as u64;
    let page = all.into_iter().skip(window.skip as usize).take(window.limit as usize).collect();
    Ok(Rows::new(page, total))
}

async fn rows(call: &Call, filter: LibraryFilter) -> Result<Vec<Lib>, Fault> {
    let found = call.reading()?.libraries(filter).await?;
    // Ids increase with time, so the reverse order is newest first.
    Ok(found.iter().rev().map(|library| libraries::row(library, &call.device.zone())).collect())
}
