//! Logs in at another SIP server to reach the cameras behind it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use domain::ports::SourceError;
use domain::{ConnectError, DeviceAddress, OutboundPolicy};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::call::Line;
use super::endpoint::{Asked, Endpoint};
use super::message::{Message, token};
use crate::http;
use crate::session::{Surroundings, plain, unconnected};

/// Requested duration of a login, seconds.
const STAY: u32 = 3600;
/// Interval between keepalives.
const HEARTBEAT: Duration = Duration::from_secs(60);
/// Number of keepalives after which the login is renewed: well before it expires.
const RENEWAL: u64 = 25;

/// A login, kept alive until dropped.
pub(super) struct Login {
    pub(super) line: Line,
    _upkeep: JoinSet<()>,
}

/// Logs in at the server with this id.
pub(super) async fn log_in(
    server: &DeviceAddress,
    server_id: &str,
    own: &str,
    surroundings: &Surroundings,
) -> Result<Login, SourceError> {
    let (peer, patience) = (resolve(server, surroundings.access.outbound).await?, surroundings.answer);
    let ip = own_address(peer).await.map_err(|error| SourceError::Unreachable(error.to_string()))?;
    let (endpoint, mut requests) =
        Endpoint::open((ip, 0).into()).await.map_err(|error| SourceError::Broken(error.to_string()))?;
    let local = endpoint.socket.local_addr().map_err(|error| SourceError::Broken(error.to_string()))?;
    let endpoint = Arc::new(endpoint);
    let line = Line { endpoint, peer, local, own: own.to_owned(), password: server.password.clone(), patience };
    register(&line, server_id).await?;
    let mut upkeep = JoinSet::new();
    let answering = line.clone();
    upkeep.spawn(async move {
        while let Some(Asked { message, from }) = requests.recv().await {
            // Servers query their members for cameras; this device offers none.
            let answer = Message::answer(&message, 501, "Not Implemented");
            let _ = answering.endpoint.say(from, &answer.write()).await;
        }
    });
    upkeep.spawn(keep_up(line.clone(), server_id.to_owned()));
    Ok(Login { line, _upkeep: upkeep })
}

async fn resolve(server: &DeviceAddress, policy: OutboundPolicy) -> Result<SocketAddr, SourceError> {
    let host = http::host(server)?.to_string();
    let allowed = policy.resolve(&host, server.port).await.map_err(unconnected)?;
    allowed.first().copied().ok_or_else(|| unconnected(ConnectError::UnknownHost))
}

/// The local address used to reach a peer.
pub(super) async fn own_address(peer: SocketAddr) -> std::io::Result<IpAddr> {
    let anywhere: SocketAddr = if peer.is_ipv4() { ([0; 4], 0).into() } else { ([0; 16], 0).into() };
    let socket = UdpSocket::bind(anywhere).await?;
    socket.connect(peer).await?;
    Ok(socket.local_addr()?.ip())
}

async fn register(line: &Line, server_id: &str) -> Result<(), SourceError> {
    let (uri, own, call) = (Line::uri(server_id), Line::uri(&line.own), token());
    let make = |number| {
        let request = line.request("REGISTER", &uri, &call, number).with("To", format!("<{own}>"));
        request.with("Expires", STAY.to_string())
    };
    let (_, answer) = line.ask(make, line.patience).await?;
    match answer.code().unwrap_or_default() {
        200..300 => Ok(()),
        401 | 403 | 407 => Err(SourceError::Unauthorised),
        code => Err(SourceError::Broken(plain(&format!("the SIP server answers {code} to REGISTER")))),
    }
}

/// Sends keepalives; logs in again every [`RENEWAL`] keepalives and when a keepalive fails.
async fn keep_up(line: Line, server_id: String) {
    let mut beats = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 1.. {
        beats.tick().await;
        let answered = match number % RENEWAL {
            0 => Err(()),
            _ => beat(&line, &server_id, number).await,
        };
        if answered.is_err()
            && let Err(why) = register(&line, &server_id).await
        {
            tracing::debug!(%why, "failed to renew the login at the SIP server");
        }
    }
}

async fn beat(line: &Line, server_id: &str, number: u64) -> Result<(), ()> {
    let (uri, call) = (Line::uri(server_id), token());
    let body = format!(
        "<?xml version=\"1.0\"?>\r\n<Notify>\r\n<CmdType>Keepalive</CmdType>\r\n<SN>{number}</SN>\r\n\
         <DeviceID>{}</DeviceID>\r\n<Status>OK</Status>\r\n</Notify>\r\n",
        line.own
    );
    let request = line.request("MESSAGE", &uri, &call, 1).with("To", format!("<{uri}>"));
    let request = request.carrying("Application/MANSCDP+xml", body);
    match line.endpoint.ask(line.peer, &request, line.patience).await {
        Ok(answer) if answer.code() == Some(200) => Ok(()),
        Ok(_) | Err(_) => Err(()),
    }
}
