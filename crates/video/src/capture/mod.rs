//! Cameras that find faces themselves and deliver pictures over HTTP.
//!
//! The makers' published protocols are supported. In each, the camera sends an endless multipart stream; the pictures
//! are taken from it, and any other part counts as a sign of life. Which protocol a camera uses is found by trying
//! each, because many cameras are sold under another maker's name.

mod boundary;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod parts;

use std::collections::VecDeque;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::DeviceAddress;
use domain::ports::{PictureStream, SourceError};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode};
use tokio::time::timeout;

use self::boundary::{boundary, is_multipart};
use self::parts::Parts;
use crate::http::{self, Http, Question};

/// Stream paths of the published protocols.
const STREAMS: [&str; 2] = [
    "/ISAPI/Event/notification/alertStream",
    "/cgi-bin/snapManager.cgi?action=attachFileProc&Flags[0]=Event&Events=[FaceDetection]&heartbeat=5",
];

/// End of one JPEG and start of the next: some cameras put the scene and the face into one part.
const SEAM: [u8; 5] = [0xff, 0xd9, 0xff, 0xd8, 0xff];
/// Maximum number of pictures taken from one part.
const MOST_PICTURES: usize = 16;

/// The picture stream of a camera that has accepted the login.
struct Pictures {
    answer: Response,
    parts: Parts,
    waiting: VecDeque<Bytes>,
    /// Maximum time without any data.
    silence: Duration,
}

/// Opens the camera's picture stream. `silence`: maximum time without any data before it counts as stalled.
pub(crate) async fn open(
    device: &DeviceAddress,
    http: &Http,
    silence: Duration,
) -> Result<Box<dyn PictureStream>, SourceError> {
    let root = http::root(device)?;
    for path in STREAMS {
        let url = root.join(path).map_err(|e| SourceError::BadAddress(e.to_string()))?;
        let answer = http.ask(&Question { url: &url, body: None, what: "the request for pictures" }, device).await?;
        if let Some(boundary) = accepted(&answer)? {
            return Ok(Box::new(Pictures { answer, parts: Parts::new(&boundary), waiting: VecDeque::new(), silence }));
        }
    }
    Err(SourceError::NoStream("the camera offers no picture stream over HTTP in a supported protocol".to_owned()))
}

/// The boundary, empty when the camera does not announce one; `None` when the camera does not use this protocol.
fn accepted(answer: &Response) -> Result<Option<String>, SourceError> {
    match answer.status() {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(http::refusal(answer)),
        StatusCode::OK => {
            let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            Ok(kind.filter(|kind| is_multipart(kind)).map(|kind| boundary(kind).unwrap_or_default()))
        }
        _ => Ok(None),
    }
}

#[async_trait]
impl PictureStream for Pictures {
    async fn next(&mut self) -> Result<Bytes, SourceError> {
        loop {
            if let Some(picture) = self.waiting.pop_front() {
                return Ok(picture);
            }
            while let Some(part) = self.parts.next()? {
                if part.is_picture {
                    self.waiting.extend(pictures(&part.content));
                }
            }
            if !self.waiting.is_empty() {
                continue;
            }
            match timeout(self.silence, self.answer.chunk()).await {
                Err(_) => return Err(SourceError::Stalled(self.silence.as_secs())),
                Ok(Ok(Some(piece))) => self.parts.add(&piece),
                Ok(Ok(None)) => return Err(SourceError::Broken("the camera closed the connection".to_owned())),
                Ok(Err(error)) => return Err(SourceError::Broken(http::cause(&error))),
            }
        }
    }
}

/// The pictures in a part.
fn pictures(part: &Bytes) -> Vec<Bytes> {
    let seams = part.windows(SEAM.len()).enumerate().filter(|(_, window)| *window == SEAM).map(|(at, _)| at + 2);
    let mut pictures = Vec::new();
    let mut start = 0;
    for end in seams.take(MOST_PICTURES - 1).chain([part.len()]) {
        pictures.push(part.slice(start..end));
        start = end;
    }
    pictures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_that_share_a_part_are_taken_apart() {
        let one = Bytes::from_static(b"\xff\xd8\xffone\xff\xd9");
        assert_eq!(pictures(&one), std::slice::from_ref(&one));
        let two = Bytes::from_static(b"\xff\xd8\xffone\xff\xd9\xff\xd8\xfftwo\xff\xd9\r\n");
        assert_eq!(pictures(&two), [one, Bytes::from_static(b"\xff\xd8\xfftwo\xff\xd9\r\n")]);
        assert_eq!(pictures(&Bytes::from(SEAM.repeat(100))).len(), MOST_PICTURES);
    }
}
