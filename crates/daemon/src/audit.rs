//! Prints and verifies the audit log.

use std::io::Write;

use anyhow::{Context, Result};
use domain::names::printable;
use domain::{AuditClass, AuditEntry, Role};
use store::{AuditCheck, AuditLine, AuditTrail};

use crate::config::Config;
use crate::key;

/// Prints every entry, oldest first, and then one line for each class on its chain. The daemon may be running. Returns
/// whether all chains are whole.
pub(crate) fn print_and_verify(config: &Config) -> Result<bool> {
    let key = key::existing(&config.storage)?;
    let trail = AuditTrail::open(&config.storage.dir, &key).context("the store cannot be opened")?;
    let zone = jiff::tz::TimeZone::get(&config.device.time_zone).context("device.time_zone")?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut written = Ok(());
    let checks = trail.check(&mut |line| {
        if written.is_ok() {
            written = writeln!(out, "{}", entry_line(&line, &zone));
        }
    });
    let checks = checks.map_err(|error| anyhow::anyhow!("{}", error.chain()))?;
    written.context("standard output cannot be written")?;
    for check in &checks {
        writeln!(out, "{}", check_line(check))?;
        for fault in &check.faults {
            writeln!(out, "FAULT {}: {fault}", class(check.class))?;
        }
    }
    out.flush()?;
    Ok(checks.iter().all(|check| check.faults.is_empty()))
}

/// Time, class and number, actor with role, address, adapter, action and subject, separated by tabs.
fn entry_line(AuditLine { number, entry }: &AuditLine, zone: &jiff::tz::TimeZone) -> String {
    let AuditEntry { at, class: of, actor, role, origin, adapter, action, subject } = entry;
    let time = at.in_zone(zone).strftime("%Y-%m-%d %H:%M:%S%:z").to_string();
    let number = number.map_or_else(|| "unchained".to_owned(), |number| number.to_string());
    let role = match role {
        Some(Role::Admin) => " (admin)",
        Some(Role::Operator) => " (operator)",
        Some(Role::Viewer) => " (viewer)",
        None => "",
    };
    let origin = origin.map_or_else(|| "-".to_owned(), |origin| origin.to_string());
    let [actor, adapter, action, subject] =
        [actor, adapter.as_deref().unwrap_or("-"), action, subject].map(|text| printable(text));
    format!("{time}\t{} {number}\t{actor}{role}\t{origin}\t{adapter}\t{action}\t{subject}", class(*of))
}

fn check_line(check: &AuditCheck) -> String {
    let AuditCheck { class: of, kept: (first, last), newest, faults } = check;
    let state = if faults.is_empty() { "verified" } else { "BROKEN" };
    let entries = if first > last { "no entries".to_owned() } else { format!("entries {first} to {last}") };
    format!("{state} {}: {entries}, newest hash {newest}", class(*of))
}

fn class(class: AuditClass) -> &'static str {
    match class {
        AuditClass::Logins => "logins",
        AuditClass::Failures => "failures",
        AuditClass::Accounts => "accounts",
        AuditClass::Doors => "doors",
        AuditClass::Flows => "flows",
        AuditClass::Exports => "exports",
        AuditClass::Settings => "settings",
        AuditClass::Contents => "contents",
    }
}
