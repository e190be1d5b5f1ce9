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

/// Readers that read nothing now, by name, and why.
pub type LostReaders = BTreeMap<String, String>;

impl Appliance {
    /// The readers that read nothing now.
    pub fn lost_readers(&self) -> watch::Receiver<LostReaders> {
        self.core.lost_readers.subscribe()
    }

    /// Notes whether a reader reads; the change is logged.
    fn set_reader(&self, name: &str, error: Option<&ReaderError>) {
        let reason = error.map(ToString::to_string);
        let changed = self.core.lost_readers.send_if_modified(|lost| match &reason {
            Some(reason) => lost.insert(name.to_owned(), reason.clone()).as_ref() != Some(reason),
            None => lost.remove(name).is_some(),
        });
        match reason {
            _ if !changed => {}
            Some(reason) => tracing::warn!(reader.name = name, reader.reason = reason, "reader lost"),
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
        appliance.core.lost_readers.send_modify(|lost| drop(lost.insert(reader.name().to_owned(), "starting".into())));
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
