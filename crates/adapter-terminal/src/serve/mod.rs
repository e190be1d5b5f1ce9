//! The way of a command: read, find the operator, drop repetitions, run, answer. Commands run one at a time in the
//! order of their arrival, except for urgent ones, which run at once.

mod operations;

use std::sync::Arc;

use domain::progress::Part;
use futures_util::{StreamExt, stream};
use metrics::counter;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::operations::Operation;
use crate::device::Device;
use crate::device::inbox::{Message, Messages, ROOM};
use crate::device::repeats::{Content, Novelty, Received};
use crate::request::Outcome;
use crate::wire::{Command, Reply, answer};

/// Maximum number of queued answers; the next command waits, the next answer of an urgent command is dropped.
const ANSWERS: usize = 64;
/// Maximum number of answers in flight.
const ANSWERS_IN_FLIGHT: usize = 8;

/// A command to execute.
struct Job {
    operation: &'static Operation,
    command: Command,
    /// Identifies a repetition of the command.
    content: Content,
}

/// A queued command; the message keeps its room in the inbox.
struct Queued {
    job: Job,
    message: Message,
}

type Answers = mpsc::Sender<Value>;

/// Executes commands until cancelled. A slow command delays the others, but never those that confirm pushes.
pub(crate) async fn run(device: &Arc<Device>, messages: Messages, cancel: &CancellationToken) {
    let (queue, queued) = mpsc::channel(ROOM);
    let (answers, outgoing) = mpsc::channel(ANSWERS);
    let intake = Intake { device, queue, answers: answers.clone() };
    let work = async { tokio::join!(intake.run(messages), perform(device, queued, answers), send(device, outgoing)) };
    let _ = cancel.run_until_cancelled(work).await;
}

/// Reads messages and queues their commands.
struct Intake<'a> {
    device: &'a Arc<Device>,
    queue: mpsc::Sender<Queued>,
    answers: Answers,
}

impl Intake<'_> {
    async fn run(&self, mut messages: Messages) {
        while let Some(message) = messages.recv().await {
            self.take(message).await;
        }
    }

    async fn take(&self, message: Message) {
        let Some((operation, command)) = self.read(&message) else { return self.acknowledge(&message) };
        let received = Received {
            message_id: command.message_id.as_ref(),
            payload: message.payload(),
            redelivered: message.publish.dup,
            repeatable: operation.repeatable,
        };
        let content = match self.device.repeats.check(received, Instant::now()) {
            Novelty::New(content) => content,
            Novelty::Repeat(answer) => {
                ignored(operation.name, "repeated");
                // A platform that does not read its answers repeats the command.
                answer.into_iter().for_each(|answer| drop(self.answers.try_send(answer)));
                return self.acknowledge(&message);
            }
        };
        let job = Job { operation, command, content };
        if operation.urgent {
            self.execute_at_once(job).await;
            self.acknowledge(&message);
        } else {
            self.enqueue(job, message);
        }
    }

    /// The command in a message, unless it must not be executed.
    fn read(&self, message: &Message) -> Option<(&'static Operation, Command)> {
        let commands = message.topic() == self.device.topic();
        let Some(command) = Command::read(message.payload()) else {
            tracing::debug!("message dropped: not a command");
            return None;
        };
        let Some(operation) = operations::find(&command.operator) else {
            tracing::debug!("command dropped: unknown operator");
            return None;
        };
        // On the common topic the device receives its own notices; one platform confirms them there.
        if !commands && !operation.is_online_ack(&command, &self.device.id) {
            return None;
        }
        // The broker delivers a retained message at every subscription, however old it is.
        if message.publish.retain {
            ignored(operation.name, "retained");
            return None;
        }
        Some((operation, command))
    }

    fn acknowledge(&self, message: &Message) {
        self.device.link.acknowledge(message.number, &message.publish);
    }

    fn enqueue(&self, job: Job, message: Message) {
        if let Err(refused) = self.queue.try_send(Queued { job, message }) {
            counter!("polyface_terminal_dropped_total").increment(1);
            tracing::debug!("command dropped: too many queued");
            let Queued { job, message } = refused.into_inner();
            self.device.repeats.forget(job.content);
            self.acknowledge(&message);
        }
    }

    async fn execute_at_once(&self, job: Job) {
        if let Some((answer, _)) = execute(self.device, job).await {
            // A platform that does not read its answers repeats the command.
            let _ = self.answers.try_send(answer);
        }
    }
}

/// Counts a command that is not executed.
fn ignored(operator: &'static str, why: &'static str) {
    counter!("polyface_terminal_ignored_total", "why" => why).increment(1);
    tracing::warn!(operator, reason = why, "command ignored");
}

/// Executes queued commands in the order of their arrival.
async fn perform(device: &Arc<Device>, mut queued: mpsc::Receiver<Queued>, answers: Answers) {
    while let Some(Queued { job, message }) = queued.recv().await {
        device.link.acknowledge(message.number, &message.publish);
        let executed = execute(device, job).await;
        // Only now its room in the inbox is free.
        drop(message);
        let Some((answer, restart)) = executed else { continue };
        if restart {
            // The answer is sent before the session ends.
            device.send_answer(&answer).await;
            device.restart.notify_one();
        } else if answers.send(answer).await.is_err() {
            return;
        }
    }
}

/// Executes a command; returns its answer, unless there is none, and whether a new session is to start.
async fn execute(device: &Arc<Device>, job: Job) -> Option<(Value, bool)> {
    let Job { operation, command, content } = job;
    let message_id = command.message_id.clone();
    let outcome = operation.perform(device, command).await;
    let restart = matches!(&outcome, Ok(Reply { restart: true, .. }));
    let refused = outcome.is_err();
    let answer = match outcome {
        Ok(Reply { silent: true, .. }) => None,
        outcome => Some(answer_to(device, operation, message_id, outcome)),
    };
    match &answer {
        _ if refused => device.repeats.forget(content),
        Some(answer) if !operation.repeatable => device.repeats.answered(content, answer.clone()),
        _ => {}
    }
    device.appliance.progress().stamp(Part::Commands);
    answer.map(|answer| (answer, restart))
}

fn answer_to(device: &Device, operation: &Operation, id: Option<Value>, outcome: Outcome) -> Value {
    if let Err(fault) = &outcome {
        tracing::info!(
            operator = operation.name,
            code = fault.refusal.code,
            reason = fault.detail(),
            "command refused"
        );
    }
    answer(operation.name, &device.id, id, outcome)
}

/// Sends answers in their order, several in flight.
async fn send(device: &Device, outgoing: mpsc::Receiver<Value>) {
    let answers = stream::unfold(outgoing, async |mut outgoing| Some((outgoing.recv().await?, outgoing)));
    let mut sent = std::pin::pin!(answers.map(|answer| dispatch(device, answer)).buffered(ANSWERS_IN_FLIGHT));
    while sent.next().await.is_some() {}
}

/// Hands an answer over to the connection at once; the future waits for the acknowledgement.
fn dispatch(device: &Device, answer: Value) -> impl Future<Output = ()> {
    let handed = device.link.hand_over(&device.below("Ack"), answer.to_string().into_bytes());
    async move {
        let acknowledged = match handed {
            Ok(in_flight) => in_flight.acknowledged().await,
            Err(lost) => Err(lost),
        };
        if acknowledged.is_err() {
            device.send_answer(&answer).await;
        }
    }
}
