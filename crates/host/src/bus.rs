//! Calls to system services over D-Bus.

use std::time::Duration;

use domain::{Error, Result};
use tokio::sync::OnceCell;
use zbus::Connection;
use zbus::export::serde::Serialize;
use zbus::zvariant::DynamicType;

/// Timeout of a call.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A system service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Service {
    /// Its name on the bus.
    pub(crate) name: &'static str,
    path: &'static str,
    interface: &'static str,
    /// Name used in the `Unavailable` error.
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
    /// Object path of the service.
    pub(crate) fn path(self) -> &'static str {
        self.path
    }
}

/// The connection to the system bus, opened on first use.
#[derive(Default)]
pub(crate) struct Bus {
    connection: OnceCell<Connection>,
}

impl Bus {
    /// Uses an existing connection.
    #[cfg(test)]
    pub(crate) fn over(connection: Connection) -> Self {
        Self { connection: OnceCell::new_with(Some(connection)) }
    }

    /// Calls a method. Fails with `Unavailable` when the bus, the service or the right to call it is missing; the log
    /// says which.
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
        match tokio::time::timeout(TIMEOUT, call).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(refused(service, method, lacking(&error), &error)),
            Err(_) => Err(refused(service, method, "a response in time", &"timeout")),
        }
    }
}

fn refused(service: Service, method: &'static str, lacks: &'static str, error: &dyn std::fmt::Display) -> Error {
    tracing::error!(host.service = service.name, host.method = method, host.lacks = lacks, %error, "host operation refused");
    Error::Unavailable { what: service.what }
}

/// What is missing, derived from the name of the D-Bus error.
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
        _ => "the service's consent",
    }
}
