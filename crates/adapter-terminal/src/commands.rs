//! Commands: read as they come, done one after the other, answered once each.

use std::sync::Arc;

use domain::progress::Part;
use futures_util::{StreamExt, stream};
use metrics::counter;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::core::Core;
use crate::link::{Message, Messages, ROOM, Undelivered};
use crate::ops::{self, Operation};
use crate::repeats::{Content, Meeting, Sent};
use crate::wire::{Command, Fault, Reply, answer};

/// Answers that wait for the broker at most, and those that it has not confirmed yet.
const ANSWERS: usize = 64;
const ON_THEIR_WAY: usize = 8;

/// A command to be obeyed.
struct Order {
    operation: &'static Operation,
    command: Command,
    /// By which it is known when it comes again; `None` when it was obeyed before.
    content: Option<Content>,
}

/// A command whose turn will come.
struct Waiting {
    order: Order,
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
        let Some((operation, command)) = self.read(&message) else { return self.acknowledge(&message) };
        let redelivered = message.publish.dup;
        let sent = Sent { message_id: command.message_id.as_ref(), payload: message.payload(), redelivered };
        let content = match self.core.repeats.meet(sent, Instant::now()) {
            Meeting::New(content) => Some(content),
            Meeting::Repeat(_) if operation.repeatable => None,
            Meeting::Repeat(answer) => {
                ignored(operation.name, "repeated");
                // A platform that lets its answers pile up sends the same again.
                answer.into_iter().for_each(|answer| drop(self.answers.try_send(answer)));
                return self.acknowledge(&message);
            }
        };
        let order = Order { operation, command, content };
        if operation.urgent {
            self.do_at_once(order).await;
            self.acknowledge(&message);
        } else {
            self.put(order, message);
        }
    }

    /// The command that a message is, unless it is none to be obeyed.
    fn read(&self, message: &Message) -> Option<(&'static Operation, Command)> {
        let commands = message.topic() == self.core.topic();
        let Some(command) = Command::read(message.payload()) else {
            tracing::debug!("message dropped: not a command");
            return None;
        };
        let Some(operation) = ops::find(&command.operator) else {
            tracing::debug!("command dropped: unknown operator");
            return None;
        };
        // The device hears there what it says itself; one platform confirms it in the same place.
        if !commands && !operation.is_online_ack(&command, &self.core.id) {
            return None;
        }
        // The broker gives it to everybody who subscribes, for ever: nobody knows when it was meant.
        if message.publish.retain {
            ignored(operation.name, "retained");
            return None;
        }
        Some((operation, command))
    }

    fn acknowledge(&self, message: &Message) {
        self.core.link.acknowledge(message.number, &message.publish);
    }

    fn put(&self, order: Order, message: Message) {
        if let Err(refused) = self.queue.try_send(Waiting { order, message }) {
            counter!("polyface_terminal_dropped_total").increment(1);
            tracing::debug!("command dropped: too many waiting");
            let Waiting { order, message } = refused.into_inner();
            order.content.into_iter().for_each(|content| self.core.repeats.forget(content));
            self.acknowledge(&message);
        }
    }

    async fn do_at_once(&self, order: Order) {
        if let Some((answer, _)) = obey(self.core, order).await {
            // A platform that lets its answers pile up sends the same again.
            let _ = self.answers.try_send(answer);
        }
    }
}

/// Counts a command that is not obeyed.
fn ignored(operator: &'static str, why: &'static str) {
    counter!("polyface_terminal_ignored_total", "why" => why).increment(1);
    tracing::warn!(operator, reason = why, "command ignored");
}

/// Does what waits, in the order it came.
async fn perform(core: &Arc<Core>, mut waiting: mpsc::Receiver<Waiting>, answers: Answers) {
    while let Some(Waiting { order, message }) = waiting.recv().await {
        core.link.acknowledge(message.number, &message.publish);
        let obeyed = obey(core, order).await;
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
async fn obey(core: &Arc<Core>, order: Order) -> Option<(Value, bool)> {
    let Order { operation, command, content } = order;
    let message_id = command.message_id.clone();
    let outcome = operation.perform(core, command).await;
    let restart = matches!(&outcome, Ok(Reply { restart: true, .. }));
    let refused = outcome.is_err();
    let answer = match outcome {
        Ok(Reply { silent: true, .. }) => None,
        outcome => Some(told(core, operation, message_id, outcome)),
    };
    match (content, &answer) {
        (Some(content), _) if refused => core.repeats.forget(content),
        (Some(content), Some(answer)) if !operation.repeatable => core.repeats.answered(content, answer.clone()),
        _ => {}
    }
    core.appliance.progress().stamp(Part::Commands);
    answer.map(|answer| (answer, restart))
}

fn told(core: &Core, operation: &Operation, id: Option<Value>, outcome: Result<Reply, Fault>) -> Value {
    if let Err(fault) = &outcome {
        tracing::info!(
            operator = operation.name,
            code = fault.refusal.code,
            reason = fault.detail(),
            "command refused"
        );
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
