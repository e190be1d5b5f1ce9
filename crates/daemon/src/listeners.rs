//! The sockets adapters are served on.

mod published;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use adapter::{Encryption, Health, HttpsPlace, Limits, OwnCertificate, Served};
use anyhow::{Context, Result};
use axum::Router;
use axum::http::StatusCode;
use domain::Appliance;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{Clear, Place, USELESS};
use published::Published;

/// What the owner should know of a section that accepts logins in clear.
const CLEAR: &str = "logins in clear are accepted from other machines; passwords can be read on the way";

/// One HTTP address, the adapters behind it, and the HTTPS address that they share.
struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    routes: Router,
    /// The status of a path that no adapter behind it knows.
    unknown: StatusCode,
    /// The places of the adapters.
    places: Vec<Place>,
    /// Where HTTPS is always served.
    https: Option<TcpListener>,
    /// By which an adapter switches all of them to HTTPS.
    switch: Option<Encryption>,
}

/// All sockets of the daemon.
#[derive(Default)]
pub(crate) struct Listeners {
    /// By configured address: adapters with the same one share a socket.
    shared: BTreeMap<SocketAddr, Listener>,
    /// Those on port 0, which share nothing.
    alone: Vec<Listener>,
    /// The names of sockets that adapters serve themselves.
    others: Vec<(String, SocketAddr)>,
}

/// What serving needs besides the sockets.
pub(crate) struct Surroundings {
    /// Whose requests they are; `None` for a device that cannot serve.
    pub(crate) appliance: Option<Appliance>,
    /// The device's own certificate, where HTTPS is always served.
    pub(crate) certificate: Option<OwnCertificate>,
    pub(crate) health: Arc<Health>,
    pub(crate) limits: Limits,
}

impl Listeners {
    /// Adds an adapter's routes to the socket of its place. A path that the adapter does not know is answered with
    /// `unknown`, but where several share a socket that has no meaning for others. `switch` is the handle by which the
    /// adapter switches the socket to HTTPS.
    pub(crate) async fn add(
        &mut self,
        place: Place,
        routes: Router,
        unknown: StatusCode,
        switch: Option<Encryption>,
    ) -> Result<()> {
        let routes = match place.clear {
            Clear::Refuse => adapter::refusing_clear_logins(routes),
            Clear::Allow => routes,
        };
        match self.shared.entry(place.listen) {
            Entry::Occupied(mut shared) => shared.get_mut().add(place, routes, unknown, switch),
            Entry::Vacant(_) if place.listen.port() == 0 => {
                self.alone.push(Listener::open(place, routes, unknown, switch).await?);
            }
            Entry::Vacant(vacant) => {
                vacant.insert(Listener::open(place, routes, unknown, switch).await?);
            }
        }
        Ok(())
    }

    /// Adds a socket that an adapter serves itself to those that are published.
    pub(crate) fn name(&mut self, name: &str, address: SocketAddr) {
        self.others.push((name.to_owned(), address));
    }

    /// Whether HTTPS is always served anywhere.
    pub(crate) fn need_certificate(&self) -> bool {
        self.all().flat_map(|listener| &listener.places).any(|place| place.https.is_some())
    }

    /// Opens the sockets of HTTPS and publishes all addresses, then serves until cancelled.
    pub(crate) async fn serve(
        mut self,
        surroundings: Surroundings,
        storage: &Path,
        tasks: &mut JoinSet<()>,
        cancel: &CancellationToken,
    ) -> Result<()> {
        for listener in self.shared.values_mut().chain(&mut self.alone) {
            listener.open_https().await?;
        }
        let names = self.all().flat_map(Listener::names).chain(self.others.clone());
        let published = Arc::new(Published::new(names, storage)?);
        let surroundings = Arc::new(surroundings);
        for listener in self.shared.into_values().chain(self.alone) {
            listener.serve(&surroundings, &published, tasks, cancel);
        }
        Ok(())
    }

    fn all(&self) -> impl Iterator<Item = &Listener> {
        self.shared.values().chain(&self.alone)
    }
}

