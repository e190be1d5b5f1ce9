//! Checks that sealed values can be opened.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::tables::{TABLES, Table};
use super::{Keys, Place};
use crate::error::Fault;

/// The tables without which the device cannot serve. Those of the log are left out: there are many values in them, and
/// one that cannot be opened concerns one entry.
const NEEDED: [&str; 7] = ["person", "person_card", "template", "camera", "adapter_value", "setting", "account"];

/// Opens every value of people, cameras, accounts and settings.
///
/// # Errors
/// `Sealed` for one that cannot be opened.
pub(crate) fn verify(db: &Connection, keys: &Keys) -> Result<(), Fault> {
    let unfinished = "SELECT EXISTS (SELECT 1 FROM unfinished_sealing)";
    if db.query_row(unfinished, [], |row| row.get(0))? {
        return Ok(());
    }
    TABLES.iter().filter(|table| NEEDED.contains(&table.name)).try_for_each(|table| verify_table(db, keys, table))
}

fn verify_table(db: &Connection, keys: &Keys, table: &Table) -> Result<(), Fault> {
    let select = format!("SELECT {}, {} FROM {}", table.key.join(", "), table.sealed.join(", "), table.name);
    let columns = table.key.len() + table.sealed.len();
    let mut statement = db.prepare(&select)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let row = (0..columns).map(|n| row.get(n)).collect::<rusqlite::Result<Vec<Value>>>()?;
        let (key, sealed) = row.split_at(table.key.len());
        for (n, value) in sealed.iter().enumerate() {
            let Value::Blob(value) = value else { continue };
            let (row, part) = (table.place)(key, n);
            keys.open(Place::new(table.name, row).part(&part), value)?;
        }
    }
    Ok(())
}
