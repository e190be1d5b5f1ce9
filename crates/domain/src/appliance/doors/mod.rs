//! Doors: admission, the outputs that are switched, and hold times.

mod commands;
mod confirmed;
mod contact;
mod held;
mod openings;
mod outlook;
mod own;
mod proofs;

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Acts, Appliance};
use crate::surveillance::{Arrival, Pass, Turned};
use crate::{
    Act, Actor, DoorRules, Error, FaceReaction, Means, NewRelay, Output, Proved, Relay, RelayId, Result, Shown,
};
pub(super) use held::Doors;
use openings::Access;
pub use outlook::DoorByFace;

/// Maximum number of relays; listing them probes each.
const MAX_RELAYS: u32 = 64;
/// Maximum length of the name or tag of a relay, characters.
const MAX_TEXT: usize = 255;

impl Appliance {
    /// Relays in ascending order of id, each with whether it responds.
    pub async fn relays(&self) -> Result<Vec<(Relay, bool)>> {
        let relays = self.blocking(|a| a.ports().settings.relays()).await?;
        let host = &self.ports().host;
        let online = join_all(relays.iter().map(|relay| host.relay_answers(relay.address))).await;
        Ok(relays.into_iter().zip(online).collect())
    }

    /// Opens the doors of the camera that has recognised the person, or does what else follows a recognised face;
    /// nothing when the face is older than `door.max_age_ms`.
    async fn admit(&self, arrival: Arrival) -> Result<()> {
        let reported_before = arrival.turned == Turned::Since;
        match self.settings().reaction() {
            FaceReaction::OpenDoors => self.open_for(arrival).await,
            FaceReaction::Alarm if !reported_before => self.alarm_for(&arrival).await,
            FaceReaction::Alarm | FaceReaction::Nothing => Ok(()),
        }
    }

    /// The age of the arrival's face, if it is young enough for a door.
    fn fresh_age(&self, arrival: &Arrival) -> Option<Duration> {
        let age = self.now().millis_since(arrival.seen);
        let limit = i64::try_from(self.options().doors.max_age.as_millis()).unwrap_or(i64::MAX);
        // A negative age: the clock has been set, so the age of the face is unknown.
        if (0..=limit).contains(&age) {
            return Some(Duration::from_millis(age.unsigned_abs()));
        }
        tracing::warn!(door.face_age_ms = age, "face too old to open a door");
        None
    }

    /// Why the face opens no door by itself although the person is known.
    fn refusal(&self, arrival: &Arrival) -> Option<&'static str> {
        let doors = &self.options().doors;
        if !arrival.checked_alive && !doors.photos_open {
            return Some("liveness is off and door.photos_open is not set");
        }
        (doors.turn_head && arrival.turned == Turned::NotYet).then_some("the head has not turned yet")
    }

    /// A face that was not checked for being alive opens no door by itself, unless `door.photos_open` is set; and only
    /// once its head has turned, if `door.turn_head` is set.
    async fn open_for(&self, arrival: Arrival) -> Result<()> {
        let (mut outputs, rules) = self.outputs(&arrival).await?;
        let own_door = self.options().doors.own_door;
        let mut proved = if own_door { rules.judge_face(arrival.similarity) } else { Proved::Nothing };
        if arrival.turned == Turned::Since && proved != Proved::Enough {
            // The face was shown with the first report already.
            proved = Proved::Nothing;
        }
        let opens = !outputs.is_empty() || proved == Proved::Enough;
        if let Some(reason) = self.refusal(&arrival).filter(|_| opens) {
            tracing::info!(camera.id = arrival.camera.0, reason, "face opened no door");
            outputs.clear();
            proved = if proved == Proved::Enough { Proved::Nothing } else { proved };
        }
        if outputs.is_empty() && proved == Proved::Nothing {
            return Ok(());
        }
        let Some(age) = self.fresh_age(&arrival) else { return Ok(()) };
        let person = arrival.person;
        let opens_own = self.proves(person, Shown::Face, age, proved);
        if outputs.is_empty() && !opens_own {
            return Ok(());
        }
        if arrival.pass != Pass::Counted && !self.blocking(move |a| a.ports().people.count_use(person)).await? {
            return Ok(());
        }
        let actor = Actor::part(format!("camera {}", arrival.camera));
        let face = Access { actor: &actor, camera: Some(arrival.camera), person: Some(person), by: Means::Face };
        let opened = outputs.iter().map(|(output, hold)| self.open(&face, *output, *hold));
        let own = async {
            let access = Access { by: Shown::Face.with(proved), ..face };
            if opens_own { self.open_own_to(&access, person, rules).await } else { Ok(()) }
        };
        let (opened, own) = tokio::join!(join_all(opened), own);
        opened.into_iter().chain([own]).collect()
    }

    /// The relays that are switched for a person known to the camera, with their hold times; and the rules of the own
    /// door.
    async fn outputs(&self, arrival: &Arrival) -> Result<(Vec<(Output, Duration)>, DoorRules)> {
        let (relays, rules) = self.blocking(|a| Ok((a.ports().settings.relays()?, a.settings().door_rules()))).await?;
        let hold = self.options().doors.relay_hold;
        let own = relays.iter().filter(|relay| relay.camera == arrival.camera);
        // A relay that is bound twice is switched once.
        let relays: HashSet<_> = own.map(|relay| Output::Relay(relay.address)).collect();
        Ok((relays.into_iter().map(|relay| (relay, hold)).collect(), rules))
    }

    /// Opens a door for `hold`, or for longer when it is to stay open longer already.
    ///
    /// # Errors
    /// `Unavailable` when the output cannot be switched, and at the end of the process, when the door would not be
    /// closed any more.
    async fn open(&self, access: &Access<'_>, output: Output, hold: Duration) -> Result<()> {
        let opened = self.switch_on(output, hold).await;
        self.record_opening(access, output.into(), opened.as_ref().err()).await;
        opened?;
        metrics::counter!("polyface_doors_opened_total").increment(1);
        tracing::info!(door.output = %output, "door opened");
        let subject = match access.person {
            Some(person) => format!("{output} for person {person}"),
            None => output.to_string(),
        };
        self.note(access.actor, Act::DOOR_OPEN, &subject).await
    }

    async fn switch_on(&self, output: Output, hold: Duration) -> Result<()> {
        // Before the output is switched, so that the door is closed even if this future is dropped.
        self.core.doors.hold(output, Instant::now() + hold)?;
        self.switch(output, true).await.inspect_err(|error| {
            metrics::counter!("polyface_doors_failed_total").increment(1);
            tracing::error!(door.output = %output, error = error.chain(), "failed to open door");
        })?;
        if let Err(ended) = self.core.doors.hold(output, Instant::now() + hold) {
            self.close_one(output).await;
            return Err(ended);
        }
        Ok(())
    }

    async fn close_all(&self, outputs: Vec<Output>) {
        join_all(outputs.into_iter().map(|output| self.close_one(output))).await;
    }

    async fn close_one(&self, output: Output) {
        // A failure is logged, and tried again.
        let _ = self.try_to_close(output).await;
    }

    async fn try_to_close(&self, output: Output) -> Result<()> {
        let doors = &self.core.doors;
        match self.switch(output, false).await {
            Ok(()) if doors.closed(output) => Ok(()),
            // It was opened meanwhile, perhaps before it was switched off here.
            Ok(()) => {
                let _ = self.switch(output, true).await;
                Ok(())
            }
            Err(error) => {
                doors.close_failed(output, &error);
                Err(error)
            }
        }
    }

    /// Closes the doors that a crash may have left open.
    async fn close_relays(&self) {
        if let Err(error) = self.use_contact().await {
            tracing::error!(error = error.chain(), "failed to switch the contact by its rules");
        }
        match self.blocking(|a| a.ports().settings.relays()).await {
            Ok(relays) => self.close_all(relays.into_iter().map(|relay| Output::Relay(relay.address)).collect()).await,
            Err(error) => tracing::error!(error = error.chain(), "failed to read relays"),
        }
    }
}

