//! A fake machine that records what it is asked to do.

#![allow(clippy::expect_used, reason = "test code may panic")]

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{Host, OnPercent};
use domain::{
    Bundle, Error, Memory, Network, NetworkPort, Output, Processor, Result, SlotMark, Slots, Software, Subnet, Thing,
    TimeService, Timestamp, WiegandFrame,
};

use crate::FakeClock;
use crate::slots::FakeSlots;

/// An act of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Restart.
    Restart,
    /// Set this time zone.
    TimeZone(String),
    /// Set this time service.
    TimeService(TimeService),
    /// Install a package or bundle of this content.
    Install(Vec<u8>),
    /// Tell the boot loader this about a slot.
    Mark(SlotMark),
    /// Switch an output of a door on or off.
    Switch(Output, bool),
    /// Send this number to the controller of the door.
    Number(WiegandFrame),
    /// Play the sound of this name, at this volume.
    Play(String, u8),
}

/// A machine with two network ports whose clock is a [`FakeClock`]. The time server `silent.example` does not answer.
pub struct FakeHost {
    clock: Arc<FakeClock>,
    state: Mutex<State>,
}

struct State {
    acts: Vec<Act>,
    network: Network,
    before: Option<Network>,
    forbidden: bool,
    offline: HashSet<Output>,
    slow: HashMap<Output, Duration>,
    silent: bool,
    fails_to_install: bool,
    slots: Option<FakeSlots>,
}

impl FakeHost {
    /// A machine without acts.
    pub fn new(clock: Arc<FakeClock>) -> Self {
        let state = State {
            acts: Vec::new(),
            network: network(),
            before: None,
            forbidden: false,
            offline: HashSet::new(),
            slow: HashMap::new(),
            silent: false,
            fails_to_install: false,
            slots: None,
        };
        Self { clock, state: Mutex::new(state) }
    }

    /// The acts so far, without changes of clock and network, which are visible by their effect.
    pub fn acts(&self) -> Vec<Act> {
        self.lock().acts.clone()
    }

    /// Sets whether the system permits nothing (`true`) or everything.
    pub fn forbid(&self, forbidden: bool) {
        self.lock().forbidden = forbidden;
    }

    /// The outputs switched so far, in order.
    pub fn switched(&self) -> Vec<(Output, bool)> {
        let switch = |act| if let Act::Switch(output, on) = act { Some((output, on)) } else { None };
        self.acts().into_iter().filter_map(switch).collect()
    }

    /// Sets whether this output is unreachable.
    pub fn take_offline(&self, output: Output, offline: bool) {
        let mut state = self.lock();
        let _changed = if offline { state.offline.insert(output) } else { state.offline.remove(&output) };
    }

    /// Sets how long it takes to switch this output.
    pub fn slow_down(&self, output: Output, time: Duration) {
        self.lock().slow.insert(output, time);
    }

    /// Sets whether the machine has no loudspeaker.
    pub fn silence(&self, silent: bool) {
        self.lock().silent = silent;
    }

    /// Sets whether the installation of packages fails.
    pub fn fail_to_install(&self, fails: bool) {
        self.lock().fails_to_install = fails;
    }

    /// Gives the machine two slots with a boot loader that tries a slot once until it is marked good.
    pub fn equip_with_slots(&self) {
        self.lock().slots = Some(FakeSlots::default());
    }

    /// Restarts the machine as its boot loader does. Returns the name of the slot that runs now.
    ///
    /// # Panics
    /// When it has no slots.
    pub fn boot(&self) -> String {
        self.lock().slots.as_mut().expect("a machine with slots").boot().to_owned()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn permitted(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.lock();
        if state.forbidden { Err(Error::Unavailable { what: "the machine" }) } else { Ok(state) }
    }

    fn act(&self, act: Act) -> Result<()> {
        self.permitted()?.acts.push(act);
        Ok(())
    }
}

fn network() -> Network {
    let port = |name: &str, last: u8, gateway| NetworkPort {
        name: name.into(),
        hardware_address: format!("00:04:4b:a5:4d:0{last}"),
        dhcp: false,
        subnet: Some(Subnet { address: Ipv4Addr::new(192, 168, last, 10).into(), prefix: 24 }),
        gateway,
    };
    let gateway = IpAddr::from(Ipv4Addr::new(192, 168, 2, 1));
    Network {
        ports: vec![port("eth0", 2, Some(gateway)), port("eth1", 3, None)],
        default_port: Some("eth0".into()),
        name_servers: vec![gateway],
        name_servers_given: true,
    }
}

#[async_trait]
impl Host for FakeHost {
    async fn restart(&self) -> Result<()> {
        self.act(Act::Restart)
    }

