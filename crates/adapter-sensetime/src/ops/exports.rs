//! Exports: zip files of pictures with a table.

use adapter::{Archive, content_type};
use domain::{Appliance, CaptureId, Error, LibraryId, ObjectCapture, Page, Record, Thing};

use crate::codes::{Code, Fault};
use crate::convert::exports::{self, ALARMS, BODIES, ExportKind, FACES, Item, SNAPS};
use crate::convert::records::Wanted;
use crate::convert::{EXPORT_PAGE, SELECTION, bodies, ids, paths, time, window};
use crate::ops::records;
use crate::request::Call;
use crate::wire::exports::{ExportFaces, PageExport, SelectedFaces, SelectedSnaps, SelectionExport};

/// Exports a page of a library's faces, newest first (1038, section 3.11).
pub(crate) async fn export_faces_page(call: Call) -> Result<PageExport, Fault> {
    let ExportFaces { lib_id, start_no, qry_len } = call.read()?;
    let window = window(start_no, qry_len, EXPORT_PAGE)?;
    let library = call.reading()?.library(LibraryId(lib_id.0)).await?;
    if library.people == 0 {
        return Err(Code::EmptyLibrary.into());
    }
    let filter = domain::PersonFilter { library: Some(library.id), ..Default::default() };
    let Page { rows, total } = call.reading()?.people(filter, window).await?;
    let items = rows.into_iter().map(|person| exports::face(person, library.id, &call.device.zone())).collect();
    export_page(&call, &FACES, items, total).await
}

/// Exports the faces named (1041, section 3.12).
pub(crate) async fn export_faces_selected(call: Call) -> Result<SelectionExport, Fault> {
    let SelectedFaces { lib_id, img_ids } = call.read()?;
    let ids = ids("img_ids", &img_ids.0, SELECTION)?;
    let library = call.reading()?.library(LibraryId(lib_id.0)).await?.id;
    let mut items = Vec::new();
    for id in &ids {
        let Ok(code) = id.parse() else { continue };
        match call.reading()?.person_by_code(code).await {
            Ok(person) if person.libraries.contains(&library) => {
                items.push(exports::face(person, library, &call.device.zone()));
            }
            Ok(_) | Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    export_selection(&call, &FACES, ids, items).await
}

/// Exports a page of captures, newest first (1040, section 3.14).
pub(crate) async fn export_snaps_page(call: Call) -> Result<PageExport, Fault> {
    let Page { rows, total } = records::page(&call, Wanted::Snaps, EXPORT_PAGE).await?;
    let items = rows.iter().map(|record| exports::snap(record, &call.device.zone())).collect();
    export_page(&call, &SNAPS, items, total).await
}

/// Exports the captures named (1043, section 3.15).
pub(crate) async fn export_snaps_selected(call: Call) -> Result<SelectionExport, Fault> {
    let (ids, found) = selected(&call, record_of).await?;
    let items = found.iter().map(|record| exports::snap(record, &call.device.zone())).collect();
    export_selection(&call, &SNAPS, ids, items).await
}

/// Exports a page of alarms, newest first (1039, section 3.17).
pub(crate) async fn export_alarms_page(call: Call) -> Result<PageExport, Fault> {
    records::require_libraries(&call).await?;
    let Page { rows, total } = records::page(&call, Wanted::Alarms, EXPORT_PAGE).await?;
    let items = rows.iter().map(|record| exports::alarm(record, &call.device.zone())).collect();
    export_page(&call, &ALARMS, items, total).await
}

/// Exports the alarms named (1042, section 3.18).
pub(crate) async fn export_alarms_selected(call: Call) -> Result<SelectionExport, Fault> {
    let (ids, found) = selected(&call, record_of).await?;
    let alarms = found.iter().filter(|record| record.accepted().is_some());
    let items = alarms.map(|record| exports::alarm(record, &call.device.zone())).collect();
    export_selection(&call, &ALARMS, ids, items).await
}

/// Exports a page of captures of bodies, newest first (1048, section 3.23).
pub(crate) async fn export_body_snaps_page(call: Call) -> Result<PageExport, Fault> {
    let Page { rows, total } = records::bodies_page(&call, EXPORT_PAGE).await?;
    let items = rows.iter().map(|body| exports::body(body, &call.device.zone())).collect();
    export_page(&call, &BODIES, items, total).await
}

/// Exports the captures of bodies named (1047, section 3.24).
pub(crate) async fn export_body_snaps_selected(call: Call) -> Result<SelectionExport, Fault> {
    let (ids, found) = selected(&call, body_of).await?;
    let items = found.iter().map(|body| exports::body(body, &call.device.zone())).collect();
    export_selection(&call, &BODIES, ids, items).await
}

async fn record_of(appliance: Appliance, id: CaptureId) -> domain::Result<Record> {
    appliance.record_of_capture(id).await
}

async fn body_of(appliance: Appliance, id: CaptureId) -> domain::Result<ObjectCapture> {
    let body = appliance.behaviour(id).await?;
    if bodies::is_capture(&body.behaviour) { Ok(body) } else { Err(Error::NotFound { what: Thing::Record }) }
}

/// The ids named, and the captures that exist.
async fn selected<T, F: Future<Output = domain::Result<T>>>(
    call: &Call,
    find: impl Fn(Appliance, CaptureId) -> F,
) -> Result<(Vec<String>, Vec<T>), Fault> {
    let SelectedSnaps { snap_ids } = call.read()?;
    let ids = ids("snap_ids", &snap_ids.0, SELECTION)?;
    let mut found = Vec::new();
    for id in &ids {
        let Ok(capture) = id.parse() else { continue };
        match find(call.reading()?.clone(), capture).await {
            Ok(record) => found.push(record),
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok((ids, found))
}

async fn export_page(call: &Call, kind: &ExportKind, items: Vec<Item>, total_num: u64) -> Result<PageExport, Fault> {
    let (export_url, exported) = export(call, kind, items).await?;
    Ok(PageExport { export_url, result_num: exported.len(), total_num })
}

async fn export_selection(
    call: &Call,
    kind: &ExportKind,
    ids: Vec<String>,
    items: Vec<Item>,
) -> Result<SelectionExport, Fault> {
    let (export_url, exported) = export(call, kind, items).await?;
    let (result_num, total_num) = (exported.len(), ids.len());
    let failed: Vec<_> = ids.into_iter().filter(|id| !exported.contains(id)).collect();
    Ok(SelectionExport { export_url, failed_img_ids: failed.join(","), result_num, total_num })
}

/// Writes the file; returns its path and the ids of the pictures in it. -2100 when there is none.
async fn export(call: &Call, kind: &ExportKind, items: Vec<Item>) -> Result<(String, Vec<String>), Fault> {
    let device = &call.device;
    let mut archive = Archive::begin(&device.exports, kind.columns);
    let mut exported = Vec::new();
    for Item { id, stem, picture, row } in items {
        match device.appliance.picture(picture).await {
            Ok(picture) => {
                let name = format!("{stem}.{}", paths::extension(content_type(&picture)));
                archive.add(&name, picture, row).await?;
                exported.push(id);
            }
            // The picture was removed since the page was read.
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if exported.is_empty() {
        return Err(Code::NothingToExport.into());
    }
    let stem = format!("{}_{}", kind.name, time::file_text(device.appliance.now(), &device.zone()));
    let name = device.exports.keep(archive.finish().await?, stem, "zip").await?;
    call.acts()?.note_export(kind.act, format!("{} in {name}", exported.len())).await?;
    Ok((paths::export(&name), exported))
}
