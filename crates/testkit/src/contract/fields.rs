//! Checks a JSON value against the fields of the catalogue.

use serde_json::Value;

use super::catalogue::{Attribute, Catalogue, Field, Shape};
use super::ledger::Rules;

/// Checks a value and collects its faults.
pub(super) struct Check<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) rules: &'a Rules,
    /// Paths that are allowed beside those of the catalogue.
    pub(super) added: Vec<&'static str>,
    pub(super) faults: Vec<String>,
}

impl Check<'_> {
    /// Allows what is added to the answers of this operation.
    pub(super) fn of(&mut self, operation: &str) -> &mut Self {
        self.added = self.rules.added.iter().filter(|(id, _)| *id == operation).map(|(_, path)| *path).collect();
        self
    }

    /// Checks the type of a payload.
    pub(super) fn shape(&mut self, shape: Shape, data: Option<&Value>) {
        let fits = match (shape, data) {
            (Shape::Object, Some(data)) => data.is_object(),
            (Shape::List, Some(data)) => data.is_array(),
            (Shape::String, Some(data)) => data.is_string(),
            (Shape::Empty, Some(data)) => data == "",
            (Shape::Absent | Shape::Bytes, data) => data.is_none(),
            (Shape::Object | Shape::List | Shape::String | Shape::Empty, None) => false,
        };
        if !fits {
            self.faults.push(format!("the payload is not {shape:?}"));
        }
    }

    /// Checks all fields of a value: listed ones must be present with their types, others must not.
    pub(super) fn fields(&mut self, fields: &[Field], value: &Value) {
        // A message without fields.
        if fields.is_empty() && value.as_object().is_some_and(serde_json::Map::is_empty) {
            return;
        }
        self.visit(fields, "", value, value);
    }

    /// Checks the value at `path`; `parent` is the object that holds it.
    fn visit(&mut self, fields: &[Field], path: &str, value: &Value, parent: &Value) {
        if let Some(field) = fields.iter().find(|field| field.name == path) {
            self.field(field, value, parent);
            if field.no_match.as_ref().is_some_and(|absent| absent == value) {
                return;
            }
            // The catalogue does not list the content of some lists and objects.
            if is_opaque(&field.kind) && !fields.iter().any(|other| other.name != path && is_below(&other.name, path)) {
                return;
            }
        } else if self.added.contains(&path) {
            return;
        } else if !fields.iter().any(|field| is_below(&field.name, path)) {
            return self.faults.push(format!("{path} is not in the catalogue"));
        }
        match value {
            Value::Array(entries) => {
                entries.iter().for_each(|entry| self.visit(fields, &format!("{path}[]"), entry, entry));
            }
            Value::Object(_) => self.members(fields, path, value),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn members(&mut self, fields: &[Field], path: &str, value: &Value) {
        let Some(object) = value.as_object() else { return };
        let listed: Vec<_> = fields.iter().filter_map(|f| Some((child_of(&f.name, path)?, f))).collect();
        if let (true, Some(attributes)) = (listed.is_empty(), self.attributes_at(path)) {
            return self.attributes(path, attributes, value);
        }
        for (key, member) in object {
            self.visit(fields, &join(path, key), member, value);
        }
        // An empty object means that nothing was found.
        for (key, field) in listed.into_iter().filter(|_| !object.is_empty() || path.is_empty()) {
            if !object.contains_key(key) && field.always && self.belongs(field, value) {
                self.faults.push(format!("{} is missing", field.name));
            }
        }
    }

    fn field(&mut self, field: &Field, value: &Value, parent: &Value) {
        if !self.belongs(field, parent) {
            self.faults.push(format!("{} does not belong to this kind of entry", field.name));
        }
        let fits = match field.kind.as_str() {
            // Of a file, any text stands for the content.
            "string" | "text" | "base64" | "file" => value.is_string(),
            "int" | "integer" | "long" => value.is_i64() || value.is_u64(),
            "double" | "number" => value.is_number(),
            "bool" | "boolean" => value.is_boolean(),
            "json" => value.is_object(),
            // The type of the list, where it is written at its entries.
            "list" if field.name.ends_with("[]") => true,
            "json list" | "object[]" | "array" | "array of string" | "list" => value.is_array(),
            "integer[]" => entries(value).is_some_and(|all| all.iter().all(|entry| entry.is_i64() || entry.is_u64())),
            "string[]" => entries(value).is_some_and(|all| all.iter().all(Value::is_string)),
            "object" | "dict" => value.is_object(),
            "list of string" => entries(value).is_some_and(|all| all.iter().all(Value::is_string)),
            "list of 4 int" => entries(value).is_some_and(|all| all.len() == 4 && all.iter().all(Value::is_i64)),
            "list of 3 bool" => entries(value).is_some_and(|all| all.len() == 3 && all.iter().all(Value::is_boolean)),
            "float" => value.is_number(),
            "any" => true,
            "string(int)" | "string(unsigned int)" => text(value).is_some_and(|text| text.parse::<i64>().is_ok()),
            "string(double)" | "string(float)" => text(value).is_some_and(|text| text.parse::<f64>().is_ok()),
            other => return self.faults.push(format!("the type {other} of {} is unknown", field.name)),
        };
        if !fits && field.no_match.as_ref() != Some(value) {
            self.faults.push(format!("{} is not of type {}", field.name, field.kind));
        }
    }

    fn belongs(&self, field: &Field, parent: &Value) -> bool {
        let kind = (self.rules.kind_of)(parent);
        field.kinds.as_ref().is_none_or(|kinds| kind.is_some_and(|kind| kinds.iter().any(|k| k == kind)))
    }

    fn attributes_at(&self, path: &str) -> Option<&'static str> {
        let key = path.rsplit('.').next().unwrap_or(path).trim_end_matches("[]");
        self.rules.attributes.iter().find(|(field, _)| *field == key).map(|(_, object)| *object)
    }

    fn attributes(&mut self, path: &str, object: &str, value: &Value) {
        let catalogue = self.catalogue;
        let (Some(listed), Some(members)) = (catalogue.attribute_objects.get(object), value.as_object()) else {
            return self.faults.push(format!("{path}: the catalogue has no {object}"));
        };
        for key in members.keys().filter(|key| !listed.iter().any(|a| a.key == **key)) {
            self.faults.push(format!("{path}.{key} is not in the catalogue"));
        }
        for attribute in listed {
            match members.get(&attribute.key) {
                Some(value) => self.attribute(path, attribute, value),
                None if attribute.always => self.faults.push(format!("{path}.{} is missing", attribute.key)),
                None => {}
            }
        }
    }

    fn attribute(&mut self, path: &str, attribute: &Attribute, value: &Value) {
        let values = attribute.values.as_ref().and_then(|name| self.catalogue.enums.get(name));
        let listed = |values: &serde_norway::Value| {
            values.as_sequence().is_some_and(|values| values.iter().any(|listed| listed.as_str() == value.as_str()))
        };
        if !value.is_string() || values.is_some_and(|values| !listed(values)) {
            self.faults.push(format!("{path}.{} has a value that is not in the catalogue", attribute.key));
        }
    }
}

fn is_opaque(kind: &str) -> bool {
    matches!(kind, "array" | "array of string" | "integer[]" | "string[]" | "object" | "dict")
        || kind.starts_with("list")
}

fn entries(value: &Value) -> Option<&Vec<Value>> {
    value.as_array()
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Whether a field is below the path.
fn is_below(name: &str, path: &str) -> bool {
    path.is_empty() || name.strip_prefix(path).is_some_and(|rest| rest.starts_with('.') || rest.starts_with("[]"))
}

/// The key of a field that is a direct member of the object at the path.
fn child_of<'f>(name: &'f str, path: &str) -> Option<&'f str> {
    let rest = if path.is_empty() { name } else { name.strip_prefix(path)?.strip_prefix('.')? };
    (!rest.is_empty() && !rest.contains(['.', '['])).then_some(rest)
}
