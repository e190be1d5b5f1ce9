//! Accounts and passwords.

use std::path::Path;
use std::sync::{MutexGuard, PoisonError};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use md5::{Digest, Md5};

use super::device_state::DeviceState;
use super::{Acts, Appliance};
use crate::ports::SettingsStore;
use crate::{
    Account, AccountChange, AccountId, Act, AuditEntry, Error, NewAccount, PasswordHashes, Result, Role, Thing,
    Timestamp, passwords,
};

/// What a caller offers as proof, or as a new password.
#[derive(Clone)]
pub enum Secret {
    /// The password itself.
    Password(String),
    /// The lower-case hexadecimal MD5 of the password.
    Md5(String),
}

impl Appliance {
    /// Keeps the digest of a password that was set when no adapter needed one.
    pub(super) fn complete_digest(&self, account: &Account, hashes: &PasswordHashes, secret: &Secret) -> Result<()> {
        let (Some(realm), None, Secret::Password(password)) = (self.digest_realm(), &hashes.digest_ha1, secret) else {
            return Ok(());
        };
        self.ports().settings.set_digest(&account.name, hashes, &ha1(&account.name, realm, password))
    }

    /// The realm that digests are kept for; `None` when no adapter needs them.
    fn digest_realm(&self) -> Option<&str> {
        self.options().digest_realm.as_deref()
    }

    fn account_order(&self) -> MutexGuard<'_, ()> {
        self.core.account_order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All accounts in ascending order of id.
    pub async fn accounts(&self) -> Result<Vec<Account>> {
        self.blocking(|a| a.ports().settings.accounts()).await
    }
}

impl Acts<'_> {
    /// Makes an account. `AlreadyExists(Account)`, `LimitReached(Account)`, `Invalid` for a name or a password outside
    /// the rules, `Busy` when too many callers wait to have a password hashed.
    pub async fn create_account(self, name: &str, role: Role, password: impl Into<Secret>) -> Result<Account> {
        let actor = self.permit(Act::ACCOUNT_CREATE)?;
        check_name(name)?;
        let (name, password) = (name.to_owned(), password.into());
        let pass = self.appliance.pass(actor.origin).await?;
        self.blocking(move |a| {
            let _pass = pass;
            let _order = a.account_order();
            if a.ports().settings.accounts()?.len() as u64 >= a.options().limits.accounts {
                return Err(Error::LimitReached { what: Thing::Account });
            }
            let hashes = password.hash(&name, a.digest_realm())?;
            let account = NewAccount { name, role, hashes, at: a.now() };
            let made = a.ports().settings.insert_account(&account)?;
            a.audit(&actor, Act::ACCOUNT_CREATE, &made.id);
            Ok(made)
        })
        .await
    }

    /// Sets a password; all hashes change together, and the account's sessions end. `NotFound(Account)`, `Invalid` for a
    /// password outside the rules, `Busy`.
    pub async fn set_password(self, name: &str, password: &str) -> Result<()> {
        let actor = self.permit(Act::ACCOUNT_PASSWORD)?;
        let (name, password) = (name.to_owned(), password.to_owned());
        let pass = self.appliance.pass(actor.origin).await?;
        self.blocking(move |a| {
            let _pass = pass;
            let hashes = hash_password(&name, a.digest_realm(), &password)?;
            let _order = a.account_order();
            a.ports().settings.set_password(&name, &hashes)?;
            let store = a.ports().settings.as_ref();
            let account = store.credentials(&name)?.0.id;
            forget_initial_password(store, account, &a.options().initial_password)?;
            a.core.attempts.forget(&name);
            a.audit(&actor, Act::ACCOUNT_PASSWORD, &name);
            Ok(())
        })
        .await
    }

    /// Changes an account's name or password; users may change their own. A new password ends the account's sessions.
    /// Digest logins are hashed for the name: under a new one there is none until the password is set again.
    /// `NotFound(Account)`, `AlreadyExists(Account)`, `Invalid`, `Busy`.
    pub async fn update_account(
        self,
        id: AccountId,
        name: Option<String>,
        password: Option<Secret>,
    ) -> Result<Account> {
        let actor = self.permit(Act::OWN_ACCOUNT_UPDATE)?;
        name.as_deref().map_or(Ok(()), check_name)?;
        let pass = match &password {
            Some(_) => Some(self.appliance.pass(actor.origin).await?),
            None => None,
        };
        self.blocking(move |a| {
            let _pass = pass;
            let _order = a.account_order();
            let before = a.ports().settings.account(id);
            if !before.as_ref().is_ok_and(|account| account.name == actor.name) {
                actor.may(Act::ACCOUNT_UPDATE)?;
            }
            let before = before?;
            let name = name.filter(|name| *name != before.name);
            let current = name.as_ref().unwrap_or(&before.name);
            let has_new_password = password.is_some();
            let hashes = match (password, &name) {
                (Some(password), _) => Some(password.hash(current, a.digest_realm())?),
                (None, Some(_)) => {
                    let (_, kept) = a.ports().settings.credentials(&before.name)?;
                    Some(PasswordHashes { digest_ha1: None, ..kept })
                }
                (None, None) => None,
            };
            let changed = a.ports().settings.update_account(id, &AccountChange { name, hashes })?;
            if has_new_password {
                forget_initial_password(a.ports().settings.as_ref(), id, &a.options().initial_password)?;
            }
            a.rename_factory_login(&before.name, &changed.name)?;
            a.core.attempts.forget(&changed.name);
            a.audit(&actor, Act::ACCOUNT_UPDATE, &id);
            Ok(changed)
        })
        .await
    }

    /// Removes an account. `NotFound(Account)`, `Invalid("account")` for the first one, which the device came with.
    pub async fn remove_account(self, id: AccountId) -> Result<()> {
        let actor = self.permit(Act::ACCOUNT_REMOVE)?;
        self.blocking(move |a| {
            let _order = a.account_order();
            let account = a.ports().settings.account(id)?;
            let first = a.ports().settings.accounts()?.into_iter().next();
            if first.is_some_and(|first| first.id == account.id) {
                return Err(Error::invalid("account", "the first account stays"));
            }
            a.ports().settings.remove_account(id)?;
            a.audit(&actor, Act::ACCOUNT_REMOVE, &id);
            Ok(())
        })
        .await
    }
}

