//! Records to the broker: one of each kind at a time, oldest first, until the platform has confirmed it.

use std::time::Duration;

use adapter::{Deliver, Delivery, Feed, Start};
use async_trait::async_trait;
use domain::{Appliance, Entry, EntryKind, Opening, Record, RecordKind, Result, What};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::feeds::{feed, is_pushed, kind_in_force, topic};
use super::messages;
use crate::device::Device;
use crate::device::link::Undelivered;
use crate::settings::Reports;
use crate::wire::push::{Message, Pushed};

/// The interval between two attempts while the connection is unstable.
const RETRY: Duration = Duration::from_millis(100);

/// Pushes records until cancelled; from another place of the log when a platform sets one.
pub(super) async fn deliver(device: &Device, appliance: Appliance, kind: RecordKind, cancel: &CancellationToken) {
    let settings = device.settings_changed.subscribe();
    let feed = Feed::new(device.state(), feed(kind), entries(kind), Start::FromNewest).restarting_with(settings);
    feed.run(appliance, cancel.clone(), ToBroker { device, kind }).await;
}

/// Openings are pushed among the records of people.
fn entries(kind: RecordKind) -> &'static [EntryKind] {
    match kind {
        RecordKind::People => &[EntryKind::Record, EntryKind::Opening],
        RecordKind::Strangers => &[EntryKind::Record],
    }
}

struct ToBroker<'a> {
    device: &'a Device,
    kind: RecordKind,
}

#[async_trait]
impl Deliver for ToBroker<'_> {
    async fn deliver(&mut self, entry: &Entry) -> Delivery {
        self.push(entry).await.unwrap_or_else(|error| Delivery::retry(error.chain()))
    }
}

impl ToBroker<'_> {
    async fn push(&self, entry: &Entry) -> Result<Delivery> {
        let set = Reports::load(&self.device.state()).await?;
        match self.subject(entry).await?.filter(|_| set.pushes(self.kind)) {
            Some(subject) if set.resumes() => self.push_until_confirmed(&set, entry, subject).await,
            Some(subject) => {
                let message = self.message(&set, entry, subject).await?;
                Ok(send(self.device, self.kind, &message).await.map_or_else(dropped, |()| Delivery::Acknowledged))
            }
            None => Ok(Delivery::Acknowledged),
        }
    }

    /// What this feed pushes of the entry.
    async fn subject<'e>(&self, entry: &'e Entry) -> Result<Option<Subject<'e>>> {
        Ok(match &entry.what {
            What::Record(record) if kind_in_force(self.device, record).await? == self.kind => {
                Some(Subject::Record(record))
            }
            What::Opening(opening) if is_pushed(opening) => Some(Subject::Opening(opening)),
            What::Record(_)
            | What::Correction(_)
            | What::Behaviour(_)
            | What::Clip(_)
            | What::Opening(_)
            | What::Notice(_) => None,
        })
    }

    async fn message(&self, set: &Reports, entry: &Entry, subject: Subject<'_>) -> Result<Message<Pushed>> {
        match subject {
            Subject::Record(record) => messages::now(self.device, set, record, self.kind).await,
            Subject::Opening(opening) => messages::opening(self.device, set, entry, opening).await,
        }
    }
}

/// What a message to the broker is about.
#[derive(Clone, Copy)]
enum Subject<'a> {
    Record(&'a Record),
    Opening(&'a Opening),
}

/// Without resuming, and when the message is too large, the platform does not get it.
fn dropped(why: Undelivered) -> Delivery {
    Delivery::Dropped { why: why.to_string() }
}

impl ToBroker<'_> {
    /// Sends an entry repeatedly until the platform has confirmed it by its number.
    async fn push_until_confirmed(&self, set: &Reports, entry: &Entry, subject: Subject<'_>) -> Result<Delivery> {
        let (device, kind) = (self.device, self.kind);
        let mut confirmed = device.confirmations.expect(kind, entry.seq);
        loop {
            device.link.wait_until_subscribed().await;
            let message = self.message(set, entry, subject).await?;
            let again = Instant::now() + device.pace.resend;
            // The confirmation may arrive before the broker's acknowledgement.
            tokio::select! {
                biased;
                Ok(()) = &mut confirmed => return Ok(Delivery::Acknowledged),
                sent = send(device, kind, &message) => match sent {
                    Ok(()) => {}
                    Err(Undelivered::TooLarge) => return Ok(dropped(Undelivered::TooLarge)),
                    // The broker does not have it: send it again at once over the next connection.
                    Err(Undelivered::Lost) => {
                        tokio::time::sleep(RETRY).await;
                        continue;
                    }
                },
            }
            if tokio::time::timeout_at(again, &mut confirmed).await.is_ok() {
                return Ok(Delivery::Acknowledged);
            }
        }
    }
}

async fn send(device: &Device, kind: RecordKind, message: &Message<Pushed>) -> Result<(), Undelivered> {
    device.link.publish(&device.below(topic(kind)), message.bytes()).await
}
