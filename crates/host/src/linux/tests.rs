//! System services are simulated by a peer over a socket pair: the real ones are not called.

use std::sync::{Arc, Mutex};

use tokio::net::UnixStream;
use zbus::fdo;

use super::*;

/// Calls received by the services.
type Heard = Arc<Mutex<Vec<String>>>;

struct Login(Heard);
struct Time(Heard, bool);
struct TimeSync(Heard);
struct Networkd(Heard);

fn note(heard: &Heard, text: String) {
    heard.lock().unwrap().push(text);
}

#[zbus::interface(name = "org.freedesktop.login1.Manager")]
impl Login {
    fn schedule_shutdown(&self, kind: &str, at: u64) {
        assert!(at > 1_700_000_000_000_000, "microseconds since 1970");
        note(&self.0, format!("ScheduleShutdown {kind}"));
    }
}

#[zbus::interface(name = "org.freedesktop.timedate1")]
impl Time {
    fn set_time(&self, micros: i64, relative: bool, _interactive: bool) -> fdo::Result<()> {
        if !self.1 {
            return Err(fdo::Error::AccessDenied("Permission denied".into()));
        }
        note(&self.0, format!("SetTime {micros} {relative}"));
        Ok(())
    }

    fn set_timezone(&self, name: &str, _interactive: bool) {
        note(&self.0, format!("SetTimezone {name}"));
    }

    #[zbus(name = "SetNTP")]
    fn set_ntp(&self, on: bool, _interactive: bool) {
        note(&self.0, format!("SetNTP {on}"));
    }
}

#[zbus::interface(name = "org.freedesktop.timesync1.Manager")]
impl TimeSync {
    #[allow(clippy::needless_pass_by_value, reason = "that is how they come")]
    #[zbus(name = "SetRuntimeNTPServers")]
    fn set_runtime_ntp_servers(&self, servers: Vec<String>) {
        note(&self.0, format!("SetRuntimeNTPServers {}", servers.join(",")));
    }
}

#[zbus::interface(name = "org.freedesktop.network1.Manager")]
impl Networkd {
    fn reload(&self) {
        note(&self.0, "Reload".into());
    }

    fn reconfigure_link(&self, _number: i32) {
        note(&self.0, "ReconfigureLink".into());
    }
}

struct Played {
    machine: Linux,
    heard: Heard,
    dir: tempfile::TempDir,
    _services: zbus::Connection,
}

/// A machine with simulated services; only `permissive` ones allow setting the clock.
async fn played(permissive: bool) -> Played {
    let heard = Heard::default();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let guid = zbus::Guid::generate();
    let services = zbus::connection::Builder::unix_stream(theirs).server(guid).unwrap().p2p();
    let services = services.serve_at(LOGIN.path(), Login(heard.clone())).unwrap();
    let services = services.serve_at(TIME.path(), Time(heard.clone(), permissive)).unwrap();
    let services = services.serve_at(TIME_SYNC.path(), TimeSync(heard.clone())).unwrap();
    let services = services.serve_at(bus::NETWORK.path(), Networkd(heard.clone())).unwrap();
    let client = zbus::connection::Builder::unix_stream(ours).p2p().build();
    let (services, client) = tokio::join!(services.build(), client);
    let dir = tempfile::tempdir().unwrap();
    let places = Places {
        network: dir.path().to_owned(),
        chrony_sources: dir.path().to_owned(),
        chrony: dir.path().join("chronyd"),
        rauc: dir.path().join("rauc.conf"),
        boot_id: dir.path().join("boot_id"),
        spool: Spool { folder: dir.path().join("spool"), answer: dir.path().join("answer") },
    };
    let machine = Linux { bus: Bus::over(client.unwrap()), places, ..Linux::default() };
    let machine = machine.reaching(OutboundPolicy::OPEN);
    Played { machine, heard, dir, _services: services.unwrap() }
}

impl Played {
    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }
}

#[tokio::test]
async fn the_services_are_asked_to_restart_and_to_set_the_time() {
    let played = played(true).await;
    played.machine.restart().await.unwrap();
    played.machine.set_clock(Timestamp::from_millis(1_500)).await.unwrap();
    played.machine.set_time_zone("Asia/Shanghai").await.unwrap();
    played.machine.set_time_service(&TimeService::default()).await.unwrap();
    let wanted = ["ScheduleShutdown reboot", "SetTime 1500000 false", "SetTimezone Asia/Shanghai", "SetNTP false"];
    assert_eq!(played.heard(), wanted);
}

