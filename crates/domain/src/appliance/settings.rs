//! The settings of the device in memory, and the one way to change them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::device_state::DeviceState;
use super::{Appliance, State};
use crate::ports::Ports;
use crate::settings::{CurrentSettings, DeviceSettings, Unreadable};
use crate::{Defaults, Result};

/// The settings as they are in the store.
pub(super) struct Settings {
    now: watch::Sender<Arc<DeviceSettings>>,
    /// Held from reading the settings until changed ones are stored and published.
    order: Mutex<()>,
}

impl Settings {
    pub(super) fn load(ports: &Ports) -> Result<Self> {
        let now = ports.settings.device_settings()?;
        Ok(Self { now: watch::Sender::new(Arc::new(now)), order: Mutex::default() })
    }

    pub(super) fn now(&self) -> Arc<DeviceSettings> {
        Arc::clone(&self.now.borrow())
    }

    /// The settings for parts of the device that depend on them.
    pub(super) fn current(&self) -> CurrentSettings {
        CurrentSettings::new(self.now.subscribe())
    }

    fn order(&self) -> MutexGuard<'_, ()> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Appliance {
    /// The settings of the device itself, now and at every change.
    pub fn settings_changed(&self) -> watch::Receiver<Arc<DeviceSettings>> {
        self.core.settings.now.subscribe()
    }

    /// The settings whose stored values cannot be read. What depends on them is refused until they are set again.
    pub fn unreadable_settings(&self) -> Vec<Unreadable> {
        self.settings().unreadable()
    }

    /// The settings of the device itself.
    pub(super) fn settings(&self) -> Arc<DeviceSettings> {
        self.core.settings.now()
    }

    pub(super) fn device_state(&self) -> DeviceState<'_> {
        DeviceState(self.ports().settings.as_ref())
    }

    /// Stores changed settings, then applies them. Blocking.
    pub(super) fn change_settings(&self, change: impl FnOnce(&mut DeviceSettings)) -> Result<()> {
        let _order = self.core.settings.order();
        let before = self.settings();
        let mut now = DeviceSettings::clone(&before);
        change(&mut now);
        self.ports().settings.change_settings(&now.changes_from(&before)?)?;
        self.use_settings(now);
        Ok(())
    }

    /// Stores the factory settings, removes these values of an adapter and restores the factory password in one
    /// transaction, then applies the settings. Returns whether the time settings have to be applied to the machine.
    /// Blocking.
    pub(super) fn restore_settings(&self, adapter: &State, values: &[&str]) -> Result<bool> {
        let _order = self.core.settings.order();
        let before = self.settings();
        let machine_due = before.sets_time();
        let now = DeviceSettings::factory();
        let mut changes = now.changes_from(&before)?;
        changes.extend(machine_due.then(DeviceState::making_machine_due));
        let password = self.device_state().factory_login()?;
        self.ports().settings.restore(&Defaults {
            changes: &changes,
            values: (adapter.adapter(), values),
            password,
        })?;
        self.forget_unreadable(adapter.adapter(), values);
        self.use_settings(now);
        Ok(machine_due)
    }

    /// Stores the factory values of time zone and time service, then applies them. Blocking.
    pub(super) fn restore_time_settings(&self) -> Result<()> {
        let _order = self.core.settings.order();
        let before = self.settings();
        let now = DeviceSettings { time_zone: Ok(None), time_service: Ok(None), ..DeviceSettings::clone(&before) };
        let mut changes = now.changes_from(&before)?;
        changes.push(DeviceState::making_machine_due());
        self.ports().settings.change_settings(&changes)?;
        self.use_settings(now);
        Ok(())
    }

    fn use_settings(&self, now: DeviceSettings) {
        let now = Arc::new(now);
        let before = self.core.settings.now.send_replace(Arc::clone(&now));
        if now.cameras != before.cameras {
            self.core.surveillance.note_change();
        }
        let limits = now.storage_limits(self.options().storage);
        self.core.storage_limits.send_if_modified(|before| std::mem::replace(before, limits) != limits);
        let open = now.is_console_open();
        self.core.console_open.send_if_modified(|before| std::mem::replace(before, open) != open);
    }
}
