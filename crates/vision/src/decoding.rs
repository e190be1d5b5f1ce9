//! Bounds the memory of decoded pictures.

use std::sync::Arc;

use bytes::Bytes;
use domain::frame::{Frame, Plane};
use domain::{Error, Result, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use crate::codec;

/// Memory of all pictures that are being decoded, wait decoded or are analysed, MiB: one of the largest, or many of the
/// usual size. A picture that takes more while it is decoded is refused: above 55 megapixels if its metadata turns it,
/// above 37 if it is a JPEG of several scans.
const BUDGET_MIB: u32 = 320;

/// Decodes pictures within one budget of memory. A picture waits undecoded until there is room for it, and its frame
/// counts until its last copy is dropped.
pub(crate) struct Decoding {
    budget: Arc<Semaphore>,
    most: u32,
}

impl Default for Decoding {
    fn default() -> Self {
        Self::within(BUDGET_MIB)
    }
}

impl Decoding {
    fn within(mebibytes: u32) -> Self {
        Self { budget: Arc::new(Semaphore::new(mebibytes as usize)), most: mebibytes }
    }

    /// Decodes a picture when there is room for it, in order of arrival.
    ///
    /// # Errors
    /// `BadPicture`, also for one that takes more than the whole budget.
    pub(crate) async fn decode(&self, picture: Bytes, at: Timestamp) -> Result<Frame> {
        let header = picture.clone();
        let cost = blocking(move || codec::cost(&header)).await?;
        let (peak, kept) = (mebibytes(cost.peak), mebibytes(cost.frame));
        if peak > self.most {
            let why = format!("decoding it takes {peak} MiB of memory; at most {} are given", self.most);
            return Err(Error::BadPicture { why });
        }
        let share = Arc::clone(&self.budget).acquire_many_owned(peak).await;
        let mut share = share.map_err(|_| Error::Unavailable { what: "picture decoding" })?;
        blocking(move || {
            let frame = codec::decode(&picture, at)?;
            let surplus = share.num_permits().saturating_sub(kept as usize);
            drop(share.split(surplus));
            holding(&frame, share)
        })
        .await
    }
}

/// So many bytes, rounded up, at least one.
fn mebibytes(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(1 << 20)).unwrap_or(u32::MAX).max(1)
}

/// The samples of a frame and their part of the budget.
struct Held {
    samples: Bytes,
    _share: Arc<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.samples
    }
}

/// The same frame, which gives its part of the budget back when its last copy is dropped.
fn holding(frame: &Frame, share: OwnedSemaphorePermit) -> Result<Frame> {
    let share = Arc::new(share);
    let hold = |plane: &Plane| {
        let held = Held { samples: plane.data.clone(), _share: Arc::clone(&share) };
        Plane { data: Bytes::from_owner(held), stride: plane.stride }
    };
    let planes = frame.planes().iter().map(hold).collect();
    Frame::new(frame.at(), frame.width(), frame.height(), frame.format(), planes)
}

/// Runs work with pictures off the runtime.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.map_err(Error::internal("reading or writing a picture"))?
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::time::Duration;

    use image::{ImageFormat, RgbImage};
    use tokio::time::timeout;

    use super::*;

    /// A picture whose frame takes 3 MiB.
    fn picture() -> Bytes {
        let mut file = Cursor::new(Vec::new());
        RgbImage::new(1024, 1024).write_to(&mut file, ImageFormat::Png).unwrap();
        file.into_inner().into()
    }

    #[tokio::test]
    async fn a_picture_waits_undecoded_until_frames_have_gone() {
        let decoding = Decoding::within(7);
        let decode = || decoding.decode(picture(), Timestamp::from_millis(0));
        let (one, other) = (decode().await.unwrap(), decode().await.unwrap());
        let copy = one.clone();
        drop(one);
        let third = decode();
        tokio::pin!(third);
        assert!(timeout(Duration::from_millis(200), third.as_mut()).await.is_err(), "two frames take the budget");
        drop(copy);
        third.await.unwrap();
        drop(other);
        assert_eq!(decoding.budget.available_permits(), 7);
    }

    #[tokio::test]
    async fn a_detached_frame_holds_nothing() {
        let decoding = Decoding::within(3);
        let decode = || decoding.decode(picture(), Timestamp::from_millis(7));
        let frame = decode().await.unwrap();
        assert_eq!((frame.width(), frame.height(), frame.at().as_millis()), (1024, 1024, 7));
        assert_eq!(decoding.budget.available_permits(), 0);
        let _detached = frame.detached();
        drop(frame);
        assert_eq!(decoding.budget.available_permits(), 3);
        assert!(decoding.decode(Bytes::from_static(b"no picture"), Timestamp::from_millis(0)).await.is_err());
        decode().await.unwrap();
    }

    #[tokio::test]
    async fn a_picture_larger_than_the_budget_is_refused() {
        let refused = Decoding::within(2).decode(picture(), Timestamp::from_millis(0)).await;
        assert!(matches!(refused, Err(Error::BadPicture { why }) if why.contains("takes 3 MiB")));
    }
}
