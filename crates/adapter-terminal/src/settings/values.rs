//! Groups of settings: the rules of their values, and the values.

use domain::{Error, Result, State};
use serde_json::{Map, Value, json};

use crate::convert::{cut, is_topic};
use crate::wire::Fields;

/// The values that a setting may have.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rule {
    /// A whole number in these bounds.
    Int(i64, i64),
    /// An even number in these bounds.
    Even(i64, i64),
    /// With two decimals, in these bounds.
    Decimal(f64, f64),
    /// `HH:MM:SS`.
    Clock,
    /// One of these numbers.
    OneOf(&'static [i64]),
    /// Text to display, of at most this many bytes; longer text is cut off.
    Text(usize),
    /// Text of at most this many bytes; longer text is refused.
    Exact(usize),
    /// The name of a topic, of at most this many bytes, or nothing.
    Topic(usize),
    /// Reported, never set.
    Fixed,
}

/// A setting: its name, its default, its rule.
pub(crate) type Setting = (&'static str, &'static str, Rule);

/// Settings that are read and changed together.
pub(crate) struct Group {
    /// The key of their values.
    pub(crate) key: &'static str,
    pub(crate) settings: &'static [Setting],
}

impl Rule {
    /// The value as it is kept; `None` for one that the rule does not allow.
    fn read(self, fields: &Fields, name: &str) -> Option<String> {
        match self {
            Self::Int(least, most) => in_bounds(fields.int(name)?, least, most),
            Self::Even(least, most) => in_bounds(fields.int(name).filter(|number| number % 2 == 0)?, least, most),
            Self::Decimal(least, most) => {
                fields.float(name).filter(|number| (least..=most).contains(number)).map(|number| format!("{number:.2}"))
            }
            Self::Clock => clock(&fields.filled(name)?),
            Self::OneOf(numbers) => fields.int(name).filter(|number| numbers.contains(number)).map(|n| n.to_string()),
            Self::Text(most) => fields.text(name).map(|text| cut(text, most)),
            Self::Exact(most) => fields.text(name).filter(|text| text.len() <= most),
            Self::Topic(most) => {
                fields.text(name).filter(|text| text.is_empty() || text.len() <= most && is_topic(text))
            }
            Self::Fixed => None,
        }
    }

    /// The value as it is kept.
    ///
    /// # Errors
    /// The field, and what it must be.
    pub(crate) fn read_or_explain(self, fields: &Fields, name: &str) -> Result<String, String> {
        self.read(fields, name).ok_or_else(|| format!("{name} {}", self.text()))
    }

    /// What a value must be, for a refusal.
    fn text(self) -> String {
        match self {
            Self::Int(least, i64::MAX) => format!("must be a whole number from {least} on"),
            Self::Int(least, most) => format!("must be a whole number, {least} to {most}"),
            Self::Even(least, most) => format!("must be an even number, {least} to {most}"),
            Self::Decimal(least, most) => format!("must be a number, {least} to {most}"),
            Self::Clock => "must be a time, HH:MM:SS".to_owned(),
            Self::OneOf(numbers) => {
                let numbers: Vec<_> = numbers.iter().map(i64::to_string).collect();
                format!("must be one of {}", numbers.join(", "))
            }
            Self::Text(_) => "must be text".to_owned(),
            Self::Exact(most) => format!("must be text of at most {most} bytes"),
            Self::Topic(most) => {
                format!("must be a topic of at most {most} bytes, without +, #, control characters and $ at the start")
            }
            Self::Fixed => "cannot be set".to_owned(),
        }
    }

    fn is_text(self) -> bool {
        matches!(self, Self::Text(_) | Self::Exact(_) | Self::Topic(_))
    }
}

fn in_bounds(number: i64, least: i64, most: i64) -> Option<String> {
    (least..=most).contains(&number).then(|| number.to_string())
}

fn clock(text: &str) -> Option<String> {
    let time = jiff::civil::Time::strptime("%H:%M:%S", text).ok()?;
    Some(time.strftime("%H:%M:%S").to_string())
}

/// The values of a group, all of them text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Values(Map<String, Value>);

impl Values {
    /// As kept, or the defaults. `Unavailable` when the kept values cannot be read.
    pub(crate) async fn load(state: &State, group: &Group) -> Result<Self> {
        let kept = state.read_value(group.key, kept).await?;
        Ok(Self::with(&kept.unwrap_or_default(), group))
    }

    /// As [`load`](Self::load), but the defaults where the kept values cannot be read: for the connection over which
    /// they can be set again, and for the command that does so.
    pub(crate) async fn load_to_set(state: &State, group: &Group) -> Result<Self> {
        match Self::load(state, group).await {
            Err(Error::Unavailable { .. }) => Ok(Self::with(&Map::new(), group)),
            loaded => loaded,
        }
    }

    /// As kept; the defaults when there is nothing or it cannot be read.
    pub(crate) fn of(text: Option<&str>, group: &Group) -> Self {
        Self::with(&text.and_then(|text| kept(text).ok()).unwrap_or_default(), group)
    }

