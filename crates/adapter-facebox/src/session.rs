//! Sessions: who calls, and logging in.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use adapter::{Sessions, hex_id};
use domain::{Account, Act, Actor, Acts, Appliance, Error, Secret};
use serde_json::{Value, json};

use crate::call::Call;
use crate::codes::{Code, Fault};
use crate::convert::accounts::md5_text;
use crate::core::{Core, NAME};
use crate::wire::accounts::{LoggedIn, Login, SessionInfo};

/// Sessions end after this time without a call.
const SESSION_IDLE: Duration = Duration::from_secs(24 * 3600);
/// Sessions side by side.
const MAX_SESSIONS: usize = 1000;

/// The sessions of a device that has just started.
pub(crate) fn sessions() -> Sessions {
    Sessions::new(SESSION_IDLE, MAX_SESSIONS, hex_id)
}

/// A call of somebody who may make it.
pub(crate) struct Caller {
    pub(crate) core: Arc<Core>,
    /// The account of the session.
    pub(crate) account: Account,
    /// The session it was made in.
    pub(crate) session: String,
    /// Who calls.
    pub(crate) actor: Actor,
}

impl Caller {
    /// The one who has this session, if that one may do this.
    pub(crate) fn of(core: Arc<Core>, session: &str, act: Act, origin: Option<IpAddr>) -> Result<Self, Fault> {
        let account = core.sessions.find(session).ok_or(Code::Session)?;
        let actor = Actor::user(&account, origin, NAME);
        actor.may(act)?;
        Ok(Self { core, account, session: session.to_owned(), actor })
    }

    /// What the caller may do.
    pub(crate) fn acts(&self) -> Acts<'_> {
        self.core.appliance.by(&self.actor)
    }

    /// The appliance, to read.
    pub(crate) fn reading(&self) -> Result<&Appliance, Fault> {
        Ok(self.acts().reading()?)
    }
}

impl Call {
    /// Lets those in who have a session and may do this.
    pub(crate) fn admit(self, act: Act) -> Result<Caller, Fault> {
        let Some(Value::String(session)) = self.fields.get("session") else { return Err(Fault::field("session")) };
        Caller::of(self.core, session, act, self.origin)
    }
}

/// Opens a session (/Login, section 1.1).
pub(crate) async fn login(call: &Call) -> Result<LoggedIn, Fault> {
    let Login { username, password } = call.read()?;
    let md5 = md5_text(&password).ok_or_else(|| Fault::field("password"))?;
    let account = check(call, &username, md5).await?;
    let user_id = account.id.0;
    let session = call.core.sessions.open(account);
    let info = SessionInfo { user_id, session: session.clone() };
    Ok(LoggedIn { code: 0, user_id, session, info, msg: "" })
}

/// The document tells an unknown account from a wrong password.
async fn check(call: &Call, name: &str, md5: String) -> Result<Account, Fault> {
    let appliance = &call.core.appliance;
    match appliance.log_in(name, Secret::Md5(md5), call.origin).await {
        Err(Error::WrongCredentials | Error::Locked { .. }) => {
            let known = appliance.accounts().await?.iter().any(|account| account.name == name);
            Err(if known { Code::WrongPassword } else { Code::NoUser }.into())
        }
        outcome => Ok(outcome?),
    }
}

/// A failed login has `user_id` all the same (quirk "1.1 failure").
pub(crate) fn login_refusal(fault: &Fault) -> Value {
    json!({"code": fault.code.number(), "user_id": 0, "msg": fault.message()})
}
