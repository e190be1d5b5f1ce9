//! Batches of faces.

use adapter::Cell;
use domain::{Acts, LibraryId, NewPerson, PersonCode, Profile, SeveralFaces};

use crate::codes::{Code, Fault};
use crate::convert::people::Statements;
use crate::convert::{SELECTION, batches, bounded, ids, paths, people};
use crate::request::{BatchPicture, Call};
use crate::wire::Nothing;
use crate::wire::people::{AddFaces, BatchAdded, DeleteFaces};

/// The columns of the table of results.
const RESULTS: &[&str] = &["filename", "img_id", "code", "msg"];

/// Enrols faces from files by their names (1030, section 3.19).
pub(crate) async fn add_faces_batch(call: Call) -> Result<BatchAdded, Fault> {
    enrol(call).await
}

/// Enrols faces from base64 text by their file names (1052, section 3.28).
pub(crate) async fn add_faces_batch_base64(call: Call) -> Result<BatchAdded, Fault> {
    enrol(call).await
}

async fn enrol(mut call: Call) -> Result<BatchAdded, Fault> {
    let AddFaces { lib_id, uuid } = call.read()?;
    let table = format!("image_{}.csv", bounded("uuid", uuid)?);
    let pictures = call.take_pictures()?;
    let appliance = call.reading()?;
    let library = appliance.library(LibraryId(lib_id.0)).await?.id;
    if appliance.room_for_people().await? == 0 {
        return Err(Code::FaceLimit.into());
    }
    let (labels, read): (Vec<_>, Vec<_>) =
        pictures.into_iter().map(|picture| (picture.label.clone(), newcomer(picture, library))).unzip();
    let outcomes = enrol_readable(call.acts()?, read).await;
    let err_count = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    if err_count > 0 {
        tracing::info!(failed = err_count, table, "pictures of a batch not enrolled");
    }
    let rows = labels.into_iter().zip(&outcomes).map(|(label, outcome)| result(label, outcome)).collect();
    call.device.exports.keep_table(table.clone(), RESULTS, rows).await?;
    Ok(BatchAdded { url: paths::export(&table), err_count })
}

/// Enrols the people that could be read; returns the code of each, or the fault.
async fn enrol_readable(acts: Acts<'_>, read: Vec<Result<NewPerson, Fault>>) -> Vec<Result<PersonCode, Fault>> {
    let mut people = Vec::new();
    let read: Vec<_> = read.into_iter().map(|person| person.map(|person| people.push(person))).collect();
    let mut answers = acts.enrol_all(people).await.into_iter();
    let mut answer = || Ok(answers.next().ok_or(Code::Internal)??.code);
    read.into_iter().map(|read| read.and_then(|()| answer())).collect()
}

fn newcomer(picture: BatchPicture, library: LibraryId) -> Result<NewPerson, Fault> {
    let file_name = picture.file_name?;
    batches::check_legible(&file_name)?;
    let (img_id, person) = batches::statements(&file_name);
    Ok(NewPerson {
        code: people::new_code(img_id)?,
        profile: Statements::read(person)?.put_into(Profile::default()),
        libraries: vec![library],
        photo: picture.picture?,
        several_faces: SeveralFaces::TakeLargest,
        ..NewPerson::default()
    })
}

/// A row of the table of results; the `img_id` is empty when the person was not enrolled.
fn result(label: String, outcome: &Result<PersonCode, Fault>) -> Vec<Cell> {
    let (img_id, code, msg) = match outcome {
        Ok(code) => (code.as_str(), 0, String::new()),
        Err(fault) => {
            fault.report();
            ("", fault.code.number(), fault.message())
        }
    };
    vec![Cell::Text(label), Cell::text(img_id), Cell::Number(code.into()), Cell::Text(msg)]
}

/// Removes up to 50 faces from a library (1044, section 3.20).
pub(crate) async fn delete_faces_batch(call: Call) -> Result<Nothing, Fault> {
    let DeleteFaces { lib_id, img_ids } = call.read()?;
    let ids = ids("img_ids", &img_ids.0, SELECTION)?;
    // An invalid id belongs to no person.
    let codes = ids.iter().filter_map(|id| id.parse().ok()).collect();
    let removed = call.acts()?.remove_all_from_library(LibraryId(lib_id.0), codes).await?;
    if removed == 0 { Err(Code::NoFaceImage.into()) } else { Ok(Nothing::NOTHING) }
}
