//! The broker of the platform: AMQP 0-9-1.

use std::net::SocketAddr;
use std::time::Duration;

use adapter::BackOff;
use futures_util::StreamExt;
use futures_util::stream::select;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ExchangeKind};

use super::commands;
use super::session::Session;
use crate::device::Device;
use crate::wire::platform::{Broker, Exchange};

/// A connection is made within this time.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest command, bytes.
const MAX_COMMAND: usize = 64 << 20;
/// Messages that outlive the broker.
const PERSISTENT: u8 = 2;

/// Where results go.
struct Upload {
    channel: Channel,
    /// Kept open with the channel.
    _connection: Connection,
}

/// Takes one command after the other until the connection breaks. A command is acknowledged once its result was sent, so
/// none is lost over a crash; each can be carried out twice.
pub(super) async fn take_commands(device: &Device, session: &Session, back_off: &mut BackOff) -> Result<(), String> {
    let broker = &session.answer.rabbitmq;
    let connection = connect(device, broker, broker.v_host.as_ref().map(|host| host.0.as_str())).await?;
    let channel = connection.create_channel().await.map_err(text)?;
    channel.basic_qos(1, BasicQosOptions::default()).await.map_err(text)?;
    prepare(&channel, broker).await?;
    let upload = upload(device, broker).await?;
    let commands = consume(&channel, &broker.queue.0).await?;
    let mut all = match broker.fiqa_queue.as_ref().filter(|queue| !queue.0.is_empty()) {
        Some(queue) => select(commands, consume(&channel, &queue.0).await?).boxed(),
        None => commands.boxed(),
    };
    back_off.reset();
    while let Some(delivery) = all.next().await {
        carry_out(device, session, upload.as_ref(), delivery.map_err(text)?).await?;
    }
    Err("the broker ended the consumer".to_owned())
}

/// Carries out a command and says what became of it. What cannot be a command is dropped.
async fn carry_out(
    device: &Device,
    session: &Session,
    upload: Option<&Upload>,
    delivery: Delivery,
) -> Result<(), String> {
    let fields = if delivery.data.len() <= MAX_COMMAND { adapter::parse_object(&delivery.data).ok() } else { None };
    let sent = match fields {
        Some(fields) => {
            let done = commands::carry_out(device, session, fields).await;
            report(device, session, upload, &done).await
        }
        None => {
            tracing::warn!(bytes = delivery.data.len(), "a message that is no command was dropped");
            Ok(())
        }
    };
    // A result that cannot be sent twice does not keep the command in the queue for ever.
    if sent.is_ok() || delivery.redelivered {
        delivery.ack(BasicAckOptions::default()).await.map_err(text)?;
    }
    sent
}

/// Sends a result where the platform wants it (5.4): to the queue, else to the address in the command, else nowhere.
async fn report(
    device: &Device,
    session: &Session,
    upload: Option<&Upload>,
    done: &commands::Done,
) -> Result<(), String> {
    let broker = &session.answer.rabbitmq;
    let fiqa = broker.fiqa_upload_queue.as_ref().filter(|_| done.is_fiqa);
    let queue = fiqa.or(broker.upload_queue.as_ref()).filter(|queue| !queue.0.is_empty());
    match (queue, upload) {
        (Some(queue), Some(upload)) => {
            let body = serde_json::to_vec(&done.result).map_err(|error| error.to_string())?;
            publish(&upload.channel, &queue.0, &body).await
        }
        _ => {
            if let Some(url) = done.notify_path.as_deref().and_then(|path| session.url(path)) {
                // The platform asks for no more than one attempt.
                if let Err(error) = device.outbound.exchange_json(&url, &done.result, None, TIMEOUT).await {
                    tracing::warn!(%error, "result of a command not sent");
                }
            }
            Ok(())
        }
    }
}

/// Publishes a result; the broker confirms that it has it.
async fn publish(channel: &Channel, queue: &str, body: &[u8]) -> Result<(), String> {
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let properties =
        BasicProperties::default().with_content_type("application/json".into()).with_delivery_mode(PERSISTENT);
    let confirm = channel.basic_publish("".into(), queue.into(), options, body, properties).await.map_err(text)?;
    match confirm.await.map_err(text)? {
        Confirmation::Ack(None) => {}
        _ => tracing::warn!("the broker has no queue for the result of a command"),
    }
    Ok(())
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

/// Connects to a virtual host, `/` unless another is named, where the device may connect to.
async fn connect(device: &Device, broker: &Broker, v_host: Option<&str>) -> Result<Connection, String> {
    let port = u16::try_from(broker.port.0).map_err(|_| "the port of the broker is none")?;
    let found = tokio::net::lookup_host((broker.host.0.trim(), port)).await.map_err(|error| error.to_string())?;
    let address: SocketAddr =
        found.into_iter().find(|address| device.outbound.allows(address.ip())).ok_or("the broker is not allowed")?;
    let userinfo = AMQPUserInfo { username: broker.login.0.clone(), password: broker.password.0.clone() };
    let uri = AMQPUri {
        scheme: AMQPScheme::AMQP,
        authority: AMQPAuthority { userinfo, host: address.ip().to_string(), port },
        vhost: v_host.filter(|host| !host.is_empty()).unwrap_or("/").to_owned(),
        query: AMQPQueryString::default(),
    };
    let properties = ConnectionProperties::default().with_connection_name("polyface".into());
    let connecting = Connection::connect_uri(uri, properties);
    tokio::time::timeout(TIMEOUT, connecting).await.map_err(|_| "the broker does not answer in time")?.map_err(text)
}

/// Declares exchange and queue and binds them, unless the platform owns them (quirk S-UNBIND).
async fn prepare(channel: &Channel, broker: &Broker) -> Result<(), String> {
    let as_it_is = broker.as_it_is.is_some_and(|as_it_is| as_it_is.0);
    let Some(exchange) = broker.exchange.as_ref().filter(|_| !as_it_is) else { return Ok(()) };
    let Exchange { name, kind, passive, durable, auto_delete, routing_key } = exchange;
    let is = |flag: &Option<crate::wire::Bool>| flag.is_some_and(|flag| flag.0);
    let options = ExchangeDeclareOptions {
        passive: is(passive),
        durable: is(durable),
        auto_delete: is(auto_delete),
        ..ExchangeDeclareOptions::default()
    };
    let declared = channel.exchange_declare(name.0.as_str().into(), exchange_kind(&kind.0), options, table());
    declared.await.map_err(text)?;
    let queue = broker.queue.0.as_str();
    // The flag is called that of the queue (quirk S-DURABLE).
    let options = QueueDeclareOptions { durable: is(durable), ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), options, table()).await.map_err(text)?;
    let key = routing_key.as_ref().map_or(queue, |key| key.0.as_str());
    let bound =
        channel.queue_bind(queue.into(), name.0.as_str().into(), key.into(), QueueBindOptions::default(), table());
    bound.await.map_err(text)
}

fn exchange_kind(name: &str) -> ExchangeKind {
    match name {
        "direct" => ExchangeKind::Direct,
        "fanout" => ExchangeKind::Fanout,
        "headers" => ExchangeKind::Headers,
        "topic" => ExchangeKind::Topic,
        other => ExchangeKind::Custom(other.to_owned()),
    }
}

async fn consume(channel: &Channel, queue: &str) -> Result<lapin::Consumer, String> {
    channel.basic_consume(queue.into(), "".into(), BasicConsumeOptions::default(), table()).await.map_err(text)
}

fn table() -> FieldTable {
    FieldTable::default()
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn text(error: lapin::Error) -> String {
    error.to_string()
}
