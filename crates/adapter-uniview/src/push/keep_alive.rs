//! Keep-alives (type 6), which are never repeated.

use std::future::pending;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::messages;
use super::platform::{Pushes, platform, post};

/// Sends a keep-alive every interval while the platform wants them.
pub(super) async fn send(pushes: &Pushes<'_>, id: u8, cancel: &CancellationToken) {
    let mut changed = pushes.device.platforms_changed.subscribe();
    loop {
        let every = interval(pushes, id).await;
        let due = async {
            match every {
                Some(every) => tokio::time::sleep(every).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = changed.changed() => {}
            () = due => {
                let sent = cancel.run_until_cancelled(send_one(pushes, id)).await;
                if let Some(Err(why)) = sent {
                    tracing::debug!(platform.id = id, why, "keep-alive failed");
                }
            }
        }
    }
}

/// `None` while none are wanted, and while the settings cannot be read.
async fn interval(pushes: &Pushes<'_>, id: u8) -> Option<Duration> {
    let platform = platform(pushes.device, id).await.ok().flatten().filter(|platform| platform.keep_alive)?;
    Some(Duration::from_secs(platform.keep_alive_every.into()))
}

async fn send_one(pushes: &Pushes<'_>, id: u8) -> Result<(), String> {
    let platform = platform(pushes.device, id).await.map_err(|error| error.chain())?;
    let Some(platform) = platform.filter(|platform| platform.keep_alive) else { return Ok(()) };
    let message = messages::keep_alive(pushes.device, pushes.number()).await.map_err(|error| error.chain())?;
    post(pushes.device, &platform, &message).await
}
