//! Values that are written as text, and the message for a value of a wrong shape.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use bytesize::ByteSize;
use ipnet::IpNet;
use jiff::civil::Time;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// The largest range of ports.
const MOST_PORTS: u16 = 1024;
/// The lowest port that needs no right.
const LOWEST_PORT: u16 = 1024;

/// An address and a port.
pub(super) fn listen<'de, D: Deserializer<'de>>(value: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(value)?;
    let wrong = |_| D::Error::custom(format!("{text:?} is not an IP address with a port, like \"0.0.0.0:8080\""));
    text.parse().map_err(wrong)
}

/// An address and a port; `None` for an empty text.
pub(super) fn optional_listen<'de, D: Deserializer<'de>>(value: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(value)?;
    let wrong =
        |_| D::Error::custom(format!("{text:?} is neither empty nor an IP address with a port, like \"0.0.0.0:8443\""));
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(wrong) }
}

/// Networks, or single addresses.
pub(super) fn networks<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<IpNet>, D::Error> {
    let wrong = |text: &str| D::Error::custom(format!("{text:?} is not a network, like \"192.168.1.0/24\""));
    let read = |text: &String| match text.parse::<IpAddr>() {
        Ok(address) => Ok(IpNet::from(address)),
        Err(_) => text.parse().map_err(|_| wrong(text)),
    };
    Vec::<String>::deserialize(value)?.iter().map(read).collect()
}

/// A range of ports, `0-0` for any free one.
pub(super) fn ports<'de, D: Deserializer<'de>>(value: D) -> Result<RangeInclusive<u16>, D::Error> {
    let text = String::deserialize(value)?;
    let range =
        text.split_once('-').and_then(|(first, last)| Some(first.trim().parse().ok()?..=last.trim().parse().ok()?));
    let usable = |range: &RangeInclusive<u16>| {
        let (first, last) = (*range.start(), *range.end());
        first <= last && last - first < MOST_PORTS && (first >= LOWEST_PORT || last == 0)
    };
    range.filter(usable).ok_or_else(|| {
        D::Error::custom(format!(
            "{text:?} is not a range of at most {MOST_PORTS} ports from {LOWEST_PORT}, like \"50000-50063\""
        ))
    })
}

/// A number of bytes.
pub(super) fn size<'de, D: Deserializer<'de>>(value: D) -> Result<ByteSize, D::Error> {
    let text = String::deserialize(value)?;
    text.parse().map_err(|_| D::Error::custom(format!("{text:?} is not a size, like \"20GiB\" or \"500MB\"")))
}

/// A time of day in minutes.
pub(super) fn clock_time<'de, D: Deserializer<'de>>(value: D) -> Result<Time, D::Error> {
    let text = String::deserialize(value)?;
    let wrong = |_| D::Error::custom(format!("{text:?} is not a time of day, like \"03:30\""));
    Time::strptime("%H:%M", &text).map_err(wrong)
}

/// Bytes as hexadecimal digits.
pub(super) fn hexadecimal<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(value)?;
    let wrong =
        |_| D::Error::custom(format!("{text:?} is not an even number of hexadecimal digits, like \"A00101A2\""));
    hex::decode(&text).map_err(wrong)
}

/// What serde says of a value of a wrong type, in the words of somebody who writes the file. The value of a password
/// is not repeated.
pub(super) fn plain(key: &str, message: &str) -> String {
    let message = message.trim();
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "a string" | "path string" => "a text in quotation marks",
        "a boolean" => "true or false",
        "a sequence" => "a list of sections, [[like this]]",
        section if section.starts_with("struct ") => "a section, [like this]",
        other => other,
    };
    if key.contains("password") { format!("must be {expected}") } else { format!("{found}, expected {expected}") }
}
