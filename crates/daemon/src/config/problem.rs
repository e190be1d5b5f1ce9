//! What is wrong with a file, and where.

use std::path::Path;

use super::document::Document;

/// One thing to correct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The key with its section, as `reader.1.device`; empty when the place belongs to no key.
    pub(super) key: String,
    /// From 1; `None` when the file does not have the key.
    pub(super) line: Option<usize>,
    /// What is wrong and what would be right.
    pub(super) why: String,
}

impl Problem {
    /// One line for the operator.
    pub(super) fn line_in(&self, file: &Path) -> String {
        // An entry of a list is identified by its line, not by its number.
        let is_number = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        let names: Vec<_> = self.key.split('.').filter(|name| !is_number(name)).collect();
        let (key, file, why) = (names.join("."), file.display(), self.why.replace('\n', " "));
        match (key.as_str(), self.line) {
            ("", None) => format!("{file}: {why}"),
            ("", Some(line)) => format!("{file} line {line}: {why}"),
            (key, None) => format!("`{key}` in {file}: {why}"),
            (key, Some(line)) => format!("`{key}` in {file} line {line}: {why}"),
        }
    }
}

/// Collects problems with the keys of one file.
pub(crate) struct Problems<'a> {
    document: &'a Document,
    found: Vec<Problem>,
}

impl<'a> Problems<'a> {
    /// Goes on with those that are known.
    pub(super) fn new(document: &'a Document, found: Vec<Problem>) -> Self {
        Self { document, found }
    }

    /// Adds a problem with a key; not when the key has one already, since its default stands in for it then.
    pub(super) fn add(&mut self, key: impl Into<String>, why: impl Into<String>) {
        let key = key.into();
        if self.found.iter().all(|problem| problem.key != key) {
            let line = self.document.line(&key);
            self.found.push(Problem { key, line, why: why.into() });
        }
    }

    /// Adds a problem unless the demand is met.
    pub(super) fn require(&mut self, met: bool, key: &str, why: impl Into<String>) {
        if !met {
            self.add(key, why);
        }
    }

    /// Whether the key has none so far.
    pub(super) fn none_with(&self, key: &str) -> bool {
        self.found.iter().all(|problem| problem.key != key)
    }

    /// All of them, as they follow each other in the file.
    pub(super) fn into_found(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|problem| problem.line.unwrap_or(usize::MAX));
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_key_file_and_line() {
        let problem = |key: &str, line| Problem { key: key.into(), line, why: "must be\ngood".into() };
        let text = |key, line| problem(key, line).line_in(Path::new("a.toml"));
        assert_eq!(text("reader.0.baud", Some(3)), "`reader.baud` in a.toml line 3: must be good");
        assert_eq!(text("", Some(3)), "a.toml line 3: must be good");
        assert_eq!(text("models.dir", None), "`models.dir` in a.toml: must be good");
        assert_eq!(text("", None), "a.toml: must be good");
    }
}