impl From<&str> for Secret {
    fn from(password: &str) -> Self {
        Self::Password(password.to_owned())
    }
}

impl Secret {
    /// All that is kept of it as a password. Of an MD5 no digest can be made.
    fn hash(&self, name: &str, realm: Option<&str>) -> Result<PasswordHashes> {
        match self {
            Self::Password(password) => hash_password(name, realm, password),
            Self::Md5(md5) => {
                passwords::check_md5(name, &md5.to_ascii_lowercase())?;
                let md5 = argon2id(md5.to_ascii_lowercase().as_bytes())?;
                Ok(PasswordHashes { password: String::new(), digest_ha1: None, md5 })
            }
        }
    }

    /// Compares with what is kept; without an account it spends the same time and says no. A password can be compared
    /// with its MD5 where only that is known.
    pub(super) fn matches(&self, hashes: Option<&PasswordHashes>) -> bool {
        let by_md5 = hashes.is_some_and(|hashes| hashes.password.is_empty());
        let kept = hashes.map(|hashes| match self {
            Self::Password(_) if !by_md5 => hashes.password.as_str(),
            Self::Password(_) | Self::Md5(_) => hashes.md5.as_str(),
        });
        let offered = match self {
            Self::Password(password) if by_md5 => md5_hex(password),
            Self::Password(password) => password.clone(),
            Self::Md5(md5) => md5.to_ascii_lowercase(),
        };
        match kept.map(PasswordHash::new) {
            Some(Ok(kept)) => Argon2::default().verify_password(offered.as_bytes(), &kept).is_ok(),
            Some(Err(_)) => false,
            None => {
                // The result is not wanted, only the time it takes.
                let _ = argon2id(offered.as_bytes());
                false
            }
        }
    }
}

