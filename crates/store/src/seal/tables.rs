//! The sealed columns of the database, and what is needed to seal them again.

use rusqlite::types::Value;

use super::{Fields, Keys};
use crate::error::Fault;
use crate::log;

/// How the values of a table are sealed again.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Columns that identify a row, the order of the walk.
    pub(super) key: &'static [&'static str],
    /// Sealed columns.
    pub(super) sealed: &'static [&'static str],
    /// The place of a sealed column (by number), from the row's key columns.
    pub(super) place: fn(&[Value], usize) -> (i64, String),
    /// Keyed hashes that are made again from the first opened value: column and hash.
    pub(super) hashes: MakeHashes,
}

/// Columns of keyed hashes, and their new values.
type Hashes = Vec<(&'static str, Value)>;
type MakeHashes = fn(&Keys, &[Value], &[u8]) -> Result<Hashes, Fault>;

fn none(_: &Keys, _: &[Value], _: &[u8]) -> Result<Hashes, Fault> {
    Ok(Vec::new())
}

fn number(value: &Value) -> i64 {
    if let Value::Integer(number) = value { *number } else { 0 }
}

fn word(value: &Value) -> &str {
    if let Value::Text(text) = value { text } else { "" }
}

fn by_row(key: &[Value], _: usize) -> (i64, String) {
    (number(&key[0]), String::new())
}

pub(super) const TABLES: &[Table] = &[
    Table { name: "person", key: &["id"], sealed: &["sealed"], place: by_row, hashes: person_hashes },
    Table {
        name: "person_card",
        key: &["person", "position"],
        sealed: &["sealed"],
        place: |key, _| (number(&key[0]), number(&key[1]).to_string()),
        hashes: |keys, _, number| Ok(vec![("number_key", Value::Blob(keys.hash("card", number).to_vec()))]),
    },
    Table {
        name: "template",
        key: &["person", "model"],
        sealed: &["embedding"],
        place: |key, _| (number(&key[0]), word(&key[1]).to_owned()),
        hashes: none,
    },
    Table {
        name: "candidate",
        key: &["id", "person"],
        sealed: &["sealed"],
        place: |key, _| (number(&key[1]), String::new()),
        hashes: |keys, key, texts| {
            let fingerprint = keys.hash(&log::candidate_kind(number(&key[1])), texts);
            Ok(vec![("fingerprint", Value::Blob(fingerprint.to_vec()))])
        },
    },
    Table {
        name: "record_capture",
        key: &["record", "model"],
        sealed: &["embedding"],
        place: |key, _| (number(&key[0]), word(&key[1]).to_owned()),
        hashes: none,
    },
    Table { name: "opening", key: &["entry"], sealed: &["sealed"], place: by_row, hashes: none },
    Table { name: "correction", key: &["entry"], sealed: &["sealed"], place: by_row, hashes: none },
    Table { name: "camera", key: &["id"], sealed: &["sealed"], place: by_row, hashes: none },
    Table {
        name: "note",
        key: &["thing", "id", "adapter"],
        sealed: &["sealed"],
        place: |key, _| (number(&key[1]), format!("{} {}", word(&key[0]), word(&key[2]))),
        hashes: none,
    },
    Table {
        name: "adapter_value",
        key: &["adapter", "key"],
        sealed: &["sealed"],
        place: |key, _| (0, format!("{} {}", word(&key[0]), word(&key[1]))),
        hashes: none,
    },
    Table {
        name: "setting",
        key: &["name"],
        sealed: &["sealed"],
        place: |key, _| (0, word(&key[0]).to_owned()),
        hashes: none,
    },
    Table {
        name: "adapter_job",
        key: &["id", "adapter"],
        sealed: &["sealed"],
        place: |key, _| (0, word(&key[1]).to_owned()),
        hashes: none,
    },
    Table {
        name: "adapter_job_item",
        key: &["job", "place"],
        sealed: &["sealed", "outcome"],
        place: |key, column| (number(&key[0]), format!("{} {}", ["about", "outcome"][column], number(&key[1]))),
        hashes: none,
    },
    Table {
        name: "account",
        key: &["id"],
        sealed: &["digest"],
        place: |key, _| (number(&key[0]), "digest".to_owned()),
        hashes: none,
    },
];

fn person_hashes(keys: &Keys, _: &[Value], texts: &[u8]) -> Result<Hashes, Fault> {
    let mut texts = Fields::read(texts)?;
    let [code, name, _birth_date, _kind, number, _phone, _email, address] = [0; 8].map(|_| texts.take());
    Ok(vec![
        ("code_key", keys.key_of("code", &code)),
        ("name_key", keys.key_of("name", &domain::names::folded(&name))),
        ("document_key", keys.key_of("document", &number)),
        ("address_key", keys.key_of("address", &address)),
    ])
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::connection::Database;

    #[test]
    fn every_sealed_column_is_sealed_again() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::testing(dir.path(), 1);
        let columns = "SELECT t.name || '.' || c.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c
            WHERE t.type = 'table' AND c.name IN ('sealed', 'embedding', 'digest', 'outcome') ORDER BY 1";
        let found = |db: &Connection| -> rusqlite::Result<Vec<String>> {
            db.prepare(columns)?.query_map([], |row| row.get(0))?.collect()
        };
        let found = database.read("listing", |db| Ok(found(db)?)).unwrap();
        let all = TABLES.iter().flat_map(|table| table.sealed.iter().map(|column| format!("{}.{column}", table.name)));
        let mut all: Vec<_> = all.collect();
        all.sort();
        assert_eq!(found, all);
    }
}
