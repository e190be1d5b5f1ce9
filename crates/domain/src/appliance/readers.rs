//! Readers of codes, cards and documents: kept open, and what they read.

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
/// A reader that was there for so long starts the back-off anew.
const STABLE: Duration = Duration::from_secs(30);

/// All readers by name, and how each is doing.
pub type Readers = BTreeMap<String, ReaderState>;

/// How a reader is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderState {
    /// Being opened for the first time.
    Starting,
    /// It reads.
    Ready,
    /// It reads nothing, and why.
    Lost(String),
}

impl Appliance {
    /// How every reader is doing.
    pub fn readers(&self) -> Readers {
        self.core.readers.borrow().clone()
    }

    /// How every reader is doing, now and whenever that changes.
    pub fn readers_changed(&self) -> watch::Receiver<Readers> {
        self.core.readers.subscribe()
    }

    /// Notes whether a reader reads; the change is logged.
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

    /// Takes what a reader has read: tells of it, and opens the door to its holder where the rules have it so.
    async fn take_scan(&self, reader: &str, scan: Scan) {
        let scan = self.in_order(scan).await;
        metrics::counter!("polyface_scans_total", "reader" => reader.to_owned(), "kind" => scan.kind()).increment(1);
        tracing::info!(reader.name = reader, scan.kind = scan.kind(), "something was read");
        self.announce(Event::Scanned { reader: reader.to_owned(), at: self.now(), scan: scan.clone() });
        if let Err(error) = self.admit_by_scan(reader, scan).await {
            tracing::error!(reader.name = reader, error = error.chain(), "nobody could be let in");
        }
    }

    /// The scan with the bytes of a card in the order that the rules want.
    async fn in_order(&self, scan: Scan) -> Scan {
        let Scan::Card(number) = scan else { return scan };
        // Rules that cannot be read open nothing either.
        let turned = self.door_rules().await.is_ok_and(|rules| rules.cards_reversed);
        Scan::Card(if turned { scan::reversed(number) } else { number })
    }
}

/// Reads with all of these readers until cancelled; one that vanishes is opened again when it is back.
pub async fn run(appliance: Appliance, readers: Vec<Arc<dyn Reader>>, cancel: CancellationToken) {
    let mut tasks = JoinSet::new();
    for reader in readers {
        let starting = (reader.name().to_owned(), ReaderState::Starting);
        appliance.core.readers.send_modify(|readers| readers.extend([starting]));
        tasks.spawn(attend(appliance.clone(), reader, cancel.clone()));
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            // Whoever waits for the others would not notice that one reads no more.
            tracing::error!(%error, "the task of a reader died");
            return;
        }
    }
    cancel.cancelled().await;
}

async fn attend(appliance: Appliance, reader: Arc<dyn Reader>, cancel: CancellationToken) {
    let mut delays = back_off();
    loop {
        let opened = Instant::now();
        let Some(error) = cancel.run_until_cancelled(read(&appliance, reader.as_ref())).await else { return };
        appliance.set_reader(reader.name(), Some(&error));
        if opened.elapsed() >= STABLE {
            delays = back_off();
        }
        let delay = delays.next().unwrap_or(LONGEST_DELAY);
        if cancel.run_until_cancelled(tokio::time::sleep(delay)).await.is_none() {
            return;
        }
    }
}

/// Reads until the reader fails.
async fn read(appliance: &Appliance, reader: &dyn Reader) -> ReaderError {
    let mut scans = match reader.open().await {
        Ok(scans) => scans,
        Err(error) => return error,
    };
    appliance.set_reader(reader.name(), None);
    loop {
        match scans.next().await {
            Ok(scan) => appliance.take_scan(reader.name(), scan).await,
            Err(error) => return error,
        }
    }
}

fn back_off() -> backon::ExponentialBackoff {
    let builder = ExponentialBuilder::default().with_min_delay(FIRST_DELAY).with_max_delay(LONGEST_DELAY);
    builder.with_jitter().without_max_times().build()
}