/// The longest name of an account, in characters.
const MAX_NAME: usize = 64;

/// Letters and digits of any script, with the marks that belong to them. A protocol that takes fewer says so itself.
fn check_name(name: &str) -> Result<()> {
    let allowed = |c: char| unicode_ident::is_xid_continue(c) || matches!(c, '@' | '.' | '-' | '_');
    let begins = |c: char| c.is_alphanumeric() || matches!(c, '@' | '.' | '-' | '_');
    let fits = name.starts_with(begins) && name.chars().all(allowed) && name.chars().count() <= MAX_NAME;
    if fits { Ok(()) } else { Err(Error::invalid("user name", "not 1 to 64 letters, digits or @ . - _")) }
}

/// All that is kept of a password; its digest only for a realm. `Invalid` for one outside the rules: 10 characters to
/// 128 bytes, neither common nor the account's name.
pub fn hash_password(name: &str, realm: Option<&str>, password: &str) -> Result<PasswordHashes> {
    passwords::check(name, password)?;
    Ok(PasswordHashes {
        password: argon2id(password.as_bytes())?,
        digest_ha1: realm.map(|realm| ha1(name, realm, password)),
        md5: argon2id(md5_hex(password).as_bytes())?,
    })
}

/// Sets a password from outside the daemon, which may be running. The account's sessions end at once. Blocking.
/// `NotFound(Account)`.
pub fn set_password_beside(
    store: &dyn SettingsStore,
    name: &str,
    hashes: &PasswordHashes,
    initial_password: &Path,
    at: Timestamp,
) -> Result<()> {
    store.set_password(name, hashes)?;
    let (account, _) = store.credentials(name)?;
    forget_initial_password(store, account.id, initial_password)?;
    store.audit(&AuditEntry {
        at,
        class: Act::ACCOUNT_PASSWORD.class(),
        actor: "command line".to_owned(),
        role: Some(Role::Admin),
        origin: None,
        adapter: None,
        action: Act::ACCOUNT_PASSWORD.name().to_owned(),
        subject: name.to_owned(),
    })
}

/// Removes the file with the password that was made up for the first account, and forgets that password, once the
/// account has another one: it would open the device to whoever kept a copy. Blocking.
fn forget_initial_password(store: &dyn SettingsStore, changed: AccountId, file: &Path) -> Result<()> {
    let is_first = store.accounts()?.first().is_some_and(|first| first.id == changed);
    if !is_first || !file.exists() {
        return Ok(());
    }
    DeviceState(store).forget_factory_login()?;
    std::fs::remove_file(file).map_err(Error::internal("removing the initial password"))
}

/// Drops the digests of all passwords, the factory password included, when no adapter needs them any more. Blocking.
pub(super) fn keep_digests_only_for(realm: Option<&str>, settings: &dyn SettingsStore) -> Result<()> {
    if realm.is_some() {
        return Ok(());
    }
    let state = DeviceState(settings);
    if let Some((name, hashes)) = state.factory_login()?
        && hashes.digest_ha1.is_some()
    {
        state.keep_factory_login(&name, &PasswordHashes { digest_ha1: None, ..hashes })?;
    }
    for account in settings.accounts()? {
        let (_, hashes) = settings.credentials(&account.name)?;
        if hashes.digest_ha1.is_some() {
            settings.set_password(&account.name, &PasswordHashes { digest_ha1: None, ..hashes })?;
        }
    }
    Ok(())
}

fn ha1(name: &str, realm: &str, password: &str) -> String {
    md5_hex(&format!("{name}:{realm}:{password}"))
}

fn argon2id(secret: &[u8]) -> Result<String> {
    let hash = Argon2::default().hash_password(secret).map_err(|e| Error::internal("hashing")(e.to_string()))?;
    Ok(hash.to_string())
}

fn md5_hex(text: &str) -> String {
    hex::encode(Md5::digest(text.as_bytes()))
}
