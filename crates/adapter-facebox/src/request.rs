//! One request: its fields and its caller.

use std::net::IpAddr;
use std::sync::Arc;

use adapter::{Sender, Standing};
use domain::{Account, Act, Actor, Acts, Appliance, Note, Noted};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::codes::{Code, Fault};
use crate::device::Device;
use crate::wire::{self, Fields};

/// A request that was read.
pub(crate) struct Call {
    pub(crate) device: Arc<Device>,
    /// Address of the caller, for the login guard.
    pub(crate) origin: Option<IpAddr>,
    /// The connection of the caller.
    pub(crate) standing: Standing,
    /// What had the request sent.
    pub(crate) sender: Sender,
    pub(crate) fields: Fields,
}

impl Call {
    /// The request's fields; a missing one or a wrong type is code 3 with its name.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        wire::read(self.fields.clone())
    }

    /// The caller, when it has a session and may do this.
    pub(crate) async fn admit(self, act: Act) -> Result<Caller, Fault> {
        let Some(Value::String(session)) = self.fields.get("session") else { return Err(Fault::field("session")) };
        Caller::of(self.device, session, act, self.origin).await
    }
}

/// A caller with a session.
pub(crate) struct Caller {
    pub(crate) device: Arc<Device>,
    /// The account of the session.
    pub(crate) account: Account,
    /// The session.
    pub(crate) session: String,
    /// The caller as the core and the audit log know it.
    pub(crate) actor: Actor,
}

impl Caller {
    /// The caller with this session, when it may do this.
    pub(crate) async fn of(
        device: Arc<Device>,
        session: &str,
        act: Act,
        origin: Option<IpAddr>,
    ) -> Result<Self, Fault> {
        let caller = device.sessions.caller(session, origin).await?.ok_or(Code::Session)?;
        caller.actor.may(act)?;
        let adapter::Caller { account, session, actor } = caller;
        Ok(Self { device, account, session, actor })
    }

    /// The acts of the caller.
    pub(crate) fn acts(&self) -> Acts<'_> {
        self.device.appliance.by(&self.actor)
    }

    /// The note that keeps a number to which the document gives no meaning; 0 is not kept.
    pub(crate) fn note_of_kind(&self, kind: Option<i64>) -> Option<Note> {
        let text = |kind: i64| (kind != 0).then(|| kind.to_string());
        kind.map(|kind| self.device.state().noting(text(kind)))
    }

    /// The number that is kept about a thing.
    pub(crate) async fn noted_kind(&self, thing: impl Into<Noted>) -> Result<i64, Fault> {
        let kept = self.device.state().note(thing).await?;
        Ok(kept.and_then(|kept| kept.parse().ok()).unwrap_or_default())
    }

    /// The appliance, for a caller who may read.
    pub(crate) fn reading(&self) -> Result<&Appliance, Fault> {
        Ok(self.acts().reading()?)
    }
}
