//! Logging in.

mod attempts;
mod gate;
mod source;

use std::net::IpAddr;
use std::sync::PoisonError;

use super::{Appliance, Secret};
use crate::{Account, Act, Actor, Error, LoginFrom, PasswordHashes, Result};

use attempts::Attempt;
pub(super) use attempts::Attempts;
pub(super) use gate::{Gate, Pass};

impl Appliance {
    /// Checks a login. An unknown user costs as much time as a wrong password.
    ///
    /// Attempts are counted before they are checked. Five wrong ones for a name from one source (an IPv4 address, or
    /// an IPv6 network of 64 bits) lock the name for that source. Five from all sources together delay attempts from
    /// sources with which the user has not logged in before. Two passwords are checked at a time.
    ///
    /// # Errors
    /// `WrongCredentials` for an unknown user or a wrong secret, `Locked` after five failures, `Busy` when too many
    /// callers wait.
    pub async fn log_in(&self, name: &str, secret: Secret, from: impl Into<LoginFrom>) -> Result<Account> {
        let from = from.into();
        let attempt = self.attempt(name, from.origin).await?;
        wait_for_turn(&attempt).await;
        let pass = self.pass(from.origin).await?;
        let name = name.to_owned();
        self.blocking(move |a| {
            let _pass = pass;
            let (account, hashes) = a.conclude(&name, from, attempt, true, |hashes| secret.matches(hashes))?;
            // Somebody has to log in to mend a disk that takes no writes.
            if let Err(error) = a.complete_digest(&account, &hashes, &secret) {
                tracing::warn!(error = error.chain(), "digest of the password not kept");
            }
            Ok(account)
        })
        .await
    }

    /// Checks a login by HTTP digest: `proves` is given the account's HA1 and says whether the caller knows it. An
    /// unknown user, and one whose password was set before digests were kept, cost as much time as a wrong digest. No
    /// password is hashed, so it waits for no other login.
    ///
    /// # Errors
    /// As [`log_in`](Self::log_in).
    pub async fn log_in_by_digest(
        &self,
        name: &str,
        proves: impl FnOnce(&str) -> bool + Send + 'static,
        from: impl Into<LoginFrom>,
    ) -> Result<Account> {
        let from = from.into();
        let proves = |hashes: Option<&PasswordHashes>| {
            let ha1 = hashes.and_then(|hashes| hashes.digest_ha1.as_deref());
            proves(ha1.unwrap_or_default()) && ha1.is_some()
        };
        let wanted = name.to_owned();
        let started = self
            .blocking(move |a| {
                // Requests of a platform come side by side: if they were in flight together, they would be too many.
                let order = a.core.attempts.instant_order.lock().unwrap_or_else(PoisonError::into_inner);
                let attempt = a.start_attempt(&wanted, from.origin)?;
                if attempt.turn.is_some() {
                    return Ok(Err((attempt, proves)));
                }
                let concluded = a.conclude(&wanted, from, attempt, false, proves);
                drop(order);
                let (account, _) = concluded?;
                a.audit_presence(&account, from.origin, from.adapter);
                Ok(Ok(account))
            })
            .await?;
        let (attempt, proves) = match started {
            Ok(account) => return Ok(account),
            Err(delayed) => delayed,
        };
        wait_for_turn(&attempt).await;
        let name = name.to_owned();
        self.blocking(move |a| {
            let (account, _) = a.conclude(&name, from, attempt, false, proves)?;
            a.audit_presence(&account, from.origin, from.adapter);
            Ok(account)
        })
        .await
    }

    /// Checks a login that is not an account's but of the configuration, counted like others. `proved`: whether the
    /// caller, who gave this name, knows the secret.
    ///
    /// # Errors
    /// As [`log_in`](Self::log_in).
    pub async fn log_in_as_configured(&self, name: &str, proved: bool, from: impl Into<LoginFrom>) -> Result<()> {
        let from = from.into();
        let attempt = self.attempt(name, from.origin).await?;
        wait_for_turn(&attempt).await;
        if proved {
            attempt.was_right(true);
            return Ok(());
        }
        self.blocking(move |a| {
            a.note_failure(attempt, from, None);
            Err(Error::WrongCredentials)
        })
        .await
    }

    /// A pass to compute one password hash.
    ///
    /// # Errors
    /// `Busy` when too many callers wait.
    pub(super) async fn pass(&self, origin: Option<IpAddr>) -> Result<Pass> {
        self.core.gate.enter(origin.into()).await
    }

    async fn attempt(&self, name: &str, origin: Option<IpAddr>) -> Result<Attempt> {
        let name = name.to_owned();
        self.blocking(move |a| a.start_attempt(&name, origin)).await
    }

    /// Counts an attempt. Blocking.
    fn start_attempt(&self, name: &str, origin: Option<IpAddr>) -> Result<Attempt> {
        let has_account = self.credentials(name)?.is_some();
        let started = self.core.attempts.start(name, origin.into(), has_account);
        started.map_err(|refusal| refusal.into_error(self.now()))
    }

    /// Checks a counted attempt by the hashes that are kept now. `proves` is given none for an unknown user. Blocking.
    fn conclude(
        &self,
        name: &str,
        from: LoginFrom,
        attempt: Attempt,
        by_password: bool,
        proves: impl FnOnce(Option<&PasswordHashes>) -> bool,
    ) -> Result<(Account, PasswordHashes)> {
        let found = self.credentials(name)?;
        let is_proved = proves(found.as_ref().map(|(_, hashes)| hashes));
        match found {
            Some(found) if is_proved => {
                attempt.was_right(by_password);
                Ok(found)
            }
            found => {
                self.note_failure(attempt, from, found.as_ref().map(|(account, _)| account));
                Err(Error::WrongCredentials)
            }
        }
    }

    fn credentials(&self, name: &str) -> Result<Option<(Account, PasswordHashes)>> {
        match self.ports().settings.credentials(name) {
            Ok(found) => Ok(Some(found)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `account`: the one with the name that was given, if there is one.
    fn note_failure(&self, attempt: Attempt, LoginFrom { origin, adapter }: LoginFrom, account: Option<&Account>) {
        let from = origin.map_or_else(|| "unknown".to_owned(), |origin| origin.to_string());
        tracing::warn!(login.origin = from, login.adapter = adapter, "login failed");
        self.audit(&Actor::refused(account, origin, adapter), Act::LOGIN_FAILED, &adapter);
        if attempt.was_wrong() {
            self.audit(&Actor { origin, ..Actor::system() }, Act::LOGIN_LOCKED, &from);
        }
    }
}

async fn wait_for_turn(attempt: &Attempt) {
    if let Some(turn) = attempt.turn {
        tokio::time::sleep_until(turn).await;
    }
}
