//! What programs for later versions ask for (`/SophonFace/api/…`, quirk S-LATERPATHS).

use domain::LibraryFilter;
use domain::names::holds;

use crate::codes::Fault;
use crate::request::Caller;
use crate::wire::groups::{Group, LaterGroup, LaterQuery};

/// Lists groups of faces (GET /SophonFace/api/groups).
pub(crate) async fn groups(caller: Caller, query: LaterQuery) -> Result<Vec<LaterGroup>, Fault> {
    let all = caller.reading()?.libraries(LibraryFilter::default()).await?;
    let row = |library: domain::Library| LaterGroup {
        id: library.id.to_string(),
        info: Group { name: library.name.as_str().to_owned(), description: library.description },
    };
    Ok(all.into_iter().map(row).filter(|group| is_meant(&query, &group.info.name)).collect())
}

/// Lists permission groups (GET /SophonFace/api/permissions).
pub(crate) async fn permissions(caller: Caller, query: LaterQuery) -> Result<Vec<LaterGroup>, Fault> {
    let all = caller.reading()?.permission_groups().await?;
    let all = all.into_iter().filter(|group| is_meant(&query, &group.name));
    let row = |group: domain::PermissionGroup| LaterGroup {
        id: group.id,
        info: Group { name: group.name, description: group.description },
    };
    Ok(all.map(row).collect())
}

/// Whether a name is the one asked for, or without `exact` holds it.
fn is_meant(query: &LaterQuery, name: &str) -> bool {
    let Some(wanted) = &query.name else { return true };
    if query.exact.is_some_and(|exact| exact.0) { name == wanted.0 } else { holds(name, &wanted.0) }
}
