//! Accounts.

use domain::{Account, AccountId, Error, Role, Secret};
use serde_json::{Value, json};

use crate::call::{Call, Caller};
use crate::codes::{Code, Fault};
use crate::convert;
use crate::convert::accounts::{md5_text, secret};
use crate::wire::Done;
use crate::wire::accounts::{LoggedIn, Login, RegisterUser, SessionInfo, UpdateUser, UserKey};

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
    match appliance.log_in(name, Secret::Md5(md5), &call.origin).await {
        Err(Error::Denied) => {
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

/// Makes an account that may change everything but accounts (/RegisterUser, section 1.2).
pub(crate) async fn register_user(caller: Caller, request: RegisterUser) -> Result<Done, Fault> {
    let remark = convert::remark(request.remark)?;
    let appliance = &caller.core.appliance;
    let password = secret(request.password);
    let made = appliance.create_account(caller.actor(), &request.name, Role::Operator, password).await?;
    keep_remark(&caller, made.id, remark).await
}

/// Changes an account: the own one, or any when the caller manages accounts (/UpdateUser, section 1.3).
pub(crate) async fn update_user(caller: Caller, request: UpdateUser) -> Result<Done, Fault> {
    let id = AccountId(request.user_id);
    if caller.account.id != id && caller.account.role < Role::Admin {
        return Err(Code::Session.into());
    }
    let appliance = &caller.core.appliance;
    let remark = request.remark.map(|text| convert::remark(Some(text))).transpose()?;
    let account = appliance.accounts().await?.into_iter().find(|account| account.id == id).ok_or(Code::NoUser)?;
    let password = match request.password {
        Some((old, new)) => Some(confirmed(&caller, &account, old, new).await?),
        None => None,
    };
    let new_password = password.is_some();
    appliance.update_account(caller.actor(), id, request.name, password).await?;
    if new_password {
        caller.core.sessions.close_others_of(id, &caller.session);
    }
    match remark {
        Some(remark) => keep_remark(&caller, id, remark).await,
        None => Ok(Done::DONE),
    }
}

/// The new password, when the old one is right. Failures count as failed logins.
async fn confirmed(caller: &Caller, account: &Account, old: String, new: String) -> Result<Secret, Fault> {
    match caller.core.appliance.log_in(&account.name, secret(old), &caller.origin).await {
        Ok(_) => Ok(secret(new)),
        Err(Error::Denied) => Err(Code::WrongPassword.into()),
        Err(error) => Err(error.into()),
    }
}

/// Removes an account and ends its sessions (/DeleteUser, section 1.4).
pub(crate) async fn delete_user(caller: Caller, UserKey { user_id }: UserKey) -> Result<Done, Fault> {
    let id = AccountId(user_id);
    if caller.account.id == id {
        return Err(Fault::field("user_id"));
    }
    caller.core.appliance.remove_account(caller.actor(), id).await?;
    caller.core.sessions.close_all_of(id);
    keep_remark(&caller, id, String::new()).await
}

/// No call shows the remark; it is kept for a later one.
async fn keep_remark(caller: &Caller, id: AccountId, remark: String) -> Result<Done, Fault> {
    let value = Some(remark).filter(|remark| !remark.is_empty());
    caller.core.state().set_value(&format!("user.{id}.remark"), value).await?;
    Ok(Done::DONE)
}
