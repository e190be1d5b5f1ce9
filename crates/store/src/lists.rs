//! Paging of long lists: selects the index for a filter and reaches deep pages quickly.

use domain::Window;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// Maximum number of rows per page; bounds the memory of a response.
const MAX_ROWS: u64 = 1000;

/// Position of a row in a list: its time and its key.
pub(crate) type Place = (i64, i64);

/// The requested number of rows, at most [`MAX_ROWS`].
pub(crate) fn bounded(limit: u32) -> u64 {
    u64::from(limit).min(MAX_ROWS)
}

/// A window counted from the newest row, converted to ascending positions: number of rows below it, and number in it.
pub(crate) fn ascending(window: Window, total: u64) -> (u64, u64) {
    let end = total.saturating_sub(window.skip);
    let rows = bounded(window.limit).min(end);
    (end - rows, rows)
}

/// Ids as JSON for `json_each`: one statement serves any number of them.
pub(crate) fn json(ids: impl IntoIterator<Item = i64>) -> String {
    let ids: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
    format!("[{}]", ids.join(","))
}

/// The rows of a filter: a source in the order (`time`, `key`), and conditions.
///
/// The index is named explicitly because the planner has no statistics and might sort a million rows.
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

    /// Adds a condition with one `?`, if there is a value for it.
    pub(crate) fn and_if(&mut self, condition: &'static str, value: Option<Value>) {
        if let Some(value) = value {
            self.and(condition, [value]);
        }
    }

    /// Adds a condition that `source` serves better than the source chosen so far.
    pub(crate) fn and_from(
        &mut self,
        source: &'static str,
        condition: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) {
        self.source = source;
        self.and(condition, values);
    }

    /// Total number of rows, and the keys of those in the window, highest first. Rows are skipped within an index, from
    /// the nearer end.
    pub(crate) fn keys(&self, db: &Connection, window: Window) -> rusqlite::Result<(u64, Vec<i64>)> {
        let total = self.total(db)?;
        let (below, rows) = ascending(window, total);
        let above = total - rows - below;
        let places = if above <= below {
            self.places(db, Order::Descending, above, rows)?
        } else {
            let mut places = self.places(db, Order::Ascending, below, rows)?;
            places.reverse();
            places
        };
        Ok((total, places.into_iter().map(|(_, key)| key).collect()))
    }

    /// The positions of `rows` rows after the first `skip`.
    pub(crate) fn places(&self, db: &Connection, order: Order, skip: u64, rows: u64) -> rusqlite::Result<Vec<Place>> {
        let sql = self.places_sql(order);
        let bounds = [rows, skip].map(|number| Value::from(number.cast_signed()));
        let values = self.values.iter().chain(&bounds);
        db.prepare_cached(&sql)?.query_map(params_from_iter(values), |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }

    /// Total number of rows.
    pub(crate) fn total(&self, db: &Connection) -> rusqlite::Result<u64> {
        let count: i64 =
            db.prepare_cached(&self.total_sql())?.query_row(params_from_iter(&self.values), |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    fn total_sql(&self) -> String {
        format!("SELECT count(*) FROM {}{}", self.source, self.where_sql())
    }

    fn places_sql(&self, order: Order) -> String {
        let Self { source, time, key, .. } = self;
        let order = match order {
            Order::Ascending => "ASC",
            Order::Descending => "DESC",
        };
        let conditions = self.where_sql();
        format!(
            "SELECT {time}, {key} FROM {source}{conditions} ORDER BY {time} {order}, {key} {order} LIMIT ? OFFSET ?"
        )
    }

    fn where_sql(&self) -> String {
        if self.conditions.is_empty() { String::new() } else { format!(" WHERE {}", self.conditions.join(" AND ")) }
    }

    /// SQLite's query plans for a page and the total.
    #[cfg(test)]
    pub(crate) fn plan(&self, db: &Connection) -> Vec<String> {
        let explained = |sql: &str, values: Vec<&Value>| -> Vec<String> {
            let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            statement.query_map(params_from_iter(values), |row| row.get(3)).unwrap().map(Result::unwrap).collect()
        };
        let bounds = [1, 1].map(Value::from);
        let page = explained(&self.places_sql(Order::Descending), self.values.iter().chain(&bounds).collect());
        [page, explained(&self.total_sql(), self.values.iter().collect())].concat()
    }
}

/// Sort order of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    Ascending,
    Descending,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(skip: u64, limit: u32, total: u64) -> (u64, u64) {
        ascending(Window { skip, limit }, total)
    }

    #[test]
    fn a_window_is_counted_from_the_newest_row() {
        assert_eq!(positions(0, 5, 100), (95, 5));
        assert_eq!(positions(90, 5, 100), (5, 5));
        assert_eq!(positions(98, 5, 100), (0, 2));
    }

    #[test]
    fn a_page_behind_the_end_is_empty() {
        assert_eq!(positions(u64::MAX, 5, 3), (0, 0));
        assert_eq!(positions(0, 5, 0), (0, 0));
    }

    #[test]
    fn a_page_has_at_most_a_thousand_rows() {
        assert_eq!(positions(0, u32::MAX, 5000).1, 1000);
    }
}
