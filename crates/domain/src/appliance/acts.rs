//! Acts of an actor on the appliance. Rights are checked here, below every protocol.

use super::Appliance;
use crate::{Act, Actor, Result};

/// The appliance with an actor who acts on it; cheap to create. The acts are grouped by file, like the appliance's own
/// methods. Each of them fails with `Forbidden` for an actor without the right to it, and is in the audit log once
/// done.
#[derive(Clone, Copy)]
pub struct Acts<'a> {
    pub(super) appliance: &'a Appliance,
    actor: &'a Actor,
}

impl Appliance {
    /// The acts on the appliance in the name of `actor`.
    pub fn by<'a>(&'a self, actor: &'a Actor) -> Acts<'a> {
        Acts { appliance: self, actor }
    }
}

impl<'a> Acts<'a> {
    /// The appliance, for reading; `Forbidden` without the right to read.
    pub fn reading(self) -> Result<&'a Appliance> {
        self.actor.may(Act::READ)?;
        Ok(self.appliance)
    }

    /// A copy of the actor for the audit log; `Forbidden` unless the actor may do this.
    pub(super) fn permit(self, act: Act) -> Result<Actor> {
        self.actor.may(act)?;
        Ok(self.actor.clone())
    }

    /// As [`Appliance::blocking`].
    pub(super) async fn blocking<T: Send + 'static>(
        self,
        work: impl FnOnce(&Appliance) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.appliance.blocking(work).await
    }
}
