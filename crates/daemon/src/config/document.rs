//! The text of the file: its values, and the line of each key.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Problem;
use super::{keys, shapes};

/// The values of a file and where they stand. Keys are written with their sections, entries of lists with their
/// number from 0: `reader.1.device`.
pub(crate) struct Document {
    values: toml::Table,
    lines: BTreeMap<String, usize>,
}

impl Document {
    /// Reads the text. What is not TOML is a problem, and the key it stands at is left out.
    pub(super) fn parse(text: &str) -> (Self, Vec<Problem>) {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut table = table.into_inner();
        let mut keys = BTreeMap::new();
        note_table("", &table, &mut keys);
        let mut problems = Vec::new();
        for error in errors {
            let span = error.span().unwrap_or(text.len()..text.len());
            let at = span.start;
            let key = key_at(&keys, at).or_else(|| repeated(&keys, text, span)).unwrap_or_default();
            remove_spanned(&mut table, &key);
            problems.push(Problem { key, line: Some(line_at(text, at)), why: error.message().to_owned() });
        }
        let lines = keys.into_iter().map(|(key, span)| (key, line_at(text, span.start))).collect();
        let read = toml::Table::deserialize(toml::de::Deserializer::from(Spanned::new(0..0, table)));
        let values = read.unwrap_or_else(|error| {
            problems.push(Problem { key: String::new(), line: None, why: error.message().to_owned() });
            toml::Table::new()
        });
        (Self { values, lines }, problems)
    }

    /// The line of a key, or of the nearest thing around it.
    pub(super) fn line(&self, key: &str) -> Option<usize> {
        fn around<'a>(key: &&'a str) -> Option<&'a str> {
            key.rsplit_once('.').map(|(around, _)| around)
        }
        std::iter::successors(Some(key), around).find_map(|key| self.lines.get(key).copied())
    }

    /// The values as a type that has a default for each. A value of a wrong type and a key that the type does not have
    /// are problems, and left out.
    pub(super) fn typed<T: DeserializeOwned + Default>(&self) -> (T, Vec<Problem>) {
        let mut values = toml::Value::Table(self.values.clone());
        let mut problems = Vec::new();
        // Each turn takes a value out, so that it ends.
        while let Err(error) = serde_path_to_error::deserialize::<_, T>(values.clone()) {
            let names = names(error.path());
            let key = names.join(".");
            let why = shapes::plain(&key, error.inner().message());
            problems.push(Problem { line: self.line(&key), key, why });
            if !remove(&mut values, &names) {
                return (T::default(), problems);
            }
        }
        let note = |path: serde_ignored::Path<'_>| {
            let key = path.to_string();
            problems.push(Problem { line: self.line(&key), why: keys::unknown(&key), key });
        };
        let read = serde_ignored::deserialize(values, note);
        (read.unwrap_or_default(), problems)
    }
}

fn note_table(around: &str, table: &DeTable<'_>, keys: &mut BTreeMap<String, Range<usize>>) {
    for (name, value) in table {
        let key = if around.is_empty() { name.get_ref().to_string() } else { format!("{around}.{}", name.get_ref()) };
        // The header of a section is before it, its keys are after it: it is not a value that contains them.
        let end = if value.get_ref().is_table() { name.span().end } else { value.span().end };
        keys.insert(key.clone(), name.span().start..end.max(name.span().end));
        note_value(&key, value.get_ref(), keys);
    }
}

fn note_value(key: &str, value: &DeValue<'_>, keys: &mut BTreeMap<String, Range<usize>>) {
    if let Some(table) = value.as_table() {
        note_table(key, table, keys);
    }
    for (entry, number) in value.as_array().into_iter().flatten().zip(0..) {
        let key = format!("{key}.{number}");
        keys.insert(key.clone(), entry.span());
        note_value(&key, entry.get_ref(), keys);
    }
}

/// The innermost key whose name or value is at this place.
fn key_at(keys: &BTreeMap<String, Range<usize>>, at: usize) -> Option<String> {
    let here = keys.iter().filter(|(_, span)| span.start <= at && at <= span.end);
    here.max_by_key(|(key, _)| key.len()).map(|(key, _)| key.clone())
}

/// The key whose name is at this place, when its section has it already and so does not know this place.
fn repeated(keys: &BTreeMap<String, Range<usize>>, text: &str, span: Range<usize>) -> Option<String> {
    let before = keys.iter().filter(|(_, other)| other.start < span.start);
    let (previous, _) = before.max_by_key(|(_, other)| other.start)?;
    let section = previous.rsplit_once('.').map_or("", |(section, _)| section);
    let key = format!("{section}.{}", text.get(span)?);
    keys.contains_key(&key).then_some(key)
}

fn line_at(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// Takes the value of a key out; nothing happens when there is none.
fn remove_spanned(table: &mut DeTable<'_>, key: &str) {
    match key.split_once('.') {
        None => drop(table.remove(key)),
        Some((name, rest)) => {
            if let Some(DeValue::Table(inner)) = table.get_mut(name).map(Spanned::get_mut) {
                remove_spanned(inner, rest);
            }
        }
    }
}

fn names(path: &Path) -> Vec<String> {
    let name = |segment: &Segment| match segment {
        Segment::Map { key } => Some(key.clone()),
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    path.iter().filter_map(name).collect()
}

/// Takes the value at this path out; whether there was one.
fn remove(value: &mut toml::Value, names: &[String]) -> bool {
    let Some((first, rest)) = names.split_first() else { return false };
    let inner = match value {
        toml::Value::Table(table) if rest.is_empty() => return table.remove(first).is_some(),
        toml::Value::Table(table) => table.get_mut(first),
        toml::Value::Array(entries) => {
            let Some(number) = first.parse().ok().filter(|number| *number < entries.len()) else { return false };
            if rest.is_empty() {
                entries.remove(number);
                return true;
            }
            entries.get_mut(number)
        }
        _ => None,
    };
    inner.is_some_and(|inner| remove(inner, rest))
}
