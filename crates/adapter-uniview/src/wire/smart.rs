//! Smart tasks (6.1 to 6.3, 6.8, 6.9).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::{Ids, Int, Text, optional_int};

#[derive(Deserialize)]
pub(crate) struct UpdateTasks {
    pub(crate) channel_id: Int,
    pub(crate) smart_list: Option<Vec<UpdateTask>>,
    /// The name of `smart_list` at platforms of newer firmware.
    pub(crate) list: Option<Vec<UpdateTask>>,
    pub(crate) person_control_info: Option<UpdateControl>,
}

#[derive(Deserialize)]
pub(crate) struct UpdateTask {
    pub(crate) algo_model: Text,
    pub(crate) object_type: Option<Ids>,
    pub(crate) workclothes_lib_list: Option<Ids>,
    pub(crate) graphs: Option<Vec<Graph>>,
    /// Every other field: those that are numbers of the document are looked for there.
    #[serde(flatten)]
    pub(crate) others: super::Fields,
}

#[derive(Deserialize)]
pub(crate) struct UpdateControl {
    pub(crate) alarm_threshold: Option<Int>,
    pub(crate) person_lib_id: Option<Ids>,
}

#[derive(Deserialize)]
pub(crate) struct ChannelKey {
    pub(crate) channel_id: Int,
}

#[derive(Deserialize)]
pub(crate) struct SetStatus {
    pub(crate) channel_id: Int,
    pub(crate) status: Int,
}

/// A smart task, as it is kept and shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) algo_model: String,
    /// The numbers of the task, by the document's names.
    #[serde(flatten)]
    pub(crate) numbers: BTreeMap<String, i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) object_type: Option<Vec<i64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) workclothes_lib_list: Option<Vec<i64>>,
    pub(crate) graphs: Vec<Graph>,
}

/// An area or line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Graph {
    #[serde(default)]
    pub(crate) graph_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) polygon: Option<Points>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<Points>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) direction_line: Option<Points>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "optional_number")]
    pub(crate) detour_area: Option<i64>,
}

/// Coordinates, joined by commas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Points {
    pub(crate) point_x: String,
    pub(crate) point_y: String,
    /// Of the area that these are the points of; kept as that of its [`Graph`].
    #[serde(default, skip_serializing, deserialize_with = "optional_number")]
    pub(crate) detour_area: Option<i64>,
}

fn optional_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(optional_int(deserializer)?.map(|Int(number)| number))
}

#[derive(Serialize)]
pub(crate) struct Tasks {
    pub(crate) smart_list: Vec<Task>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) person_control_info: Option<ControlRow>,
}

#[derive(Serialize)]
pub(crate) struct ControlRow {
    pub(crate) alarm_threshold: u8,
    pub(crate) person_lib_id: Vec<i64>,
}

#[derive(Serialize)]
pub(crate) struct Algorithms {
    pub(crate) algo_model: Vec<&'static str>,
}

/// The algorithms that are on for a channel.
#[derive(Serialize)]
pub(crate) struct EnabledRow {
    pub(crate) channel_id: u32,
    pub(crate) algo_model: Vec<String>,
}
