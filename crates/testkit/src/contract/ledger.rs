//! The coverage of a catalogue.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::catalogue::{Catalogue, Code, Operation, Shape, Unreadable, title};
use super::fields::Check;

/// What the catalogue does not state in a machine-readable form.
#[derive(Clone, Copy)]
pub struct Rules {
    /// Returns the kind of an entry, for fields that only some kinds have.
    pub kind_of: fn(&Value) -> Option<&'static str>,
    /// Fields with an attribute object: (last part of the field name, object).
    pub attributes: &'static [(&'static str, &'static str)],
    /// Fields of answers that a decision in the catalogue's text adds: (operation, path).
    pub added: &'static [(&'static str, &'static str)],
    /// Codes that every operation may answer.
    pub common_codes: &'static [i64],
}

impl Rules {
    /// For a catalogue that needs no rules.
    pub const NONE: Self = Self { kind_of: |_| None, attributes: &[], added: &[], common_codes: &[] };
}

/// A part of the catalogue that is not implemented: its title (`515/onvif`) and the reason.
pub type Gap = (&'static str, &'static str);

/// A part of a multipart message: its name and whether it had a file name.
pub type Part<'a> = (&'a str, bool);

/// Records which parts of a catalogue were seen.
pub struct Ledger {
    catalogue: Catalogue,
    rules: Rules,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    operations: BTreeSet<String>,
    events: BTreeSet<String>,
    /// Codes, with the operation whose table they are in, if each has its own.
    codes: BTreeSet<(String, i64)>,
}

/// The faults found; never empty.
type Faults = Result<(), Vec<String>>;

