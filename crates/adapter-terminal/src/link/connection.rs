//! Connecting, listening, and trying again.

use std::time::Duration;

use adapter::Component;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, Incoming, LastWill, Outgoing, QoS, StateError,
    SubscribeFilter, SubscribeReasonCode,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Inbox;
use crate::core::Core;
use crate::session::{self, Topics};

/// What the client holds that the connection has not taken yet: more than may be on their way, and every
/// acknowledgement.
const CHANNEL: usize = 512;
/// Connecting, and writing the largest picture over a slow line, seconds.
const SLOWEST: u64 = 30;
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// A connection that held so long starts the waits anew.
const STABLE: Duration = Duration::from_secs(30);

/// How a connection ended.
enum End {
    /// The device stops.
    Stopped,
    /// To be made anew with other settings.
    Changed,
    /// Why it broke, for a human.
    Broken(String),
}

/// Keeps the device connected until cancelled; then it says goodbye.
pub(crate) async fn run(core: &Core, inbox: &Inbox, cancel: &CancellationToken) {
    let mut waits = waits();
    for number in 1.. {
        let begun = Instant::now();
        let end = connect(core, number, inbox, cancel).await;
        core.link.close();
        if begun.elapsed() >= STABLE {
            waits = self::waits();
        }
        match end {
            End::Stopped => return,
            End::Changed => waits = self::waits(),
            End::Broken(reason) => {
                // The board logs what is news, so that a broker that stays away fills no log.
                core.show(Component::Down { reason });
                let wait = waits.next().unwrap_or(LONGEST_WAIT);
                if cancel.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                    return;
                }
            }
        }
    }
}

async fn connect(core: &Core, number: u64, inbox: &Inbox, cancel: &CancellationToken) -> End {
    let topics = match Topics::of(core).await {
        Ok(topics) => topics,
        Err(error) => return End::Broken(error.chain()),
    };
    let mut options = match core.broker.options(&core.id).await {
        Ok(options) => options,
        Err(error) => return End::Broken(error.to_string()),
    };
    options.set_last_will(LastWill::new(&topics.online, session::will(core), QoS::AtLeastOnce, false));
    let (client, mut events) = AsyncClient::new(options, CHANNEL);
    events.network_options.set_connection_timeout(SLOWEST);
    events.network_options.set_tcp_nodelay(true);
    let listening = Listening { core, number, client, topics: &topics, inbox };
    tokio::select! {
        reason = listening.run(events) => End::Broken(reason),
        stopped = session::keep(core, &topics, cancel) => if stopped { End::Stopped } else { End::Changed },
    }
}

fn waits() -> ExponentialBackoff {
    let builder = ExponentialBuilder::default().with_min_delay(FIRST_WAIT).with_max_delay(LONGEST_WAIT);
    builder.with_jitter().without_max_times().build()
}

/// What the connection says.
struct Listening<'a> {
    core: &'a Core,
    number: u64,
    client: AsyncClient,
    topics: &'a Topics,
    inbox: &'a Inbox,
}

impl Listening<'_> {
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
        let link = &self.core.link;
        match event {
            Event::Incoming(Incoming::ConnAck(_)) => {
                link.open(self.number, self.client.clone());
                self.subscribe()?;
            }
            Event::Incoming(Incoming::SubAck(answer)) => {
                if answer.return_codes.contains(&SubscribeReasonCode::Failure) {
                    return Err("the broker does not let the device listen to its topic".to_owned());
                }
                link.listen(self.number);
                // Whatever was changed of the network, it works.
                self.core.appliance.note_connection();
            }
            Event::Incoming(Incoming::Publish(publish)) => {
                if let Some(refused) = self.inbox.put(self.number, publish) {
                    // Unacknowledged it would keep the broker from sending others.
                    link.acknowledge(self.number, &refused);
                }
            }
            Event::Incoming(Incoming::PubAck(ack)) => link.note_arrived(ack.pkid),
            Event::Outgoing(Outgoing::Publish(packet)) => link.note_sent(packet),
            Event::Outgoing(Outgoing::Disconnect) => link.note_hung_up(),
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

/// Without what changes from one attempt to the next, so that the same reason is told once.
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
        ConnectionError::Tls(error) => format!("no trust in the broker: {error}"),
        ConnectionError::MqttState(StateError::ConnectionAborted) => "the broker closed the connection".to_owned(),
        ConnectionError::MqttState(error) => format!("the connection broke: {error}"),
        other => format!("the connection broke: {other}"),
    }
}
