//! What all requests and pushes share.

mod key;
mod nonces;

use std::path::PathBuf;
use std::sync::atomic::AtomicU8;

use adapter::Outbound;
use domain::{Appliance, Camera, Error, Note, Result, State};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, watch};

pub(crate) use crate::settings::PLATFORMS;
use crate::settings::{Channel, DeviceNames, Platforms, WorkClothes};
use key::Key;
use nonces::Nonces;

/// The adapter's name, also of its state.
pub(crate) const NAME: &str = "uniview";

/// Further values of the adapter's state.
pub(crate) const NAMES: &str = "device";
pub(crate) const WORK_CLOTHES: &str = "workclothes";
pub(crate) const UPGRADE: &str = "upgrade";

/// What all requests and pushes share.
pub(crate) struct Device {
    pub(crate) channels: u32,
    pub(crate) appliance: Appliance,
    pub(crate) outbound: Outbound,
    pub(crate) nonces: Nonces,
    pub(crate) key: Key,
    /// Held from reading what the adapter keeps, or which names are taken, until it is changed.
    pub(crate) one_at_a_time: Mutex<()>,
    /// Held while the software is upgraded.
    pub(crate) upgrading: Mutex<()>,
    /// `status` of an upload that goes on or was refused; 0: what the core says of the last upgrade counts.
    pub(crate) upgrade_status: AtomicU8,
    /// Changes with the platforms.
    pub(crate) platforms_changed: watch::Sender<u64>,
}

impl Device {
    pub(crate) fn new(channels: u32, key_file: PathBuf, appliance: Appliance, outbound: Outbound) -> Self {
        Self {
            channels,
            appliance,
            outbound,
            nonces: Nonces::default(),
            key: Key::new(key_file),
            one_at_a_time: Mutex::default(),
            upgrading: Mutex::default(),
            upgrade_status: AtomicU8::default(),
            platforms_changed: watch::Sender::new(0),
        }
    }

    /// The adapter's durable values.
    pub(crate) fn state(&self) -> State {
        self.appliance.state(NAME)
    }

    /// How the device presents itself to platforms.
    pub(crate) async fn names(&self) -> Result<DeviceNames> {
        Ok(self.kept(NAMES).await?.unwrap_or_default())
    }

    /// The platforms that pushes go to.
    pub(crate) async fn platforms(&self) -> Result<Platforms> {
        Ok(self.kept(PLATFORMS).await?.unwrap_or_default())
    }

    /// The `status` of the last upload, if it was refused; of a former version also how an upgrade went.
    pub(crate) async fn last_upgrade(&self) -> Result<Option<u8>> {
        self.kept(UPGRADE).await
    }

    /// Libraries and pictures of work clothes.
    pub(crate) async fn work_clothes(&self) -> Result<WorkClothes> {
        Ok(self.kept(WORK_CLOTHES).await?.unwrap_or_else(|| WorkClothes::factory(self.appliance.now())))
    }

    /// What is noted on a camera beside what the core knows, in accordance with that: other adapters may have switched its
    /// watch.
    pub(crate) async fn channel(&self, camera: &Camera) -> Result<Channel> {
        let noted = self.state().note(camera.id).await?;
        let kept = noted.map(|text| serde_json::from_str(&text)).transpose();
        let kept: Option<Channel> = kept.map_err(Error::internal("reading the note on a camera"))?;
        Ok(kept.unwrap_or_default().reconciled(camera))
    }

    /// The note on a camera, to be written with it.
    pub(crate) fn noting(&self, channel: &Channel) -> Result<Option<Note>> {
        Ok(Some(self.state().noting(Some(written(channel)?))))
    }

    /// A kept value; `Unavailable` while it cannot be read.
    async fn kept<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let read = |text: &str| serde_json::from_str(text).map_err(|error| error.to_string());
        self.state().read_value(key, read).await
    }
}

/// A value as it is kept.
pub(crate) fn written(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal("writing a setting of uniview"))
}
