//! A fake of camera discovery.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::ports::{CameraDiscovery, SourceError};
use domain::{CameraStream, DeviceAddress, FoundCamera};
use tokio::sync::Semaphore;

/// Returns the cameras that a test has added, and checks their logins.
pub struct FakeDiscovery {
    cameras: Mutex<HashMap<String, FakeCamera>>,
    /// Has a permit unless discoveries are held.
    open: Semaphore,
}

struct FakeCamera {
    found: FoundCamera,
    login: (String, String),
    streams: Vec<CameraStream>,
}

impl Default for FakeDiscovery {
    fn default() -> Self {
        Self { cameras: Mutex::default(), open: Semaphore::new(1) }
    }
}

impl FakeDiscovery {
    /// Adds a camera with this user name and password.
    pub fn put_up(&self, found: FoundCamera, user: &str, password: &str, streams: Vec<CameraStream>) {
        let login = (user.to_owned(), password.to_owned());
        self.cameras().insert(found.host.clone(), FakeCamera { found, login, streams });
    }

    /// Makes discoveries wait until [`FakeDiscovery::release`].
    pub fn hold(&self) {
        self.open.forget_permits(1);
    }

    /// Lets held discoveries continue.
    pub fn release(&self) {
        self.open.add_permits(1);
    }

    fn cameras(&self) -> MutexGuard<'_, HashMap<String, FakeCamera>> {
        self.cameras.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CameraDiscovery for FakeDiscovery {
    async fn discover(&self) -> Result<Vec<FoundCamera>, SourceError> {
        let _open = self.open.acquire().await;
        let mut found: Vec<_> = self.cameras().values().map(|camera| camera.found.clone()).collect();
        found.sort_by(|a, b| a.host.cmp(&b.host));
        Ok(found)
    }

    async fn streams(&self, device: &DeviceAddress) -> Result<Vec<CameraStream>, SourceError> {
        let cameras = self.cameras();
        let camera = cameras.get(&device.host).filter(|camera| camera.found.port == device.port);
        let camera = camera.ok_or_else(|| SourceError::Unreachable("no such camera".into()))?;
        if camera.login != (device.user.clone(), device.password.clone()) {
            return Err(SourceError::Unauthorised);
        }
        match camera.streams.is_empty() {
            true => Err(SourceError::NoStream("it has no profile".into())),
            false => Ok(camera.streams.clone()),
        }
    }
}
