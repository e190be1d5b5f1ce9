//! A platform that can really go away: its connections break with it.

use std::net::SocketAddr;

use tokio::runtime::{Builder, Runtime};

use crate::PushReceiver;

/// A receiver on a runtime of its own, so that dropping it closes its connections too.
pub(crate) struct Platform {
    runtime: Option<Runtime>,
    receiver: PushReceiver,
}

impl Platform {
    /// Listens on this address; port 0 is a free one.
    pub(crate) async fn start(address: SocketAddr) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let started = runtime.spawn(PushReceiver::start_without_pictures_on(address));
        Self { receiver: started.await.expect("a receiver"), runtime: Some(runtime) }
    }

    pub(crate) fn receiver(&self) -> &PushReceiver {
        &self.receiver
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
