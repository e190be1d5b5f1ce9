//! Bodies of callers who prove who they are inside the body.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{BodyError, caller_address};

/// Maximum time to wait for a place.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Bounds the memory of request bodies of callers who have proved nothing yet. The first bytes are free. If they do not
/// prove who the caller is, the rest needs one of a few places, of which one address has a share.
pub struct UnprovenBodies {
    free: usize,
    per_address: usize,
    places: Arc<Semaphore>,
    shares: Mutex<HashMap<Option<IpAddr>, Weak<Semaphore>>>,
}

/// Whether the first bytes of a body prove who the caller is.
type Proof = dyn Fn(&[u8]) -> bool + Send;

/// A place, and the share of the address that it was taken from.
type Place = (OwnedSemaphorePermit, OwnedSemaphorePermit);

impl UnprovenBodies {
    /// `free`: bytes that every caller may send. `places`: number of larger bodies at a time; `per_address` of them from
    /// one address.
    pub fn new(free: usize, places: usize, per_address: usize) -> Self {
        Self { free, per_address, places: Arc::new(Semaphore::new(places)), shares: Mutex::default() }
    }

    /// The same request with a bounded body. `proves` receives the first bytes of a larger body and says whether they
    /// prove who the caller is. The body fails with [`BodyError::Busy`] when no place becomes free within ten seconds.
    pub fn bound(self: &Arc<Self>, request: Request, proves: impl Fn(&[u8]) -> bool + Send + 'static) -> Request {
        let address = caller_address(request.extensions());
        request.map(|body| {
            let start = Start { bytes: BytesMut::new(), bodies: Arc::clone(self), address, proves: Box::new(proves) };
            let bounded = Bounded { pieces: body.into_data_stream(), start: Some(start), _place: None };
            Body::from_stream(stream::try_unfold(bounded, Bounded::next))
        })
    }

    async fn enter(&self, address: Option<IpAddr>) -> Result<Place, BodyError> {
        let share = self.share(address);
        let both = async {
            let share = share.acquire_owned().await?;
            Arc::clone(&self.places).acquire_owned().await.map(|place| (place, share))
        };
        tokio::time::timeout(LONGEST_WAIT, both).await.ok().and_then(Result::ok).ok_or(BodyError::Busy)
    }

    /// The places that an address may take.
    fn share(&self, address: Option<IpAddr>) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(&address).and_then(Weak::upgrade) {
            return share;
        }
        shares.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(Semaphore::new(self.per_address));
        shares.insert(address, Arc::downgrade(&share));
        share
    }
}

/// The body, with the decision about its rest.
struct Bounded {
    pieces: BodyDataStream,
    /// `None` once the rest may be read.
    start: Option<Start>,
    _place: Option<Place>,
}

struct Start {
    bytes: BytesMut,
    bodies: Arc<UnprovenBodies>,
    address: Option<IpAddr>,
    proves: Box<Proof>,
}

impl Bounded {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, BodyError> {
        let Some(piece) = self.pieces.next().await else { return Ok(None) };
        let piece = piece.map_err(|error| BodyError::of(&error))?;
        if let Some(mut start) = self.start.take() {
            let room = start.bodies.free - start.bytes.len();
            start.bytes.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.len() <= room {
                self.start = Some(start);
            } else if !(start.proves)(&start.bytes) {
                self._place = Some(start.bodies.enter(start.address).await?);
            }
        }
        Ok(Some((piece, self)))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::read_body;

    const SECRET: &[u8] = b"secret";

    fn request(length: usize, start: &[u8]) -> Request {
        let mut body = start.to_vec();
        body.resize(length, b' ');
        let pieces: Vec<_> = body.chunks(7).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
        Request::new(Body::from_stream(stream::iter(pieces)))
    }

    fn proves(start: &[u8]) -> bool {
        assert_eq!(start.len(), 20);
        start.windows(SECRET.len()).any(|window| window == SECRET)
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_body_needs_a_proof_in_its_first_bytes_or_a_place() {
        let bodies = Arc::new(UnprovenBodies::new(20, 1, 1));
        let held = bodies.enter(None).await.unwrap();
        let read = async |length, start: &[u8]| read_body(bodies.bound(request(length, start), proves), 200).await;
        assert_eq!(read(20, b"").await.unwrap().len(), 20);
        assert_eq!(read(200, b"the secret").await.unwrap(), read_body(request(200, b"the secret"), 200).await.unwrap());
        let start = Instant::now();
        assert_eq!(read(21, b"").await, Err(BodyError::Busy));
        assert_eq!(
            read(200, b"nothing in the first: secret").await.map_err(|_| start.elapsed()).unwrap_err(),
            LONGEST_WAIT * 2
        );
        drop(held);
        assert_eq!(read(200, b"").await.unwrap().len(), 200);
        assert_eq!(read(201, b"").await, Err(BodyError::TooLarge));
        assert_eq!(read(200, b"").await.unwrap().len(), 200, "the place is free again");
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_leaves_places_to_others() {
        let bodies = UnprovenBodies::new(0, 3, 2);
        let (one, other) = (Some(IpAddr::from([192, 0, 2, 1])), Some(IpAddr::from([192, 0, 2, 2])));
        let _held = [bodies.enter(one).await.unwrap(), bodies.enter(one).await.unwrap()];
        assert!(bodies.enter(one).await.is_err());
        assert!(bodies.enter(other).await.is_ok());
        assert_eq!(bodies.shares.lock().unwrap().len(), 2);
    }
}
