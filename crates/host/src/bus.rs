//! Calls to system services over D-Bus.

use std::time::Duration;

use domain::{Error, Result};
use tokio::sync::OnceCell;
use zbus::export::serde::Serialize;
use zbus::export::serde::de::DeserializeOwned;
use zbus::zvariant::{DynamicType, OwnedValue, Type};
use zbus::{Connection, Message, Proxy, connection};

/// The service's consent: it answered, and refused.
const CONSENT: &str = "the service's consent";

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

pub(crate) const UNITS: Service = Service {
    name: "org.freedesktop.systemd1",
    path: "/org/freedesktop/systemd1",
    interface: "org.freedesktop.systemd1.Manager",
    what: "the system's service manager",
};
pub(crate) const RAUC: Service = Service {
    name: "de.pengutronix.rauc",
    path: "/",
    interface: "de.pengutronix.rauc.Installer",
    what: "the system's upgrade service",
};

impl Service {
    /// The same interface style on another object of the service.
    pub(crate) const fn at(self, path: &'static str, interface: &'static str) -> Self {
        Self { path, interface, ..self }
    }
}

#[cfg(test)]
impl Service {
    /// Object path of the service.
    pub(crate) fn path(self) -> &'static str {
        self.path
    }
}

/// The connection to the bus of the system's services, opened on first use.
#[derive(Default)]
pub(crate) struct Bus {
    connection: OnceCell<Connection>,
    /// `None`: the system bus.
    address: Option<String>,
}

impl Bus {
    /// Uses an existing connection.
    #[cfg(test)]
    pub(crate) fn over(connection: Connection) -> Self {
        Self { connection: OnceCell::new_with(Some(connection)), address: None }
    }

    /// The bus at this address.
    pub(crate) fn at(address: String) -> Self {
        Self { connection: OnceCell::new(), address: Some(address) }
    }

    async fn connect(&self) -> zbus::Result<Connection> {
        match &self.address {
            None => Connection::system().await,
            Some(address) => connection::Builder::address(address.as_str())?.build().await,
        }
    }

    /// Calls a method. Fails with `Unavailable` when the bus, the service or the right to call it is missing; the log
    /// says which.
    pub(crate) async fn call<B: Serialize + DynamicType + Sync>(
        &self,
        service: Service,
        method: &'static str,
        body: &B,
    ) -> Result<()> {
        self.ask(service, method, body).await.map(drop)
    }

    /// As [`call`](Self::call), with the answer.
    pub(crate) async fn read<B: Serialize + DynamicType + Sync, T: DeserializeOwned + Type>(
        &self,
        service: Service,
        method: &'static str,
        body: &B,
    ) -> Result<T> {
        let answer = self.ask(service, method, body).await?;
        let read = answer.body().deserialize();
        read.map_err(|error| refused(service, method, "an answer of the expected form", &error))
    }

    /// As [`read`](Self::read); `None` when the service answers, but refuses.
    pub(crate) async fn read_if_granted<B: Serialize + DynamicType + Sync, T: DeserializeOwned + Type>(
        &self,
        service: Service,
        method: &'static str,
        body: &B,
    ) -> Result<Option<T>> {
        let answer = match self.exchange(service, method, body).await {
            Ok(answer) => answer,
            Err((CONSENT, why)) => {
                tracing::warn!(host.service = service.name, host.method = method, why, "refused by the service");
                return Ok(None);
            }
            Err((lacks, why)) => return Err(refused(service, method, lacks, &why)),
        };
        let read = answer.body().deserialize();
        read.map(Some).map_err(|error| refused(service, method, "an answer of the expected form", &error))
    }

    /// A property.
    pub(crate) async fn property<T: TryFrom<OwnedValue>>(&self, service: Service, name: &'static str) -> Result<T> {
        let get = service.at(service.path, "org.freedesktop.DBus.Properties");
        let value: OwnedValue = self.read(get, "Get", &(service.interface, name)).await?;
        T::try_from(value).map_err(|_| refused(service, name, "a property of the expected form", &"another type"))
    }

    /// The signals and properties of a service.
    pub(crate) async fn proxy(&self, service: Service) -> Result<Proxy<'_>> {
        let Service { name, path, interface, .. } = service;
        let connection = self.connected(service, "subscribe").await?;
        let proxy = Proxy::new(connection, name, path, interface).await;
        proxy.map_err(|error| refused(service, "subscribe", lacking(&error), &error))
    }

    async fn connected(&self, service: Service, method: &'static str) -> Result<&Connection> {
        let connection = self.connection.get_or_try_init(|| self.connect()).await;
        connection.map_err(|error| refused(service, method, "the system bus", &error))
    }

    async fn ask<B: Serialize + DynamicType + Sync>(
        &self,
        service: Service,
        method: &'static str,
        body: &B,
    ) -> Result<Message> {
        let answer = self.exchange(service, method, body).await;
        answer.map_err(|(lacks, why)| refused(service, method, lacks, &why))
    }

    /// A call and its answer, or what is missing and the error.
    async fn exchange<B: Serialize + DynamicType + Sync>(
        &self,
        service: Service,
        method: &'static str,
        body: &B,
    ) -> Result<Message, (&'static str, String)> {
        let connection = self.connection.get_or_try_init(|| self.connect()).await;
        let connection = connection.map_err(|error| ("the system bus", error.to_string()))?;
        let Service { name, path, interface, .. } = service;
        let call = connection.call_method(Some(name), path, Some(interface), method, body);
        match tokio::time::timeout(TIMEOUT, call).await {
            Ok(answer) => answer.map_err(|error| (lacking(&error), error.to_string())),
            Err(_) => Err(("a response in time", "timeout".to_owned())),
        }
    }
}

pub(crate) fn refused(
    service: Service,
    method: &'static str,
    lacks: &'static str,
    error: &dyn std::fmt::Display,
) -> Error {
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
        _ => CONSENT,
    }
}
