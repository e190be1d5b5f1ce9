//! Whether the parts of the device work.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The state of one part of the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Component {
    /// Does its work.
    Up,
    /// Does not.
    Down {
        /// Why, for a human; holds no credentials.
        reason: String,
    },
}

/// A board on which the parts of the device say how they are; shared as `Arc<Health>`.
#[derive(Debug, Default)]
pub struct Health {
    components: Mutex<BTreeMap<&'static str, Component>>,
    alarms: Mutex<BTreeMap<String, String>>,
}

/// How all parts are at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Every part, by name.
    pub components: BTreeMap<&'static str, Component>,
    /// The standing alarms, each with its name: what the operator should know of, though everything works.
    pub attention: Vec<String>,
}

impl Health {
    /// A board that waits for these parts: each is down until it says otherwise.
    pub fn expecting(names: impl IntoIterator<Item = &'static str>) -> Self {
        let starting = || Component::Down { reason: "starting".into() };
        let components = Mutex::new(names.into_iter().map(|name| (name, starting())).collect());
        Self { components, alarms: Mutex::default() }
    }

    /// Waits for these parts too.
    pub fn expect(&self, names: impl IntoIterator<Item = &'static str>) {
        let starting = || Component::Down { reason: "starting".into() };
        self.lock().extend(names.into_iter().map(|name| (name, starting())));
    }

    /// Notes how a part is now; a part nobody expected is added. The change is logged.
    pub fn set(&self, name: &'static str, component: Component) {
        let before = self.lock().insert(name, component.clone());
        match component {
            now if before.as_ref() == Some(&now) => {}
            Component::Up => tracing::info!(component = name, "component is up"),
            Component::Down { reason } => tracing::warn!(component = name, reason, "component is down"),
        }
    }

    /// Raises an alarm: what the operator should know of while the device serves, such as a setting that lowers a guard.
    /// It stands until it is cleared; another text under the same name replaces it. The change is logged. Whether the
    /// device is up does not depend on it.
    pub fn raise(&self, name: &str, text: &str) {
        let before = self.alarms().insert(name.to_owned(), text.to_owned());
        if before.as_deref() != Some(text) {
            tracing::warn!(alarm = name, reason = text, "alarm raised");
        }
    }

    /// Clears an alarm, if it stands.
    pub fn clear(&self, name: &str) {
        if self.alarms().remove(name).is_some() {
            tracing::info!(alarm = name, "alarm cleared");
        }
    }

    /// How all parts are now.
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
    /// Whether every part is up.
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
