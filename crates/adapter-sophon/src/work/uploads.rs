//! Pictures that capture cameras upload by FTP (FTP STOR, section 2).

use std::net::IpAddr;
use std::sync::Arc;

use adapter::{Refused, Uploads, serve_ftp};
use async_trait::async_trait;
use bytes::Bytes;
use domain::{Actor, Error, Role, Timestamp};
use tokio_util::sync::CancellationToken;

use super::devices::take_picture;
use crate::device::{Device, Ftp, Login, NAME};

/// Takes uploads until cancelled.
pub(crate) async fn serve(device: Arc<Device>, cancel: CancellationToken) {
    match device.config.ftp.clone() {
        Some(Ftp { listener, login, limits }) => {
            let cameras = Arc::new(Cameras { device, login });
            serve_ftp(&listener, limits, cameras, cancel).await;
        }
        None => cancel.cancelled().await,
    }
}

struct Cameras {
    device: Arc<Device>,
    login: Login,
}

#[async_trait]
impl Uploads for Cameras {
    async fn log_in(&self, user: &str, password: &str, from: IpAddr) -> bool {
        match self.login.check(&self.device.appliance, (user, password), Some(from)).await {
            Ok(()) => true,
            Err(Error::WrongCredentials | Error::Locked { .. }) => false,
            Err(error) => {
                tracing::error!(error = error.chain(), "failed to check FTP login");
                false
            }
        }
    }

    fn now(&self) -> Timestamp {
        self.device.appliance.now()
    }

    async fn take(&self, file: Bytes, from: IpAddr, began: Timestamp) -> Result<(), Refused> {
        let actor = Actor { name: self.login.user.clone(), role: Role::Operator, origin: Some(from), adapter: NAME };
        let taken = take_picture(&self.device, &actor, from, file, began).await;
        taken.map_err(|error| {
            tracing::warn!(ftp.peer = %from, error = error.chain(), "uploaded picture not taken");
            match error {
                Error::BadPicture { .. } => Refused::ForGood("not a picture that can be read"),
                Error::NotFound { .. } => Refused::ForGood("no camera sends from this address"),
                _ => Refused::ForNow,
            }
        })
    }
}