impl Listener {
    async fn open(place: Place, routes: Router, unknown: StatusCode, switch: Option<Encryption>) -> Result<Self> {
        let (name, wanted) = (place.section, place.listen);
        let socket = TcpListener::bind(wanted).await.with_context(|| format!("{name} cannot listen on {wanted}"))?;
        let address = socket.local_addr().context("a socket without an address")?;
        Ok(Self { socket, address, routes, unknown, places: vec![place], https: None, switch })
    }

    fn add(&mut self, place: Place, routes: Router, unknown: StatusCode, switch: Option<Encryption>) {
        self.routes = std::mem::take(&mut self.routes).merge(routes);
        if self.unknown != unknown {
            self.unknown = StatusCode::NOT_FOUND;
        }
        self.places.push(place);
        self.switch = self.switch.take().or(switch);
    }

    async fn open_https(&mut self) -> Result<()> {
        let wanted = self.places.iter().find_map(|place| Some((place.section, place.https?)));
        if let Some((name, wanted)) = wanted {
            let socket = TcpListener::bind(wanted).await;
            self.https = Some(socket.with_context(|| format!("{name} cannot listen for HTTPS on {wanted}"))?);
        }
        Ok(())
    }

    /// Which adapter is reached where.
    fn names(&self) -> Vec<(String, SocketAddr)> {
        let clear = self.places.iter().map(|place| (place.section.to_owned(), self.address));
        let https = self.https.as_ref().and_then(|socket| socket.local_addr().ok());
        let https = self.places.iter().filter_map(|place| Some((https_name(place), https?)));
        clear.chain(https).collect()
    }

    fn serve(
        self,
        surroundings: &Arc<Surroundings>,
        published: &Arc<Published>,
        tasks: &mut JoinSet<()>,
        cancel: &CancellationToken,
    ) {
        let attention = self.attention();
        let Self { socket, routes, unknown, places, https, switch, .. } = self;
        let routes = routes.fallback(move || std::future::ready(unknown));
        let routes = match &surroundings.appliance {
            Some(appliance) => adapter::noting_arrivals(routes, appliance.clone()),
            None => routes,
        };
        let limits = surroundings.limits.clone();
        let clear = switch.as_ref().map_or_else(|| routes.clone(), |switch| switch.clear(routes.clone()));
        tasks.spawn(adapter::serve(socket, clear, limits.clone(), cancel.clone()));
        let always = https.zip(surroundings.certificate.as_ref().map(|own| Arc::clone(&own.config)));
        let Some(switch) = switch else {
            surroundings.report(&attention, true);
            if let Some((socket, config)) = always {
                tasks.spawn(adapter::serve_encrypted(socket, routes, limits, config, cancel.clone()));
            }
            return;
        };
        let place = match (always, places.iter().find_map(|place| place.switched)) {
            (Some((socket, config)), _) => HttpsPlace::Always(socket, config),
            (None, Some(address)) => HttpsPlace::WhileSwitched(address),
            // Only a section with such an address has a switch.
            (None, None) => return,
        };
        let (published, surroundings, cancel) = (Arc::clone(published), Arc::clone(surroundings), cancel.clone());
        tasks.spawn(async move {
            let changed = |served: Served| {
                places.iter().for_each(|place| published.announce(https_name(place), served.https));
                surroundings.report(&attention, served.clear);
            };
            switch.serve(place, routes, limits, changed, cancel).await;
        });
    }

    /// What the owner should know while HTTP is served: for each section the name of an alarm and its text.
    fn attention(&self) -> Vec<(String, &'static str)> {
        let about = |place: &Place| match place.clear {
            _ if !place.is_open() => None,
            Clear::Allow => Some(CLEAR),
            Clear::Refuse => self.https.is_none().then_some(USELESS),
        };
        let named = |place: &Place| Some((format!("{}.clear", place.section), about(place)?));
        self.places.iter().filter_map(named).collect()
    }
}

impl Surroundings {
    /// Raises these alarms, or clears them.
    fn report(&self, attention: &[(String, &'static str)], on: bool) {
        for (name, text) in attention {
            if on { self.health.raise(name, text) } else { self.health.clear(name) }
        }
    }
}

/// The name of a section's HTTPS listener.
fn https_name(place: &Place) -> String {
    format!("{}-https", place.section)
}
