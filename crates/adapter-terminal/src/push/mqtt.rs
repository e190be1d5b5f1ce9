//! Records to the broker: one of a kind at a time, the oldest first, until the platform has it.

use std::time::Duration;

use adapter::{Deliver, Delivery, Feed, Start};
use async_trait::async_trait;
use domain::{Appliance, CaptureKind, Decider, Record, Result, Seq};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::openings::Opening;
use super::{Kind, messages};
use crate::core::Core;
use crate::link::Undelivered;
use crate::ops::settings::Mqtt;

/// Between two attempts while the connection comes and goes.
const BREATH: Duration = Duration::from_millis(100);

/// Walks the record log until cancelled, and from another place when a platform says so.
pub(super) async fn deliver(core: &Core, appliance: Appliance, kind: Kind, cancel: &CancellationToken) {
    let settings = core.settings_changed.subscribe();
    let feed = Feed::new(core.state(), kind.feed(), Start::FromNewest).restarting_with(settings);
    feed.run(appliance, cancel.clone(), ToBroker { core, kind }).await;
}

struct ToBroker<'a> {
    core: &'a Core,
    kind: Kind,
}

#[async_trait]
impl Deliver for ToBroker<'_> {
    async fn deliver(&mut self, record: &Record) -> Delivery {
        if record.capture.kind != CaptureKind::Face {
            return Delivery::Acknowledged;
        }
        match kind(self.core, record).await {
            Ok(kind) if kind != self.kind => return Delivery::Acknowledged,
            Ok(_) => {}
            Err(error) => return Delivery::retry(error.chain()),
        }
        self.push(record).await.unwrap_or_else(|error| Delivery::retry(error.chain()))
    }
}

/// Where the door opens by command alone, the device compares nobody: everybody is a snapshot.
pub(crate) async fn kind(core: &Core, record: &Record) -> Result<Kind> {
    let rules = core.appliance.door_rules().await?;
    Ok(if rules.decided_by == Decider::Remote { Kind::Stranger } else { Kind::of(record) })
}

impl ToBroker<'_> {
    async fn push(&self, record: &Record) -> Result<Delivery> {
        let set = Mqtt::load(self.core).await?;
        let on = if self.kind == Kind::Stranger { set.strangers() } else { set.people() };
        if !on {
            return Ok(Delivery::Acknowledged);
        }
        hand_over(self.core, &set, Subject::Record(record, self.kind)).await
    }
}

/// What a message to the broker tells of.
#[derive(Clone, Copy)]
pub(super) enum Subject<'a> {
    Record(&'a Record, Kind),
    Opening(&'a Opening),
}

impl Subject<'_> {
    fn kind(self) -> Kind {
        match self {
            Self::Record(_, kind) => kind,
            Self::Opening(_) => Kind::Person,
        }
    }

    fn number(self) -> Seq {
        match self {
            Self::Record(record, _) => record.seq,
            Self::Opening(opening) => opening.number(),
        }
    }

    async fn message(self, core: &Core, set: &Mqtt) -> Result<Value> {
        match self {
            Self::Record(record, kind) => messages::now(core, set, record, kind).await,
            Self::Opening(opening) => messages::opening(core, set, opening).await,
        }
    }
}

/// Tells of something until the platform has confirmed it by its number, or only once where it is not to be resumed.
pub(super) async fn hand_over(core: &Core, set: &Mqtt, subject: Subject<'_>) -> Result<Delivery> {
    let kind = subject.kind();
    if !set.resumes() {
        // What does not arrive stays lost: the platform wants it so.
        let _ = send(core, kind, &subject.message(core, set).await?).await;
        return Ok(Delivery::Acknowledged);
    }
    let _turn = core.confirmations.turn(kind).await;
    let mut confirmed = core.confirmations.expect(kind, subject.number());
    loop {
        core.link.wait_until_listening().await;
        let message = subject.message(core, set).await?;
        let again = Instant::now() + core.pace.resend;
        // The confirmation may overtake what the broker says of the message.
        tokio::select! {
            biased;
            Ok(()) = &mut confirmed => return Ok(Delivery::Acknowledged),
            sent = send(core, kind, &message) => match sent {
                Ok(()) => {}
                Err(Undelivered::TooLarge) => {
                    tracing::warn!("a record is too large to be pushed");
                    return Ok(Delivery::Acknowledged);
                }
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

async fn send(core: &Core, kind: Kind, message: &Value) -> Result<(), Undelivered> {
    core.link.publish(&core.below(kind.topic()), message.to_string().into_bytes()).await
}
