//! What the adapter keeps: settings in groups of named values, and what only this document knows of people.

mod groups;
mod notes;
mod reports;
mod subscription;
mod values;

use domain::State;

pub(crate) use groups::{DOOR, FACE, REPORTS, SOUND, SUBSCRIPTION, SYSTEM, TEMPERATURE};
pub(crate) use notes::{own_fields, own_fields_of};
pub(crate) use reports::{OwnTopics, Reports};
pub use subscription::push_urls;
pub(crate) use subscription::{Pictures, Subscription};
pub(crate) use values::{Group, Rule, Values};

/// Reads every group once, so that unreadable values are reported from the start.
pub(crate) async fn check(state: &State) {
    for group in [&SYSTEM, &SOUND, &TEMPERATURE, &REPORTS, &DOOR, &FACE, &SUBSCRIPTION] {
        if let Err(error) = Values::load(state, group).await {
            tracing::warn!(settings.key = group.key, error = error.chain(), "failed to read settings");
        }
    }
}
