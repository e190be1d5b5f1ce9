//! Records to the broker: one of a kind at a time, the oldest first, until the platform has it.

use std::time::Duration;

use adapter::{Deliver, Delivery, Feed, Start};
use async_trait::async_trait;
use domain::{Appliance, Decider, Entry, EntryKind, Means, Opening, Record, Result, What};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Kind, messages};
use crate::core::Core;
use crate::link::Undelivered;
use crate::ops::settings::Mqtt;

/// Between two attempts while the connection comes and goes.
const BREATH: Duration = Duration::from_millis(100);

/// Walks the record log until cancelled, and from another place when a platform says so.
pub(super) async fn deliver(core: &Core, appliance: Appliance, kind: Kind, cancel: &CancellationToken) {
    let settings = core.settings_changed.subscribe();
    let feed = Feed::new(core.state(), kind.feed(), entries(kind), Start::FromNewest).restarting_with(settings);
    feed.run(appliance, cancel.clone(), ToBroker { core, kind }).await;
}

/// Openings are pushed among the records of people.
fn entries(kind: Kind) -> &'static [EntryKind] {
    match kind {
        Kind::Person => &[EntryKind::Record, EntryKind::Opening],
        Kind::Stranger => &[EntryKind::Record],
    }
}

struct ToBroker<'a> {
    core: &'a Core,
    kind: Kind,
}

#[async_trait]
impl Deliver for ToBroker<'_> {
    async fn deliver(&mut self, entry: &Entry) -> Delivery {
        self.push(entry).await.unwrap_or_else(|error| Delivery::retry(error.chain()))
    }
}

/// Where the door opens by command alone, the device compares nobody: everybody is a snapshot.
pub(crate) async fn kind(core: &Core, record: &Record) -> Result<Kind> {
    let rules = core.appliance.door_rules().await?;
    Ok(if rules.decided_by == Decider::Remote { Kind::Stranger } else { Kind::of(record) })
}

impl ToBroker<'_> {
    async fn push(&self, entry: &Entry) -> Result<Delivery> {
        let set = Mqtt::load(self.core).await?;
        let on = if self.kind == Kind::Stranger { set.strangers() } else { set.people() };
        match self.subject(entry).await?.filter(|_| on) {
            Some(subject) if set.resumes() => self.push_until_confirmed(&set, entry, subject).await,
            Some(subject) => {
                let message = self.message(&set, entry, subject).await?;
                Ok(send(self.core, self.kind, &message).await.map_or_else(dropped, |()| Delivery::Acknowledged))
            }
            None => Ok(Delivery::Acknowledged),
        }
    }

    /// What the entry has for this feed.
    async fn subject<'e>(&self, entry: &'e Entry) -> Result<Option<Subject<'e>>> {
        Ok(match &entry.what {
            What::Record(record) if kind(self.core, record).await? == self.kind => Some(Subject::Record(record)),
            What::Opening(opening) if is_pushed(opening) => Some(Subject::Opening(opening)),
            What::Record(_) | What::Correction(_) | What::Behaviour(_) | What::Opening(_) | What::Notice(_) => None,
        })
    }

    async fn message(&self, set: &Mqtt, entry: &Entry, subject: Subject<'_>) -> Result<Value> {
        match subject {
            Subject::Record(record) => messages::now(self.core, set, record, self.kind).await,
            Subject::Opening(opening) => messages::opening(self.core, set, entry, opening).await,
        }
    }
}

/// What a message to the broker is about.
#[derive(Clone, Copy)]
enum Subject<'a> {
    Record(&'a Record),
    Opening(&'a Opening),
}

/// Without resuming, and where it is too large, the platform does without.
fn dropped(why: Undelivered) -> Delivery {
    Delivery::Dropped { why: why.to_string() }
}

/// An opening to a face alone is on the record of that face.
fn is_pushed(opening: &Opening) -> bool {
    opening.opened && (opening.by == Means::Command || opening.by.was_read())
}

impl ToBroker<'_> {
    /// Sends an entry again and again until the platform has confirmed it by its number.
    async fn push_until_confirmed(&self, set: &Mqtt, entry: &Entry, subject: Subject<'_>) -> Result<Delivery> {
        let (core, kind) = (self.core, self.kind);
        let mut confirmed = core.confirmations.expect(kind, entry.seq);
        loop {
            core.link.wait_until_listening().await;
            let message = self.message(set, entry, subject).await?;
            let again = Instant::now() + core.pace.resend;
            // The confirmation may overtake what the broker says of the message.
            tokio::select! {
                biased;
                Ok(()) = &mut confirmed => return Ok(Delivery::Acknowledged),
                sent = send(core, kind, &message) => match sent {
                    Ok(()) => {}
                    Err(Undelivered::TooLarge) => return Ok(dropped(Undelivered::TooLarge)),
                    // In the next connection, at once: the broker has nothing of it.
                    Err(Undelivered::Lost) => {
                        tokio::time::sleep(BREATH).await;
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

async fn send(core: &Core, kind: Kind, message: &Value) -> Result<(), Undelivered> {
    core.link.publish(&core.below(kind.topic()), message.to_string().into_bytes()).await
}
