//! The broker of the platform: AMQP 0-9-1.

use std::time::Duration;

use adapter::BackOff;
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, select};
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ExchangeKind};
use tokio_util::sync::CancellationToken;

use super::commands::{self, Done};
use super::connection::connect;
use super::results::Results;
use super::session::Session;
use crate::convert::amqp::{arguments, name};
use crate::device::Device;
use crate::push::calls::send_json;
use crate::wire::platform::{Broker, Exchange};

/// A result is taken by the platform's address within this time.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Messages that outlive the broker.
const PERSISTENT: u8 = 2;

/// Where results go.
struct Upload {
    channel: Channel,
    /// Kept open with the channel.
    _connection: Connection,
}

/// Takes one command after the other until cancelled, which waits for the command in hand. A command is acknowledged once its result was sent, so
/// none is lost over a crash. One that comes again after that is answered with the same result; one that was cut off is
/// carried out again.
///
/// # Errors
/// The connection breaks.
pub(super) async fn take_commands(
    device: &Device,
    session: &Session,
    results: &mut Results,
    back_off: &mut BackOff,
    cancel: &CancellationToken,
) -> Result<(), String> {
    let Some(consumed) = cancel.run_until_cancelled(consume_all(device, &session.answer.rabbitmq)).await else {
        return Ok(());
    };
    let Consumed { mut commands, upload, _connection } = consumed?;
    back_off.reset();
    let mut answering = Answering { device, session, upload: upload.as_ref(), results };
    while let Some(next) = cancel.run_until_cancelled(commands.next()).await {
        let delivery = next.ok_or("the broker ended the consumer")?;
        answering.take(delivery.map_err(text)?).await?;
    }
    Ok(())
}

/// What comes of the broker, and where results go.
struct Consumed {
    commands: BoxStream<'static, lapin::Result<Delivery>>,
    upload: Option<Upload>,
    /// Kept open with the commands.
    _connection: Connection,
}

/// Connects, and has the broker send one command after the other.
async fn consume_all(device: &Device, broker: &Broker) -> Result<Consumed, String> {
    let connection = connect(device, broker, broker.v_host.as_ref().map(|host| host.0.as_str())).await?;
    let channel = connection.create_channel().await.map_err(text)?;
    channel.basic_qos(1, BasicQosOptions::default()).await.map_err(text)?;
    prepare(&channel, broker).await?;
    let upload = upload(device, broker).await?;
    let commands = consume(&channel, &broker.queue.0).await?;
    let commands = match broker.fiqa_queue.as_ref().filter(|queue| !queue.0.is_empty()) {
        Some(queue) => select(commands, consume(&channel, &queue.0).await?).boxed(),
        None => commands.boxed(),
    };
    Ok(Consumed { commands, upload, _connection: connection })
}

/// Answers the commands of a connection.
struct Answering<'a> {
    device: &'a Device,
    session: &'a Session,
    upload: Option<&'a Upload>,
    results: &'a mut Results,
}

impl Answering<'_> {
    /// Carries out a command, sends its result and acknowledges it. What cannot be a command is dropped.
    async fn take(&mut self, delivery: Delivery) -> Result<(), String> {
        let Ok(fields) = adapter::parse_object(&delivery.data) else {
            tracing::warn!(message.bytes = delivery.data.len(), reason = "not a JSON object", "message dropped");
            return delivery.ack(BasicAckOptions::default()).await.map_err(text).map(drop);
        };
        let done = match self.known(&delivery).await {
            Some(done) => done,
            None => self.carry_out(&delivery, fields).await,
        };
        let sent = self.report(&done).await;
        // A result that cannot be sent does not keep the command in the queue for ever.
        if sent.is_ok() || self.results.give_up() {
            delivery.ack(BasicAckOptions::default()).await.map_err(text)?;
            if let Err(error) = self.results.forget(self.device).await {
                tracing::warn!(error = error.chain(), "failed to remove the result of a command");
            }
        }
        sent
    }

    /// The result of a command that was carried out before.
    async fn known(&mut self, delivery: &Delivery) -> Option<Done> {
        match self.results.find(self.device, &delivery.data, delivery.redelivered).await {
            Ok(done) => done.cloned(),
            Err(error) => {
                tracing::warn!(error = error.chain(), "failed to read the result of a command");
                None
            }
        }
    }

    async fn carry_out(&mut self, delivery: &Delivery, fields: crate::wire::Fields) -> Done {
        let done = commands::carry_out(self.device, self.session, fields).await;
        // The quality of a picture can be judged twice.
        if !done.is_fiqa
            && let Err(error) = self.results.keep(self.device, &delivery.data, &done).await
        {
            tracing::warn!(error = error.chain(), "failed to keep the result of a command");
        }
        done
    }

    /// Sends a result where the platform wants it (5.4): to the queue, else to the address in the command, else nowhere.
    async fn report(&self, done: &Done) -> Result<(), String> {
        let broker = &self.session.answer.rabbitmq;
        let fiqa = broker.fiqa_upload_queue.as_ref().filter(|_| done.is_fiqa);
        let queue = fiqa.or(broker.upload_queue.as_ref()).filter(|queue| !queue.0.is_empty());
        match (queue, self.upload) {
            (Some(queue), Some(upload)) => {
                let body = serde_json::to_vec(&done.result).map_err(|error| error.to_string())?;
                publish(&upload.channel, &queue.0, &body).await
            }
            _ => {
                if let Some(url) = done.notify_path.as_deref().and_then(|path| self.session.url(path)) {
                    // The platform asks for no more than one attempt.
                    if let Err(why) = send_json(self.device, &url, &done.result, TIMEOUT).await {
                        tracing::warn!(why, "failed to send the result of a command");
                    }
                }
                Ok(())
            }
        }
    }
}

