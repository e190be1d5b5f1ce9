//! What follows a recognised person (4.4.1 to 4.4.3).

use adapter::lenient::{Int, Text};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct ControllerMode {
    pub(crate) controller_mode: String,
}

#[derive(Deserialize)]
pub(crate) struct EventAction {
    pub(crate) action: Vec<Action>,
}

#[derive(Deserialize)]
pub(crate) struct Action {
    pub(crate) action_ip: Text,
    pub(crate) action_port: Int,
    pub(crate) action_mode: String,
    pub(crate) action_duration: Option<Int>,
    pub(crate) logic_port: Option<Int>,
}

#[derive(Serialize)]
pub(crate) struct Acted {
    pub(crate) message: &'static str,
    pub(crate) action_mode: &'static str,
}
