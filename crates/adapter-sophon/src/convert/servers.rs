//! Where events and status go.

use adapter::lenient::{Int, Text};

use crate::codes::{Code, Fault};

/// Maximum number of addresses in a list.
const MAX_URLS: usize = 8;
/// The longest period, seconds.
const MAX_PERIOD: i64 = 24 * 3600;

/// Whether events are to be posted as a form.
pub(crate) fn as_form(Text(content_type): &Text) -> Result<bool, Fault> {
    match content_type.as_str() {
        "json" => Ok(false),
        "form-data" => Ok(true),
        _ => Err(Code::UnsupportedContentType.into()),
    }
}

/// A period, seconds.
pub(crate) fn period(Int(seconds): Int) -> Result<u32, Fault> {
    if (1..=MAX_PERIOD).contains(&seconds) {
        return Ok(seconds as u32);
    }
    Err(Fault::parameter(format!("reported_peroid is not 1 to {MAX_PERIOD}")))
}

/// A list of addresses, each of which `check` finds usable.
pub(crate) fn urls(urls: Vec<String>, check: impl Fn(&str) -> Result<(), Fault>) -> Result<Vec<String>, Fault> {
    if urls.len() > MAX_URLS {
        return Err(Fault::parameter(format!("more than {MAX_URLS} addresses")));
    }
    urls.iter().try_for_each(|url| check(url))?;
    Ok(urls)
}
