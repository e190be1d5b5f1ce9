//! Accounts.

use domain::{Account, AccountId, Act, Role, Secret};

use crate::codes::{Code, Fault};
use crate::convert;
use crate::convert::accounts::secret;
use crate::device::NAME;
use crate::request::Caller;
use crate::wire::Done;
use crate::wire::accounts::{RegisterUser, UpdateUser, UserKey};

/// Adds an account that may change everything except accounts (/RegisterUser, section 1.2).
pub(crate) async fn register_user(caller: Caller, request: RegisterUser) -> Result<Done, Fault> {
    let remark = convert::remark(request.remark)?;
    let password = secret(request.password);
    let made = caller.acts().create_account(&request.name, Role::Operator, password).await?;
    keep_remark(&caller, made.id, remark).await
}

/// Changes the caller's account, or any account when the caller manages accounts (/UpdateUser, section 1.3).
pub(crate) async fn update_user(caller: Caller, request: UpdateUser) -> Result<Done, Fault> {
    let id = AccountId(request.user_id);
    if caller.account.id != id {
        caller.actor.may(Act::ACCOUNT_UPDATE)?;
    }
    let remark = request.remark.map(|text| convert::remark(Some(text))).transpose()?;
    let account =
        caller.reading()?.accounts().await?.into_iter().find(|account| account.id == id).ok_or(Code::NoUser)?;
    let password = match request.password {
        Some((old, new)) => Some(confirmed(&caller, &account, old, new).await?),
        None => None,
    };
    let new_password = password.is_some();
    let changed = caller.acts().update_account(id, request.name, password).await?;
    // The contract ends the other sessions of the account only.
    if new_password && caller.account.id == id {
        caller.device.sessions.carry_over(&caller.session, &changed);
    }
    match remark {
        Some(remark) => keep_remark(&caller, id, remark).await,
        None => Ok(Done::DONE),
    }
}

/// The new password, when the old one is correct. Failures count as failed logins.
async fn confirmed(caller: &Caller, account: &Account, old: String, new: String) -> Result<Secret, Fault> {
    caller.device.appliance.log_in(&account.name, secret(old), (caller.actor.origin, NAME)).await?;
    Ok(secret(new))
}

/// Removes an account and ends its sessions (/DeleteUser, section 1.4).
pub(crate) async fn delete_user(caller: Caller, UserKey { user_id }: UserKey) -> Result<Done, Fault> {
    let id = AccountId(user_id);
    if caller.account.id == id {
        return Err(Fault::field("user_id"));
    }
    caller.acts().remove_account(id).await?;
    keep_remark(&caller, id, String::new()).await
}

/// Keeps the remark, which no operation reports.
async fn keep_remark(caller: &Caller, id: AccountId, remark: String) -> Result<Done, Fault> {
    let value = Some(remark).filter(|remark| !remark.is_empty());
    caller.device.state().set_value(&format!("user.{id}.remark"), value).await?;
    Ok(Done::DONE)
}
