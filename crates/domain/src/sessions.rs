//! The register of login sessions, one for all adapters.
//!
//! A session names its account and the account's revision at the login. Whoever uses a session compares both with the
//! store, so that a session ends with the account, its password or its role, no matter who changed it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::{Account, AccountId};

/// Maximum number of sessions of one account in one adapter; beyond it, the account's own session that was unused for
/// longest ends.
const PER_ACCOUNT: usize = 32;
/// Maximum number of users with digest logins remembered.
const MAX_PRESENT: usize = 4096;
/// A digest login after this time without a request counts as a new one.
const PRESENT: Duration = Duration::from_secs(30 * 60);

/// How long the sessions of an adapter last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTerms {
    /// The adapter; other adapters do not know its sessions.
    pub adapter: &'static str,
    /// A session ends after this time without use.
    pub idle: Duration,
    /// A session ends this long after the login, used or not.
    pub longest: Duration,
}

/// All open sessions.
#[derive(Default)]
pub(crate) struct Sessions {
    open: Mutex<HashMap<String, Session>>,
    present: Mutex<HashMap<Present, Instant>>,
}

struct Session {
    terms: SessionTerms,
    bearer: Bearer,
    opened: Instant,
    used: Instant,
    /// Admits streams; made when first asked for.
    stream_key: Option<String>,
}

/// Whose session it is: an account as it was at the login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bearer {
    pub(crate) account: AccountId,
    pub(crate) revision: u64,
}

