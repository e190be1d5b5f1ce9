//! Names of keys, to tell what an unknown one may have meant.

use serde_aux::serde_introspection::serde_introspect;

use super::*;

/// Says that a key is unknown and which known one is nearest.
pub(super) fn unknown(path: &str) -> String {
    let (section, key) = path.rsplit_once('.').map_or(("", path), |(section, key)| (section, key));
    let nearest = known(section).iter().max_by(|a, b| closeness(a, key).total_cmp(&closeness(b, key)));
    match nearest.filter(|name| closeness(name, key) > 0.6) {
        Some(name) if section.is_empty() => format!("unknown key; did you mean {name}?"),
        Some(name) => format!("unknown key; did you mean {}.{name}?", section.split('.').next().unwrap_or_default()),
        None => format!("unknown key; known here: {}", known(section).join(", ")),
    }
}

/// Says that no time zone has this name, and which one has the nearest.
pub(super) fn unknown_zone(zone: &str) -> String {
    let closest = |a: &jiff::tz::TimeZoneName, b: &jiff::tz::TimeZoneName| {
        closeness(a.as_str(), zone).total_cmp(&closeness(b.as_str(), zone))
    };
    match jiff::tz::db().available().max_by(closest).filter(|name| closeness(name.as_str(), zone) > 0.6) {
        Some(name) => format!("no time zone is named {zone:?}; did you mean {:?}?", name.as_str()),
        None => format!("no time zone is named {zone:?}; write it like \"Asia/Shanghai\" or \"UTC\""),
    }
}

fn closeness(a: &str, b: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(a, b)
}

fn known(section: &str) -> &'static [&'static str] {
    // An entry of a list is named by its number.
    let entry = |(list, number): &(&str, &str)| *list == "reader" && number.parse::<usize>().is_ok();
    if section.split_once('.').as_ref().is_some_and(entry) {
        return serde_introspect::<Reader>();
    }
    match section {
        "device" => serde_introspect::<Device>(),
        "storage" => serde_introspect::<Storage>(),
        "backup" => serde_introspect::<Backup>(),
        "accounts" => serde_introspect::<Accounts>(),
        "models" => serde_introspect::<Models>(),
        "inference" => serde_introspect::<Inference>(),
        "vision" => serde_introspect::<Vision>(),
        "door" => serde_introspect::<Door>(),
        "outbound" => serde_introspect::<Outbound>(),
        "host" => serde_introspect::<Host>(),
        "console" => serde_introspect::<Console>(),
        "facebox" | "uniview" => serde_introspect::<Interface>(),
        "sensetime" => serde_introspect::<SenseTime>(),
        "sip" => serde_introspect::<Sip>(),
        "sophon" => serde_introspect::<Sophon>(),
        "terminal" => serde_introspect::<Terminal>(),
        _ => serde_introspect::<Config>(),
    }
}
