//! The configuration that a camera task works by: the camera, its own watch, the tasks it takes part in, and its rules.

use jiff::civil::DateTime;

use crate::behaviour::Rule;
use crate::camera::Camera;
use crate::door::Relay;
use crate::ids::WatchId;
use crate::task::{Task, TaskKind, TaskMark};
use crate::watch::WatchSettings;

/// A camera, its watches and its rules.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CameraConfig {
    pub(super) camera: Camera,
    /// The camera's own watch first, then those of running tasks in ascending order of id.
    watches: Vec<CameraWatch>,
    /// In ascending order of id.
    pub(super) rules: Vec<Rule>,
    /// Whether a relay is bound to the camera.
    pub(super) opens_relay: bool,
}

/// One watch of a camera.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CameraWatch {
    pub(super) id: WatchId,
    pub(super) settings: WatchSettings,
    /// The task it belongs to; `None` for the camera's own watch.
    pub(super) task: Option<(TaskMark, TaskKind)>,
}

impl CameraConfig {
    /// The configuration of a camera; `tasks`, `rules` and `relays` may concern others too.
    pub(super) fn new(camera: Camera, tasks: &[Task], rules: &[Rule], relays: &[Relay]) -> Self {
        let own = CameraWatch { id: camera.watch.id, settings: camera.watch.settings.clone(), task: None };
        let of_task = |task: &Task| {
            let direction = task.direction(camera.id).filter(|_| task.is_running())?;
            let mark = TaskMark { task: task.id, name: task.settings.name.clone(), direction };
            let settings = task.settings.watch.clone();
            Some(CameraWatch { id: task.watch, settings, task: Some((mark, task.settings.kind)) })
        };
        let watches = [own].into_iter().chain(tasks.iter().filter_map(of_task)).collect();
        let rules = rules.iter().filter(|rule| rule.camera == camera.id).cloned().collect();
        let opens_relay = relays.iter().any(|relay| relay.camera == camera.id);
        Self { camera, watches, rules, opens_relay }
    }

    /// The watches that are armed at this local time.
    pub(super) fn armed(&self, local: DateTime) -> Vec<CameraWatch> {
        let armed = |watch: &&CameraWatch| watch.settings.enabled && watch.settings.plan.covers(local);
        self.watches.iter().filter(armed).cloned().collect()
    }

    /// Whether the camera has this watch.
    pub(super) fn has_watch(&self, id: WatchId) -> bool {
        self.watches.iter().any(|watch| watch.id == id)
    }

    /// Whether a watch of an earlier configuration still records. A task that was stopped does not, not even people
    /// who are in view.
    pub(super) fn still_applies(&self, watch: &CameraWatch) -> bool {
        watch.task.is_none() || self.has_watch(watch.id)
    }
}
