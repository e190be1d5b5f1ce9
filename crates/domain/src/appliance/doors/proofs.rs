//! Halves of proofs, shown at the own door, and what is read there.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::openings::Access;
use crate::{Actor, Appliance, LibraryFilter, PersonFilter, PersonId, Proved, Result, Scan, Shown, Window, rules};

/// Two halves that lie further apart do not belong together.
const TOGETHER: Duration = Duration::from_secs(10);
/// Halves that wait at most; beyond that nobody's is kept until some are too old.
const WAITING: usize = 64;

/// What was shown a moment ago by people who have still to show the other half.
#[derive(Default)]
pub(super) struct Proofs {
    halves: Mutex<HashMap<(PersonId, Shown), Instant>>,
}

impl Proofs {
    /// Whether the other half was shown by the same person; both are used up then. Else this one waits for it.
    /// `age` is how long ago it was shown.
    pub(super) fn complete(&self, person: PersonId, shown: Shown, age: Duration, other: Shown) -> bool {
        let (mut halves, now) = (self.halves(), Instant::now());
        halves.retain(|_, at| now.saturating_duration_since(*at) <= TOGETHER);
        if halves.remove(&(person, other)).is_some() {
            halves.remove(&(person, shown));
            return true;
        }
        if let Some(at) = now.checked_sub(age).filter(|_| halves.len() < WAITING) {
            halves.insert((person, shown), at);
        }
        false
    }

    /// Forgets them all.
    pub(super) fn forget(&self) {
        self.halves().clear();
    }

    fn halves(&self) -> MutexGuard<'_, HashMap<(PersonId, Shown), Instant>> {
        self.halves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Appliance {
    /// Opens the device's own door to whoever shows this to a reader, where the rules have it so.
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
            tracing::info!(reader.name = reader, "what was shown is of nobody who may be here now");
            return Ok(());
        };
        if !self.proves(person, shown, Duration::ZERO, proved)
            || !self.blocking(move |a| a.ports().people.count_use(person)).await?
        {
            return Ok(());
        }
        let actor = Actor::part(format!("reader {reader}"));
        let access = Access { actor: &actor, camera: None, person: Some(person), by: shown.with(proved) };
        self.welcome(&access, person, rules).await
    }

    /// Whether the person has proved all that is wanted by showing this, `age` ago.
    pub(super) fn proves(&self, person: PersonId, shown: Shown, age: Duration, proved: Proved) -> bool {
        match proved {
            Proved::Enough => true,
            Proved::HalfWithout(other) => self.core.doors.proofs.complete(person, shown, age, other),
            Proved::Nothing => false,
        }
    }

    /// The one person to whom it belongs, who may be here now.
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
        // What belongs to two says of nobody who he is.
        let [person] = found.as_slice() else { return Ok(None) };
        let libraries = people.libraries(&LibraryFilter::default())?;
        let admitted = rules::admitted(person, &libraries, self.now(), &self.time_zone());
        Ok(admitted.then_some(person.id))
    }
}
