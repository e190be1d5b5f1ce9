//! Logging in and out.

use adapter::Sender;
use domain::Secret;

use crate::codes::{Code, Fault};
use crate::device::NAME;
use crate::request::Call;
use crate::wire::Nothing;
use crate::wire::session::Login;

/// The longest login name.
const MAX_USER_NAME: usize = 49;

/// Opens a session (257, section 2.1). Pages of other sites, which can have a browser send forms, are refused.
pub(crate) async fn login(call: Call) -> Result<String, Fault> {
    if call.sender == Sender::ForeignPage {
        return Err(Code::NoPermission.into());
    }
    let login: Login = call.read()?;
    let name = login.user_name.0;
    check_name(&name)?;
    let secret = Secret::Password(login.user_pwd.0);
    // The answer does not reveal whether the user exists.
    let account = call.device.appliance.log_in(&name, secret, (call.origin, NAME)).await?;
    call.standing.authenticated();
    Ok(call.device.sessions.open(&account, call.origin).await)
}

fn check_name(name: &str) -> Result<(), Fault> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '.' | '-' | '_');
    if name.is_empty() || name.len() > MAX_USER_NAME || !name.chars().all(allowed) {
        return Err(Fault::parameter("user_name is not 1 to 49 letters, digits or @ . - _"));
    }
    Ok(())
}

/// Ends the session (258, section 2.2).
pub(crate) async fn logout(call: Call) -> Result<Nothing, Fault> {
    let caller = call.caller.as_ref().ok_or(Code::NotLoggedIn)?;
    if call.device.sessions.close(caller).await { Ok(Nothing::NOTHING) } else { Err(Code::NotLoggedIn.into()) }
}
