//! Tasks (6.1 to 6.6).

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// Maximum number of ids of a list.
const MAX_IDS: usize = 1000;

/// Ids joined by commas, or an array of numbers (quirk "6.1, 6.4 lists").
pub(crate) struct Ids(pub(crate) Vec<i64>);

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ids = match Value::deserialize(deserializer)? {
            Value::String(text) => joined(&text),
            Value::Array(ids) => ids.iter().map(Value::as_i64).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
        };
        ids.filter(|ids| ids.len() <= MAX_IDS).map(Self).ok_or_else(|| D::Error::custom("a list of ids is expected"))
    }
}

/// Ids separated by ASCII or full-width commas and blanks; empty places are ignored.
fn joined(text: &str) -> Option<Vec<i64>> {
    let ids = text.split([',', '，']).map(str::trim).filter(|id| !id.is_empty());
    ids.map(|id| id.parse().ok()).collect()
}

#[derive(Deserialize)]
pub(crate) struct AddTask {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: Option<i64>,
    pub(crate) camera_list1: Ids,
    pub(crate) camera_list2: Option<Ids>,
    pub(crate) lib_list: Ids,
    pub(crate) interval: i64,
    pub(crate) threshold: f64,
    pub(crate) plan: Option<String>,
    pub(crate) remark: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct UpdateTask {
    pub(crate) task_id: i64,
    pub(crate) name: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<i64>,
    pub(crate) camera_list1: Option<Ids>,
    pub(crate) camera_list2: Option<Ids>,
    pub(crate) lib_list: Option<Ids>,
    pub(crate) interval: Option<i64>,
    pub(crate) threshold: Option<f64>,
    pub(crate) plan: Option<String>,
    pub(crate) remark: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct TaskKey {
    pub(crate) task_id: i64,
}

#[derive(Deserialize)]
pub(crate) struct QueryTasks {
    pub(crate) page_no: i64,
    pub(crate) page_size: i64,
    pub(crate) name: Option<String>,
    pub(crate) username: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<i64>,
    pub(crate) state: Option<i64>,
}

#[derive(Serialize)]
pub(crate) struct TaskRow {
    pub(crate) task_id: i64,
    pub(crate) name: String,
    /// As `name`; an example of the document has it.
    pub(crate) task_name: String,
    #[serde(rename = "type")]
    pub(crate) kind: i64,
    pub(crate) camera_list1: Vec<TaskCamera>,
    pub(crate) camera_list2: Vec<TaskCamera>,
    pub(crate) lib_list: Vec<TaskLibrary>,
    pub(crate) interval: u64,
    pub(crate) threshold: f64,
    pub(crate) state: u8,
    pub(crate) plan: String,
    pub(crate) remark: String,
    pub(crate) create_time: String,
}

#[derive(Serialize)]
pub(crate) struct TaskCamera {
    pub(crate) camera_id: u32,
    pub(crate) name: String,
    pub(crate) state: u8,
}

#[derive(Serialize)]
pub(crate) struct TaskLibrary {
    pub(crate) lib_id: i64,
    pub(crate) name: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_come_joined_or_as_an_array() {
        for list in [json!("1,2"), json!(" 1 ，2,"), json!([1, 2])] {
            assert_eq!(serde_json::from_value::<Ids>(list.clone()).unwrap().0, [1, 2], "{list}");
        }
        assert!(serde_json::from_value::<Ids>(json!("")).unwrap().0.is_empty());
        for bad in [json!("a"), json!("1;2"), json!(["1"]), json!(1), json!(null), json!(vec![1; MAX_IDS + 1])] {
            assert!(serde_json::from_value::<Ids>(bad).is_err());
        }
    }
}
