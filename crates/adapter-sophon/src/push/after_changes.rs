//! What the platform is sent after a login and after every change of the cameras, until it has it.

use tokio_util::sync::CancellationToken;

use crate::device::{Device, PlatformServers};

/// Sends to the server that `server` picks, again after every change, until cancelled; what fails is repeated with the
/// period of the status. `what` names it in the log.
pub(super) async fn send_after_changes<S: Future<Output = Result<(), String>>>(
    (device, what): (&Device, &'static str),
    server: impl Fn(PlatformServers) -> Option<String>,
    send: impl Fn(String) -> S,
    cancel: &CancellationToken,
) {
    let (mut cameras, mut platform) = (device.appliance.camera_changes(), device.platform_servers.subscribe());
    loop {
        // What is sent now contains the changes so far.
        cameras.borrow_and_update();
        let servers = platform.borrow_and_update().clone();
        let every = servers.status_every;
        let sent = async {
            let Some(url) = server(servers) else { return std::future::pending().await };
            while let Err(why) = send(url.clone()).await {
                tracing::debug!(what, why, "not sent to the platform");
                tokio::time::sleep(every).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = cameras.changed() => {}
            _ = platform.changed() => {}
            () = sent => {}
        }
    }
}
