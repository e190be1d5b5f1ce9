//! The subscriber that gets records over HTTP.

use super::{failed, resume_time};
use crate::codes::up_http;
use crate::convert::time;
use crate::push;
use crate::request::{Call, Outcome};
use crate::settings::{SUBSCRIPTION, Subscription, Values};
use crate::wire::{Fields, Reply};

/// The subscriber's password, and what is reported in its place; sent back, it changes nothing.
const PASSWORD: &str = "PassWord";
const MASK: &str = "******";

/// Reads the subscription, with a mask in place of the password (GetHTTPconfig, section 9.4).
pub(crate) async fn get_http_config(call: Call) -> Outcome {
    let device = &call.device;
    let values = device.values(&SUBSCRIPTION).await.map_err(|error| failed(&error))?;
    let begin = push::resume_time(device, &push::TO_SUBSCRIBER).await.map_err(|error| failed(&error))?;
    let begin = begin.map_or_else(|| time::ZERO.to_owned(), |begin| time::text(begin, &device.zone()));
    let mut info = values.into_map();
    if info.get(PASSWORD).is_some_and(|password| password != "") {
        info.insert(PASSWORD.to_owned(), MASK.into());
    }
    for (name, of) in [("User", "UserName"), ("Pwd", PASSWORD)] {
        let value = info.get(of).cloned().unwrap_or_default();
        info.insert(name.to_owned(), value);
    }
    info.insert("RFBPTimeBegin".to_owned(), begin.into());
    Ok(Reply::with(info))
}

/// The field of the time from which pushes resume, and its form.
const BEGIN_TIME: (&str, &str) = ("RFBPTimeBegin", "YYYY-MM-DD HH:MM:SS");

/// Changes the subscription (UpHTTPconfig, section 9.4.3).
pub(crate) async fn up_http_config(mut call: Call) -> Outcome {
    for (name, of) in [("UserName", "User"), (PASSWORD, "Pwd")] {
        take_synonym(&mut call.info, name, of);
    }
    let device = &call.device;
    let mut values = Values::load_to_set(&device.state(), &SUBSCRIPTION).await.map_err(|error| failed(&error))?;
    let before = values.clone();
    let resumed = Subscription::of(values.clone()).resumes();
    if call.info.text("ServerAddr").is_some_and(|address| address.trim().is_empty()) {
        return Err(up_http::ADDRESS.into());
    }
    let port = call.info.get("ServerPort").is_some().then(|| call.info.int("ServerPort"));
    if port.is_some_and(|port| !port.is_some_and(|port| (1..=65535).contains(&port))) {
        return Err(up_http::PORT.into());
    }
    values.put(&SUBSCRIPTION, &call.info).map_err(|why| up_http::NO_INFO.because(why))?;
    keep_password(&before, &mut values, call.info.text(PASSWORD).as_deref());
    let set = Subscription::of(values.clone());
    if set.has_server() && device.outbound.check(&set.url("Verify")).is_err() {
        return Err(up_http::ADDRESS.into());
    }
    let begin = resume_time(device, &call.info, BEGIN_TIME, up_http::NO_INFO)?;
    if set.resumes() && !resumed {
        push::resume_since_now(device, &push::TO_SUBSCRIBER).await.map_err(|error| failed(&error))?;
    }
    let kept = device.acts().configure(&device.state(), SUBSCRIPTION.key, Some(values.value())).await;
    kept.map_err(|error| failed(&error))?;
    // After the settings, so that they apply to the records pushed again.
    if let Some(begin) = begin {
        push::resume_from(device, &push::TO_SUBSCRIBER, begin).await.map_err(|error| failed(&error))?;
    }
    device.note_settings_changed();
    Ok(Reply::default())
}

/// Keeps the password where none or its mask was sent. It was given for one server: another does not get it.
fn keep_password(before: &Values, after: &mut Values, sent: Option<&str>) {
    if sent.is_some_and(|password| password != MASK) {
        return;
    }
    let same_server = ["ServerAddr", "ServerPort"].iter().all(|name| before.text(name) == after.text(name));
    let kept = if same_server { before.text(PASSWORD).to_owned() } else { String::new() };
    after.set(PASSWORD, kept);
}

fn take_synonym(fields: &mut Fields, name: &str, synonym: &str) {
    if fields.get(name).is_none()
        && let Some(value) = fields.get(synonym).cloned()
    {
        fields.insert(name, value);
    }
}
