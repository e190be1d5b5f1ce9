//! Login sessions of one adapter, in the register of the core.

use std::net::IpAddr;
use std::time::Duration;

use domain::{Account, Actor, Appliance, Result, SessionTerms, StreamPass};

/// The login sessions of one adapter.
///
/// They are kept by the [`Appliance`]: a session ends when it is idle or too old, at the logout, and as soon as its
/// account is removed or gets another password or role, whoever does that.
pub struct Sessions {
    appliance: Appliance,
    terms: SessionTerms,
    make_id: fn() -> String,
}

/// A caller with a session.
pub struct Caller {
    /// The account of the session, as it is now.
    pub account: Account,
    /// The id of the session.
    pub session: String,
    /// The caller as the core and the audit log know it.
    pub actor: Actor,
}

/// A session id that is an unsigned 64-bit number in decimal; for [`Sessions::new`].
pub fn decimal_id() -> String {
    rand::random::<u64>().to_string()
}

/// A session id that is a random UUID, lower case with hyphens; for [`Sessions::new`].
pub fn uuid_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// A session id of 32 lower-case hexadecimal digits; for [`Sessions::new`].
pub fn hex_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// How long the sessions of platforms last: this long without a call, and a week at most.
pub fn platform_terms(adapter: &'static str, idle: Duration) -> SessionTerms {
    const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
    SessionTerms { adapter, idle, longest: WEEK }
}

impl Sessions {
    /// The sessions of the adapter that `terms` name. `make_id` must be hard to guess, such as [`decimal_id`],
    /// [`hex_id`] or [`uuid_id`].
    pub fn new(appliance: Appliance, terms: SessionTerms, make_id: fn() -> String) -> Self {
        Self { appliance, terms, make_id }
    }

    /// Opens a session of a user who has just logged in from an address, and returns its id.
    pub async fn open(&self, account: &Account, origin: Option<IpAddr>) -> String {
        let id = (self.make_id)();
        self.appliance.open_session(self.terms, id.clone(), account, origin).await;
        id
    }

    /// The caller of a request with a session and from an address; counts as use. `None` when the session does not
    /// exist or has ended.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn caller(&self, session: &str, origin: Option<IpAddr>) -> Result<Option<Caller>> {
        let Some(account) = self.appliance.session(self.terms.adapter, session).await? else { return Ok(None) };
        let actor = Actor::user(&account, origin, self.terms.adapter);
        Ok(Some(Caller { account, session: session.to_owned(), actor }))
    }

    /// Whether a session has this id; its account is not looked at.
    pub fn has(&self, session: &str) -> bool {
        self.appliance.has_session(self.terms.adapter, session)
    }

    /// Ends the caller's session; returns whether it was open.
    pub async fn close(&self, caller: &Caller) -> bool {
        self.appliance.end_session(self.terms.adapter, &caller.session, &caller.actor).await
    }

    /// Keeps a session open over the change of the password that its user has made in it; `changed` is what the change
    /// answered. The account's other sessions end.
    pub fn carry_over(&self, session: &str, changed: &Account) {
        self.appliance.carry_session_over(self.terms.adapter, session, changed);
    }

    /// Ends every session of the adapter, for example when the device restarts.
    pub fn close_all(&self) {
        self.appliance.end_sessions(self.terms.adapter);
    }

    /// The key that admits streams in the name of a session; `None` when the session has ended.
    pub fn stream_key(&self, session: &str) -> Option<String> {
        self.appliance.stream_key(self.terms.adapter, session, uuid_id)
    }

    /// Admits a stream by its key; `None` when its session has ended.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn admit_stream(&self, key: &str) -> Result<Option<StreamPass>> {
        self.appliance.admit_stream(self.terms.adapter, key).await
    }
}
