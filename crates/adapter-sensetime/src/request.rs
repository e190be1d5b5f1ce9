//! One request: from its bytes to fields, files and caller.

use std::net::IpAddr;
use std::sync::Arc;

use adapter::{
    BodyError, Caller, Form, FormError, FormLimits, Part, Sender, Spool, Standing, Upload, caller_address,
    decode_picture, is_multipart, parse_request, read_body,
};
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use domain::{Act, Acts, Appliance};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::codes::{Code, Fault};
use crate::device::Device;
use crate::wire::people::PictureFile;
use crate::wire::{self, Fields};

/// The largest JSON body, bytes.
const MAX_BODY: usize = 40 << 20;
/// The largest body of a caller who is not logged in, bytes: enough to log in.
const MAX_BODY_WITHOUT_SESSION: usize = 16 << 10;
/// Maximum number of parts in a form of such a caller.
const MAX_PARTS_WITHOUT_SESSION: usize = 8;
/// The message that carries a file too large to be kept in memory, and what a caller must be allowed to do to send it.
const UPLOAD: (&str, Act) = ("1292", Act::MACHINE_UPGRADE);
/// The largest software package, bytes.
const MAX_UPLOAD: u64 = 1 << 30;
/// The largest picture, bytes.
const MAX_PICTURE: usize = 16 << 20;
/// Maximum number of pictures of a batch.
const MAX_BATCH: usize = 1000;
/// How the names of the parts begin that contain the pictures of a batch.
const BATCH_PART: &str = "img_";
/// The part that contains one picture.
const PICTURE_PART: &str = "img";
/// The part that contains another file.
const FILE_PART: &str = "file";
/// The list of a batch in JSON.
const BATCH_LIST: &str = "imgs";

/// A request that was read.
pub(crate) struct Call {
    pub(crate) device: Arc<Device>,
    /// The caller; `None` before login.
    pub(crate) caller: Option<Caller>,
    /// The address of the caller, for the login guard.
    pub(crate) origin: Option<IpAddr>,
    /// The connection of the caller.
    pub(crate) standing: Standing,
    /// What had the request sent.
    pub(crate) sender: Sender,
    fields: Fields,
    files: Vec<Part>,
    upload: Option<Upload>,
}

/// A picture of a batch.
pub(crate) struct BatchPicture {
    /// Its name in the table of results.
    pub(crate) label: String,
    /// The file name, which describes the person in the picture; the fault of one that is missing or unreadable.
    pub(crate) file_name: Result<String, Fault>,
    /// The fault of a picture that is not base64.
    pub(crate) picture: Result<Bytes, Fault>,
}

/// The session id in the header.
pub(crate) fn session_id(headers: &HeaderMap) -> Option<&str> {
    headers.get("sessionid")?.to_str().ok().map(str::trim)
}

impl Call {
    /// Reads a request; the body of a caller without a session only as far as a login needs it.
    pub(crate) async fn receive(device: Arc<Device>, request: Request) -> Result<Self, Fault> {
        let origin = caller_address(request.extensions());
        let caller = match session_id(request.headers()) {
            Some(id) => device.sessions.caller(id, origin).await?,
            None => None,
        };
        let (standing, sender) = (Standing::of(request.extensions()), Sender::of(request.headers()));
        if caller.is_some() {
            standing.authenticated();
        }
        let (fields, files, upload) = read(&device, request, caller.as_ref()).await?;
        Ok(Self { device, caller, origin, standing, sender, fields, files, upload })
    }

    /// The number of the message.
    pub(crate) fn msg_id(&self) -> Result<i64, Fault> {
        wire::msg_id(&self.fields)
    }

    /// The request's fields; a missing one or a wrong type is -3596 with its name.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        wire::read(self.fields.clone())
    }

    /// Takes a file out of the request.
    pub(crate) fn take_file(&mut self, name: &str) -> Result<Part, Fault> {
        let place = self.files.iter().position(|file| file.name == name);
        let place = place.ok_or_else(|| Fault::parameter(format!("missing field `{name}`")))?;
        Ok(self.files.swap_remove(place))
    }

    /// Takes the large file out of the request.
    pub(crate) fn take_upload(&mut self) -> Result<Upload, Fault> {
        self.upload.take().ok_or_else(|| Fault::parameter("missing field `file`, which must come after `msg_id`"))
    }

    /// Takes a picture out of the request: a file part, or an object with `filename` and `data` in base64.
    pub(crate) fn take_picture(&mut self, name: &str) -> Result<Bytes, Fault> {
        if let Some(place) = self.files.iter().position(|file| file.name == name) {
            return Ok(self.files.swap_remove(place).bytes);
        }
        let (key, value) =
            self.fields.remove_entry(name).ok_or_else(|| Fault::parameter(format!("missing field `{name}`")))?;
        decode(&wire::read_field(&key, value)?)
    }

    /// Takes the pictures of a batch out of the request: the parts of a form in their order, or the list in JSON, for
    /// which one object is the short form. There must be at least one.
    pub(crate) fn take_pictures(&mut self) -> Result<Vec<BatchPicture>, Fault> {
        let of_batch = |file: &mut Part| file.name.starts_with(BATCH_PART);
        let mut pictures: Vec<_> = self.files.extract_if(.., of_batch).map(BatchPicture::from).collect();
        let texts = self.fields.keys().filter(|name| is_numbered_picture(name));
        pictures.extend(texts.map(|name| BatchPicture::without_name(name.clone(), Bytes::new())));
        let listed = match self.fields.remove(BATCH_LIST) {
            Some(Value::Array(listed)) => listed,
            Some(one) => vec![one],
            None => Vec::new(),
        };
        for (place, value) in listed.into_iter().enumerate() {
            let file: PictureFile = wire::read_field(&format!("{BATCH_LIST}[{place}]"), value)?;
            let picture = decode(&file);
            pictures.push(BatchPicture { label: file.filename.0.clone(), file_name: Ok(file.filename.0), picture });
        }
        match pictures.len() {
            0 => Err(Fault::parameter("there is no picture")),
            1..=MAX_BATCH => Ok(pictures),
            _ => Err(Fault::parameter(format!("there are more than {MAX_BATCH} pictures"))),
        }
    }

    /// The acts of the caller.
    pub(crate) fn acts(&self) -> Result<Acts<'_>, Fault> {
        let caller = self.caller.as_ref().ok_or(Code::NotLoggedIn)?;
        Ok(self.device.appliance.by(&caller.actor))
    }

    /// The appliance, for a caller who may read.
    pub(crate) fn reading(&self) -> Result<&Appliance, Fault> {
        Ok(self.acts()?.reading()?)
    }
}