impl Acts<'_> {
    /// Binds a relay to a camera, which switches it for every known person. `NotFound(Camera)`, `LimitReached(Relay)`
    /// beyond 64, `Invalid` for a text beyond 255 characters.
    pub async fn bind_relay(self, relay: NewRelay) -> Result<Relay> {
        let actor = self.permit(Act::RELAY_BIND)?;
        for (field, text) in [("relay name", &relay.name), ("relay tag", &relay.tag)] {
            if text.chars().count() > MAX_TEXT {
                return Err(Error::invalid(field, format!("longer than {MAX_TEXT} characters")));
            }
        }
        self.blocking(move |a| {
            let bound = a.ports().settings.insert_relay(&relay, MAX_RELAYS)?;
            a.core.surveillance.note_change();
            a.audit(&actor, Act::RELAY_BIND, &bound.id);
            Ok(bound)
        })
        .await
    }

    /// Releases a relay from its camera. `NotFound(Relay)`.
    pub async fn release_relay(self, id: RelayId) -> Result<()> {
        let actor = self.permit(Act::RELAY_RELEASE)?;
        self.blocking(move |a| {
            a.ports().settings.remove_relay(id)?;
            a.core.surveillance.note_change();
            a.audit(&actor, Act::RELAY_RELEASE, &id);
            Ok(())
        })
        .await
    }
}

/// Opens the doors to arrivals and closes them again, until cancelled; then closes all doors for good.
pub async fn run(appliance: Appliance, cancel: CancellationToken) {
    let doors = &appliance.core.doors;
    let mut arrivals = appliance.core.surveillance.doorkeeper().arrivals();
    // Concurrent, so that a relay that does not respond delays no other.
    let mut work = JoinSet::new();
    let device = appliance.clone();
    work.spawn(async move { device.close_relays().await });
    loop {
        let due = async {
            match doors.next() {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = cancel.cancelled() => break,
            () = due => for output in doors.due(Instant::now()) {
                let device = appliance.clone();
                work.spawn(async move { device.close_one(output).await });
            },
            () = doors.changed.notified() => {}
            Some(_) = work.join_next() => {}
            arrival = arrivals.recv() => match arrival {
                Ok(arrival) => drop(work.spawn(handle_arrival(appliance.clone(), arrival))),
                Err(broadcast::error::RecvError::Lagged(people)) => {
                    tracing::error!(count = people, reason = "queue full", "arrivals dropped");
                }
                Err(broadcast::error::RecvError::Closed) => break,
            },
        }
    }
    let open = doors.end();
    while work.join_next().await.is_some() {}
    appliance.close_all(open).await;
}

async fn handle_arrival(appliance: Appliance, arrival: Arrival) {
    if let Err(error) = appliance.admit(arrival).await {
        tracing::error!(error = error.chain(), "door admission failed");
    }
}
