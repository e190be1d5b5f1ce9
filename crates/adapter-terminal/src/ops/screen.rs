//! The content of a screen. The device has none: the content is kept and sent to the front end, where there is one.

use adapter::{content_type, decode_picture};
use serde::Serialize;

use super::failed;
use crate::codes::{del_ad, edit_ad, show_qr_code};
use crate::convert::data_uri;
use crate::request::{Call, Outcome};
use crate::wire::replies::AdvertisementId;
use crate::wire::screen::{Advertisement, ShownCode};
use crate::wire::{Fault, Reply};
use crate::work::enrolment::LARGEST_PICTURE;

/// The number of the last slot; the first is 0.
const LAST_SLOT: i64 = 4;
/// How long an advertisement is shown by default, seconds.
const POLL_SECONDS: i64 = 10;
/// The longest text or picture of a code, bytes.
const LONGEST_CODE: usize = (32 << 10) - 1;
/// The smallest place and size of a code, pixels.
const SMALLEST: i64 = 10;

fn key(slot: i64) -> String {
    format!("advertisement.{slot}")
}

/// Puts an advertisement into a slot, or changes how long it is shown (EditAD, section 12).
pub(crate) async fn edit_ad(call: Call) -> Outcome {
    let slot = call.info.int("adslot").ok_or(edit_ad::NO_SLOT)?;
    if !(0..=LAST_SLOT).contains(&slot) {
        return Err(edit_ad::NO_SUCH_SLOT.into());
    }
    let state = call.device.state();
    let kept = state.value(&key(slot)).await.map_err(|error| failed(&error))?;
    let kept: Option<Advertisement> = kept.and_then(|kept| serde_json::from_str(&kept).ok());
    let picture = match (call.info.filled("path"), &kept) {
        (Some(url), _) => {
            let fetched = call.device.outbound.fetch_picture(&url, LARGEST_PICTURE).await;
            let picture = fetched.map_err(|error| edit_ad::DOWNLOAD.because(error))?;
            if !content_type(&picture).starts_with("image/") {
                return Err(edit_ad::DOWNLOAD.because("path leads to no picture"));
            }
            data_uri(&picture)
        }
        (None, Some(kept)) => kept.picture.clone(),
        (None, None) => return Err(edit_ad::DOWNLOAD.because("path is missing, and the slot is empty")),
    };
    let before = kept.map(|kept| kept.polltime);
    let polltime = call.info.int("polltime").or(before).unwrap_or(POLL_SECONDS);
    let shown = json(&Advertisement { picture, polltime })?;
    state.set_value(&key(slot), Some(shown.clone())).await.map_err(|error| failed(&error))?;
    call.device.appliance.tell_front_end(key(slot), shown);
    Ok(echo(&call))
}

/// Empties a slot (DelAD, section 12.3).
pub(crate) async fn del_ad(call: Call) -> Outcome {
    let slot = call.info.int("adslot").ok_or(del_ad::NO_SLOT)?;
    if !(0..=LAST_SLOT).contains(&slot) {
        return Err(del_ad::NO_SUCH_SLOT.into());
    }
    call.device.state().set_value(&key(slot), None).await.map_err(|error| failed(&error))?;
    call.device.appliance.tell_front_end(key(slot), String::new());
    Ok(echo(&call))
}

fn echo(call: &Call) -> Reply {
    Reply::with(AdvertisementId { adid: call.info.text("adid").unwrap_or_default() })
}

/// Shows or hides a code (ShowQRCode, section 14).
pub(crate) async fn show_qr_code(call: Call) -> Outcome {
    use show_qr_code as table;
    let info = &call.info;
    if info.int("ShowStatus") == Some(0) {
        call.device.appliance.tell_front_end("qr code", String::new());
        return Ok(Reply::default());
    }
    let data = info.text("QRCodeData").filter(|data| (1..=LONGEST_CODE).contains(&data.len()));
    let data = data.ok_or_else(|| table::NO_DATA.because("QRCodeData must be text of 1 to 32767 bytes"))?;
    let kind = info.int("ImageType").filter(|kind| (1..=4).contains(kind));
    let kind = kind.ok_or_else(|| table::NO_DATA.because("ImageType must be one of 1, 2, 3, 4"))?;
    if kind != 1 {
        let picture = decode_picture(&data, LONGEST_CODE).ok();
        picture
            .filter(|picture| content_type(picture).starts_with("image/"))
            .ok_or_else(|| table::NO_DATA.because("QRCodeData must be a picture in Base64"))?;
    }
    let pixels = |name, default: i64| info.int(name).unwrap_or(default).max(SMALLEST);
    let shown = ShownCode {
        x: pixels("AbsX", 10),
        y: pixels("AbsY", 10),
        height: pixels("ImageH", 200),
        kind,
        width: pixels("ImageW", 200),
        data,
    };
    call.device.appliance.tell_front_end("qr code", json(&shown)?);
    Ok(Reply::default())
}

fn json(content: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(content)
        .map_err(|error| failed(&domain::Error::internal("writing what a screen shows")(error)))
}
