//! Addresses of pictures, `/api/v2/smart/picture?Type=…&Index=…&Size=…`, where `Index` is the id of the stored picture, and
//! of alarm videos, `/api/v2/smart/video?Index=…&Size=…`, where it is the id of the alarm's behaviour: the video is stored
//! later than its address is sent.

use adapter::{PictureTextError, decode_picture};
use bytes::Bytes;
use domain::{Behaviour, ClipState, PictureId};

use crate::codes::{Code, Fault};

/// `Type` of the whole scene.
pub(crate) const SCENE: u8 = 1;
/// `Type` of a face.
pub(crate) const FACE: u8 = 2;
/// `Type` of a picture of a library.
pub(crate) const LIBRARY: u8 = 3;

/// The largest picture, bytes.
const MAX_PICTURE: usize = 4 << 20;

/// Where a picture is downloaded, relative to the device; empty for one that was never kept.
pub(crate) fn address(kind: u8, picture: &PictureId, size: Option<u64>) -> String {
    if !picture.is_kept() {
        return String::new();
    }
    let size = size.map(|size| format!("&Size={size}")).unwrap_or_default();
    format!("/api/v2/smart/picture?Type={kind}&Index={picture}{size}")
}

/// Where the video of an alarm is downloaded; `size` once it is stored. `None` for an alarm without one.
pub(crate) fn video_address(found: &Behaviour, size: Option<u64>) -> Option<String> {
    match found.clip {
        ClipState::None | ClipState::Lost => None,
        ClipState::Awaited | ClipState::Stored(_) => {
            let size = size.map(|size| format!("&Size={size}")).unwrap_or_default();
            Some(format!("/api/v2/smart/video?Index={}{size}", found.id))
        }
    }
}

/// The picture that an address names.
pub(crate) fn picture(kind: &str, index: &str) -> Option<PictureId> {
    let known = matches!(kind, "1" | "2" | "3");
    index.trim_end_matches('/').parse().ok().filter(|_| known)
}

/// A picture in base64 for a person.
pub(crate) fn photo(text: &str) -> Result<Bytes, Fault> {
    decode_picture(text, MAX_PICTURE).map_err(|error| match error {
        PictureTextError::TooLarge => Code::ImageSize.into(),
        PictureTextError::Empty | PictureTextError::NotBase64 => Code::ImageFormat.into(),
    })
}

/// A picture in base64 of work clothes.
pub(crate) fn clothes(text: &str) -> Result<Bytes, Code> {
    decode_picture(text, MAX_PICTURE).map_err(|error| match error {
        PictureTextError::TooLarge => Code::ClothesSize,
        PictureTextError::Empty | PictureTextError::NotBase64 => Code::ClothesImport,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_back_to_its_picture() {
        let id: PictureId = "ab".repeat(32).parse().unwrap();
        let path = address(SCENE, &id, Some(7));
        assert_eq!(path, format!("/api/v2/smart/picture?Type=1&Index={id}&Size=7"));
        assert_eq!(picture("1", &format!("{id}/")), Some(id.clone()));
        assert_eq!((picture("4", id.as_str()), picture("1", "../../etc/passwd")), (None, None));
        assert_eq!(address(FACE, &PictureId::not_kept(), None), "");
    }
}
