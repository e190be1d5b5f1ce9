//! Wiping (4.5.4), and how the platform is found (8).

use crate::codes::Fault;
use crate::convert::bounded;
use crate::device::PLATFORM;
use crate::request::Caller;
use crate::settings::PlatformAddress;
use crate::wire::system::{DevSno, LoginUrl, Options, Set, SetDevSno, SetLoginUrl, WipeData, WipeOptions, Wiped};
use crate::wire::{self, Nothing};
use crate::work::wipe::wipe;

/// The longest licence code, characters.
const MAX_CODE: usize = 64;

/// Removes people with their groups, and events, as asked (POST WipeData, section 4.5.4). Nothing needs a restart.
pub(crate) async fn wipe_data(caller: Caller, request: WipeData) -> Result<Wiped, Fault> {
    let options: WipeOptions = wire::read(request.wipe_options.0)?;
    let wipe_options = Options { users: options.users.0, events: options.events.0 };
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    wipe(&caller.device, &caller.actor, wipe_options).await?;
    Ok(Wiped { wipe_options })
}

/// Reads the licence code (GET DevSno, section 8.1.1).
pub(crate) async fn dev_sno(caller: Caller, _: Nothing) -> Result<DevSno, Fault> {
    caller.reading()?;
    let code = caller.device.dev_sno().await?;
    Ok(DevSno { dev_sno: code.clone(), response: code })
}

/// Sets the licence code; the device logs in with it at once (PUT DevSno, section 8.1.2).
pub(crate) async fn set_dev_sno(caller: Caller, request: SetDevSno) -> Result<Set, Fault> {
    let code = bounded("dev_sno", request.dev_sno.0, MAX_CODE)?;
    if code.is_empty() || code.chars().any(char::is_control) {
        return Err(Fault::parameter("dev_sno is empty or not printable"));
    }
    let dev_sno = Some(code.clone());
    keep(&caller, |address| PlatformAddress { dev_sno, ..address }).await?;
    Ok(Set { response: code })
}

/// Reads where the device logs in (GET LoginUrl, section 8.2.1).
pub(crate) async fn login_url(caller: Caller, _: Nothing) -> Result<LoginUrl, Fault> {
    caller.reading()?;
    let url = caller.device.platform().await?.login_url.unwrap_or_default();
    Ok(LoginUrl { login_url: url.clone(), response: url })
}

/// Sets where the device logs in, which it does at once; an empty address ends it (PUT LoginUrl, section 8.2.2).
pub(crate) async fn set_login_url(caller: Caller, request: SetLoginUrl) -> Result<Set, Fault> {
    let url = request.login_url.0;
    if !url.is_empty() {
        caller.device.outbound.check(&url).map_err(|error| Fault::parameter(error.to_string()))?;
    }
    let login_url = Some(url.clone()).filter(|url| !url.is_empty());
    keep(&caller, |address| PlatformAddress { login_url, ..address }).await?;
    Ok(Set { response: url })
}

async fn keep(caller: &Caller, change: impl FnOnce(PlatformAddress) -> PlatformAddress) -> Result<(), Fault> {
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let address = change(caller.device.platform().await?);
    caller.keep(PLATFORM, &address).await?;
    caller.device.servers_changed.send_modify(|changes| *changes += 1);
    Ok(())
}
