//! Arguments for the broker (AMQP), which the platform writes in JSON.

use lapin::types::{AMQPValue, FieldTable, ShortString};
use serde_json::{Map, Number, Value};

/// The arguments; none unless an object is given.
///
/// # Errors
/// A name is longer than AMQP allows.
pub(crate) fn arguments(given: Option<&Value>) -> Result<FieldTable, String> {
    given.and_then(Value::as_object).map_or_else(|| Ok(FieldTable::default()), table)
}

/// A name of the broker's: a queue, an exchange, a kind of exchange or a routing key.
///
/// # Errors
/// It is longer than AMQP allows, 255 bytes.
pub(crate) fn name(text: &str) -> Result<ShortString, String> {
    ShortString::try_new(text).map_err(|error| error.to_string())
}

fn table(fields: &Map<String, Value>) -> Result<FieldTable, String> {
    let mut table = FieldTable::default();
    for (key, value) in fields {
        table.insert(name(key)?, argument(value)?);
    }
    Ok(table)
}

fn argument(value: &Value) -> Result<AMQPValue, String> {
    Ok(match value {
        Value::Null => AMQPValue::Void,
        Value::Bool(value) => AMQPValue::Boolean(*value),
        Value::Number(value) => number(value),
        Value::String(text) => AMQPValue::LongString(text.as_str().into()),
        Value::Array(entries) => {
            AMQPValue::FieldArray(entries.iter().map(argument).collect::<Result<Vec<_>, _>>()?.into())
        }
        Value::Object(fields) => AMQPValue::FieldTable(table(fields)?),
    })
}

fn number(number: &Number) -> AMQPValue {
    match number.as_i64() {
        Some(whole) => i32::try_from(whole).map_or(AMQPValue::LongLongInt(whole), AMQPValue::LongInt),
        None => AMQPValue::Double(number.as_f64().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_have_the_types_of_amqp() {
        let given = json!({"text": "other", "flag": true, "small": 7, "large": 5_000_000_000_i64, "part": 0.5,
            "none": null, "list": ["a", {"b": 1}]});
        let read = arguments(Some(&given)).unwrap();
        let text = |text: &str| AMQPValue::LongString(text.into());
        let inner = arguments(Some(&json!({"b": 1}))).unwrap();
        for (name, expected) in [
            ("text", text("other")),
            ("flag", AMQPValue::Boolean(true)),
            ("small", AMQPValue::LongInt(7)),
            ("large", AMQPValue::LongLongInt(5_000_000_000)),
            ("part", AMQPValue::Double(0.5)),
            ("none", AMQPValue::Void),
            ("list", AMQPValue::FieldArray(vec![text("a"), AMQPValue::FieldTable(inner)].into())),
        ] {
            assert_eq!(read.inner().get(name), Some(&expected), "{name}");
        }
        for none in [None, Some(json!(null)), Some(json!("")), Some(json!([]))] {
            assert_eq!(arguments(none.as_ref()), Ok(FieldTable::default()));
        }
        assert!(arguments(Some(&json!({"x".repeat(256): 1}))).is_err());
    }

    #[test]
    fn a_name_that_is_too_long_is_an_error() {
        assert_eq!(name(&"x".repeat(255)).map(|name| name.as_str().len()), Ok(255));
        assert!(name(&"x".repeat(256)).is_err());
    }
}