    fn with(kept: &Map<String, Value>, group: &Group) -> Self {
        let value = |(name, default, _): &Setting| {
            let value = kept.get(*name).cloned().unwrap_or_else(|| json!(default));
            ((*name).to_owned(), value)
        };
        Self(group.settings.iter().map(value).collect())
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn number(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or(0)
    }

    pub(crate) fn set(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Sets the values that were sent, all or none; returns the names of those.
    ///
    /// # Errors
    /// The first field that the rules do not allow, and what it must be.
    pub(crate) fn put(&mut self, group: &Group, fields: &Fields) -> Result<Vec<&'static str>, String> {
        let sent = group.settings.iter().filter(|(name, _, kind)| {
            // An empty number counts as not sent; what cannot be set is ignored.
            !matches!(kind, Rule::Fixed) && (fields.is_sent(name) || kind.is_text() && fields.get(name).is_some())
        });
        let read: Vec<_> = sent
            .map(|(name, _, kind)| Ok((*name, kind.read_or_explain(fields, name)?)))
            .collect::<Result<_, String>>()?;
        let names = read.iter().map(|(name, _)| *name).collect();
        read.into_iter().for_each(|(name, value)| self.set(name, value));
        Ok(names)
    }

    /// The value to keep.
    pub(crate) fn value(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    pub(crate) fn into_map(self) -> Map<String, Value> {
        self.0
    }
}

/// The values of a group as they are kept: an object of texts.
fn kept(text: &str) -> Result<Map<String, Value>, String> {
    let kept: Map<String, Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    match kept.iter().find(|(_, value)| !value.is_string()) {
        Some((name, _)) => Err(format!("{name} is not text")),
        None => Ok(kept),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{DOOR, FACE, REPORTS, SYSTEM, TEMPERATURE};

    #[test]
    fn values_read_back_and_damaged_ones_are_refused() {
        let mut values = Values(Map::new());
        values.set("Volume", "5".into());
        assert_eq!(kept(&Value::Object(values.0.clone()).to_string()), Ok(values.0));
        for damaged in ["", "[]", r#"{"Volume":5}"#, r#"{"Volume":"5""#] {
            assert!(kept(damaged).is_err(), "{damaged}");
        }
    }

    fn put(group: &Group, sent: &Value) -> Option<Values> {
        let mut values = Values(Map::new());
        values.put(group, &Fields::new(sent.as_object().unwrap().clone())).ok()?;
        Some(values)
    }

    #[test]
    fn settings_are_checked_against_their_rules() {
        let good =
            put(&SYSTEM, &json!({"Language": "10", "LedTimeBeg": "7:05:00", "LiveThreshold": "1", "WebTimeOut": ""}));
        let good = good.unwrap();
        assert_eq!(
            (good.text("Language"), good.text("LedTimeBeg"), good.text("LiveThreshold")),
            ("10", "07:05:00", "")
        );
        for bad in [json!({"Language": 11}), json!({"Language": "x"}), json!({"LedTimeBeg": "25:00:00"})] {
            assert_eq!(put(&SYSTEM, &bad), None, "{bad}");
        }
        assert_eq!(put(&TEMPERATURE, &json!({"TemperatureHigh": 37.2})).unwrap().text("TemperatureHigh"), "37.20");
        assert_eq!(put(&FACE, &json!({"detectArea_x": 3})), None);
        for (wiegand, allowed) in [(0, true), (1, true), (2, false), (3, false), (4, true), (7, true), (8, false)] {
            assert_eq!(put(&DOOR, &json!({"Wiegand": wiegand})).is_some(), allowed, "{wiegand}");
        }
    }

    #[test]
    fn a_refusal_names_the_field_and_what_would_be_right() {
        let wrong = |group: &Group, sent: Value| {
            let fields = Fields::new(sent.as_object().unwrap().clone());
            Values(Map::new()).put(group, &fields).unwrap_err()
        };
        let cases = [
            (&SYSTEM, json!({"FaceDisplay": 1, "Language": 11}), "Language must be a whole number, 0 to 10"),
            (&SYSTEM, json!({"LedTimeBeg": []}), "LedTimeBeg must be a time, HH:MM:SS"),
            (&FACE, json!({"detectArea_x": 3}), "detectArea_x must be an even number, 0 to 960"),
            (&DOOR, json!({"Wiegand": 2}), "Wiegand must be one of 0, 1, 4, 5, 6, 7"),
            (&DOOR, json!({"PublicMjCardNo": -1}), "PublicMjCardNo must be a whole number from 0 on"),
            (&TEMPERATURE, json!({"TemperatureHigh": "hot"}), "TemperatureHigh must be a number, 0 to 120"),
            (
                &REPORTS,
                json!({"OnlineTopic": "x".repeat(201)}),
                "OnlineTopic must be a topic of at most 200 bytes, without +, #, control characters and $ at the start",
            ),
        ];
        for (group, sent, says) in cases {
            assert_eq!(wrong(group, sent), says);
        }
    }
}
