//! Logging in.

use adapter::Sender;
use domain::{Account, Error, Secret};

use crate::codes::{Code, Fault};
use crate::convert::accounts::md5_text;
use crate::device::NAME;
use crate::request::Call;
use crate::wire::accounts::{LoggedIn, Login, LoginRefused, SessionInfo};

/// Opens a session (/Login, section 1.1). Pages of other sites, which can have a browser send text, are refused.
pub(crate) async fn login(call: &Call) -> Result<LoggedIn, Fault> {
    if call.sender == Sender::ForeignPage {
        return Err(Code::Json.into());
    }
    let Login { username, password } = call.read()?;
    let md5 = md5_text(&password).ok_or_else(|| Fault::field("password"))?;
    let account = check(call, &username, md5).await?;
    call.standing.authenticated();
    let user_id = account.id.0;
    let session = call.device.sessions.open(&account, call.origin).await;
    let info = SessionInfo { user_id, session: session.clone() };
    Ok(LoggedIn { code: 0, user_id, session, info, msg: "" })
}

/// The document distinguishes an unknown account from a wrong password.
async fn check(call: &Call, name: &str, md5: String) -> Result<Account, Fault> {
    let appliance = &call.device.appliance;
    match appliance.log_in(name, Secret::Md5(md5), (call.origin, NAME)).await {
        Err(Error::WrongCredentials | Error::Locked { .. }) => {
            let known = appliance.accounts().await?.iter().any(|account| account.name == name);
            Err(if known { Code::WrongPassword } else { Code::NoUser }.into())
        }
        outcome => Ok(outcome?),
    }
}

/// The answer to a failed login.
pub(crate) fn login_refusal(fault: &Fault) -> LoginRefused {
    LoginRefused { code: fault.code.number(), msg: fault.message(), user_id: 0 }
}
