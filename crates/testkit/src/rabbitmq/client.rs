//! A platform at its broker.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions,
    QueueDeclareOptions, QueuePurgeOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use serde_json::{Value, json};

use crate::DEADLINE;

/// A broker that serves answers a connection within this time.
const ANSWER: Duration = Duration::from_secs(5);
/// Messages that outlive the broker.
const PERSISTENT: u8 = 2;

/// A platform at its broker, with a queue for commands and one for results.
#[derive(Debug)]
pub struct Client {
    connection: Connection,
    channel: Channel,
    commands: String,
    results: String,
    taken: Consumer,
}

impl Client {
    /// Connects; the queues are named after `name` and outlive the broker and the connection.
    pub(super) async fn connect(broker: SocketAddr, name: &str) -> Self {
        let uri = format!("amqp://guest:guest@{broker}/%2f");
        // A broker that has just started listens before it serves, and may never answer a connection of that moment.
        let connection = crate::eventually("the broker serves", async || {
            let connection = Connection::connect(&uri, ConnectionProperties::default());
            tokio::time::timeout(ANSWER, connection).await.ok()?.ok()
        })
        .await;
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        let [commands, results] = ["commands", "results"].map(|kind| format!("{name}-{kind}"));
        for queue in [&commands, &results] {
            declare(&channel, queue, FieldTable::default()).await;
        }
        let options = BasicConsumeOptions::default();
        let taken = channel.basic_consume(results.as_str().into(), "".into(), options, FieldTable::default());
        let taken = taken.await.unwrap();
        Self { connection, channel, commands, results, taken }
    }

    /// The queue for commands.
    pub fn commands(&self) -> &str {
        &self.commands
    }

    /// The queue for results.
    pub fn results(&self) -> &str {
        &self.results
    }

    /// Makes a queue that refuses messages while it holds one.
    pub async fn add_narrow_queue(&self, name: &str) {
        let mut arguments = FieldTable::default();
        arguments.insert("x-max-length".into(), 1_i32.into());
        arguments.insert("x-overflow".into(), lapin::types::AMQPValue::LongString("reject-publish".into()));
        declare(&self.channel, name, arguments).await;
    }

    /// Puts a command into the queue; the broker has it on the disk when this returns.
    pub async fn send(&self, body: &[u8]) {
        self.send_by("", &self.commands, body).await;
    }

    /// Publishes by an exchange.
    pub async fn send_by(&self, exchange: &str, key: &str, body: &[u8]) {
        let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
        let options = BasicPublishOptions::default();
        let sent = self.channel.basic_publish(exchange.into(), key.into(), options, body, properties).await.unwrap();
        sent.await.unwrap();
    }

    /// The next result.
    pub async fn result(&mut self) -> Value {
        self.result_within(DEADLINE).await
    }

    /// The next result, for which this much time is left.
    pub async fn result_within(&mut self, deadline: Duration) -> Value {
        let next = tokio::time::timeout(deadline, self.taken.next());
        let delivery = next.await.expect("no result comes").unwrap().unwrap();
        delivery.ack(BasicAckOptions::default()).await.unwrap();
        serde_json::from_slice(&delivery.data).unwrap()
    }

    /// Sends a command and returns its result.
    pub async fn done(&mut self, command: Value) -> Value {
        self.send(command.to_string().as_bytes()).await;
        self.result().await
    }

    /// Takes the next message out of a queue, if there is one.
    pub async fn taken_from(&self, queue: &str) -> Option<Value> {
        let options = BasicGetOptions { no_ack: true };
        let message = self.channel.basic_get(queue.into(), options).await.unwrap()?;
        Some(serde_json::from_slice(&message.data).unwrap())
    }

    /// Empties a queue; returns how many messages waited in it.
    pub async fn empty(&self, queue: &str) -> u32 {
        self.channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await.unwrap()
    }

    /// How many commands wait that the device has not taken, once the device is gone; they are removed.
    pub async fn waiting(&self) -> u32 {
        self.empty(&self.commands).await
    }

    /// Ends the connection.
    pub async fn close(self) {
        self.connection.close(200, "done".into()).await.unwrap();
    }

    /// What the platform answers to a login about this broker.
    pub fn told(&self, port: u16) -> Value {
        json!({"host": "127.0.0.1", "port": port.to_string(), "login": "guest", "password": "guest",
            "queue": self.commands, "uploadQueue": self.results,
            "exchange": {"name": format!("{}-exchange", self.commands), "type": "topic", "passive": false,
                "durable": true, "auto_delete": false, "arguments": null, "routingKey": "routing.dev"}})
    }
}

async fn declare(channel: &Channel, queue: &str, arguments: FieldTable) {
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), options, arguments).await.unwrap();
}
