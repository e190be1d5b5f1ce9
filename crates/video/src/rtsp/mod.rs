//! RTSP cameras (RFC 2326): from an address to access units.
//!
//! The session is implemented here because it tolerates faults at which retina's ends: `wire`, `fields`, `description`
//! and `packet` parse what cameras send, `login` answers their challenges, `sieve` and `order` select the video from
//! the packets. retina's depacketisers assemble the access units (`assembly`).

mod assembly;
mod connection;
mod datagrams;
mod description;
mod fields;
#[cfg(any(test, fuzzing))]
pub(crate) mod hostile;
mod login;
mod order;
mod packet;
mod redirect;
mod session;
mod sieve;
mod units;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use domain::StreamTransport as Transport;
use domain::ports::SourceError;
use url::Url;

use self::assembly::Assembly;
use self::connection::{Connection, Question};
use self::datagrams::Datagrams;
use self::description::Offer;
use self::fields::{SessionField, TransportField};
use self::session::Session;
use self::sieve::Sieve;
pub(crate) use self::units::Units;
use self::wire::Response;
use crate::address::CameraAddress;
use crate::session::{Surroundings, plain};

/// Requested interleaved channel; RTCP uses the next one.
const CHANNEL: u8 = 0;
/// Maximum number of redirects followed.
const MOST_REDIRECTS: usize = 5;
/// Timeout for everything before the stream, as a multiple of the timeout for one response.
const MOST_ANSWERS: u32 = 6;

/// Why a session was not established.
#[derive(Debug)]
enum Refusal {
    Transport,
    /// The stream is at another address of the same camera.
    Moved(Url),
    Final(SourceError),
}

impl From<SourceError> for Refusal {
    fn from(why: SourceError) -> Self {
        Self::Final(why)
    }
}

/// Connects and plays, by the transport that the address wants or the camera grants.
pub(crate) async fn play(address: &CameraAddress, surroundings: &Arc<Surroundings>) -> Result<Units, SourceError> {
    in_time(surroundings.answer * MOST_ANSWERS, play_by_any(address, surroundings)).await
}

/// A camera that delays every response must not block the caller for minutes.
async fn in_time<T>(limit: Duration, opening: impl Future<Output = Result<T, SourceError>>) -> Result<T, SourceError> {
    let slow = |_| SourceError::Unreachable(format!("the camera has not begun to play within {} s", limit.as_secs()));
    tokio::time::timeout(limit, opening).await.map_err(slow)?
}

async fn play_by_any(address: &CameraAddress, surroundings: &Arc<Surroundings>) -> Result<Units, SourceError> {
    let first = if address.transport == Transport::Udp { Transport::Udp } else { Transport::Tcp };
    let mut outcome = play_by(first, address, surroundings).await;
    if matches!(outcome, Err(Refusal::Transport)) && address.transport == Transport::Any {
        tracing::debug!("camera refused RTP over RTSP, trying UDP");
        outcome = play_by(Transport::Udp, address, surroundings).await;
    }
    outcome.map_err(|refusal| match refusal {
        Refusal::Transport => SourceError::Broken("the camera refuses the transport".to_owned()),
        Refusal::Moved(_) => SourceError::Broken(format!("the camera redirects more than {MOST_REDIRECTS} times")),
        Refusal::Final(why) => why,
    })
}

/// Plays by one transport, following redirects.
async fn play_by(
    transport: Transport,
    address: &CameraAddress,
    surroundings: &Arc<Surroundings>,
) -> Result<Units, Refusal> {
    let mut outcome = play_at(&address.url, transport, address, surroundings).await;
    for _ in 0..MOST_REDIRECTS {
        let Err(Refusal::Moved(url)) = outcome else { break };
        outcome = play_at(&url, transport, address, surroundings).await;
    }
    outcome
}

