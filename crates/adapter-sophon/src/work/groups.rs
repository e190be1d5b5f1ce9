//! Groups, which are the core's libraries.

use domain::{Appliance, Library, LibraryFilter, LibraryId, Person, PersonFilter, Result, Window};

use crate::codes::{Code, Fault};

/// People read at a time.
const BATCH: u32 = 500;

/// The group with this name.
///
/// # Errors
/// Code 40491 when there is none.
pub(crate) async fn named(appliance: &Appliance, name: &str) -> Result<Library, Fault> {
    let filter = LibraryFilter { name: Some(name.to_owned()), ..LibraryFilter::default() };
    let found = appliance.libraries(filter).await?;
    found.into_iter().next().ok_or_else(|| Fault::with(Code::NoResource, name))
}

/// The groups with these names.
///
/// # Errors
/// Code 40491 when one is missing, code 40091 when no name was given.
pub(crate) async fn all_named(appliance: &Appliance, names: &[String]) -> Result<Vec<LibraryId>, Fault> {
    let mut ids = Vec::new();
    for name in names {
        ids.push(named(appliance, name).await?.id);
    }
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() { Err(Fault::parameter("group_name is empty")) } else { Ok(ids) }
}

/// Everybody in a library, or on the device.
pub(crate) async fn everybody(appliance: &Appliance, library: Option<LibraryId>) -> Result<Vec<Person>> {
    let mut all = Vec::new();
    loop {
        let filter = PersonFilter { library, ..PersonFilter::default() };
        let page = appliance.people(filter, Window { skip: all.len() as u64, limit: BATCH }).await?;
        if page.rows.is_empty() {
            return Ok(all);
        }
        all.extend(page.rows);
    }
}
