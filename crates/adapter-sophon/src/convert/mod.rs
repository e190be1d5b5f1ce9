//! Conversions between the document's types and the core's. They are pure.

pub(crate) mod amqp;
pub(crate) mod events;
pub(crate) mod people;
pub(crate) mod platform;
pub(crate) mod quality;
pub(crate) mod servers;

use crate::codes::{Code, Fault};

/// Maximum length of a description, characters.
const MAX_DESCRIPTION: usize = 1000;
/// Maximum length of the name of a group, characters.
const MAX_NAME: usize = 64;

/// The name of a new group: neither empty nor with a comma, at which lists of names are split.
pub(crate) fn group_name(name: String) -> Result<String, Fault> {
    let bad = if name.is_empty() {
        "it is empty"
    } else if name.contains(',') {
        "it has a comma"
    } else if name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        "not 1 to 64 printable characters"
    } else {
        return Ok(name);
    };
    Err(Fault::with(Code::GroupName, bad))
}

/// A description, which may be empty.
pub(crate) fn description(text: String) -> Result<String, Fault> {
    bounded("description", text, MAX_DESCRIPTION)
}

/// A text of at most `most` characters.
pub(crate) fn bounded(field: &str, text: String, most: usize) -> Result<String, Fault> {
    if text.chars().count() <= most {
        return Ok(text);
    }
    Err(Fault::parameter(format!("{field} is longer than {most} characters")))
}
