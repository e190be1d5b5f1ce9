//! Login sessions.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{Account, AccountId, Actor};
use tokio::time::Instant;

/// A bounded table of login sessions that expire when idle.
pub struct Sessions {
    idle: Duration,
    most: usize,
    make_id: fn() -> String,
    open: Mutex<HashMap<String, Session>>,
}

struct Session {
    account: Account,
    used: Instant,
}

/// A caller with a session.
pub struct Caller {
    /// The account of the session.
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

impl Sessions {
    /// An empty table. A session ends after `idle` without use; beyond `most` sessions, the one unused the longest
    /// ends. `make_id` must be hard to guess, such as [`decimal_id`], [`hex_id`] or [`uuid_id`].
    pub fn new(idle: Duration, most: usize, make_id: fn() -> String) -> Self {
        Self { idle, most, make_id, open: Mutex::default() }
    }

    /// Opens a session and returns its id.
    pub fn open(&self, account: Account) -> String {
        let mut open = self.lock();
        open.retain(|_, session| session.used.elapsed() < self.idle);
        if open.len() >= self.most {
            let oldest = open.iter().min_by_key(|(_, session)| session.used).map(|(id, _)| id.clone());
            oldest.map(|id| open.remove(&id));
        }
        let id = (self.make_id)();
        open.insert(id.clone(), Session { account, used: Instant::now() });
        id
    }

    /// The account of a session; counts as use. `None` when the session does not exist or has ended.
    pub fn find(&self, id: &str) -> Option<Account> {
        let mut open = self.lock();
        let session = open.get_mut(id)?;
        if session.used.elapsed() >= self.idle {
            open.remove(id);
            return None;
        }
        session.used = Instant::now();
        Some(session.account.clone())
    }

    /// The caller of a request to this adapter, with a session and from an address; counts as use. `None` as for
    /// [`find`](Self::find).
    pub fn caller(&self, session: &str, origin: Option<IpAddr>, adapter: &'static str) -> Option<Caller> {
        let account = self.find(session)?;
        let actor = Actor::user(&account, origin, adapter);
        Some(Caller { account, session: session.to_owned(), actor })
    }

    /// Ends a session; returns whether it was open.
    pub fn close(&self, id: &str) -> bool {
        let closed = self.lock().remove(id);
        closed.is_some_and(|session| session.used.elapsed() < self.idle)
    }

    /// Ends every session of an account, for example when its password changes.
    pub fn close_all_of(&self, account: AccountId) {
        self.lock().retain(|_, session| session.account.id != account);
    }

    /// Ends every session of an account except this one.
    pub fn close_others_of(&self, account: AccountId, kept: &str) {
        self.lock().retain(|id, session| session.account.id != account || id == kept);
    }

    /// Updates the account in all its sessions.
    pub fn renew(&self, account: &Account) {
        let mut open = self.lock();
        let own = open.values_mut().filter(|session| session.account.id == account.id);
        own.for_each(|session| session.account.clone_from(account));
    }

    /// Ends every session, for example when the device shuts down.
    pub fn close_all(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use domain::{Role, Timestamp};
    use tokio::time::advance;

    use super::*;

    const HALF_AN_HOUR: Duration = Duration::from_secs(1800);

    fn account(id: i64) -> Account {
        let name = format!("user{id}");
        Account { id: AccountId(id), name, role: Role::Viewer, created_at: Timestamp::from_millis(0) }
    }

    #[tokio::test(start_paused = true)]
    async fn use_keeps_a_session_open_and_idleness_ends_it() {
        let sessions = Sessions::new(HALF_AN_HOUR, 10, decimal_id);
        let id = sessions.open(account(1));
        for _ in 0..3 {
            advance(HALF_AN_HOUR - Duration::from_secs(1)).await;
            assert_eq!(sessions.find(&id), Some(account(1)));
        }
        advance(HALF_AN_HOUR).await;
        assert_eq!(sessions.find(&id), None);
        assert!(!sessions.close(&id));
    }

    #[tokio::test(start_paused = true)]
    async fn the_session_unused_for_longest_makes_room() {
        let sessions = Sessions::new(HALF_AN_HOUR, 2, uuid_id);
        let first = sessions.open(account(1));
        advance(Duration::from_secs(1)).await;
        let second = sessions.open(account(2));
        advance(Duration::from_secs(1)).await;
        sessions.find(&first);
        let third = sessions.open(account(3));
        assert_eq!(sessions.find(&second), None);
        assert!(sessions.find(&first).is_some() && sessions.find(&third).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_session_is_gone() {
        let sessions = Sessions::new(HALF_AN_HOUR, 10, decimal_id);
        let (first, second, other) = (sessions.open(account(1)), sessions.open(account(1)), sessions.open(account(2)));
        assert!(sessions.close(&first));
        assert!(!sessions.close(&first));
        let third = sessions.open(account(1));
        sessions.close_others_of(AccountId(1), &third);
        assert!(sessions.find(&second).is_none() && sessions.find(&third).is_some());
        sessions.close_all_of(AccountId(1));
        assert_eq!(sessions.find(&third), None);
        assert!(sessions.find(&other).is_some());
        assert!(other.parse::<u64>().is_ok());
        sessions.close_all();
        assert_eq!(sessions.find(&other), None);
    }

    #[tokio::test(start_paused = true)]
    async fn every_session_of_an_account_shows_it_as_it_is_now() {
        let sessions = Sessions::new(HALF_AN_HOUR, 10, hex_id);
        let (first, second, other) = (sessions.open(account(1)), sessions.open(account(1)), sessions.open(account(2)));
        let renamed = Account { name: "rosa".into(), role: Role::Admin, ..account(1) };
        sessions.renew(&renamed);
        assert_eq!([&first, &second].map(|id| sessions.find(id)), [Some(renamed.clone()), Some(renamed)]);
        assert_eq!(sessions.find(&other), Some(account(2)));
    }
}
