//! What a camera has to do: its own watch, the tasks it takes part in, and its rules.

use jiff::civil::DateTime;

use crate::behaviour::Rule;
use crate::camera::Camera;
use crate::ids::WatchId;
use crate::task::{Task, TaskKind, TaskMark};
use crate::watch::WatchSettings;

/// A camera, the watches it is to keep, and the rules it is to apply.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Duty {
    pub(super) camera: Camera,
    /// The camera's own first, then those of running tasks in ascending order of id.
    orders: Vec<Order>,
    /// In ascending order of id.
    pub(super) rules: Vec<Rule>,
}

/// One watch that a camera keeps.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Order {
    pub(super) watch: WatchId,
    pub(super) settings: WatchSettings,
    /// The task it is for; `None`: the camera's own.
    pub(super) task: Option<(TaskMark, TaskKind)>,
}

impl Duty {
    /// What the camera has to do among these tasks and rules.
    pub(super) fn new(camera: Camera, tasks: &[Task], rules: &[Rule]) -> Self {
        let own = Order { watch: camera.watch.id, settings: camera.watch.settings.clone(), task: None };
        let of_task = |task: &Task| {
            let direction = task.direction(camera.id).filter(|_| task.is_running())?;
            let mark = TaskMark { task: task.id, name: task.settings.name.clone(), direction };
            let settings = task.settings.watch.clone();
            Some(Order { watch: task.watch, settings, task: Some((mark, task.settings.kind)) })
        };
        let orders = [own].into_iter().chain(tasks.iter().filter_map(of_task)).collect();
        let rules = rules.iter().filter(|rule| rule.camera == camera.id).cloned().collect();
        Self { camera, orders, rules }
    }

    /// The watches that are armed at this local time.
    pub(super) fn armed(&self, local: DateTime) -> Vec<Order> {
        let armed = |order: &&Order| order.settings.enabled && order.settings.plan.covers(local);
        self.orders.iter().filter(armed).cloned().collect()
    }

    /// Whether a watch is one of these.
    pub(super) fn knows(&self, watch: WatchId) -> bool {
        self.orders.iter().any(|order| order.watch == watch)
    }

    /// Whether a watch is still to be kept: a task that was stopped records nobody any more, not even who is in view.
    pub(super) fn keeps(&self, order: &Order) -> bool {
        order.task.is_none() || self.knows(order.watch)
    }
}