impl From<Part> for BatchPicture {
    fn from(Part { name, file_name, bytes }: Part) -> Self {
        match file_name {
            Some(Ok(file_name)) => Self { label: file_name.clone(), file_name: Ok(file_name), picture: Ok(bytes) },
            Some(Err(why)) => {
                let fault = Fault::parameter(format!("file name of {name}: {why}"));
                Self { label: name, file_name: Err(fault), picture: Ok(bytes) }
            }
            None => Self::without_name(name, bytes),
        }
    }
}

impl BatchPicture {
    /// A part that should be a file but has no file name.
    fn without_name(part: String, bytes: Bytes) -> Self {
        let fault = Fault::parameter(format!("{part} has no file name"));
        Self { label: part, file_name: Err(fault), picture: Ok(bytes) }
    }
}

fn decode(file: &PictureFile) -> Result<Bytes, Fault> {
    decode_picture(&file.data, MAX_PICTURE).map_err(|_| Code::BadPicture.into())
}

type Content = (Fields, Vec<Part>, Option<Upload>);

async fn read(device: &Device, request: Request, caller: Option<&Caller>) -> Result<Content, Fault> {
    let known = caller.is_some();
    if is_multipart(request.headers()) {
        let limits = if known { large_form() } else { small_form() };
        let spool = match caller {
            Some(caller) if caller.actor.may(UPLOAD.1).is_ok() => Some(spool(device).await?),
            _ => None,
        };
        let form = Form::read_with_upload(request, limits, spool).await;
        let (form, upload) = form.map_err(|error| too_large(known, error == FormError::TooLarge, &error))?;
        let (fields, files) = sort_parts(form)?;
        return Ok((fields, files, upload));
    }
    let content_type = request.headers().get(CONTENT_TYPE).cloned();
    let limit = if known { MAX_BODY } else { MAX_BODY_WITHOUT_SESSION };
    let body = read_body(request, limit).await;
    let body = body.map_err(|error| too_large(known, error == BodyError::TooLarge, &error))?;
    let fields = parse_request(content_type.as_ref(), &body);
    let fields = fields.map_err(|error| Fault::parameter(error.to_string()))?;
    Ok((fields, Vec::new(), None))
}

/// Where software packages are written, and how large they may be on this disk.
async fn spool(device: &Device) -> Result<Spool, Fault> {
    let room = device.appliance.upload_room().await?;
    Ok(Spool {
        folder: device.appliance.options().uploads.clone(),
        bytes: room.min(MAX_UPLOAD) as usize,
        wanted: |before, name| name == FILE_PART && before.iter().any(is_upload),
    })
}

fn is_upload(part: &Part) -> bool {
    part.name == "msg_id" && part.bytes.trim_ascii() == UPLOAD.0.as_bytes()
}

/// The limits of a form with a batch.
fn large_form() -> FormLimits {
    FormLimits { parts: MAX_BATCH + 16, ..FormLimits::default() }
}

/// The limits of a form without a session.
fn small_form() -> FormLimits {
    let most = MAX_BODY_WITHOUT_SESSION;
    FormLimits { parts: MAX_PARTS_WITHOUT_SESSION, part_bytes: most, total_bytes: most }
}

/// A request without a session that is larger than a login is answered with "not logged in".
fn too_large(known: bool, too_large: bool, why: &dyn ToString) -> Fault {
    if too_large && !known { Code::NotLoggedIn.into() } else { Fault::parameter(why.to_string()) }
}

/// Parts with a file name are files, and so is a picture without one. A field that is not text is refused: without it,
/// a person might be enrolled without a name.
fn sort_parts(form: Form) -> Result<(Fields, Vec<Part>), Fault> {
    let (mut fields, mut files) = (Fields::new(), Vec::new());
    for part in form.into_parts() {
        match part.text() {
            _ if part.file_name.is_some() => files.push(part),
            Some(text) => {
                let text = Value::String(text.to_owned());
                fields.insert(part.name, text);
            }
            None if may_be_file(&part.name) => files.push(part),
            None => return Err(Fault::parameter(format!("{} is not text in UTF-8", part.name))),
        }
    }
    Ok((fields, files))
}

fn may_be_file(name: &str) -> bool {
    matches!(name, FILE_PART | PICTURE_PART) || is_numbered_picture(name)
}

/// `img_1`, `img_2`, …, as against `img_id`.
fn is_numbered_picture(name: &str) -> bool {
    let number = name.strip_prefix(BATCH_PART).unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}
