//! The platform (4 to 6): the device logs in, takes commands from the platform's broker, and says what became of them.

mod bounded;
mod broker;
mod commands;
mod connection;
mod people;
mod results;
mod session;

use std::time::Duration;

use adapter::BackOff;
use tokio_util::sync::CancellationToken;

use crate::convert::events::main_port;
use crate::convert::platform::login;
use crate::device::{Device, PlatformServers};
use crate::settings::PlatformAddress;
use crate::wire;
use results::Results;
use session::Session;

/// The longest interval between two attempts (quirk S-RETRY).
const LONGEST: Duration = Duration::from_secs(60);
/// The device logs in again when the broker failed so often.
const ATTEMPTS: u32 = 3;
/// The command in hand when the device stops is finished within this time, or comes again after the start.
const LAST_COMMAND: Duration = Duration::from_secs(3);
/// The largest answer to a login, bytes.
const MAX_ANSWER: usize = 64 << 10;

/// Serves the platform, while one is set, until cancelled.
pub(super) async fn serve(device: &Device, cancel: &CancellationToken) {
    let mut changed = device.servers_changed.subscribe();
    while !cancel.is_cancelled() {
        changed.borrow_and_update();
        tell(device, &PlatformServers::default());
        let address = device.platform().await.unwrap_or_default();
        let served = async {
            match &address.login_url {
                Some(login_url) => stay_logged_in(device, (&address, login_url), cancel).await,
                None => cancel.cancelled().await,
            }
        };
        let overdue = async {
            cancel.cancelled().await;
            tokio::time::sleep(LAST_COMMAND).await;
        };
        tokio::select! {
            () = overdue => {}
            _ = changed.changed() => {}
            () = served => {}
        }
    }
}

/// Has the pushes use these servers of the platform.
fn tell(device: &Device, servers: &PlatformServers) {
    device.platform_servers.send_if_modified(|before| std::mem::replace(before, servers.clone()) != *servers);
}

/// Logs in whenever that is needed, until cancelled.
async fn stay_logged_in(device: &Device, platform: (&PlatformAddress, &str), cancel: &CancellationToken) {
    let mut back_off = BackOff::new(device.config.retry_after, LONGEST);
    let mut results = Results::default();
    while let Some(logged_in) = cancel.run_until_cancelled(log_in(device, platform)).await {
        match logged_in {
            Ok(session) => {
                tracing::info!("logged in at the platform");
                tell(device, &session.servers());
                if use_login(device, &session, &mut results, &mut back_off, cancel).await {
                    tracing::warn!("the platform refuses the token");
                    cancel.run_until_cancelled(tokio::time::sleep(back_off.next_interval())).await;
                }
            }
            Err(why) => {
                tracing::warn!(why, "login at the platform failed");
                cancel.run_until_cancelled(tokio::time::sleep(back_off.next_interval())).await;
            }
        }
    }
}

/// Takes commands until the broker has failed too often, the platform refuses the token, or cancelled. Whether the token
/// was refused.
async fn use_login(
    device: &Device,
    session: &Session,
    results: &mut Results,
    back_off: &mut BackOff,
    cancel: &CancellationToken,
) -> bool {
    // The command in hand is finished when the token is refused.
    let ended = cancel.child_token();
    let mut servers = device.platform_servers.subscribe();
    let commands = async {
        take_commands(device, session, results, back_off, &ended).await;
        ended.cancel();
    };
    let refused = async {
        let refused = ended.run_until_cancelled(servers.wait_for(|servers| servers.login.is_none())).await.is_some();
        ended.cancel();
        refused
    };
    tokio::join!(commands, refused).1
}

/// Takes commands until the broker has failed too often, or cancelled.
async fn take_commands(
    device: &Device,
    session: &Session,
    results: &mut Results,
    back_off: &mut BackOff,
    cancel: &CancellationToken,
) {
    for _ in 0..ATTEMPTS {
        match broker::take_commands(device, session, results, back_off, cancel).await {
            Ok(()) => return,
            Err(why) => tracing::warn!(why, "connection to the broker of the platform failed"),
        }
        cancel.run_until_cancelled(tokio::time::sleep(back_off.next_interval())).await;
    }
}

async fn log_in(device: &Device, (address, login_url): (&PlatformAddress, &str)) -> Result<Session, String> {
    let dev_sno = device.dev_sno().await.map_err(|error| error.chain())?;
    let network = device.appliance.network().await.map_err(|error| error.chain())?;
    let mac = main_port(&network.ports).map(|port| port.hardware_address.as_str()).unwrap_or_default();
    let url = login(login_url, &dev_sno, mac).ok_or("the address of the login is none")?;
    let body = device.outbound.fetch_picture(&url, MAX_ANSWER).await.map_err(|error| error.to_string())?;
    let fields = adapter::parse_object(&body).map_err(|error| error.to_string())?;
    let answer = wire::read(fields).map_err(|fault| fault.message())?;
    Ok(Session { address: address.clone(), login_url: login_url.to_owned(), dev_sno, answer })
}
