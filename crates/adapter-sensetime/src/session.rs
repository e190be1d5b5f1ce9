//! Logging in and out, and the header that carries the session.

use axum::http::HeaderMap;
use domain::Secret;

use crate::call::Call;
use crate::codes::{Code, Fault};
use crate::wire::Nothing;
use crate::wire::session::Login;

/// The longest login name.
const MAX_USER_NAME: usize = 49;

/// The session id in the header.
pub(crate) fn id(headers: &HeaderMap) -> Option<&str> {
    headers.get("sessionid")?.to_str().ok().map(str::trim)
}

/// Opens a session (257, section 2.1).
pub(crate) async fn login(call: Call) -> Result<String, Fault> {
    let login: Login = call.read()?;
    let name = login.user_name.0;
    check_name(&name)?;
    let secret = Secret::Password(login.user_pwd.0);
    // An unknown user is not told apart from a wrong password.
    let account = call.core.appliance.log_in(&name, secret, call.origin).await?;
    Ok(call.core.sessions.open(account))
}

fn check_name(name: &str) -> Result<(), Fault> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '.' | '-' | '_');
    if name.is_empty() || name.len() > MAX_USER_NAME || !name.chars().all(allowed) {
        return Err(Fault::parameter("user_name is not 1 to 49 letters, digits or @ . - _"));
    }
    Ok(())
}

/// Ends the session named in the header (258, section 2.2).
pub(crate) async fn logout(call: Call) -> Result<Nothing, Fault> {
    let closed = call.session.as_ref().is_some_and(|id| call.core.sessions.close(id));
    if closed { Ok(Nothing::NOTHING) } else { Err(Code::NotLoggedIn.into()) }
}
