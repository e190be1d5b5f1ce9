//! Pictures.

use std::sync::Arc;

use adapter::{Form, FormError, FormLimits, Part, Standing, caller_address};
use axum::extract::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::{Act, Error, PictureId, Stripped, strip_metadata};

use crate::codes::{Code, Fault};
use crate::convert::pictures::{ROOT, person_address, picture};
use crate::device::Device;
use crate::request::Caller;
use crate::wire::Done;
use crate::wire::pictures::{Compare, CompareRefused, Compared, PictureData, PictureKey, Uploaded};

/// The largest picture, bytes.
const MAX_PICTURE: usize = 4 << 20;
/// The limits of the form: a picture, the session, and whatever else a client sends.
const FORM: FormLimits = FormLimits { parts: 16, part_bytes: MAX_PICTURE, total_bytes: MAX_PICTURE + (64 << 10) };

/// Keeps a picture without its metadata (/UploadPersonPicture, section 2.1). The session is in the form, else in the
/// query (`in_query`), else in the header.
pub(crate) async fn upload_person_picture(
    device: Arc<Device>,
    in_query: Option<String>,
    request: Request,
) -> Result<Uploaded, Fault> {
    let origin = caller_address(request.extensions());
    let in_header = request.headers().get("session").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let standing = Standing::of(request.extensions());
    let named = in_query.as_ref().or(in_header.as_ref());
    let known = named.is_some_and(|session| device.sessions.has(session));
    let request = if known { request } else { device.bounded(request) };
    let form = Form::read(request, FORM).await.map_err(|error| match error {
        FormError::TooLarge => Code::BadPicture.into(),
        FormError::Busy => Fault::from(Error::Busy),
        _ => Code::Json.into(),
    })?;
    let in_form = form.optional_text("session").map_err(|_| Fault::field("session"))?;
    let session = in_form.or(in_query).or(in_header).ok_or_else(|| Fault::field("session"))?;
    let file = file(&form).ok_or_else(|| Fault::field("file"))?;
    let caller = Caller::of(device, &session, Act::PICTURE_KEEP, origin).await?;
    standing.authenticated();
    if strip_metadata(&file) == Stripped::Other {
        return Err(Code::BadPicture.into());
    }
    let kept = caller.acts().keep_picture(file).await?;
    Ok(Uploaded { code: 0, pic_url: person_address(&kept), msg: "" })
}

/// The part `file`, or else the first with a file name (quirk "2.1 request").
fn file(form: &Form) -> Option<Bytes> {
    let called = |part: &&Part| part.name == "file";
    let found = form.parts().iter().find(called).or_else(|| form.parts().iter().find(|part| part.file_name.is_some()));
    found.map(|part| part.bytes.clone())
}

/// Reads a picture by its address (/picture/…, quirk "2.1 pic_url").
pub(crate) async fn show_picture(device: Arc<Device>, session: Option<String>, path: &str) -> Result<Bytes, Fault> {
    let session = session.ok_or_else(|| Fault::field("session"))?;
    let caller = Caller::of(device, &session, Act::READ, None).await?;
    stored(&caller, &format!("{ROOT}{path}")).await
}

/// Reads a picture as base64 (/DownloadPersonPicture, section 2.2).
pub(crate) async fn download_person_picture(caller: Caller, request: PictureKey) -> Result<PictureData, Fault> {
    let picture = stored(&caller, &request.pic_url).await?;
    Ok(PictureData { code: 0, data: STANDARD.encode(picture), msg: "" })
}

/// Removes a picture that belongs to no person (/DeletePicture, section 2.3).
pub(crate) async fn delete_picture(caller: Caller, request: PictureKey) -> Result<Done, Fault> {
    let id = named(&request.pic_url)?;
    caller.acts().remove_picture(id).await?;
    Ok(Done::DONE)
}

/// Compares the faces of two pictures (/Compare1V1, section 6.7).
pub(crate) async fn compare_1v1(caller: Caller, request: Compare) -> Result<Compared, Fault> {
    let (first, second) = (stored(&caller, &request.first_pic).await?, stored(&caller, &request.second_pic).await?);
    let compared = caller.reading()?.compare_portraits(first, second).await;
    let similarity = compared.map_err(|error| match error {
        Error::NoFace | Error::ManyFaces | Error::LowQuality { .. } | Error::BadPicture { .. } => {
            Code::CompareFailed.into()
        }
        other => Fault::from(other),
    })?;
    Ok(Compared { code: 0, similarity: crate::convert::fraction(similarity), msg: "" })
}

/// The answer to a failed comparison.
pub(crate) fn compare_refusal(fault: &Fault) -> CompareRefused {
    CompareRefused { code: fault.code.number(), msg: fault.message(), similarity: 0 }
}

fn named(address: &str) -> Result<PictureId, Fault> {
    picture(address).ok_or_else(|| Code::NoData.into())
}

/// The bytes of the picture at an address.
pub(super) async fn stored(caller: &Caller, address: &str) -> Result<Bytes, Fault> {
    Ok(caller.reading()?.picture(named(address)?).await?)
}
