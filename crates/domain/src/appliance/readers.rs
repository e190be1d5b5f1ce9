//! Readers of codes, cards and documents: keeps them open and handles their scans.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Appliance;
use crate::ports::{Reader, ReaderError};
use crate::{Event, Scan, scan};

const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// After a reader worked for this long, back-off restarts from [`FIRST_DELAY`].
const STABLE: Duration = Duration::from_secs(30);

/// The state of every reader, by name.
pub type Readers = BTreeMap<String, ReaderState>;

/// State of a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderState {
    /// Being opened for the first time.
    Starting,
    /// Open and reading.
    Ready,
    /// Not working, with the reason.
    Lost(String),
}

impl Appliance {
    /// The state of every reader.
    pub fn readers(&self) -> Readers {
        self.core.readers.borrow().clone()
    }

    /// The state of every reader, now and at every change.
    pub fn readers_changed(&self) -> watch::Receiver<Readers> {
        self.core.readers.subscribe()
    }

    /// Sets the state of a reader. Logs a change.
    fn set_reader(&self, name: &str, error: Option<&ReaderError>) {
        let state = error.map_or(ReaderState::Ready, |error| ReaderState::Lost(error.to_string()));
        let change = |readers: &mut Readers| readers.insert(name.to_owned(), state.clone()).as_ref() != Some(&state);
        if !self.core.readers.send_if_modified(change) {
            return;
        }
        match error {
            Some(error) => tracing::warn!(reader.name = name, reader.reason = %error, "reader lost"),
            None => tracing::info!(reader.name = name, "reader ready"),
        }
    }

    /// Announces a scan, and opens the door to its holder if the rules admit it.
    async fn handle_scan(&self, reader: &str, scan: Scan) {
        let scan = self.with_byte_order(scan).await;
        metrics::counter!("polyface_scans_total", "reader" => reader.to_owned(), "kind" => scan.kind()).increment(1);
        tracing::info!(reader.name = reader, scan.kind = scan.kind(), "scan read");
        self.announce(Event::Scanned { reader: reader.to_owned(), at: self.now(), scan: scan.clone() });
        if let Err(error) = self.admit_by_scan(reader, scan).await {
            tracing::error!(reader.name = reader, error = error.chain(), "door admission failed");
        }
    }

    /// The scan, with the bytes of a card number in the order set by the rules.
    async fn with_byte_order(&self, scan: Scan) -> Scan {
        let Scan::Card(number) = scan else { return scan };
        // Rules that cannot be read admit nobody, so the order does not matter then.
        let reverse = self.door_rules().await.is_ok_and(|rules| rules.cards_reversed);
        Scan::Card(if reverse { scan::reversed(number) } else { number })
    }
}

/// Runs these readers until cancelled; a reader that fails is reopened with back-off. Returns early when the task of a
/// reader panics.
pub async fn run(appliance: Appliance, readers: Vec<Arc<dyn Reader>>, cancel: CancellationToken) {
    let mut tasks = JoinSet::new();
    for reader in readers {
        let starting = (reader.name().to_owned(), ReaderState::Starting);
        appliance.core.readers.send_modify(|readers| readers.extend([starting]));
        tasks.spawn(run_reader(appliance.clone(), reader, cancel.clone()));
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            // Return, so that the caller notices that a reader no longer works.
            tracing::error!(%error, "reader task panicked");
            return;
        }
    }
    cancel.cancelled().await;
}

async fn run_reader(appliance: Appliance, reader: Arc<dyn Reader>, cancel: CancellationToken) {
    let mut delays = back_off();
    loop {
        let opened = Instant::now();
        let Some(error) = cancel.run_until_cancelled(read(&appliance, reader.as_ref())).await else { return };
        appliance.set_reader(reader.name(), Some(&error));
        if opened.elapsed() >= STABLE {
            delays = back_off();
        }
        // The jitter may double the longest delay.
        let delay = delays.next().unwrap_or(LONGEST_DELAY).min(LONGEST_DELAY);
        if cancel.run_until_cancelled(tokio::time::sleep(delay)).await.is_none() {
            return;
        }
    }
}

/// Opens a reader and reads until it fails. Returns the error.
async fn read(appliance: &Appliance, reader: &dyn Reader) -> ReaderError {
    let mut scans = match reader.open().await {
        Ok(scans) => scans,
        Err(error) => return error,
    };
    appliance.set_reader(reader.name(), None);
    loop {
        match scans.next().await {
            Ok(scan) => appliance.handle_scan(reader.name(), scan).await,
            Err(error) => return error,
        }
    }
}

fn back_off() -> backon::ExponentialBackoff {
    let builder = ExponentialBuilder::default().with_min_delay(FIRST_DELAY).with_max_delay(LONGEST_DELAY);
    builder.with_jitter().without_max_times().build()
}
