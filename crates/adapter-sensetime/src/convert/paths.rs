//! The relative paths of pictures. A path is parsed into ids and never becomes a file name.

use domain::{CameraId, CaptureId, LibraryId, PersonCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

/// The characters that are not escaped in a path.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The target of a path.
#[derive(Debug, PartialEq)]
pub(crate) enum Download {
    /// The picture of a person, as a member of a library.
    Face(LibraryId, PersonCode),
    /// The face of a capture.
    Capture(CaptureId),
    /// The body of a capture.
    Body(CaptureId),
    /// A temporary picture.
    Temporary(Uuid),
    /// A file made for download.
    Export(String),
}

impl Download {
    /// Whether it is a picture, as opposed to an export.
    pub(crate) fn is_picture(&self) -> bool {
        match self {
            Self::Face(..) | Self::Capture(_) | Self::Body(_) | Self::Temporary(_) => true,
            Self::Export(_) => false,
        }
    }
}

/// `img/<lib_id>_<img_id>.<ext>`; codes of other platforms may contain characters that need escaping.
pub(crate) fn face(library: LibraryId, code: &PersonCode, extension: &str) -> String {
    format!("img/{library}_{}.{extension}", utf8_percent_encode(code.as_str(), ESCAPED))
}

/// `record/<snap_id>.jpg`.
pub(crate) fn capture(id: CaptureId) -> String {
    format!("record/{id}.jpg")
}

/// `record/<channel>/body/<snap_id>.jpg`.
pub(crate) fn body(camera: CameraId, id: CaptureId) -> String {
    format!("record/{camera}/body/{id}.jpg")
}

/// `tmp/<uuid>.jpg`.
pub(crate) fn temporary(id: Uuid) -> String {
    format!("tmp/{id}.jpg")
}

/// `tmp/<name>`; a caller's own id in the name may need escaping.
pub(crate) fn export(name: &str) -> String {
    format!("tmp/{}", utf8_percent_encode(name, ESCAPED))
}

/// The target of an unescaped path. The extension does not matter.
pub(crate) fn download(path: &str) -> Option<Download> {
    let (folder, file) = path.split_once('/')?;
    let (stem, _) = file.rsplit_once('.')?;
    match folder {
        "img" => {
            let (library, code) = stem.split_once('_')?;
            Some(Download::Face(LibraryId(library.parse().ok()?), code.parse().ok()?))
        }
        // The id identifies the capture; the channel is ignored.
        "record" => match stem.rsplit_once("/body/") {
            Some((_, id)) => id.parse().ok().map(Download::Body),
            None => stem.parse().ok().map(Download::Capture),
        },
        "tmp" => Some(Uuid::try_parse(stem).map_or_else(|_| Download::Export(file.to_owned()), Download::Temporary)),
        _ => None,
    }
}

/// The usual extension of a picture of this media type.
pub(crate) fn extension(media_type: &str) -> &'static str {
    match media_type {
        "image/png" => "png",
        "image/bmp" => "bmp",
        "image/webp" => "webp",
        "image/tiff" => "tif",
        _ => "jpg",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unescaped(path: &str) -> String {
        percent_encoding::percent_decode_str(path).decode_utf8().unwrap().into_owned()
    }

    #[test]
    fn a_path_reads_back() {
        let library = LibraryId(12);
        for code in ["test_3", "3c370627-d082-4c53-b156-e9380163d22f", "a/../b", "张三.jpg", "100% sure?"] {
            let code: PersonCode = code.parse().unwrap();
            let path = face(library, &code, "png");
            assert!(path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_.-~%".contains(&b)), "{path}");
            assert_eq!(download(&unescaped(&path)), Some(Download::Face(library, code)));
        }
        let id = CaptureId::random();
        assert_eq!(download(&capture(id)), Some(Download::Capture(id)));
        assert_eq!(download(&body(CameraId(17), id)), Some(Download::Body(id)));
        assert_eq!(download(&temporary(id.0)), Some(Download::Temporary(id.0)));
        for name in ["image_test.csv", "face_2019-01-23-12-04-27.zip", "image_a/b?.csv"] {
            assert_eq!(download(&unescaped(&export(name))), Some(Download::Export(name.to_owned())));
        }
        assert_eq!(face(library, &"test".parse().unwrap(), "jpg"), "img/12_test.jpg");
    }

    #[test]
    fn any_other_path_has_no_target() {
        for path in
            ["", "img", "img/", "img/1", "img/x_a.jpg", "etc/passwd", "record/../../x.jpg", "tmp/a", "/img/1_a.jpg"]
        {
            assert_eq!(download(path), None, "{path}");
        }
    }
}