#[tokio::test]
async fn a_right_that_is_missing_is_an_answer() {
    let played = played(false).await;
    let refused = played.machine.set_clock(Timestamp::from_millis(0)).await;
    assert!(matches!(refused, Err(Error::Unavailable { what: "the system's clock service" })), "{refused:?}");
    assert_eq!(played.heard(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_time_server_that_is_silent_is_not_followed() {
    let played = played(true).await;
    let port = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let silent = TimeService { enabled: true, server: "127.0.0.1".into(), port, every_minutes: 10 };
    let refused = played.machine.set_time_service(&silent).await;
    assert!(matches!(refused, Err(Error::NotFound { what: Thing::TimeServer })), "{refused:?}");
    assert_eq!(played.heard(), [] as [&str; 0]);
}

#[tokio::test]
async fn the_time_server_is_named_to_whoever_keeps_the_time() {
    let played = played(true).await;
    let service = TimeService { enabled: true, server: "ntp.example".into(), ..TimeService::default() };
    played.machine.name_time_server(&service).await.unwrap();
    assert_eq!(played.heard(), ["SetRuntimeNTPServers ntp.example"]);
    let other_port = TimeService { port: 1123, ..service.clone() };
    assert!(matches!(played.machine.name_time_server(&other_port).await, Err(Error::NotSupported { .. })));
    assert_eq!(chrony_source(&other_port), "server ntp.example port 1123 iburst minpoll 9 maxpoll 9\n");
}

#[tokio::test]
async fn a_changed_network_is_read_by_the_service_and_put_back() {
    let played = played(true).await;
    let now = played.machine.network().await.unwrap();
    let mut wanted = now.clone();
    wanted.ports.push(domain::NetworkPort {
        name: "none7".into(),
        hardware_address: String::new(),
        dhcp: true,
        subnet: None,
        gateway: None,
    });
    played.machine.apply_network(&wanted).await.unwrap();
    assert_eq!(played.heard(), ["Reload"], "there is no such port to be connected anew");
    let file = played.dir.path().join("05-polyface-none7.network");
    assert!(file.exists());
    played.machine.roll_back_network().await.unwrap();
    assert_eq!(played.heard(), ["Reload"]);
    assert!(!file.exists());
    played.machine.roll_back_network().await.unwrap();
    assert_eq!(played.heard(), [] as [&str; 0], "there is nothing left to be put back");
}

#[tokio::test]
async fn relays_are_switched_by_the_configured_messages() {
    let relay = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let output = Output::Relay(relay.local_addr().unwrap());
    let received = async || {
        let (mut connection, _) = relay.accept().await.unwrap();
        let mut message = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut connection, &mut message).await.unwrap();
        message
    };
    let machine = Linux::new(RelayMessages { on: b"on".to_vec(), off: b"off".to_vec() }, None, None);
    let machine = machine.reaching(OutboundPolicy::OPEN);
    for (on, message) in [(true, b"on".as_slice()), (false, b"off".as_slice())] {
        let (switched, taken) = tokio::join!(machine.switch(output, on), received());
        assert_eq!((switched.is_ok(), taken.as_slice()), (true, message));
    }
    assert!(machine.relay_answers(relay.local_addr().unwrap()).await);
}

#[tokio::test]
async fn what_cannot_be_switched_says_so() {
    let silent = Linux::default();
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let unavailable = |switched| matches!(switched, Err(Error::Unavailable { .. }));
    assert!(unavailable(silent.switch(Output::Relay(gone), true).await), "no message is configured");
    assert!(unavailable(silent.switch(Output::Contact, true).await), "there is no contact");
    let machine = Linux::new(RelayMessages { on: b"on".to_vec(), off: Vec::new() }, None, None);
    let machine = machine.reaching(OutboundPolicy::OPEN);
    assert!(unavailable(machine.switch(Output::Relay(gone), true).await), "nobody is there");
    assert!(machine.switch(Output::Relay(gone), false).await.is_ok(), "it switches off by itself");
}
