//! Health of the device's components.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// State of one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Component {
    /// The component works.
    Up,
    /// The component does not work.
    Down {
        /// The reason, for people; contains no credentials.
        reason: String,
    },
}

/// The states that components report, and the alarms; shared as `Arc<Health>`.
#[derive(Debug, Default)]
pub struct Health {
    components: Mutex<BTreeMap<&'static str, Component>>,
    alarms: Mutex<BTreeMap<String, String>>,
}

/// A snapshot of all components and alarms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Every component, by name.
    pub components: BTreeMap<&'static str, Component>,
    /// The active alarms, each with its name: matters for the operator that do not affect the health.
    pub attention: Vec<String>,
}

impl Health {
    /// Creates the states of these components, each down until it reports otherwise.
    pub fn expecting(names: impl IntoIterator<Item = &'static str>) -> Self {
        let starting = || Component::Down { reason: "starting".into() };
        let components = Mutex::new(names.into_iter().map(|name| (name, starting())).collect());
        Self { components, alarms: Mutex::default() }
    }

    /// Adds these components, each down until it reports otherwise.
    pub fn expect(&self, names: impl IntoIterator<Item = &'static str>) {
        let starting = || Component::Down { reason: "starting".into() };
        self.lock().extend(names.into_iter().map(|name| (name, starting())));
    }

    /// Sets the state of a component, adding it if unknown. A change is logged.
    pub fn set(&self, name: &'static str, component: Component) {
        let before = self.lock().insert(name, component.clone());
        match component {
            now if before.as_ref() == Some(&now) => {}
            Component::Up => tracing::info!(component = name, "component is up"),
            Component::Down { reason } => tracing::warn!(component = name, reason, "component is down"),
        }
    }

    /// Raises an alarm: a matter for the operator while the device serves, such as a setting that weakens security. It
    /// stays active until cleared; another text under the same name replaces it. A change is logged. It does not affect
    /// whether the device is up.
    pub fn raise(&self, name: &str, text: &str) {
        let before = self.alarms().insert(name.to_owned(), text.to_owned());
        if before.as_deref() != Some(text) {
            tracing::warn!(alarm = name, reason = text, "alarm raised");
        }
    }

    /// Clears an alarm if it is active.
    pub fn clear(&self, name: &str) {
        if self.alarms().remove(name).is_some() {
            tracing::info!(alarm = name, "alarm cleared");
        }
    }

    /// The current state of all components and alarms.
    pub fn report(&self) -> Report {
        let attention = self.alarms().iter().map(|(name, text)| format!("{name}: {text}")).collect();
        Report { components: self.lock().clone(), attention }
    }

    fn alarms(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Component>> {
        self.components.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Report {
    /// Whether every component is up.
    pub fn is_up(&self) -> bool {
        self.components.values().all(|component| *component == Component::Up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expected_part_is_down_until_it_says_otherwise() {
        let health = Health::expecting(["one", "two"]);
        health.set("one", Component::Up);
        assert!(!health.report().is_up());
        health.set("two", Component::Up);
        assert!(health.report().is_up());
        health.set("one", Component::Down { reason: "gone".into() });
        assert!(!health.report().is_up());
    }

    #[test]
    fn what_needs_attention_does_not_take_the_device_down() {
        let health = Health::default();
        health.raise("some.setting", "a guard is lowered");
        assert_eq!(health.report().attention, ["some.setting: a guard is lowered"]);
        assert!(health.report().is_up());
        health.clear("some.setting");
        assert!(health.report().attention.is_empty());
    }
}
