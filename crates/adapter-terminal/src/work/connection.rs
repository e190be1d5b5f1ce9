//! The connection to the broker: connecting, receiving, and connecting again.

use std::time::Duration;

use adapter::{BackOff, Component};
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, Incoming, LastWill, Outgoing, QoS, StateError,
    SubscribeFilter, SubscribeReasonCode,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::session::{self, Topics};
use super::trial::Trial;
use crate::device::Device;
use crate::device::inbox::Inbox;

/// Maximum number of packets queued in the client: more than may be in flight, and every acknowledgement.
const CHANNEL: usize = 512;
/// Time-out of connecting and of writing a packet, seconds: the largest picture over a slow line.
const NETWORK_TIMEOUT: u64 = 30;
/// Minimum and maximum interval between attempts to connect.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// A connection of at least this duration resets the back-off.
const STABLE: Duration = Duration::from_secs(30);

/// How a connection ended.
enum End {
    /// The device stops.
    Stopped,
    /// The settings changed: connect again with the new ones.
    Changed,
    /// Why it broke, for the health report.
    Broken(String),
}

/// Keeps the device connected until cancelled; then it publishes the offline notice.
pub(crate) async fn run(device: &Device, inbox: &Inbox, cancel: &CancellationToken) {
    let (mut back_off, mut trial) = (BackOff::new(SHORTEST_WAIT, LONGEST_WAIT), Trial::default());
    for number in 1.. {
        let begun = Instant::now();
        let end = connect(device, number, inbox, cancel).await;
        device.link.close();
        if begun.elapsed() >= STABLE {
            back_off.reset();
        }
        match end {
            End::Stopped => return,
            End::Changed => back_off.reset(),
            End::Broken(reason) => {
                // The health report logs a reason once, so that a broker that stays offline does not fill the log.
                device.show(Component::Down { reason });
                let wait = tokio::time::sleep(pause(device, &mut trial, &mut back_off).await);
                if cancel.run_until_cancelled(wait).await.is_none() {
                    return;
                }
            }
        }
    }
}

/// The wait until the next attempt. Topics that a platform has set are replaced once they have been tried long enough.
async fn pause(device: &Device, trial: &mut Trial, back_off: &mut BackOff) -> Duration {
    let left = match trial.end(device).await {
        Ok(true) => {
            back_off.reset();
            None
        }
        Ok(false) => trial.left(device).await.unwrap_or_default(),
        Err(error) => {
            tracing::warn!(error = error.chain(), "failed to check the topics of notices");
            None
        }
    };
    let next = back_off.next_interval();
    left.map_or(next, |left| next.min(left))
}

async fn connect(device: &Device, number: u64, inbox: &Inbox, cancel: &CancellationToken) -> End {
    let topics = match Topics::of(device).await {
        Ok(topics) => topics,
        Err(error) => return End::Broken(error.chain()),
    };
    let mut options = match device.broker.options(&device.id).await {
        Ok(options) => options,
        Err(error) => return End::Broken(error.to_string()),
    };
    options.set_last_will(LastWill::new(&topics.online, session::will(device).bytes(), QoS::AtLeastOnce, false));
    let (client, mut events) = AsyncClient::new(options, CHANNEL);
    events.network_options.set_connection_timeout(NETWORK_TIMEOUT);
    events.network_options.set_tcp_nodelay(true);
    let handler = Events { device, number, client, topics: &topics, inbox };
    tokio::select! {
        reason = handler.run(events) => End::Broken(reason),
        stopped = session::keep(device, &topics, cancel) => if stopped { End::Stopped } else { End::Changed },
    }
}

/// Handles the events of a connection.
struct Events<'a> {
    device: &'a Device,
    number: u64,
    client: AsyncClient,
    topics: &'a Topics,
    inbox: &'a Inbox,
}

impl Events<'_> {
    /// Returns why the connection broke.
    async fn run(&self, mut events: EventLoop) -> String {
        loop {
            let event = match events.poll().await {
                Ok(event) => event,
                Err(error) => return reason(&error),
            };
            if let Err(reason) = self.take(event) {
                return reason;
            }
        }
    }

    fn take(&self, event: Event) -> Result<(), String> {
        let link = &self.device.link;
        match event {
            Event::Incoming(Incoming::ConnAck(_)) => {
                link.open(self.number, self.client.clone());
                self.subscribe()?;
            }
            Event::Incoming(Incoming::SubAck(answer)) => {
                if answer.return_codes.contains(&SubscribeReasonCode::Failure) {
                    return Err("the broker refuses the subscription to the device's topic".to_owned());
                }
                link.note_subscribed(self.number);
                // A network change on trial has succeeded, unless anyone could pose as the broker.
                if self.device.is_trusting() {
                    self.device.appliance.note_connection();
                }
            }
            Event::Incoming(Incoming::Publish(publish)) => {
                if let Some(refused) = self.inbox.put(self.number, publish) {
                    // Without an acknowledgement the broker would stop sending.
                    link.acknowledge(self.number, &refused);
                }
            }
            Event::Incoming(Incoming::PubAck(ack)) => link.note_acknowledged(ack.pkid),
            Event::Outgoing(Outgoing::Publish(packet)) => link.note_sent(packet),
            Event::Outgoing(Outgoing::Disconnect) => link.note_disconnected(),
            Event::Incoming(_) | Event::Outgoing(_) => {}
        }
        Ok(())
    }

    fn subscribe(&self) -> Result<(), String> {
        let topics = [&self.topics.commands, &self.topics.online];
        let filters = topics.map(|topic| SubscribeFilter::new(topic.clone(), QoS::AtLeastOnce));
        self.client.try_subscribe_many(filters).map_err(|error| error.to_string())
    }
}

/// The reason, without details that differ between attempts, so that it is logged once.
fn reason(error: &ConnectionError) -> String {
    match error {
        ConnectionError::ConnectionRefused(code) => match code {
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized => {
                "the broker refuses the user name or password".to_owned()
            }
            other => format!("the broker refuses the device: {other:?}"),
        },
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => "the broker does not answer".to_owned(),
        ConnectionError::Io(error) => format!("the broker cannot be reached: {}", error.kind()),
        ConnectionError::Tls(error) => format!("the broker's certificate is not trusted: {error}"),
        ConnectionError::MqttState(StateError::ConnectionAborted) => "the broker closed the connection".to_owned(),
        ConnectionError::MqttState(error) => format!("the connection broke: {error}"),
        other => format!("the connection broke: {other}"),
    }
}