    async fn set_clock(&self, to: Timestamp) -> Result<()> {
        self.permitted().map(|_| self.clock.set(to))
    }

    async fn set_time_zone(&self, name: &str) -> Result<()> {
        self.act(Act::TimeZone(name.to_owned()))
    }

    async fn set_time_service(&self, service: &TimeService) -> Result<()> {
        if service.enabled && service.server == "silent.example" {
            return Err(Error::NotFound { what: Thing::TimeServer });
        }
        self.act(Act::TimeService(service.clone()))
    }

    async fn network(&self) -> Result<Network> {
        Ok(self.lock().network.clone())
    }

    async fn apply_network(&self, wanted: &Network) -> Result<()> {
        let mut state = self.permitted()?;
        state.before = Some(std::mem::replace(&mut state.network, wanted.clone()));
        Ok(())
    }

    async fn keep_network(&self) -> Result<()> {
        self.permitted()?.before = None;
        Ok(())
    }

    async fn roll_back_network(&self) -> Result<()> {
        let mut state = self.permitted()?;
        if let Some(before) = state.before.take() {
            state.network = before;
        }
        Ok(())
    }

    async fn slots(&self) -> Result<Option<Slots>> {
        Ok(self.permitted()?.slots.as_ref().map(FakeSlots::seen))
    }

    async fn inspect(&self, bundle: &Path) -> Result<Bundle> {
        let text = std::fs::read_to_string(bundle).map_err(Error::internal("reading the bundle"))?;
        FakeSlots::inspect(&text)
    }

    async fn install(&self, software: Software, on_percent: OnPercent<'_>) -> Result<()> {
        if self.lock().fails_to_install {
            return Err(Error::internal("installing the package")("requested by the test"));
        }
        on_percent(50);
        let mut content = Vec::new();
        match software {
            Software::Package(mut package) => package.copy_to(&mut content),
            Software::Bundle(path) => std::fs::read(path).map(|bundle| content = bundle),
        }
        .map_err(Error::internal("reading the package"))?;
        self.act(Act::Install(content))?;
        if let Some(slots) = &mut self.lock().slots {
            slots.install();
        }
        Ok(())
    }

    async fn await_installation(&self) -> Result<bool> {
        Ok(self.permitted()?.slots.as_ref().is_some_and(FakeSlots::awaits_restart))
    }

    async fn mark(&self, mark: SlotMark) -> Result<()> {
        let mut state = self.permitted()?;
        state.slots.as_mut().ok_or(Error::Unavailable { what: "two slots" })?.mark(mark);
        state.acts.push(Act::Mark(mark));
        Ok(())
    }

    async fn switch(&self, output: Output, on: bool) -> Result<()> {
        let slow = self.lock().slow.get(&output).copied();
        if let Some(time) = slow {
            tokio::time::sleep(time).await;
        }
        if self.lock().offline.contains(&output) {
            return Err(Error::Unavailable { what: "the relay" });
        }
        self.act(Act::Switch(output, on))
    }

    async fn send_number(&self, number: &WiegandFrame) -> Result<()> {
        self.act(Act::Number(number.clone()))
    }

    async fn relay_answers(&self, relay: SocketAddr) -> bool {
        !self.lock().offline.contains(&Output::Relay(relay))
    }

    async fn play(&self, sound: &Path, volume: u8) -> Result<()> {
        if self.lock().silent {
            return Err(Error::Unavailable { what: "a loudspeaker" });
        }
        let name = sound.file_name().map(|name| name.to_string_lossy().into_owned());
        self.act(Act::Play(name.unwrap_or_default(), volume))
    }

    async fn processor(&self) -> Result<Processor> {
        Ok(Processor { name: "Pretend Processor".into(), cores: 4, busy_percent: 12.5 })
    }

    async fn memory(&self) -> Result<Memory> {
        Ok(Memory { total_bytes: 8 << 30, used_bytes: 2 << 30 })
    }
}
