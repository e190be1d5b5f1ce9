//! Arming times (chapter 5).

use serde::{Deserialize, Serialize};

use super::{Int, Text};

#[derive(Deserialize)]
pub(crate) struct UpdatePlan {
    pub(crate) channel_id: Int,
    pub(crate) algo_model: Text,
    pub(crate) control_time: Option<Week>,
    /// A week without its wrapper (quirk "5.1 against 5.2").
    #[serde(flatten)]
    pub(crate) bare: Option<Week>,
}

#[derive(Deserialize)]
pub(crate) struct GetPlan {
    pub(crate) channel_id: Int,
    pub(crate) algo_model: Text,
}

/// The periods of each day.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Week {
    pub(crate) monday: Vec<Period>,
    pub(crate) tuesday: Vec<Period>,
    pub(crate) wednesday: Vec<Period>,
    pub(crate) thursday: Vec<Period>,
    pub(crate) friday: Vec<Period>,
    pub(crate) saturday: Vec<Period>,
    pub(crate) sunday: Vec<Period>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Period {
    pub(crate) start: String,
    pub(crate) end: String,
}

impl Week {
    /// Monday first.
    pub(crate) fn days(&self) -> [&[Period]; 7] {
        let Self { monday, tuesday, wednesday, thursday, friday, saturday, sunday } = self;
        [monday, tuesday, wednesday, thursday, friday, saturday, sunday]
    }

    /// Monday first.
    pub(crate) fn of_days(days: [Vec<Period>; 7]) -> Self {
        let [monday, tuesday, wednesday, thursday, friday, saturday, sunday] = days;
        Self { monday, tuesday, wednesday, thursday, friday, saturday, sunday }
    }
}