async fn play_at(
    url: &Url,
    transport: Transport,
    address: &CameraAddress,
    surroundings: &Arc<Surroundings>,
) -> Result<Units, Refusal> {
    let mut connection = Connection::open(url, address.credentials.clone(), surroundings).await?;
    let question = Question { method: "DESCRIBE", uri: url.as_str(), fields: &[("Accept", "application/sdp")] };
    let description = granted(&question, connection.ask(&question).await?, url, &connection)?;
    let offer = Offer::read(&description.body)?;
    let base = redirect::base(url, &description);
    let aggregate = redirect::control(&base, offer.aggregate.as_deref());
    let track = redirect::control(&base, offer.control.as_deref());
    let (field, sieve, datagrams) = set_up(&mut connection, url, &track, &offer, transport).await?;
    let peer = connection.peer.ip();
    let mut session = Session::new(connection, datagrams, aggregate.clone(), field, Arc::clone(surroundings));
    let played = session.play().await?;
    judged(&Question { method: "PLAY", uri: &aggregate, fields: &[] }, played, url, peer)?;
    let assembly = Assembly::new(offer.codec, offer.parameters)?;
    Ok(Units::new(session, sieve, assembly, offer.codec, Arc::clone(surroundings)))
}

/// Sends SETUP for the stream by this transport.
async fn set_up(
    connection: &mut Connection,
    url: &Url,
    track: &str,
    offer: &Offer,
    transport: Transport,
) -> Result<(SessionField, Sieve, Option<Datagrams>), Refusal> {
    let mut datagrams = match transport {
        Transport::Udp => Some(bind(connection).await?),
        Transport::Tcp | Transport::Any => None,
    };
    let wanted = match &datagrams {
        Some(own) => format!("RTP/AVP/UDP;unicast;client_port={}-{}", own.port, own.port + 1),
        None => format!("RTP/AVP/TCP;unicast;interleaved={CHANNEL}-{}", CHANNEL + 1),
    };
    let question = Question { method: "SETUP", uri: track, fields: &[("Transport", &wanted)] };
    let answer = granted(&question, connection.ask(&question).await?, url, connection)?;
    let said = TransportField::of(&answer);
    match &mut datagrams {
        Some(own) => own.expect(said.source, said.server_port).await,
        None if said.by_datagram => return Err(Refusal::Transport),
        None => {}
    }
    let channel = said.channel.filter(|_| datagrams.is_none()).unwrap_or(CHANNEL);
    let now = tokio::time::Instant::now().into_std();
    let sieve = Sieve::new(channel, offer.payload_type, datagrams.is_some(), now);
    Ok((SessionField::of(&answer), sieve, datagrams))
}

async fn bind(connection: &Connection) -> Result<Datagrams, SourceError> {
    let bound = Datagrams::bind(connection.local.ip(), connection.peer.ip()).await;
    bound.map_err(|why| SourceError::Broken(format!("this device has no free UDP ports: {why}")))
}

fn granted(question: &Question<'_>, answer: Response, url: &Url, connection: &Connection) -> Result<Response, Refusal> {
    judged(question, answer, url, connection.peer.ip())
}

/// Interprets the status of a response.
fn judged(question: &Question<'_>, answer: Response, url: &Url, peer: std::net::IpAddr) -> Result<Response, Refusal> {
    let (code, method) = (answer.code, question.method);
    let said = || format!("the camera answers {code} to {method}");
    Err(match code {
        200..300 => return Ok(answer),
        300..400 => Refusal::Moved(redirect::target(url, &answer, peer)?),
        461 => Refusal::Transport,
        403 => SourceError::Unauthorised.into(),
        404 | 410 | 454 => SourceError::NoStream(said()).into(),
        453 | 503 => {
            SourceError::Broken(format!("{}: it may have reached its maximum number of viewers", said())).into()
        }
        _ => SourceError::Broken(plain(&said())).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_camera_that_drags_everything_is_given_up() {
        let limit = Duration::from_millis(20);
        let given_up = in_time::<()>(limit, std::future::pending()).await;
        assert!(matches!(given_up, Err(SourceError::Unreachable(why)) if why.contains("not begun to play")));
        assert_eq!(in_time(limit, async { Ok(1) }).await, Ok(1));
        assert_eq!(
            in_time::<()>(limit, async { Err(SourceError::Unauthorised) }).await,
            Err(SourceError::Unauthorised)
        );
    }
}
