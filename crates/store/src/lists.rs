//! Pages of long lists: which index serves a filter, and how to reach a deep page quickly.

use domain::Window;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// The most rows of a page; keeps an answer's memory bounded whatever a caller asks for.
const MAX_ROWS: u64 = 1000;

/// The number of rows asked for, as far as one answer may go.
pub(crate) fn bounded(limit: u32) -> i64 {
    u64::from(limit).min(MAX_ROWS).cast_signed()
}

/// Ids as the JSON text that `json_each` takes apart: one statement for any number of them.
pub(crate) fn json(ids: impl IntoIterator<Item = i64>) -> String {
    let ids: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
    format!("[{}]", ids.join(","))
}

/// The rows of a filter: a source that has them in the order (`time`, `key`), and conditions.
///
/// The index is named instead of left to the planner, which has no statistics and may choose to sort a million rows.
pub(crate) struct Selection {
    source: &'static str,
    time: &'static str,
    key: &'static str,
    conditions: Vec<&'static str>,
    values: Vec<Value>,
}

impl Selection {
    pub(crate) fn new(source: &'static str, time: &'static str, key: &'static str) -> Self {
        Self { source, time, key, conditions: Vec::new(), values: Vec::new() }
    }

    /// Adds a condition with as many `?` as there are values.
    pub(crate) fn and(&mut self, condition: &'static str, values: impl IntoIterator<Item = Value>) {
        self.conditions.push(condition);
        self.values.extend(values);
    }

    /// Adds a condition that `source` serves better than what was chosen so far.
    pub(crate) fn and_from(
        &mut self,
        source: &'static str,
        condition: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) {
        self.source = source;
        self.and(condition, values);
    }

    /// How many rows there are, and the keys of those in the window, highest first.
    pub(crate) fn keys(&self, db: &Connection, window: Window) -> rusqlite::Result<(u64, Vec<i64>)> {
        let total = self.total(db)?;
        let stretch = Stretch::of(window, total);
        let mut statement = db.prepare_cached(&self.page_sql(stretch.from_end))?;
        let bounds = [stretch.limit, stretch.skip].map(Value::from);
        let values = self.values.iter().chain(&bounds);
        let mut keys =
            statement.query_map(params_from_iter(values), |row| row.get(0))?.collect::<Result<Vec<_>, _>>()?;
        if stretch.from_end {
            keys.reverse();
        }
        Ok((total, keys))
    }

    fn total(&self, db: &Connection) -> rusqlite::Result<u64> {
        let sql = format!("SELECT count(*) FROM {}{}", self.source, self.conditions());
        let count: i64 = db.prepare_cached(&sql)?.query_row(params_from_iter(&self.values), |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    fn page_sql(&self, from_end: bool) -> String {
        let Self { source, time, key, .. } = self;
        let order = if from_end { "ASC" } else { "DESC" };
        let conditions = self.conditions();
        format!("SELECT {key} FROM {source}{conditions} ORDER BY {time} {order}, {key} {order} LIMIT ? OFFSET ?")
    }

    /// How SQLite goes about the page and the total.
    #[cfg(test)]
    pub(crate) fn plan(&self, db: &Connection) -> Vec<String> {
        let bounds = [1, 1].map(Value::from);
        let total = format!("SELECT count(*) FROM {}{}", self.source, self.conditions());
        let explained = |sql: &str, values: Vec<&Value>| -> Vec<String> {
            let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            statement.query_map(params_from_iter(values), |row| row.get(3)).unwrap().map(Result::unwrap).collect()
        };
        let page = self.values.iter().chain(&bounds).collect();
        [explained(&self.page_sql(false), page), explained(&total, self.values.iter().collect())].concat()
    }

    fn conditions(&self) -> String {
        if self.conditions.is_empty() { String::new() } else { format!(" WHERE {}", self.conditions.join(" AND ")) }
    }
}

/// A stretch of rows, counted from the nearer end: rows are passed over inside an index, at worst half of them.
#[derive(Debug, PartialEq)]
struct Stretch {
    from_end: bool,
    skip: i64,
    limit: i64,
}

impl Stretch {
    fn of(window: Window, total: u64) -> Self {
        let skip = window.skip.min(total);
        let limit = bounded(window.limit).cast_unsigned().min(total - skip);
        let after = total - skip - limit;
        let from_end = after < skip;
        let nearer = if from_end { after } else { skip };
        Self { from_end, skip: nearer.cast_signed(), limit: limit.cast_signed() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(skip: u64, limit: u32, total: u64) -> Stretch {
        Stretch::of(Window { skip, limit }, total)
    }

    #[test]
    fn a_page_is_counted_from_the_nearer_end() {
        assert_eq!(stretch(10, 5, 100), Stretch { from_end: false, skip: 10, limit: 5 });
        assert_eq!(stretch(90, 5, 100), Stretch { from_end: true, skip: 5, limit: 5 });
        assert_eq!(stretch(98, 5, 100), Stretch { from_end: true, skip: 0, limit: 2 });
    }

    #[test]
    fn a_page_behind_the_end_is_empty() {
        assert_eq!(stretch(u64::MAX, 5, 3).limit, 0);
        assert_eq!(stretch(0, 5, 0).limit, 0);
    }

    #[test]
    fn a_page_has_at_most_a_thousand_rows() {
        assert_eq!(stretch(0, u32::MAX, 5000).limit, 1000);
    }
}
