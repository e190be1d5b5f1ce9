//! Proofs of two parts shown at the own door, and admission by what a reader has read.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::openings::Access;
use crate::{Actor, Appliance, LibraryFilter, PersonFilter, PersonId, Proved, Result, Scan, Shown, Window, rules};

/// Maximum time between the two halves of a proof.
const MAX_APART: Duration = Duration::from_secs(10);
/// Maximum number of halves remembered; beyond that new ones are ignored until some have expired.
const WAITING: usize = 64;

/// The halves of proofs that people have shown and whose other half is missing.
#[derive(Default)]
pub(super) struct Proofs {
    halves: Mutex<HashMap<(PersonId, Shown), Instant>>,
}

impl Proofs {
    /// Returns whether the same person has shown the other half; both are used up then. Otherwise remembers this half,
    /// which was shown `age` ago.
    pub(super) fn complete(&self, person: PersonId, shown: Shown, age: Duration, other: Shown) -> bool {
        let (mut halves, now) = (self.halves(), Instant::now());
        halves.retain(|_, at| now.saturating_duration_since(*at) <= MAX_APART);
        if halves.remove(&(person, other)).is_some() {
            halves.remove(&(person, shown));
            return true;
        }
        if let Some(at) = now.checked_sub(age).filter(|_| halves.len() < WAITING) {
            halves.insert((person, shown), at);
        }
        false
    }

    /// Forgets all halves.
    pub(super) fn forget(&self) {
        self.halves().clear();
    }

    fn halves(&self) -> MutexGuard<'_, HashMap<(PersonId, Shown), Instant>> {
        self.halves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Appliance {
    /// Opens the device's own door to the holder of what a reader has read, if the rules admit it.
    pub(in crate::appliance) async fn admit_by_scan(&self, reader: &str, scan: Scan) -> Result<()> {
        let shown = match &scan {
            Scan::Card(_) => Shown::Card,
            Scan::Document(_) => Shown::Document,
            Scan::Code(_) => return Ok(()),
        };
        let rules = self.door_rules().await?;
        let proved = rules.judge(shown);
        if !self.options().doors.own_door || proved == Proved::Nothing {
            return Ok(());
        }
        let Some(person) = self.blocking(move |a| a.holder(&scan)).await? else {
            tracing::info!(reader.name = reader, "holder unknown or not admitted now");
            return Ok(());
        };
        if !self.proves(person, shown, Duration::ZERO, proved)
            || !self.blocking(move |a| a.ports().people.count_use(person)).await?
        {
            return Ok(());
        }
        let actor = Actor::part(format!("reader {reader}"));
        let access = Access { actor: &actor, camera: None, person: Some(person), by: shown.with(proved) };
        self.open_own_to(&access, person, rules).await
    }

    /// Whether showing this, `age` ago, completes the proof that the rules require of the person.
    pub(super) fn proves(&self, person: PersonId, shown: Shown, age: Duration, proved: Proved) -> bool {
        match proved {
            Proved::Enough => true,
            Proved::HalfWithout(other) => self.core.doors.proofs.complete(person, shown, age, other),
            Proved::Nothing => false,
        }
    }

    /// The person to whom the card or document belongs; `None` when there is none, or several, or the person is not
    /// admitted now.
    fn holder(&self, scan: &Scan) -> Result<Option<PersonId>> {
        let filter = match scan {
            Scan::Card(number) => PersonFilter { card: Some(number.to_string()), ..PersonFilter::default() },
            Scan::Document(document) => {
                PersonFilter { document_number: Some(document.number.clone()), ..PersonFilter::default() }
            }
            Scan::Code(_) => return Ok(None),
        };
        let people = &self.ports().people;
        let found = people.people(&filter, Window { skip: 0, limit: 2 })?.rows;
        // A number that belongs to two people identifies neither.
        let [person] = found.as_slice() else { return Ok(None) };
        let libraries = people.libraries(&LibraryFilter::default())?;
        let cameras = self.ports().settings.cameras()?;
        let admitted = rules::admitted(person, &libraries, &cameras, self.now(), &self.time_zone());
        Ok(admitted.then_some(person.id))
    }
}
