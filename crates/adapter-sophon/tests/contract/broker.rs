//! RabbitMQ, which the scenarios share while they run.

use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, QueueDeclareOptions, QueuePurgeOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

/// Where Debian's package has the program itself: the one in the path changes the user.
const PROGRAM: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
/// It starts within this time, also on a busy machine.
const START: Duration = Duration::from_secs(120);

/// A running broker; it ends when dropped.
pub(crate) struct Broker {
    pub(crate) port: u16,
    folder: TempDir,
    process: Child,
}

static SHARED: Mutex<Weak<Broker>> = Mutex::const_new(Weak::new());

impl Broker {
    /// The broker of all scenarios that run now.
    pub(crate) async fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().await;
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let started = Arc::new(Self::start().await);
        *shared = Arc::downgrade(&started);
        started
    }

    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, inner) = (free_port().await, free_port().await);
        let path = |name: &str| folder.path().join(name);
        let mut command = Command::new(PROGRAM);
        command.env("HOME", folder.path()).env("RABBITMQ_NODENAME", format!("test{port}@localhost"));
        command.env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1").env("RABBITMQ_NODE_PORT", port.to_string());
        command.env("RABBITMQ_DIST_PORT", inner.to_string()).env("ERL_EPMD_ADDRESS", "127.0.0.1");
        command.env("RABBITMQ_MNESIA_BASE", path("db")).env("RABBITMQ_LOG_BASE", path("log"));
        command.env("RABBITMQ_ENABLED_PLUGINS_FILE", path("plugins")).env("RABBITMQ_PID_FILE", path("pid"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("rabbitmq-server is not installed");
        let broker = Self { port, folder, process };
        let listening = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(START, listening).await.expect("rabbitmq-server does not listen");
        broker
    }

    /// A client of its own, with a queue for commands and one for results.
    pub(crate) async fn client(&self, name: &str) -> Client {
        let uri = format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port);
        let connection = Connection::connect(&uri, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let [commands, results] = ["commands", "results"].map(|kind| format!("{name}-{kind}"));
        for queue in [&commands, &results] {
            let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
            channel.queue_declare(queue.as_str().into(), options, FieldTable::default()).await.unwrap();
        }
        let options = BasicConsumeOptions::default();
        let taken = channel.basic_consume(results.as_str().into(), "".into(), options, FieldTable::default());
        let taken = taken.await.unwrap();
        Client { _connection: connection, channel, commands, results, taken }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // The program that was started is a shell: the broker itself wrote its number.
        if let Ok(pid) = std::fs::read_to_string(self.folder.path().join("pid")) {
            let _ = Command::new("kill").arg("-9").arg(pid.trim()).status();
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port on which nobody listens now.
async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

/// The platform at its broker.
pub(crate) struct Client {
    _connection: Connection,
    channel: Channel,
    pub(crate) commands: String,
    pub(crate) results: String,
    taken: Consumer,
}

impl Client {
    /// Puts a command into the queue.
    pub(crate) async fn send(&self, body: &[u8]) {
        self.send_by("", &self.commands, body).await;
    }

    /// Publishes by an exchange.
    pub(crate) async fn send_by(&self, exchange: &str, key: &str, body: &[u8]) {
        let properties = BasicProperties::default();
        let options = BasicPublishOptions::default();
        self.channel.basic_publish(exchange.into(), key.into(), options, body, properties).await.unwrap();
    }

    /// The next result.
    pub(crate) async fn result(&mut self) -> Value {
        let next = tokio::time::timeout(testkit::DEADLINE, self.taken.next());
        let delivery = next.await.expect("no result comes").unwrap().unwrap();
        delivery.ack(BasicAckOptions::default()).await.unwrap();
        serde_json::from_slice(&delivery.data).unwrap()
    }

    /// Sends a command and gives its result.
    pub(crate) async fn done(&mut self, command: Value) -> Value {
        self.send(command.to_string().as_bytes()).await;
        self.result().await
    }

    /// How many commands wait that nobody has taken, once the device is gone.
    pub(crate) async fn waiting(&self) -> u32 {
        let purged = self.channel.queue_purge(self.commands.as_str().into(), QueuePurgeOptions::default());
        purged.await.unwrap()
    }

    /// What the platform answers to a login about this broker.
    pub(crate) fn told(&self, port: u16) -> Value {
        json!({"host": "127.0.0.1", "port": port.to_string(), "login": "guest", "password": "guest",
            "queue": self.commands, "uploadQueue": self.results,
            "exchange": {"name": format!("{}-exchange", self.commands), "type": "topic", "passive": false,
                "durable": true, "auto_delete": false, "arguments": null, "routingKey": "routing.dev"}})
    }
}
