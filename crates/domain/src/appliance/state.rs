//! The values, cursors, notes and jobs that an adapter keeps on the device.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use tokio::sync::watch;

use super::{Acts, Appliance};
use crate::{Act, Error, Job, JobId, JobItem, Note, Noted, Result, Seq};

/// The durable values, cursors, notes and jobs of one adapter; other adapters cannot read them.
#[derive(Clone)]
pub struct State {
    appliance: Appliance,
    adapter: &'static str,
}

impl Appliance {
    /// The durable values of one adapter.
    pub fn state(&self, adapter: &'static str) -> State {
        State { appliance: self.clone(), adapter }
    }

    /// The unreadable values of adapters, from the value's name to what is wrong with it; now and at every change.
    pub fn unreadable_values(&self) -> watch::Receiver<BTreeMap<String, String>> {
        self.core.unreadable_values.subscribe()
    }

    fn keep_adapter_value(&self, adapter: &str, key: &str, value: Option<&str>) -> Result<()> {
        self.ports().adapters.set_value(adapter, key, value)?;
        self.forget_unreadable(adapter, &[key]);
        Ok(())
    }

    /// Reports that these values have been replaced.
    pub(super) fn forget_unreadable(&self, adapter: &str, keys: &[&str]) {
        self.core.unreadable_values.send_if_modified(|values| {
            let before = values.len();
            keys.iter().for_each(|key| drop(values.remove(&setting_name(adapter, key))));
            values.len() != before
        });
    }
}

fn setting_name(adapter: &str, key: &str) -> String {
    format!("setting {key} of {adapter}")
}

impl Acts<'_> {
    /// As [`State::set_value`], for a value that changes what the adapter does or where it sends.
    pub async fn configure(self, state: &State, key: &'static str, value: Option<String>) -> Result<()> {
        self.set_value(Act::ADAPTER_CONFIGURE, state.adapter, key, value).await
    }

    /// As [`State::set_value`], for a value that platforms keep on the device and that has no effect there.
    pub async fn keep_value(self, state: &State, key: &'static str, value: Option<String>) -> Result<()> {
        self.set_value(Act::ADAPTER_NOTE, state.adapter, key, value).await
    }

    async fn set_value(self, act: Act, adapter: &'static str, key: &'static str, value: Option<String>) -> Result<()> {
        let actor = self.permit(act)?;
        self.blocking(move |a| {
            a.keep_adapter_value(adapter, key, value.as_deref())?;
            a.audit(&actor, act, &format!("{adapter} {key}"));
            Ok(())
        })
        .await
    }
}

impl State {
    /// The adapter whose values these are.
    pub fn adapter(&self) -> &'static str {
        self.adapter
    }

    /// The last entry that a feed has delivered; `None` when it never ran.
    pub async fn cursor(&self, feed: &str) -> Result<Option<Seq>> {
        let (adapter, feed) = (self.adapter, feed.to_owned());
        self.appliance.blocking(move |a| a.ports().adapters.cursor(adapter, &feed)).await
    }

    /// Stores that everything up to `seq` was acknowledged.
    pub async fn set_cursor(&self, feed: &str, seq: Seq) -> Result<()> {
        let (adapter, feed) = (self.adapter, feed.to_owned());
        self.appliance.blocking(move |a| a.ports().adapters.set_cursor(adapter, &feed, seq)).await
    }

    /// A stored value; `None` when there is none.
    pub async fn value(&self, key: &str) -> Result<Option<String>> {
        let (adapter, key) = (self.adapter, key.to_owned());
        self.appliance.blocking(move |a| a.ports().adapters.value(adapter, &key)).await
    }

    /// The adapter's notes about these things; a thing without a note is left out.
    pub async fn notes<T: Into<Noted> + Copy + Eq + Hash>(&self, things: &[T]) -> Result<HashMap<T, String>> {
        let adapter = self.adapter;
        let noted: Vec<Noted> = things.iter().map(|thing| (*thing).into()).collect();
        let kept = self.appliance.blocking(move |a| a.ports().adapters.notes(adapter, &noted)).await?;
        let mut kept: HashMap<Noted, String> = kept.into_iter().collect();
        Ok(things.iter().filter_map(|thing| Some((*thing, kept.remove(&(*thing).into())?))).collect())
    }

    /// The adapter's note about a thing; `None` when there is none.
    pub async fn note(&self, thing: impl Into<Noted>) -> Result<Option<String>> {
        let (adapter, thing) = (self.adapter, thing.into());
        let kept = self.appliance.blocking(move |a| a.ports().adapters.notes(adapter, &[thing])).await?;
        Ok(kept.into_iter().next().map(|(_, note)| note))
    }

    /// A note to be written together with a thing; `None` removes the adapter's note.
    pub fn noting(&self, text: Option<String>) -> Note {
        Note { adapter: self.adapter, text }
    }

    /// A stored value, parsed by `read`, whose error is what is wrong with it; `None` when none is stored.
    ///
    /// # Errors
    /// `Unavailable` when `read` fails. The value stays stored and is one of the
    /// [unreadable values](Appliance::unreadable_values) until it is replaced.
    pub async fn read_value<T>(&self, key: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>> {
        let Some(text) = self.value(key).await? else { return Ok(None) };
        match read(&text) {
            Ok(value) => {
                self.appliance.forget_unreadable(self.adapter, &[key]);
                Ok(Some(value))
            }
            Err(why) => {
                let name = setting_name(self.adapter, key);
                let note = |values: &mut BTreeMap<_, _>| values.insert(name, why.clone()).as_ref() != Some(&why);
                self.appliance.core.unreadable_values.send_if_modified(note);
                Err(Error::Unavailable { what: "a setting of the adapter" })
            }
        }
    }

    /// Stores (`Some`) or removes (`None`) a value.
    pub async fn set_value(&self, key: &str, value: Option<String>) -> Result<()> {
        let (adapter, key) = (self.adapter, key.to_owned());
        self.appliance.blocking(move |a| a.keep_adapter_value(adapter, &key, value.as_deref())).await
    }

    /// Stores a job, which is done item by item, until it [ends](Self::end_job), also over a restart.
    pub async fn begin_job(&self, about: String, items: Vec<JobItem>) -> Result<JobId> {
        let adapter = self.adapter;
        self.appliance.blocking(move |a| a.ports().adapters.begin_job(adapter, &about, &items)).await
    }

    /// The jobs that have not ended, the oldest first.
    pub async fn jobs(&self) -> Result<Vec<Job>> {
        let adapter = self.adapter;
        self.appliance.blocking(move |a| a.ports().adapters.jobs(adapter)).await
    }

    /// Stores the outcome of the item at this place of a job, from 0.
    pub async fn note_outcome(&self, job: JobId, place: u32, outcome: String) -> Result<()> {
        self.appliance.blocking(move |a| a.ports().adapters.note_outcome(job, place, &outcome)).await
    }

    /// Removes a job.
    pub async fn end_job(&self, job: JobId) -> Result<()> {
        self.appliance.blocking(move |a| a.ports().adapters.end_job(job)).await
    }
}
