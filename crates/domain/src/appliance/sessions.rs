//! Login sessions and the streams that depend on them.

use std::net::IpAddr;

use super::Appliance;
use crate::sessions::Bearer;
use crate::{Account, AccountId, Act, Actor, Error, Result};

pub use crate::sessions::SessionTerms;

/// A stream admitted in the name of a session.
#[derive(Clone)]
pub struct StreamPass {
    appliance: Appliance,
    adapter: &'static str,
    session: String,
}

impl Appliance {
    /// Opens a session of a user who has just logged in, under an id that must be hard to guess.
    ///
    /// An account has at most 32 sessions in an adapter; the one unused for longest makes room.
    pub async fn open_session(&self, terms: SessionTerms, id: String, account: &Account, origin: Option<IpAddr>) {
        self.core.sessions.open(id, terms, account.into());
        self.audit_login(account, origin, terms.adapter).await;
    }

    /// The account of a session, as it is now; counts as use. `None` when there is no such session: it has ended, or
    /// the account was removed or has another password or role since the login.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn session(&self, adapter: &'static str, id: &str) -> Result<Option<Account>> {
        let Some(bearer) = self.core.sessions.use_of(adapter, id) else { return Ok(None) };
        let account = self.blocking(move |a| a.account_now(bearer.account)).await?;
        let account = account.filter(|account| Bearer::from(account) == bearer);
        if account.is_none() {
            self.core.sessions.end(adapter, id);
        }
        Ok(account)
    }

    /// Whether there is such a session; whether its account is still the same is not looked at.
    pub fn has_session(&self, adapter: &'static str, id: &str) -> bool {
        self.core.sessions.use_of(adapter, id).is_some()
    }

    /// Ends a session; returns whether it was open.
    pub async fn end_session(&self, adapter: &'static str, id: &str, actor: &Actor) -> bool {
        let ended = self.core.sessions.end(adapter, id).is_some();
        if ended && let Err(error) = self.note(actor, Act::LOGOUT, adapter).await {
            tracing::error!(error = error.chain(), "logout not audited");
        }
        ended
    }

    /// Ends every session of an adapter.
    pub fn end_sessions(&self, adapter: &'static str) {
        self.core.sessions.end_all(adapter);
    }

    /// Carries a session over to the account as it is now, for the user who has changed the password in it. `account`
    /// is what the change answered: a later change ends the session nevertheless.
    pub fn carry_session_over(&self, adapter: &'static str, id: &str, account: &Account) {
        self.core.sessions.carry_over(adapter, id, account);
    }

    /// The key that admits streams in the name of a session; the same at every call, gone with the session.
    pub fn stream_key(&self, adapter: &'static str, session: &str, make: fn() -> String) -> Option<String> {
        self.core.sessions.stream_key(adapter, session, make)
    }

    /// Admits a stream by its key. `None` for an unknown key and one whose session has ended.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn admit_stream(&self, adapter: &'static str, key: &str) -> Result<Option<StreamPass>> {
        let Some(session) = self.core.sessions.of_stream_key(adapter, key) else { return Ok(None) };
        let pass = StreamPass { appliance: self.clone(), adapter, session };
        Ok(pass.is_valid().await.then_some(pass))
    }

    /// Writes the audit entry of a login by digest, unless the user was present a moment ago.
    pub(super) fn audit_presence(&self, account: &Account, origin: Option<IpAddr>, adapter: &'static str) {
        if self.core.sessions.arrives(account, origin, adapter) {
            self.audit(&Actor::user(account, origin, adapter), Act::LOGIN, &adapter);
        }
    }

    async fn audit_login(&self, account: &Account, origin: Option<IpAddr>, adapter: &'static str) {
        if let Err(error) = self.note(&Actor::user(account, origin, adapter), Act::LOGIN, adapter).await {
            tracing::error!(error = error.chain(), "login not audited");
        }
    }

    fn account_now(&self, id: AccountId) -> Result<Option<Account>> {
        match self.ports().settings.account(id) {
            Ok(account) => Ok(Some(account)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl StreamPass {
    /// Whether the stream's session is still open; counts as its use. To be asked before every message, and every
    /// second or so, to close the stream soon after the session has ended. `false` also while the store cannot be read.
    pub async fn is_valid(&self) -> bool {
        let session = self.appliance.session(self.adapter, &self.session).await;
        session.is_ok_and(|account| account.is_some())
    }
}
