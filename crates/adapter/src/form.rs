//! Multipart forms.

use std::io;
use std::path::{Path, PathBuf};

use axum::extract::Request;
use axum::http::header::CONTENT_DISPOSITION;
use bytes::{Bytes, BytesMut};
use encoding_rs::Encoding;
use multer::{Constraints, Field, Multipart, SizeLimit};
use tempfile::{NamedTempFile, TempPath};
use tokio::io::AsyncWriteExt;

use crate::BodyError;
use crate::body::announced;
use crate::header::{Disposition, FormType, UnreadableName, unfolded};

/// Maximum size of the boundary and headers of one part, bytes.
const PART_OVERHEAD: usize = 4096;

/// Limits on a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormLimits {
    /// Maximum number of parts.
    pub parts: usize,
    /// Maximum size of one part, bytes.
    pub part_bytes: usize,
    /// Maximum size of all parts, bytes.
    pub total_bytes: usize,
}

impl Default for FormLimits {
    /// 64 parts, 16 MiB each, 40 MiB together.
    fn default() -> Self {
        Self { parts: 64, part_bytes: 16 << 20, total_bytes: 40 << 20 }
    }
}

/// A complete multipart form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form {
    parts: Vec<Part>,
}

/// A part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The field's name; empty when it has none.
    pub name: String,
    /// File name, for files; untrusted, may contain a path. An unreadable name is never guessed.
    pub file_name: Option<Result<String, UnreadableName>>,
    /// The content.
    pub bytes: Bytes,
}

/// Why a form cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// The request is not `multipart/form-data` with a boundary.
    #[error("the request is not a multipart form")]
    NotMultipart,
    /// Too many parts, or too many bytes.
    #[error("the form is too large")]
    TooLarge,
    /// Too many large bodies of callers who have not proved who they are.
    #[error("busy")]
    Busy,
    /// The form is malformed or incomplete.
    #[error("the form is broken")]
    Broken,
    /// The uploaded part cannot be written to disk.
    #[error("the file cannot be kept")]
    NotKept,
    /// A field name (not a file name) cannot be read.
    #[error("the name of a part cannot be read")]
    UnreadableName,
    /// A required part is missing.
    #[error("the part {name} is missing")]
    Missing {
        /// The part.
        name: &'static str,
    },
    /// A part that may occur once occurs several times.
    #[error("the part {name} comes more than once")]
    Duplicate {
        /// The part.
        name: &'static str,
    },
    /// A text part is not UTF-8.
    #[error("the part {name} is not text")]
    NotText {
        /// The part.
        name: &'static str,
    },
}

impl Form {
    /// Reads a form. Never buffers more than the limits in memory.
    ///
    /// # Errors
    /// `NotMultipart`, `TooLarge`, `Broken`, `UnreadableName`.
    pub async fn read(request: Request, limits: FormLimits) -> Result<Self, FormError> {
        Self::read_with_upload(request, limits, None).await.map(|(form, _)| form)
    }

    /// Reads a form in which one part may be too large for memory: the first one that `spool` wants is written to a
    /// file.
    ///
    /// # Errors
    /// `NotMultipart`, `TooLarge`, `Broken`, `UnreadableName`, `NotKept`.
    pub async fn read_with_upload(
        request: Request,
        limits: FormLimits,
        spool: Option<Spool>,
    ) -> Result<(Self, Option<Upload>), FormError> {
        let most = limits.request_bytes() + spool.as_ref().map_or(0, |spool| spool.bytes);
        if announced(request.headers()).is_some_and(|length| length > most) {
            return Err(FormError::TooLarge);
        }
        let FormType { boundary, charset } = FormType::of(request.headers()).ok_or(FormError::NotMultipart)?;
        let body = Box::pin(unfolded(request.into_body().into_data_stream(), &boundary));
        let mut multipart = Multipart::with_constraints(body, boundary, constraints(most));
        let (mut form, mut upload) = (Self::default(), None);
        let mut left = limits.total_bytes;
        while let Some(mut field) = multipart.next_field().await.map_err(|error| FormError::of(&error))? {
            if form.parts.len() == limits.parts {
                return Err(FormError::TooLarge);
            }
            let (name, file_name) = names(&field, charset)?;
            let wanted = |spool: &&Spool| upload.is_none() && (spool.wanted)(&form.parts, &name);
            if let Some(spool) = spool.as_ref().filter(wanted) {
                upload = Some(spool.take(&mut field).await?);
                continue;
            }
            let bytes = take(&mut field, limits.part_bytes.min(left)).await?;
            left -= bytes.len();
            form.parts.push(Part { name, file_name, bytes });
        }
        Ok((form, upload))
    }

    /// All parts in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// All parts in order.
    pub fn into_parts(self) -> Vec<Part> {
        self.parts
    }

    /// The part with this name.
    ///
    /// # Errors
    /// `Missing`, `Duplicate`.
    pub fn part(&self, name: &'static str) -> Result<&Part, FormError> {
        self.optional(name)?.ok_or(FormError::Missing { name })
    }

    /// The part with this name, if there is one.
    ///
    /// # Errors
    /// `Duplicate`.
    pub fn optional(&self, name: &'static str) -> Result<Option<&Part>, FormError> {
        let mut found = self.parts.iter().filter(|part| part.name == name);
        let first = found.next();
        if found.next().is_some() { Err(FormError::Duplicate { name }) } else { Ok(first) }
    }

