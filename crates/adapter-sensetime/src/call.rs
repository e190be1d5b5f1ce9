//! One call: from the HTTP request to the operation and back to the envelope.

use std::net::IpAddr;
use std::sync::Arc;

use adapter::{
    BodyError, Form, FormError, FormLimits, Part, Spool, Upload, caller_address, decode_picture, is_multipart,
    parse_request, read_body,
};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::{Actor, Acts, Appliance};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::codes::{Code, Fault};
use crate::core::{Core, NAME};
use crate::wire::people::PictureFile;
use crate::wire::{self, Envelope, Fields, Nothing};
use crate::{ops, session};

/// The largest JSON body.
const MAX_BODY: usize = 40 << 20;
/// The largest body of a caller who is not logged in: enough to log in.
const MAX_BODY_OF_STRANGER: usize = 64 << 10;
/// The largest software package.
const MAX_UPLOAD: u64 = 1 << 30;
/// What a package leaves free on the disk.
const LEFT_FREE: u64 = 512 << 20;
/// The largest picture.
const MAX_PICTURE: usize = 16 << 20;
/// Pictures of a batch at most.
const MAX_BATCH: usize = 1000;
/// How the names of the parts begin that hold the pictures of a batch.
const BATCH_PART: &str = "img_";
/// The part that holds one picture.
const PICTURE_PART: &str = "img";
/// The part that holds another file.
const FILE_PART: &str = "file";
/// The list of a batch in JSON.
const BATCH_LIST: &str = "imgs";

/// A request that was read.
pub(crate) struct Call {
    pub(crate) core: Arc<Core>,
    /// Who calls; `None` before login.
    actor: Option<Actor>,
    /// The session named in the header.
    pub(crate) session: Option<String>,
    /// Where the call comes from, for the login guard.
    pub(crate) origin: Option<IpAddr>,
    fields: Fields,
    files: Vec<Part>,
    upload: Option<Upload>,
}

/// A picture of a batch.
pub(crate) struct BatchPicture {
    /// What it is called in the table of results.
    pub(crate) label: String,
    /// Who it is of; the fault of a picture that does not say so, or that nobody can read.
    pub(crate) file_name: Result<String, Fault>,
    /// The fault of a picture that is no base64.
    pub(crate) picture: Result<Bytes, Fault>,
}

impl Call {
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

    /// Takes the pictures of a batch out of the request: the parts of a form in the order they came, or the list of
    /// JSON, of which one object is the short form. There must be one at least.
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

    /// What the caller may do.
    pub(crate) fn acts(&self) -> Result<Acts<'_>, Fault> {
        let actor = self.actor.as_ref().ok_or(Code::NotLoggedIn)?;
        Ok(self.core.appliance.by(actor))
    }

    /// The appliance, to read.
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
    /// A part that should be a file and does not say whose.
    fn without_name(part: String, bytes: Bytes) -> Self {
        let fault = Fault::parameter(format!("{part} has no file name"));
        Self { label: part, file_name: Err(fault), picture: Ok(bytes) }
    }
}

fn decode(file: &PictureFile) -> Result<Bytes, Fault> {
    decode_picture(&file.data, MAX_PICTURE).map_err(|_| Code::BadPicture.into())
}

/// POST `/api/json`, `/api/form`: any message on either path.
pub(crate) async fn answer(State(core): State<Arc<Core>>, request: Request) -> Response {
    match perform(core, request).await {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(fault) => refusal(&fault),
    }
}

async fn perform(core: Arc<Core>, request: Request) -> Result<Vec<u8>, Fault> {
    let session = session::id(request.headers()).map(str::to_owned);
    let origin = caller_address(request.extensions());
    let account = session.as_ref().and_then(|id| core.sessions.find(id));
    let actor = account.map(|account| Actor::user(&account, origin, NAME));
    let (fields, files, upload) = read(&core, request, actor.as_ref()).await?;
    let msg_id = wire::msg_id(&fields)?;
    let operation = ops::find(msg_id).ok_or(Code::MsgId)?;
    operation.admit(actor.as_ref())?;
    let known = actor.is_some();
    let call = Call { core, actor, session, origin, fields, files, upload };
    // Strangers do not fill the log.
    (operation.run)(call).await.inspect_err(|fault| {
        if known {
            fault.explain(msg_id);
        }
    })
}

type Content = (Fields, Vec<Part>, Option<Upload>);

async fn read(core: &Core, request: Request, actor: Option<&Actor>) -> Result<Content, Fault> {
    let known = actor.is_some();
    if is_multipart(request.headers()) {
        let limits = if known { large_form() } else { small_form() };
        let spool = match actor {
            Some(actor) if ops::may_upload(actor) => Some(spool(core).await?),
            _ => None,
        };
        let form = Form::read_with_upload(request, limits, spool).await;
        let (form, upload) = form.map_err(|error| too_large(known, error == FormError::TooLarge, &error))?;
        let (fields, files) = sort_parts(form)?;
        return Ok((fields, files, upload));
    }
    let content_type = request.headers().get(CONTENT_TYPE).cloned();
    let limit = if known { MAX_BODY } else { MAX_BODY_OF_STRANGER };
    let body = read_body(request, limit).await;
    let body = body.map_err(|error| too_large(known, error == BodyError::TooLarge, &error))?;
    let fields = parse_request(content_type.as_ref(), &body);
    let fields = fields.map_err(|error| Fault::parameter(error.to_string()))?;
    Ok((fields, Vec::new(), None))
}

/// The way of software packages: no further than the disk allows.
async fn spool(core: &Core) -> Result<Spool, Fault> {
    let free = core.appliance.storage_usage().await?.free_bytes.saturating_sub(LEFT_FREE);
    Ok(Spool {
        folder: core.appliance.options().uploads.clone(),
        bytes: free.min(MAX_UPLOAD) as usize,
        wanted: |before, name| name == FILE_PART && before.iter().any(is_upload),
    })
}

fn is_upload(part: &Part) -> bool {
    part.name == "msg_id" && part.bytes.trim_ascii() == ops::UPLOAD.as_bytes()
}

/// Room for a batch and what is said of it.
fn large_form() -> FormLimits {
    FormLimits { parts: MAX_BATCH + 16, ..FormLimits::default() }
}

fn small_form() -> FormLimits {
    FormLimits { part_bytes: MAX_BODY_OF_STRANGER, total_bytes: MAX_BODY_OF_STRANGER, ..FormLimits::default() }
}

/// A stranger who sends more than a login is told to log in.
fn too_large(known: bool, too_large: bool, why: &dyn ToString) -> Fault {
    if too_large && !known { Code::NotLoggedIn.into() } else { Fault::parameter(why.to_string()) }
}

/// Parts with a file name are files, and so is a picture without one. A field that is not text is refused: left out,
/// it might be the name of whoever is enrolled.
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

/// The body of a success.
pub(crate) fn success(data: impl Serialize) -> Result<Vec<u8>, Fault> {
    let envelope = Envelope { code: 0, data, msg: String::new() };
    serde_json::to_vec(&envelope).map_err(|error| domain::Error::internal("writing an answer")(error).into())
}

fn refusal(fault: &Fault) -> Response {
    fault.report();
    let envelope = Envelope { code: fault.code.number(), data: Nothing::NOTHING, msg: fault.message() };
    axum::Json(envelope).into_response()
}