type Present = (AccountId, u64, Option<IpAddr>, &'static str);

impl From<&Account> for Bearer {
    fn from(account: &Account) -> Self {
        Self { account: account.id, revision: account.revision }
    }
}

impl Session {
    fn has_ended(&self) -> bool {
        self.used.elapsed() >= self.terms.idle || self.opened.elapsed() >= self.terms.longest
    }
}

impl Sessions {
    /// Opens a session under this id, which must be hard to guess.
    pub(crate) fn open(&self, id: String, terms: SessionTerms, bearer: Bearer) {
        let mut open = self.lock();
        open.retain(|_, session| !session.has_ended());
        let own =
            |session: &Session| session.terms.adapter == terms.adapter && session.bearer.account == bearer.account;
        let others = open.iter().filter(|(_, session)| own(session));
        let (count, oldest) = (others.clone().count(), others.min_by_key(|(_, session)| session.used));
        if count >= PER_ACCOUNT
            && let Some(oldest) = oldest.map(|(id, _)| id.clone())
        {
            open.remove(&oldest);
        }
        let now = Instant::now();
        open.insert(id, Session { terms, bearer, opened: now, used: now, stream_key: None });
    }

    /// Whose session it is; counts as use. `None` when it does not exist, has ended, or is another adapter's.
    pub(crate) fn use_of(&self, adapter: &str, id: &str) -> Option<Bearer> {
        let mut open = self.lock();
        let session = open.get_mut(id).filter(|session| session.terms.adapter == adapter)?;
        if session.has_ended() {
            open.remove(id);
            return None;
        }
        session.used = Instant::now();
        Some(session.bearer)
    }

    /// Ends a session; returns whose it was if it was open.
    pub(crate) fn end(&self, adapter: &str, id: &str) -> Option<Bearer> {
        let mut open = self.lock();
        open.get(id).filter(|session| session.terms.adapter == adapter)?;
        open.remove(id).filter(|session| !session.has_ended()).map(|session| session.bearer)
    }

    /// Ends every session of an adapter.
    pub(crate) fn end_all(&self, adapter: &str) {
        self.lock().retain(|_, session| session.terms.adapter != adapter);
    }

    /// Carries a session over to the account as it is now, for the user who has just changed its password in it.
    pub(crate) fn carry_over(&self, adapter: &str, id: &str, account: &Account) {
        let mut open = self.lock();
        let own = open.get_mut(id).filter(|session| session.terms.adapter == adapter);
        if let Some(session) = own.filter(|session| session.bearer.account == account.id) {
            session.bearer = account.into();
        }
    }

    /// The key that admits streams in the name of a session, made by `make` when there is none yet.
    pub(crate) fn stream_key(&self, adapter: &str, id: &str, make: fn() -> String) -> Option<String> {
        let mut open = self.lock();
        let session = open.get_mut(id).filter(|session| session.terms.adapter == adapter && !session.has_ended())?;
        Some(session.stream_key.get_or_insert_with(make).clone())
    }

    /// The session that a stream key belongs to.
    pub(crate) fn of_stream_key(&self, adapter: &str, key: &str) -> Option<String> {
        let open = self.lock();
        let belongs =
            |session: &Session| session.terms.adapter == adapter && session.stream_key.as_deref() == Some(key);
        open.iter().find(|(_, session)| belongs(session)).map(|(id, _)| id.clone())
    }

    /// Notes a request with a digest login; returns whether it begins a presence.
    pub(crate) fn arrives(&self, account: &Account, origin: Option<IpAddr>, adapter: &'static str) -> bool {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = |last: Option<Instant>| last.is_none_or(|last| last.elapsed() >= PRESENT);
        let begins = is_new(present.insert((account.id, account.revision, origin, adapter), Instant::now()));
        if present.len() > MAX_PRESENT {
            present.retain(|_, last| last.elapsed() < PRESENT);
        }
        if present.len() > MAX_PRESENT {
            let stalest = present.iter().min_by_key(|(_, last)| **last).map(|(who, _)| *who);
            stalest.map(|who| present.remove(&who));
        }
        begins
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::{Role, Timestamp};

    const HALF_AN_HOUR: Duration = Duration::from_secs(1800);
    const TERMS: SessionTerms =
        SessionTerms { adapter: "one", idle: HALF_AN_HOUR, longest: Duration::from_secs(12 * 3600) };

    fn account(id: i64) -> Account {
        let created_at = Timestamp::from_millis(0);
        Account { id: AccountId(id), name: format!("user{id}"), role: Role::Viewer, created_at, revision: 1 }
    }

    fn open(sessions: &Sessions, id: &str, account_id: i64) {
        sessions.open(id.to_owned(), TERMS, (&account(account_id)).into());
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_when_idle_and_at_the_latest_after_its_longest_time() {
        let sessions = Sessions::default();
        open(&sessions, "a", 1);
        for _ in 0..4 {
            advance(HALF_AN_HOUR - Duration::from_secs(1)).await;
            assert_eq!(sessions.use_of("one", "a"), Some((&account(1)).into()));
        }
        advance(HALF_AN_HOUR).await;
        assert_eq!(sessions.use_of("one", "a"), None);
        assert!(sessions.end("one", "a").is_none());
        open(&sessions, "b", 1);
        let uses = async {
            let mut uses = 0;
            while sessions.use_of("one", "b").is_some() {
                uses += 1;
                advance(Duration::from_secs(60)).await;
            }
            uses
        };
        assert_eq!(uses.await, 12 * 60, "used every minute, it ends after twelve hours");
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_displaces_only_its_own_sessions() {
        let sessions = Sessions::default();
        open(&sessions, "other", 2);
        for n in 0..=PER_ACCOUNT {
            advance(Duration::from_secs(1)).await;
            open(&sessions, &n.to_string(), 1);
        }
        assert!(sessions.use_of("one", "other").is_some());
        assert!(sessions.use_of("one", "0").is_none() && sessions.use_of("one", "1").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn an_adapter_knows_only_its_own_sessions() {
        let sessions = Sessions::default();
        open(&sessions, "a", 1);
        sessions.open("b".into(), SessionTerms { adapter: "two", ..TERMS }, (&account(1)).into());
        assert!(sessions.use_of("two", "a").is_none() && sessions.end("two", "a").is_none());
        sessions.end_all("two");
        assert!(sessions.use_of("one", "a").is_some() && sessions.use_of("two", "b").is_none());
        assert!(sessions.end("one", "a").is_some() && sessions.end("one", "a").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_key_belongs_to_its_session() {
        let sessions = Sessions::default();
        open(&sessions, "a", 1);
        let key = |id: &str| sessions.stream_key("one", id, || uuid::Uuid::new_v4().to_string());
        let first = key("a").unwrap();
        assert_eq!(key("a").as_ref(), Some(&first));
        assert_eq!(key("b"), None);
        assert_eq!(sessions.of_stream_key("one", &first).as_deref(), Some("a"));
        sessions.end("one", "a");
        assert_eq!(sessions.of_stream_key("one", &first), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_digest_login_starts_again_after_half_an_hour_and_from_elsewhere() {
        let sessions = Sessions::default();
        let arrives = |origin: u8| sessions.arrives(&account(1), Some([192, 0, 2, origin].into()), "one");
        assert_eq!([arrives(1), arrives(1), arrives(2)], [true, false, true]);
        advance(HALF_AN_HOUR).await;
        assert!(arrives(1));
    }
}
