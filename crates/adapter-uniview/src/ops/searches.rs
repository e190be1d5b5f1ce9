//! Searches (chapter 11).

use domain::{Behaviour, ClipState, ObjectCapture, PictureId, Record};

use crate::codes::Fault;
use crate::convert::alarms::{self, AlarmAddresses, WantedAlarms, alarm, alarm_match};
use crate::convert::pictures::{FACE, LIBRARY, SCENE, address, video_address};
use crate::convert::searches::{self, Addresses, Wanted, face_capture, face_match};
use crate::request::Caller;
use crate::wire::Answer;
use crate::wire::searches::{Alarm, AlarmMatch, FaceCapture, FaceMatch, Hits, Search};

/// Searches for captured faces, newest first (/search/facecap, section 11.2).
pub(crate) async fn face_captures(caller: Caller, request: Search) -> Result<Answer<Hits<FaceCapture>>, Fault> {
    let wanted = searches::captures(request, false)?;
    hits(&caller, wanted, face_capture).await
}

/// Searches for faces that were compared, newest first (/search/facematch, section 11.4).
pub(crate) async fn face_matches(caller: Caller, request: Search) -> Result<Answer<Hits<FaceMatch>>, Fault> {
    let wanted = searches::captures(request, true)?;
    hits(&caller, wanted, face_match).await
}

/// Searches for alarms of rules, newest first (/search/behavior, section 11.1).
pub(crate) async fn behaviours(caller: Caller, request: Search) -> Result<Answer<Hits<Alarm>>, Fault> {
    let wanted = alarms::alarms(&request)?;
    found_alarms(&caller, wanted, alarm).await
}

/// Searches for alarms of rules whose faces were compared, newest first (/search/behaviormatch, section 11.3).
pub(crate) async fn behaviour_matches(caller: Caller, request: Search) -> Result<Answer<Hits<AlarmMatch>>, Fault> {
    let wanted = alarms::compared_alarms(&request)?;
    found_alarms(&caller, wanted, alarm_match).await
}

async fn found_alarms<T>(
    caller: &Caller,
    wanted: WantedAlarms,
    row: fn(&ObjectCapture, AlarmAddresses) -> T,
) -> Result<Answer<Hits<T>>, Fault> {
    let Some(filter) = wanted.filter else { return Ok(Answer::of(Hits { total: 0, list: Vec::new() })) };
    let page = caller.reading()?.behaviours(filter, wanted.paging.window()).await?;
    let mut list = Vec::with_capacity(page.rows.len());
    for found in &page.rows {
        list.push(row(found, alarm_addresses(caller, &found.behaviour).await?));
    }
    Ok(Answer::of(Hits { total: page.total, list }))
}

async fn alarm_addresses(caller: &Caller, found: &Behaviour) -> Result<AlarmAddresses, Fault> {
    let scene = address(SCENE, &found.scene, size(caller, &found.scene).await?);
    let bytes = match &found.clip {
        ClipState::Stored(video) => size(caller, video).await?,
        ClipState::None | ClipState::Awaited | ClipState::Lost => None,
    };
    let mut photos = Vec::with_capacity(found.comparisons.len());
    for face in &found.comparisons {
        photos.push(address(LIBRARY, &face.best.photo, size(caller, &face.best.photo).await?));
    }
    Ok(AlarmAddresses { scene, video: video_address(found, bytes), photos })
}

async fn hits<T>(caller: &Caller, wanted: Wanted, row: fn(&Record, Addresses) -> T) -> Result<Answer<Hits<T>>, Fault> {
    let Some(filter) = wanted.filter else { return Ok(Answer::of(Hits { total: 0, list: Vec::new() })) };
    let page = caller.reading()?.records(filter, wanted.paging.window()).await?;
    let mut list = Vec::with_capacity(page.rows.len());
    for record in &page.rows {
        list.push(row(record, addresses(caller, record).await?));
    }
    Ok(Answer::of(Hits { total: page.total, list }))
}

async fn addresses(caller: &Caller, record: &Record) -> Result<Addresses, Fault> {
    let photo = match record.best() {
        Some(best) => size(caller, &best.photo).await?,
        None => None,
    };
    let (scene, crop) = (&record.capture.scene, &record.capture.crop);
    Ok(Addresses {
        scene: address(SCENE, scene, size(caller, scene).await?),
        face: address(FACE, crop, size(caller, crop).await?),
        photo: searches::photo(record, photo),
    })
}

/// The size of a picture; `None` when it is gone.
async fn size(caller: &Caller, picture: &PictureId) -> Result<Option<u64>, Fault> {
    match caller.reading()?.picture_size(picture.clone()).await {
        Ok(size) => Ok(Some(size)),
        Err(domain::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
