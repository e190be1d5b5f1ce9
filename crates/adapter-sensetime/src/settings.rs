//! What the adapter keeps on the device besides people and cameras, each value under its key.

use adapter::Piece;
use domain::{Error, Result, State};
use serde::{Deserialize, Serialize};

use crate::convert::clock::{self, Format};

/// The key of the [`Receiver`].
pub(crate) const RECEIVER: &str = "push.receiver";
/// The key of the pattern in which 1283 reports the time.
pub(crate) const TIME_FORMAT: &str = "time.format";
/// The key of the mode; its value is `https`, and it is absent while the device is served over HTTP.
pub(crate) const HTTPS_MODE: &str = "https.mode";

/// The receiver of pushes over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Receiver {
    /// Sent with every push, so that the receiver can distinguish devices.
    pub(crate) key: String,
    /// Empty when nothing is pushed.
    pub(crate) url: String,
}

/// The receiver in force. `Unavailable` when it cannot be read.
pub(crate) async fn receiver(state: &State) -> Result<Receiver> {
    Ok(state.read_value(RECEIVER, read_receiver).await?.unwrap_or_default())
}

/// Former versions kept the key, a line feed, and the URL.
fn read_receiver(text: &str) -> Result<Receiver, String> {
    match text.rsplit_once('\n') {
        Some((key, url)) => Ok(Receiver { key: key.to_owned(), url: url.to_owned() }),
        None => serde_json::from_str(text).map_err(|error| error.to_string()),
    }
}

/// The URLs that pushes go to, from the values that the adapter keeps, for a check whether they can be reached. Values
/// that cannot be read are left out.
pub fn push_urls(value: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let receiver = value(RECEIVER).and_then(|text| read_receiver(&text).ok());
    receiver.map(|receiver| receiver.url).into_iter().filter(|url| !url.is_empty()).collect()
}

impl Receiver {
    /// The value to keep.
    pub(crate) fn value(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::internal("writing the receiver"))
    }
}

/// The pattern in force. `Unavailable` when it cannot be read.
pub(crate) async fn time_format(state: &State) -> Result<Format> {
    let known = |pattern: &str| clock::format(pattern).map_err(|_| format!("{pattern:?} is not a pattern of 1282"));
    Ok(state.read_value(TIME_FORMAT, known).await?.unwrap_or_default())
}

/// Whether the device is to be served over HTTPS.
pub(crate) async fn is_https(state: &State) -> Result<bool> {
    Ok(state.value(HTTPS_MODE).await?.is_some())
}

/// The key of the name under which a file for HTTPS was uploaded.
pub(crate) fn https_file(piece: Piece) -> &'static str {
    match piece {
        Piece::Certificate => "https.certificate",
        Piece::Key => "https.key",
    }
}

/// The name under which a file for HTTPS was uploaded; empty when there is none.
pub(crate) async fn https_file_name(state: &State, piece: Piece) -> Result<String> {
    Ok(state.value(https_file(piece)).await?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_reads_back_as_written_and_as_former_versions_wrote_it() {
        let receiver = Receiver { key: "a \"b\"\nc".into(), url: "http://192.0.2.10/x".into() };
        assert_eq!(read_receiver(&receiver.value().unwrap()), Ok(receiver.clone()));
        assert_eq!(read_receiver("a \"b\"\nc\nhttp://192.0.2.10/x"), Ok(receiver));
        assert!(read_receiver("").is_err() && read_receiver(r#"{"key":""}"#).is_err());
    }
}
