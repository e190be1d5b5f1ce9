//! The system bus, over which its services are asked.

use std::time::Duration;

use domain::{Error, Result};
use tokio::sync::OnceCell;
use zbus::Connection;
use zbus::export::serde::Serialize;
use zbus::zvariant::DynamicType;

/// A service answers within this time.
const PATIENCE: Duration = Duration::from_secs(20);

/// One of the system's services.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Service {
    /// Its name on the bus.
    pub(crate) name: &'static str,
    path: &'static str,
    interface: &'static str,
    /// What the caller is told to be unavailable.
    what: &'static str,
}

pub(crate) const LOGIN: Service = Service {
    name: "org.freedesktop.login1",
    path: "/org/freedesktop/login1",
    interface: "org.freedesktop.login1.Manager",
    what: "the system's power service",
};
pub(crate) const TIME: Service = Service {
    name: "org.freedesktop.timedate1",
    path: "/org/freedesktop/timedate1",
    interface: "org.freedesktop.timedate1",
    what: "the system's clock service",
};
pub(crate) const TIME_SYNC: Service = Service {
    name: "org.freedesktop.timesync1",
    path: "/org/freedesktop/timesync1",
    interface: "org.freedesktop.timesync1.Manager",
    what: "the system's time synchronisation",
};
pub(crate) const NETWORK: Service = Service {
    name: "org.freedesktop.network1",
    path: "/org/freedesktop/network1",
    interface: "org.freedesktop.network1.Manager",
    what: "the system's network service",
};

#[cfg(test)]
impl Service {
    /// Where it is found at its name.
    pub(crate) fn path(self) -> &'static str {
        self.path
    }
}

/// The way to the services; opened when it is first needed.
#[derive(Default)]
pub(crate) struct Bus {
    connection: OnceCell<Connection>,
}

impl Bus {
    /// Over a connection that is there already.
    #[cfg(test)]
    pub(crate) fn over(connection: Connection) -> Self {
        Self { connection: OnceCell::new_with(Some(connection)) }
    }

    /// Calls a method. `Unavailable` when the bus, the service or the right to call it is missing; the log says which.
    pub(crate) async fn call<B: Serialize + DynamicType + Sync>(
        &self,
        service: Service,
        method: &'static str,
        body: &B,
    ) -> Result<()> {
        let connection = self.connection.get_or_try_init(Connection::system).await;
        let connection = connection.map_err(|error| refused(service, method, "the system bus", &error))?;
        let Service { name, path, interface, .. } = service;
        let call = connection.call_method(Some(name), path, Some(interface), method, body);
        match tokio::time::timeout(PATIENCE, call).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(refused(service, method, lacking(&error), &error)),
            Err(_) => Err(refused(service, method, "an answer in time", &"timeout")),
        }
    }
}

fn refused(service: Service, method: &'static str, lacks: &'static str, error: &dyn std::fmt::Display) -> Error {
    tracing::error!(host.service = service.name, host.method = method, host.lacks = lacks, %error, "the machine refuses");
    Error::Unavailable { what: service.what }
}

/// What is missing, as the name of the refusal tells.
fn lacking(error: &zbus::Error) -> &'static str {
    let zbus::Error::MethodError(name, ..) = error else { return "a working connection" };
    match name.as_str() {
        "org.freedesktop.DBus.Error.AccessDenied"
        | "org.freedesktop.DBus.Error.AuthFailed"
        | "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
        | "org.freedesktop.PolicyKit1.Error.NotAuthorized" => "the right to call it (polkit)",
        "org.freedesktop.DBus.Error.ServiceUnknown"
        | "org.freedesktop.DBus.Error.NameHasNoOwner"
        | "org.freedesktop.DBus.Error.Spawn.ServiceNotFound"
        | "org.freedesktop.systemd1.NoSuchUnit" => "the service",
        _ => "its consent",
    }
}