/// Publishes a result; the broker confirms that it has it.
async fn publish(channel: &Channel, queue: &str, body: &[u8]) -> Result<(), String> {
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let properties =
        BasicProperties::default().with_content_type("application/json".into()).with_delivery_mode(PERSISTENT);
    let confirm = channel.basic_publish("".into(), name(queue)?, options, body, properties).await.map_err(text)?;
    match confirm.await.map_err(text)? {
        Confirmation::Ack(None) => Ok(()),
        Confirmation::Nack(_) => Err("the broker refuses the result of a command".to_owned()),
        _ => {
            tracing::warn!(queue.name = queue, reason = "no such queue", "result of a command dropped");
            Ok(())
        }
    }
}

/// The channel for results; `None` where no queue takes them.
async fn upload(device: &Device, broker: &Broker) -> Result<Option<Upload>, String> {
    let queues = [&broker.upload_queue, &broker.fiqa_upload_queue];
    if queues.into_iter().flatten().all(|queue| queue.0.is_empty()) {
        return Ok(None);
    }
    let connection = connect(device, broker, broker.upload_v_host.as_ref().map(|host| host.0.as_str())).await?;
    let channel = connection.create_channel().await.map_err(text)?;
    channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(text)?;
    Ok(Some(Upload { channel, _connection: connection }))
}

/// Declares exchange and queue and binds them, unless the platform owns them (quirk S-UNBIND).
async fn prepare(channel: &Channel, broker: &Broker) -> Result<(), String> {
    let as_it_is = broker.as_it_is.is_some_and(|as_it_is| as_it_is.0);
    let Some(exchange) = broker.exchange.as_ref().filter(|_| !as_it_is) else { return Ok(()) };
    let Exchange { name: exchange, kind, passive, durable, auto_delete, arguments: given, routing_key } = exchange;
    let is = |flag: &Option<crate::wire::Bool>| flag.is_some_and(|flag| flag.0);
    let options = ExchangeDeclareOptions {
        passive: is(passive),
        durable: is(durable),
        auto_delete: is(auto_delete),
        ..ExchangeDeclareOptions::default()
    };
    let (exchange, queue) = (name(&exchange.0)?, name(&broker.queue.0)?);
    let key = routing_key.as_ref().map_or_else(|| Ok(queue.clone()), |key| name(&key.0))?;
    let (kind, given) = (exchange_kind(&kind.0)?, arguments(given.as_ref())?);
    channel.exchange_declare(exchange.clone(), kind, options, given).await.map_err(text)?;
    // The flag is called that of the queue (quirk S-DURABLE).
    let options = QueueDeclareOptions { durable: is(durable), ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.clone(), options, table()).await.map_err(text)?;
    channel.queue_bind(queue, exchange, key, QueueBindOptions::default(), table()).await.map_err(text)
}

fn exchange_kind(kind: &str) -> Result<ExchangeKind, String> {
    Ok(match kind {
        "direct" => ExchangeKind::Direct,
        "fanout" => ExchangeKind::Fanout,
        "headers" => ExchangeKind::Headers,
        "topic" => ExchangeKind::Topic,
        other => ExchangeKind::Custom(name(other)?.to_string()),
    })
}

async fn consume(channel: &Channel, queue: &str) -> Result<lapin::Consumer, String> {
    channel.basic_consume(name(queue)?, "".into(), BasicConsumeOptions::default(), table()).await.map_err(text)
}

fn table() -> FieldTable {
    FieldTable::default()
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn text(error: lapin::Error) -> String {
    error.to_string()
}