    /// The content of the part with this name, with or without a file name.
    ///
    /// # Errors
    /// `Missing`, `Duplicate`.
    pub fn file(&self, name: &'static str) -> Result<Bytes, FormError> {
        self.part(name).map(|part| part.bytes.clone())
    }

    /// The text of the part with this name.
    ///
    /// # Errors
    /// `Missing`, `Duplicate`, `NotText`.
    pub fn text(&self, name: &'static str) -> Result<String, FormError> {
        self.optional_text(name)?.ok_or(FormError::Missing { name })
    }

    /// The text of the part with this name, if there is one.
    ///
    /// # Errors
    /// `Duplicate`, `NotText`.
    pub fn optional_text(&self, name: &'static str) -> Result<Option<String>, FormError> {
        let text = |part: &Part| part.text().map(str::to_owned).ok_or(FormError::NotText { name });
        self.optional(name)?.map(text).transpose()
    }
}

impl Part {
    /// The content without a leading byte order mark and trailing NUL bytes; `None` when it is not UTF-8.
    pub fn text(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.bytes).ok()?;
        Some(text.strip_prefix('\u{feff}').unwrap_or(text).trim_end_matches('\0'))
    }
}

impl FormLimits {
    fn request_bytes(self) -> usize {
        self.total_bytes + self.parts * PART_OVERHEAD
    }
}

fn constraints(most: usize) -> Constraints {
    Constraints::new().size_limit(SizeLimit::new().whole_stream(most as u64))
}

/// The field name of a part, empty when it has none, and its file name.
fn names(
    field: &Field<'_>,
    charset: Option<&'static Encoding>,
) -> Result<(String, Option<Result<String, UnreadableName>>), FormError> {
    let disposition = field.headers().get(CONTENT_DISPOSITION);
    let disposition = disposition.map(|value| Disposition::read(value.as_bytes(), charset)).unwrap_or_default();
    let name = disposition.name.transpose().map_err(|UnreadableName| FormError::UnreadableName)?;
    Ok((name.unwrap_or_default(), disposition.file_name))
}

/// The content of a part.
async fn take(field: &mut Field<'_>, most: usize) -> Result<Bytes, FormError> {
    let mut content = BytesMut::new();
    while let Some(piece) = field.chunk().await.map_err(|error| FormError::of(&error))? {
        if piece.len() > most - content.len() {
            return Err(FormError::TooLarge);
        }
        content.extend_from_slice(&piece);
    }
    Ok(content.freeze())
}

/// Destination of a part that is too large for memory.
pub struct Spool {
    /// Folder of the file.
    pub folder: PathBuf,
    /// Maximum size, bytes.
    pub bytes: usize,
    /// Whether a part with this name is to be spooled, given the preceding parts.
    pub wanted: fn(&[Part], &str) -> bool,
}

/// A part in a file, which is removed when this is dropped.
pub struct Upload {
    file: TempPath,
}

impl Upload {
    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.file
    }
}

impl Spool {
    async fn take(&self, field: &mut Field<'_>) -> Result<Upload, FormError> {
        let not_kept = |error: io::Error| {
            tracing::error!(%error, "failed to store upload");
            FormError::NotKept
        };
        let (file, path) = NamedTempFile::new_in(&self.folder).map_err(not_kept)?.into_parts();
        let mut file = tokio::fs::File::from_std(file);
        let mut left = self.bytes;
        while let Some(piece) = field.chunk().await.map_err(|error| FormError::of(&error))? {
            left = left.checked_sub(piece.len()).ok_or(FormError::TooLarge)?;
            file.write_all(&piece).await.map_err(not_kept)?;
        }
        file.sync_all().await.map_err(not_kept)?;
        Ok(Upload { file: path })
    }
}

impl FormError {
    fn of(error: &multer::Error) -> Self {
        use multer::Error::{FieldSizeExceeded, StreamReadFailed, StreamSizeExceeded};
        match error {
            FieldSizeExceeded { .. } | StreamSizeExceeded { .. } => Self::TooLarge,
            StreamReadFailed(source) => match BodyError::of(source.as_ref()) {
                BodyError::TooLarge => Self::TooLarge,
                BodyError::Busy => Self::Busy,
                BodyError::Incomplete => Self::Broken,
            },
            _ => Self::Broken,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures_util::stream;

    use super::*;

    /// Reads a form in pieces, with text before its only part and this file name.
    async fn read(before: &str, file_name: &str) -> Result<Form, FormError> {
        let head = format!("Content-Disposition: form-data; name=\"img\"; filename=\"{file_name}\"");
        let body = format!("{before}\r\n--limit\r\n{head}\r\n\r\n1\r\n--limit--\r\n").into_bytes();
        let pieces: Vec<_> = body.chunks(1000).map(|piece| Ok::<_, io::Error>(piece.to_vec())).collect();
        let request = Request::builder().header("content-type", "multipart/form-data; boundary=limit");
        let request = request.body(Body::from_stream(stream::iter(pieces))).unwrap();
        Form::read(request, FormLimits::default()).await
    }

    #[tokio::test]
    async fn an_endless_head_is_refused() {
        let name = "&#".repeat(4000);
        let form = read("", &name).await.unwrap();
        assert!(form.part("img").unwrap().file_name == Some(Ok(name)));
        assert_eq!(read("", &"&#".repeat(150_000)).await, Err(FormError::TooLarge));
        assert_eq!(read(&"x".repeat(300_000), "a").await, Err(FormError::TooLarge));
    }
}
