//! Faces in pictures that are not stored.

use domain::{LibraryId, Similarity};

use crate::codes::{Code, Fault};
use crate::convert::{compare, faces, library_ids, paths, threshold, within};
use crate::request::Call;
use crate::wire::Int;
use crate::wire::compare::{CroppedFace, DetectedFace, InPic, RankedHit, Score, SearchFaces, SearchResult};

/// Maximum number of libraries named by a search.
const MAX_LIBRARIES: usize = 50;
/// Maximum number of hits of a search.
const MAX_HITS: i64 = 50;

/// Describes the largest face of a file (769, section 3.25).
pub(crate) async fn detect_face(call: Call) -> Result<DetectedFace, Fault> {
    detect(call).await
}

/// Describes the largest face of base64 text (779, section 3.29).
pub(crate) async fn detect_face_base64(call: Call) -> Result<DetectedFace, Fault> {
    detect(call).await
}

async fn detect(mut call: Call) -> Result<DetectedFace, Fault> {
    let photo = call.take_picture("img")?;
    let found = call.reading()?.faces(photo).await?;
    Ok(faces::detected(found.first().ok_or(Code::NoFace)?))
}

/// Describes and crops every face of a file (782, section 3.26).
pub(crate) async fn detect_faces(mut call: Call) -> Result<Vec<CroppedFace>, Fault> {
    let photo = call.take_picture("img")?;
    let found = call.reading()?.faces(photo).await?;
    let keep = |crop| paths::temporary(call.device.temporary.put(crop, "image/jpeg"));
    Ok(found.into_iter().map(|face| CroppedFace { face: faces::detected(&face), img_path: keep(face.crop) }).collect())
}

/// Compares two files (771, section 5.2).
pub(crate) async fn compare_1_to_1(call: Call) -> Result<Score, Fault> {
    compare(call).await
}

/// Compares two pictures in base64 text (781, section 5.4).
pub(crate) async fn compare_1_to_1_base64(call: Call) -> Result<Score, Fault> {
    compare(call).await
}

async fn compare(mut call: Call) -> Result<Score, Fault> {
    let (first, second) = (call.take_picture("img_1")?, call.take_picture("img_2")?);
    let similarity = call.reading()?.compare(first, second).await?;
    Ok(Score { score: similarity.percent() })
}

/// Searches libraries for the face of a file (772, section 5.1).
pub(crate) async fn compare_1_to_n(call: Call) -> Result<SearchResult, Fault> {
    search(call).await
}

/// Searches libraries for the face in base64 text (780, section 5.3).
pub(crate) async fn compare_1_to_n_base64(call: Call) -> Result<SearchResult, Fault> {
    search(call).await
}

async fn search(mut call: Call) -> Result<SearchResult, Fault> {
    let photo = call.take_picture("img")?;
    let query: SearchFaces = call.read()?;
    let threshold = query.threshold.map_or(Ok(Similarity::ZERO), threshold)?;
    let topk = within("topk", query.topk.map_or(1, |Int(n)| n), 1, MAX_HITS)?;
    let rank = within("n_topk", query.n_topk.map_or(1, |Int(n)| n), 1, topk)?;
    let searched = library_ids(&query.lib_ids.0, MAX_LIBRARIES)?;
    check_libraries(&call, &searched).await?;
    let found = call.reading()?.search(photo, searched.clone(), topk as usize, threshold).await?;
    let libraries = call.reading()?.libraries(domain::LibraryFilter::default()).await?;
    let mut topn = Vec::with_capacity(found.hits.len());
    for (hit, ranking) in found.hits.into_iter().zip(1..) {
        let extension = call.device.extension(&hit.person.photo).await;
        topn.extend(compare::hit(hit, ranking, &searched, &libraries, extension));
    }
    let ranked = topn.iter().find(|hit| hit.ranking == rank).cloned();
    let in_pic = InPic { face: faces::position(&found.probe.face_box), quality: found.probe.quality.overall };
    Ok(SearchResult {
        in_pic,
        n_topn: ranked.map_or(RankedHit::Absent {}, |hit| RankedHit::There(Box::new(hit))),
        topn,
    })
}

/// Refuses a search unless a library is named, all exist, and one of them has a picture.
async fn check_libraries(call: &Call, searched: &[LibraryId]) -> Result<(), Fault> {
    if searched.is_empty() {
        return Err(Fault::parameter("lib_ids names no library"));
    }
    let mut pictures = 0;
    for id in searched {
        pictures += call.reading()?.library(*id).await?.people;
    }
    if pictures == 0 { Err(Code::EmptyLibrary.into()) } else { Ok(()) }
}
