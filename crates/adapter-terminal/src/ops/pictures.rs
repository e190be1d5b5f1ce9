//! Pictures: snapshots of a camera, and faces in pictures that are sent.

use adapter::{PictureTextError, decode_picture};
use bytes::Bytes;
use domain::{CameraStatus, Error, Hit, LibraryFilter, Similarity};

use super::failed;
use crate::codes::{Refusal, detect_face, picture_search, scene_snap, similarity};
use crate::convert::{people, scene};
use crate::request::{Call, Outcome};
use crate::settings;
use crate::wire::replies::{DetectedFace, FoundPeople, PictureSimilarity, SceneSnap};
use crate::wire::{Fault, Fields, Reply};
use crate::work::enrolment::LARGEST_PICTURE;

/// Maximum number of people found.
const MOST_FOUND: i64 = 20;

/// Takes a picture with the first camera that is online (GetSceneSnap, section 16).
pub(crate) async fn get_scene_snap(call: Call) -> Outcome {
    let kind = call.info.int("ImgType").unwrap_or(2);
    let quality = call.info.int("ImgQuality").unwrap_or(55).clamp(55, 100) as u8;
    let format = scene::Format::of(kind);
    let format = format.ok_or_else(|| scene_snap::NOT_SUPPORTED.because("ImgType must be one of 0, 1, 2"))?;
    let picture = snapshot(&call).await.map_err(|error| scene_snap::FAILED.because(error))?;
    let encoded = tokio::task::spawn_blocking(move || scene::encode(&picture, format, quality)).await;
    let encoded = encoded.ok().flatten();
    let encoded = encoded.ok_or_else(|| scene_snap::FAILED.because("the picture cannot be encoded"))?;
    Ok(Reply::with(SceneSnap { img_type: kind.to_string(), img_data: encoded }))
}

async fn snapshot(call: &Call) -> domain::Result<Bytes> {
    let appliance = &call.device.appliance;
    let cameras = appliance.cameras().await?;
    let online = cameras.iter().find(|camera| appliance.camera_status(camera.id) == CameraStatus::Online);
    let camera = online.ok_or(Error::Unavailable { what: "a camera that delivers pictures" })?;
    appliance.snapshot(camera.id).await
}

/// Reads a picture in text; `missing` when there is none.
fn picture(text: Option<String>, missing: Refusal, not_base64: Refusal) -> Result<Bytes, Refusal> {
    let text = text.filter(|text| !text.trim().is_empty()).ok_or(missing)?;
    decode_picture(&text, LARGEST_PICTURE).map_err(|error| match error {
        PictureTextError::Empty => missing,
        PictureTextError::TooLarge | PictureTextError::NotBase64 => not_base64,
    })
}

/// Compares two faces (GetPictureSimilarity, section 17).
pub(crate) async fn get_picture_similarity(call: Call) -> Outcome {
    use similarity as table;
    let text = |names: [&str; 2]| call.info.first(&names, Fields::text);
    let first = text(["picinfo1", "pic1info"]).ok_or(table::NO_FIRST)?;
    let second = text(["picinfo2", "pic2info"]).ok_or(table::NO_SECOND)?;
    let first = picture(Some(first), table::NO_FIRST, table::FIRST_NOT_BASE64)?;
    let second = picture(Some(second), table::NO_SECOND, table::SECOND_NOT_BASE64)?;
    let appliance = &call.device.appliance;
    let compared = match appliance.compare(first.clone(), second).await {
        Ok(similarity) => similarity,
        Err(error) if is_of_the_picture(&error) => {
            // To find out which picture it was: one with a usable face can be compared with itself.
            let first_shows = appliance.compare(first.clone(), first).await.is_ok();
            return Err(if first_shows { table::SECOND_NO_FEATURE } else { table::FIRST_NO_FEATURE }.into());
        }
        Err(error) => return Err(failed(&error)),
    };
    Ok(Reply::with(PictureSimilarity { similarity: format!("{:.1}", f64::from(compared.value()) * 100.0) }))
}

/// Whether the error says that the picture shows no usable face.
fn is_of_the_picture(error: &Error) -> bool {
    matches!(error, Error::NoFace | Error::ManyFaces | Error::LowQuality { .. } | Error::BadPicture { .. })
}

/// `MaxSimilarity`, 0 to 100. A number below 1 is read as a fraction: clients send 0.8 for 80.
fn threshold(info: &Fields) -> Result<Similarity, Fault> {
    let number = info.float("MaxSimilarity").ok_or(picture_search::NO_SIMILARITY)?;
    if !(0.0..=100.0).contains(&number) {
        return Err(picture_search::NO_SIMILARITY.because("MaxSimilarity must be 0 to 100"));
    }
    let percent = if number < 1.0 { number * 100.0 } else { number };
    Ok(Similarity::from_percent(percent as f32))
}

/// Finds the people most like a face (GetPictureSearch, section 18).
pub(crate) async fn get_picture_search(call: Call) -> Outcome {
    use picture_search as table;
    let threshold = threshold(&call.info)?;
    let number = call.info.int("MaxNum").filter(|number| *number > 0).ok_or(table::NO_NUMBER)?;
    let text = call.command.top.text("picinfo").or_else(|| call.info.text("picinfo"));
    let photo = picture(text, table::NO_PICTURE, table::NOT_BASE64)?;
    let (device, limit) = (&call.device, number.min(MOST_FOUND) as usize);
    let libraries = device.appliance.libraries(LibraryFilter::default()).await.map_err(|error| failed(&error))?;
    let (block, ids) = (people::block_libraries(&libraries), libraries.iter().map(|library| library.id).collect());
    let found = device.appliance.search(photo, ids, limit, threshold).await.map_err(|error| match error {
        error if is_of_the_picture(&error) => Fault::from(table::NO_FEATURE),
        error => failed(&error),
    })?;
    if found.hits.is_empty() {
        return Err(table::NO_PERSON.into());
    }
    let ids: Vec<_> = found.hits.iter().map(|hit| hit.person.id).collect();
    let mut own = settings::own_fields_of(&device.state(), &ids).await.map_err(|error| failed(&error))?;
    let zone = device.zone();
    let row = |hit: &Hit| people::hit(&hit.person, &own.remove(&hit.person.id).unwrap_or_default(), &block, &zone);
    let rows: Vec<_> = found.hits.iter().map(row).collect();
    let mut reply = Reply::with(FoundPeople { total_num: rows.len(), search_info: rows });
    // Some clients read it here.
    reply.top.insert("result".to_owned(), "ok".into());
    Ok(reply)
}

/// Reports whether a picture shows a face (DetectFaceFromPic, section 19).
pub(crate) async fn detect_face_from_pic(call: Call) -> Outcome {
    use detect_face as table;
    let photo = picture(call.info.text("picinfo"), table::NO_PICTURE, table::NOT_BASE64)?;
    let face = match call.device.appliance.faces(photo).await {
        Ok(_) => 1,
        Err(error) if is_of_the_picture(&error) => 0,
        Err(error) => return Err(failed(&error)),
    };
    Ok(Reply::with(DetectedFace { detect_face: face.to_string() }))
}
