//! What was measured, against what it may be: one table on the terminal and one file for programs.

use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use serde::Serialize;

/// Rows of one measurement, in the order they were added.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    name: String,
    rows: Vec<Row>,
}

/// One measured figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Row {
    name: String,
    /// `null` in the file when it is not a number: it could not be measured.
    measured: f64,
    limit: Option<f64>,
    ratio: Option<f64>,
    budget: Option<f64>,
    ok: Option<bool>,
}

impl Report {
    /// A report without rows; the file is called `<name>.json`.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), rows: Vec::new() }
    }

    /// Adds a figure that is better when smaller. `name` says what and ends with the unit. With a `limit` (what the
    /// machine can do at best) the ratio of both is held against the budget, without one the figure itself.
    pub fn row(&mut self, name: &str, measured: f64, limit: Option<f64>, budget: Option<f64>) -> &mut Self {
        self.push(name, measured, limit, budget, |value, budget| value <= budget)
    }

    /// Adds a figure that is better when larger; else as [`Report::row`].
    pub fn row_at_least(&mut self, name: &str, measured: f64, limit: Option<f64>, budget: Option<f64>) -> &mut Self {
        self.push(name, measured, limit, budget, |value, budget| value >= budget)
    }

    fn push(
        &mut self,
        name: &str,
        measured: f64,
        limit: Option<f64>,
        budget: Option<f64>,
        within: fn(f64, f64) -> bool,
    ) -> &mut Self {
        let ratio = limit.map(|limit| measured / limit);
        let ok = budget.map(|budget| within(ratio.unwrap_or(measured), budget));
        self.rows.push(Row { name: name.to_owned(), measured, limit, ratio, budget, ok });
        self
    }

    /// Prints the table and writes the rows to `<name>.json` in the folder that the environment names as `OUT`,
    /// `target/reports` otherwise; a relative one lies in the checkout. Returns the file.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn write(&self) -> io::Result<PathBuf> {
        print!("{self}");
        let wanted = std::env::var_os("OUT").filter(|out| !out.is_empty());
        let folder = wanted.map_or_else(|| PathBuf::from("target/reports"), PathBuf::from);
        self.write_into(&checkout().join(folder))
    }

    fn write_into(&self, folder: &Path) -> io::Result<PathBuf> {
        fs::create_dir_all(folder)?;
        let file = folder.join(format!("{}.json", self.name));
        fs::write(&file, serde_json::to_vec_pretty(&self.rows)?)?;
        println!("written to {}", file.display());
        Ok(file)
    }
}

/// The directory of the workspace.
pub fn checkout() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or_default();
        writeln!(f, "{:width$}  {:>10}  {:>10}  {:>7}  {:>8}", self.name, "measured", "limit", "ratio", "budget")?;
        for row in &self.rows {
            let mark = if row.ok == Some(false) { "  OVER BUDGET" } else { "" };
            let (limit, ratio, budget) = (cell(row.limit), cell(row.ratio), cell(row.budget));
            let measured = cell(Some(row.measured));
            writeln!(f, "{:width$}  {measured:>10}  {limit:>10}  {ratio:>7}  {budget:>8}{mark}", row.name)?;
        }
        Ok(())
    }
}

/// About four significant digits; a dash where there is nothing.
fn cell(value: Option<f64>) -> String {
    let Some(value) = value else { return "-".to_owned() };
    match value.abs() {
        size if size >= 1_000.0 || value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.3}"),
        _ => format!("{value:.2e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::new("bench");
        report.row("search, ms", 3.0, Some(2.0), Some(1.3)).row("start, s", 0.5, None, Some(1.0));
        report.row_at_least("enrolment, photos/s", 9.5, Some(10.0), Some(0.9)).row("people", 42.0, None, None);
        report.row("push, ms", f64::NAN, None, Some(20.0));
        report
    }

    #[test]
    fn a_row_is_within_its_budget_or_marked() {
        let ok: Vec<_> = report().rows.iter().map(|row| row.ok).collect();
        assert_eq!(ok, [Some(false), Some(true), Some(true), None, Some(false)]);
        let table = report().to_string();
        let marked: Vec<_> = table.lines().filter(|line| line.ends_with("OVER BUDGET")).collect();
        assert!(marked.len() == 2 && marked[0].starts_with("search") && marked[1].starts_with("push"), "{table}");
    }

    #[test]
    fn the_file_holds_every_row_with_null_where_nothing_applies() {
        let folder = tempfile::tempdir().unwrap();
        let file = report().write_into(&folder.path().join("made")).unwrap();
        assert_eq!(file.file_name().unwrap(), "bench.json");
        let rows: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let first = serde_json::json!({"name": "search, ms", "measured": 3.0, "limit": 2.0, "ratio": 1.5,
            "budget": 1.3, "ok": false});
        assert_eq!(rows[0], first);
        assert_eq!((&rows[3]["limit"], &rows[3]["ok"]), (&serde_json::Value::Null, &serde_json::Value::Null));
        assert_eq!(rows[4]["measured"], serde_json::Value::Null);
        assert_eq!(rows.as_array().unwrap().len(), 5);
    }
}