impl Ledger {
    /// Reads the catalogue of this name in `tests/contracts`.
    ///
    /// # Errors
    /// When there is none, or it is not a catalogue.
    pub fn of(catalogue: &str, rules: Rules) -> Result<Self, Unreadable> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/contracts");
        Self::open(&folder.join(catalogue).with_extension("yaml"), rules)
    }

    /// Reads a catalogue.
    ///
    /// # Errors
    /// When the file is missing or not a catalogue.
    pub fn open(path: &Path, rules: Rules) -> Result<Self, Unreadable> {
        Ok(Self { catalogue: Catalogue::load(path)?, rules, seen: Mutex::default() })
    }

    /// The id and the variant of the operation that has this name in the catalogue, as the other functions take them.
    ///
    /// # Panics
    /// When there is none.
    pub fn operation(&self, name: &str) -> (&str, Option<&str>) {
        match self.catalogue.operations.iter().find(|operation| operation.name == name) {
            Some(operation) => (&operation.id, operation.variant.as_deref()),
            None => panic!("the catalogue has no operation that is named {name}"),
        }
    }

    /// Reports a successful answer; `data` is its payload, `None` for a file.
    ///
    /// # Errors
    /// All deviations of the payload from the catalogue.
    pub fn answer(&self, id: &str, variant: Option<&str>, data: Option<&Value>) -> Faults {
        let title = title(id, variant);
        let Some(operation) = self.catalogue.operation(id, variant) else {
            return Err(vec![format!("the catalogue has no operation {title}")]);
        };
        self.seen().operations.insert(title);
        let mut check = self.check();
        if let Some(shape) = operation.data_shape {
            check.shape(shape, data);
        }
        if let Some(data) = data.filter(|_| operation.data_shape != Some(Shape::Empty)) {
            check.of(id).fields(&operation.response, data);
        }
        into_result(check.faults)
    }

    /// Reports a refusal. Its text must be that of the table, optionally followed by a colon and more.
    ///
    /// # Errors
    /// When the code is not in the table, the text differs, or the operation does not list the code.
    pub fn refusal(&self, id: &str, variant: Option<&str>, code: i64, text: &str) -> Faults {
        let mut faults = Vec::new();
        match self.catalogue.errors.iter().find(|row| row.code == code && row.is_of(id) && !row.is_item()) {
            Some(row) if matches_table_text(text, row.text()) => {
                self.note_code(row, id);
            }
            Some(row) => faults.push(format!("{code} says {text:?}, not {:?}", row.text())),
            None => faults.push(format!("{code} is not in the table")),
        }
        let common = &self.catalogue.common_errors;
        let own = self.catalogue.operation(id, variant).map_or(&[][..], |operation| &operation.errors);
        let listed = own.iter().chain(common).any(|possible| possible.code == Some(code));
        if !listed && !self.rules.common_codes.contains(&code) {
            faults.push(format!("{} does not list {code}", title(id, variant)));
        }
        into_result(faults)
    }

    /// Whether the table of errors has a line for this operation.
    pub fn has_table(&self, id: &str) -> bool {
        self.catalogue.errors.iter().any(|row| row.is_of(id))
    }

    /// Reports the code of one entry of a list.
    ///
    /// # Errors
    /// When the operation's table has no such code for an entry.
    pub fn item(&self, id: &str, code: i64) -> Faults {
        match self.catalogue.errors.iter().find(|row| row.code == code && row.is_of(id) && row.is_item()) {
            Some(row) if !row.reserved => {
                self.seen().codes.insert((format!("{id} item"), row.code));
                Ok(())
            }
            Some(_) | None => Err(vec![format!("{id} has no code {code} for an entry")]),
        }
    }

    fn note_code(&self, row: &Code, id: &str) {
        let table = if row.operators.is_empty() { String::new() } else { id.to_owned() };
        self.seen().codes.insert((table, row.code));
    }

    /// Reports a message that the device has sent on its own.
    ///
    /// # Errors
    /// All deviations of the message from the catalogue.
    pub fn event(&self, id: &str, message: &Value, parts: &[Part<'_>]) -> Faults {
        let Some(event) = self.catalogue.events.iter().find(|event| event.id == id) else {
            return Err(vec![format!("the catalogue has no event {id}")]);
        };
        self.seen().events.insert(id.to_owned());
        let mut check = self.check();
        check.fields(&event.fields, message);
        let mut faults = check.faults;
        for (name, filename) in parts {
            match event.parts.iter().find(|rule| rule.name == *name) {
                Some(rule) if rule.filename == *filename => {}
                Some(_) => faults.push(format!("part {name}: file name = {filename}")),
                None => faults.push(format!("part {name} is not in the catalogue")),
            }
        }
        let missing =
            event.parts.iter().filter(|rule| rule.always && !parts.iter().any(|(name, _)| *name == rule.name));
        faults.extend(missing.map(|rule| format!("part {} is missing", rule.name)));
        into_result(faults)
    }

    fn check(&self) -> Check<'_> {
        Check { catalogue: &self.catalogue, rules: &self.rules, added: Vec::new(), faults: Vec::new() }
    }

    /// The coverage: `sensetime 27/78 operations, 3/3 events, 21/46 codes`.
    ///
    /// # Errors
    /// Operations and events that were neither seen nor are known gaps, and known gaps that were seen or do not exist.
    pub fn coverage(&self, gaps: &[Gap]) -> Result<String, Vec<String>> {
        let seen = self.seen();
        let operations: BTreeSet<_> = self.catalogue.operations.iter().map(Operation::title).collect();
        let events: BTreeSet<_> = self.catalogue.events.iter().map(|event| event.id.clone()).collect();
        let played: BTreeSet<_> = seen.operations.union(&seen.events).cloned().collect();
        let mut faults = Vec::new();
        for title in operations.union(&events) {
            match (played.contains(title), gaps.iter().any(|(gap, _)| gap == title)) {
                (false, false) => faults.push(format!("{title} has no scenario")),
                (true, true) => faults.push(format!("{title} is no gap any more")),
                (true, false) | (false, true) => {}
            }
        }
        let unknown = gaps.iter().filter(|(gap, _)| !operations.contains(*gap) && !events.contains(*gap));
        faults.extend(unknown.map(|(gap, _)| format!("the gap {gap} is not in the catalogue")));
        let share = |seen: usize, all: usize| format!("{seen}/{all}");
        let operations = share(seen.operations.len(), operations.len());
        let events = share(seen.events.len(), events.len());
        let codes = share(seen.codes.len(), self.catalogue.errors.iter().filter(|row| !row.reserved).count());
        let counts = format!("{} {operations} operations, {events} events, {codes} codes", self.catalogue.protocol);
        into_result(faults).map(|()| counts)
    }

    /// The codes that were never seen: `PushAck 468`, or `AddPersons item 469` for an entry of a list.
    pub fn unprovoked(&self) -> Vec<String> {
        let seen = self.seen();
        let was_seen = |table: &str, code| seen.codes.contains(&(table.to_owned(), code));
        let mut unprovoked = Vec::new();
        for row in self.catalogue.errors.iter().filter(|row| !row.reserved) {
            let scope = if row.is_item() { " item" } else { "" };
            let tables: Vec<_> = row.operators.iter().map(|operator| format!("{operator}{scope}")).collect();
            if tables.is_empty() && !was_seen("", row.code) {
                unprovoked.push(row.code.to_string());
            }
            let of_table = tables.iter().filter(|table| !was_seen(table, row.code));
            unprovoked.extend(of_table.map(|table| format!("{table} {}", row.code)));
        }
        unprovoked
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn into_result(faults: Vec<String>) -> Faults {
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Whether this is the table's text, optionally followed by a colon and more. In the table, `xxx` and `yyy` match any
/// text, and `<` starts a placeholder for the rest.
fn matches_table_text(text: &str, wanted: &str) -> bool {
    if let Some((fixed, _)) = wanted.split_once('<') {
        return text.len() > fixed.len() && text.starts_with(fixed);
    }
    let wanted = wanted.replace("yyy", "xxx");
    let mut parts = wanted.split("xxx");
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    for part in parts {
        let Some(place) = rest.find(part) else { return false };
        rest = &rest[place + part.len()..];
    }
    rest.is_empty() || rest.starts_with(": ")
}
