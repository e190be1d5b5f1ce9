//! Commands: read as they come, done one after the other, answered once each.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use metrics::counter;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::core::Core;
use crate::link::{Message, Messages, ROOM, Undelivered};
use crate::ops::{self, Operation};
use crate::wire::{Command, Fault, Reply, answer};

/// Answers that wait for the broker at most, and those that it has not confirmed yet.
const ANSWERS: usize = 64;
const ON_THEIR_WAY: usize = 8;

/// A command whose turn will come.
struct Waiting {
    operation: &'static Operation,
    command: Command,
    message: Message,
}

type Answers = mpsc::Sender<Value>;

/// Takes commands until cancelled. A slow one makes others wait, but never what confirms pushes.
pub(crate) async fn run(core: &Arc<Core>, messages: Messages, cancel: &CancellationToken) {
    let (queue, waiting) = mpsc::channel(ROOM);
    let (answers, outgoing) = mpsc::channel(ANSWERS);
    let desk = Desk { core, queue, answers: answers.clone() };
    let work = async { tokio::join!(desk.sort(messages), perform(core, waiting, answers), send(core, outgoing)) };
    let _ = cancel.run_until_cancelled(work).await;
}

/// Where messages are sorted.
struct Desk<'a> {
    core: &'a Arc<Core>,
    queue: mpsc::Sender<Waiting>,
    answers: Answers,
}

impl Desk<'_> {
    async fn sort(&self, mut messages: Messages) {
        while let Some(message) = messages.recv().await {
            self.take(message).await;
        }
    }

    async fn take(&self, message: Message) {
        let (commands, command) = (message.topic() == self.core.topic(), Command::read(message.payload()));
        let operation = command.as_ref().and_then(|command| ops::find(&command.operator));
        match (command, operation) {
            // The device hears there what it says itself; one platform confirms it in the same place.
            (Some(command), Some(operation)) if !commands && !operation.is_online_ack(&command, &self.core.id) => {}
            (Some(command), Some(operation)) if !operation.urgent => return self.put(operation, command, message),
            (Some(command), Some(operation)) => self.do_at_once(operation, command).await,
            (Some(_), None) => tracing::debug!("an operator that the device does not know"),
            (None, _) => tracing::debug!("a message that is no command"),
        }
        self.core.link.acknowledge(message.number, &message.publish);
    }

    fn put(&self, operation: &'static Operation, command: Command, message: Message) {
        if let Err(refused) = self.queue.try_send(Waiting { operation, command, message }) {
            counter!("polyface_terminal_dropped_total").increment(1);
            tracing::debug!("a command came faster than commands are done");
            let Waiting { message, .. } = refused.into_inner();
            self.core.link.acknowledge(message.number, &message.publish);
        }
    }

    async fn do_at_once(&self, operation: &'static Operation, command: Command) {
        let answered = obey(self.core, operation, command).await;
        if let Some((answer, _)) = answered {
            // A platform that lets its answers pile up sends the same again.
            let _ = self.answers.try_send(answer);
        }
    }
}

/// Does what waits, in the order it came.
async fn perform(core: &Arc<Core>, mut waiting: mpsc::Receiver<Waiting>, answers: Answers) {
    while let Some(Waiting { operation, command, message }) = waiting.recv().await {
        core.link.acknowledge(message.number, &message.publish);
        let obeyed = obey(core, operation, command).await;
        // Until now it took its room.
        drop(message);
        let Some((answer, restart)) = obeyed else { continue };
        if restart {
            // The answer first: the session begins anew after it.
            say(core, &answer).await;
            core.restart.notify_one();
        } else if answers.send(answer).await.is_err() {
            return;
        }
    }
}

/// Does a command; gives the answer, unless there is none to be given, and whether the session is to begin anew.
async fn obey(core: &Arc<Core>, operation: &'static Operation, command: Command) -> Option<(Value, bool)> {
    let message_id = command.message_id.clone();
    let outcome = operation.perform(core, command).await;
    let restart = matches!(&outcome, Ok(Reply { restart: true, .. }));
    match outcome {
        Ok(Reply { silent: true, .. }) => None,
        outcome => Some((told(core, operation, message_id, outcome), restart)),
    }
}

fn told(core: &Core, operation: &Operation, id: Option<Value>, outcome: Result<Reply, Fault>) -> Value {
    if let Err(fault) = &outcome {
        tracing::debug!(operator = operation.name, code = fault.refusal.code, "refused");
    }
    answer(operation.name, &core.id, id, outcome)
}

/// In the order of the answers, several on their way side by side.
async fn send(core: &Core, outgoing: mpsc::Receiver<Value>) {
    let answers = stream::unfold(outgoing, async |mut outgoing| Some((outgoing.recv().await?, outgoing)));
    let mut sent = std::pin::pin!(answers.map(|answer| dispatch(core, answer)).buffered(ON_THEIR_WAY));
    while sent.next().await.is_some() {}
}

/// Gives the answer to the connection at once; what comes of it is waited for.
fn dispatch(core: &Core, answer: Value) -> impl Future<Output = ()> {
    let handed = core.link.hand_over(&core.below("Ack"), answer.to_string().into_bytes());
    async move {
        let arrived = match handed {
            Ok(arrival) => arrival.arrive().await,
            Err(lost) => Err(lost),
        };
        if arrived.is_err() {
            say(core, &answer).await;
        }
    }
}

/// Sends an answer, in a later connection when this one breaks.
pub(crate) async fn say(core: &Core, answer: &Value) {
    let payload = answer.to_string().into_bytes();
    if let Err(error @ (Undelivered::TooLarge | Undelivered::Lost)) =
        core.link.publish_surely(&core.below("Ack"), payload).await
    {
        tracing::warn!(%error, "an answer cannot be sent");
    }
}
