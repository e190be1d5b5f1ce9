//! Enrolled faces.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{LibraryId, NewPerson, Person, Profile, SeveralFaces};

use crate::codes::{Code, Fault};
use crate::convert::people::Statements;
use crate::convert::{QUERY_PAGE, faces, people, window};
use crate::request::Call;
use crate::wire::people::{AddFace, FaceAdded, FaceDetails, FaceKey, FaceRow, FaceUpdated, QueryFaces, UpdateFace};
use crate::wire::{Nothing, Rows, Text};

/// Reads an enrolled face with its picture and feature (1032, section 3.6).
pub(crate) async fn get_face(call: Call) -> Result<FaceDetails, Fault> {
    let key: FaceKey = call.read()?;
    let library = LibraryId(key.lib_id.0);
    let person = member(&call, library, &key.img_id).await?;
    let appliance = call.reading()?;
    let embedding = appliance.embedding(person.id).await?;
    let photo = appliance.picture(person.photo.clone()).await?;
    Ok(FaceDetails {
        img: STANDARD.encode(&photo),
        img_feat: faces::library_feature(&embedding),
        row: row(&call, person, library).await,
    })
}

/// Enrols a face from a file (1029, section 3.7).
pub(crate) async fn add_face(call: Call) -> Result<FaceAdded, Fault> {
    enrol(call).await
}

/// Enrols a face from base64 text (1051, section 3.27).
pub(crate) async fn add_face_base64(call: Call) -> Result<FaceAdded, Fault> {
    enrol(call).await
}

async fn enrol(mut call: Call) -> Result<FaceAdded, Fault> {
    let photo = call.take_picture("img")?;
    let new: AddFace = call.read()?;
    let person = NewPerson {
        code: people::new_code(new.img_id)?,
        profile: Statements::read(call.read()?)?.put_into(Profile::default()),
        libraries: vec![LibraryId(new.lib_id.0)],
        photo,
        several_faces: SeveralFaces::TakeLargest,
        ..NewPerson::default()
    };
    let enrolled = call.acts()?.enrol(person).await?;
    Ok(FaceAdded { img_id: enrolled.code.as_str().to_owned() })
}

/// Removes a face from a library (1031, section 3.8).
pub(crate) async fn delete_face(call: Call) -> Result<Nothing, Fault> {
    let key: FaceKey = call.read()?;
    let library = LibraryId(key.lib_id.0);
    let person = member(&call, library, &key.img_id).await?;
    call.acts()?.remove_from_library(person.id, library).await?;
    Ok(Nothing::NOTHING)
}

/// Changes the fields of a person (1033, section 3.9).
pub(crate) async fn update_face(call: Call) -> Result<FaceUpdated, Fault> {
    let UpdateFace { img_id, lib_id } = call.read()?;
    let statements = Statements::read(call.read()?)?;
    let person = member(&call, LibraryId(lib_id.0), &img_id).await?;
    let change = |profile| statements.put_into(profile);
    call.acts()?.change_profile(person.id, change).await?;
    Ok(FaceUpdated { img_id: img_id.0, lib_id: lib_id.0 })
}

/// Lists the faces of a library that meet conditions, newest first (1035, section 3.10).
pub(crate) async fn query_faces(call: Call) -> Result<Rows<FaceRow>, Fault> {
    let query: QueryFaces = call.read()?;
    let window = window(query.start_no, query.qry_len, QUERY_PAGE)?;
    let library = LibraryId(query.lib_id.0);
    let filter = people::filter(query, call.read()?, &call.device.zone())?;
    call.reading()?.library(library).await?;
    let page = call.reading()?.people(filter, window).await?;
    let mut rows = Vec::with_capacity(page.rows.len());
    for person in page.rows {
        rows.push(row(&call, person, library).await);
    }
    Ok(Rows::new(rows, page.total))
}

/// The person with this id, when the library exists and has the person.
async fn member(call: &Call, library: LibraryId, img_id: &Text) -> Result<Person, Fault> {
    call.reading()?.library(library).await?;
    let person = call.reading()?.person_by_code(people::code(img_id)?).await?;
    if person.libraries.contains(&library) { Ok(person) } else { Err(Code::NoFaceImage.into()) }
}

async fn row(call: &Call, person: Person, library: LibraryId) -> FaceRow {
    let extension = call.device.extension(&person.photo).await;
    people::row(person, library, extension, &call.device.zone())
}
