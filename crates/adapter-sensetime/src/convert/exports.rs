//! Exports: pictures, and a table whose columns are the fields of the queries.

use adapter::Cell;
use domain::{Act, LibraryId, ObjectCapture, Person, PictureId, Record};
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::Value;

use super::{batches, bodies, people, records};

/// A kind of export.
pub(crate) struct ExportKind {
    /// The beginning of its file names.
    pub(crate) name: &'static str,
    /// The act that the audit log names.
    pub(crate) act: Act,
    /// The columns of its table.
    pub(crate) columns: &'static [&'static str],
}

/// Enrolled faces.
pub(crate) const FACES: ExportKind = ExportKind {
    name: "face",
    act: Act::PEOPLE_EXPORT,
    columns: &[
        "img_id",
        "lib_id",
        "person_name",
        "person_idcard",
        "person_gender",
        "person_age",
        "person_addr",
        "create_time",
    ],
};

/// Captures.
pub(crate) const SNAPS: ExportKind = ExportKind {
    name: "catch",
    act: Act::RECORDS_EXPORT,
    columns: &[
        "snap_id",
        "trigger",
        "channel",
        "camera_name",
        "position",
        "similarity",
        "threshold",
        "lib_id",
        "lib_name",
        "lib_type",
        "gender_code",
        "st_age",
        "st_age_value",
        "st_expression",
        "glass_style",
        "mustache_style",
        "respirator_color",
        "cap_style",
    ],
};

/// Captures that reached the threshold.
pub(crate) const ALARMS: ExportKind = ExportKind {
    name: "alarm",
    act: Act::RECORDS_EXPORT,
    columns: &[
        "snap_id",
        "trigger",
        "channel",
        "camera_name",
        "position",
        "similarity",
        "threshold",
        "lib_id",
        "lib_name",
        "lib_type",
        "img_id",
        "person_name",
        "person_idcard",
        "person_gender",
        "person_age",
        "person_addr",
        "create_time",
        "gender_code",
        "st_age",
        "st_age_value",
        "st_expression",
        "glass_style",
        "mustache_style",
        "respirator_color",
        "cap_style",
    ],
};

/// Captures of bodies.
pub(crate) const BODIES: ExportKind = ExportKind {
    name: "body",
    act: Act::RECORDS_EXPORT,
    columns: &["snap_id", "trigger", "channel", "camera_name", "position", "quality"],
};

/// A picture to be exported.
pub(crate) struct Item {
    /// The caller's id: `img_id` or `snap_id`.
    pub(crate) id: String,
    /// The file name, without the extension.
    pub(crate) stem: String,
    pub(crate) picture: PictureId,
    /// The cells of its kind's columns.
    pub(crate) row: Vec<Cell>,
}

/// A face, as a member of `library`.
pub(crate) fn face(person: Person, library: LibraryId, zone: &TimeZone) -> Item {
    let (id, stem, picture) = (person.code.as_str().to_owned(), batches::stem(&person), person.photo.clone());
    Item { id, stem, picture, row: cells(&people::row(person, library, "", zone), FACES.columns) }
}

/// A capture.
pub(crate) fn snap(record: &Record, zone: &TimeZone) -> Item {
    captured(record, cells(&records::snap(record, zone), SNAPS.columns))
}

/// An alarm.
pub(crate) fn alarm(record: &Record, zone: &TimeZone) -> Item {
    captured(record, cells(&records::alarm(record, "", zone), ALARMS.columns))
}

/// A capture of a body.
pub(crate) fn body(body: &ObjectCapture, zone: &TimeZone) -> Item {
    let id = body.behaviour.id.to_string();
    let row = cells(&bodies::snap(body, zone), BODIES.columns);
    Item { stem: id.clone(), id, picture: body.behaviour.crop.clone(), row }
}

fn captured(record: &Record, row: Vec<Cell>) -> Item {
    let id = record.capture.id.to_string();
    Item { stem: id.clone(), id, picture: record.capture.crop.clone(), row }
}

/// The fields of a row by name, including those of nested objects.
fn cells(row: &impl Serialize, columns: &[&str]) -> Vec<Cell> {
    // Rows are structs of plain values, which can always be written.
    let row = serde_json::to_value(row).unwrap_or_default();
    let inner = |name: &str| row.as_object()?.values().find_map(|value| value.get(name));
    let cell = |name: &&str| match row.get(name).or_else(|| inner(name)) {
        Some(Value::String(text)) => Cell::text(text),
        Some(Value::Number(number)) => number.as_i64().map_or_else(|| Cell::text(number.to_string()), Cell::Number),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => Cell::text(""),
    };
    columns.iter().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_has_a_cell_for_every_column_wherever_the_field_is() {
        let row = json!({"snap_id": "a", "similarity": -1, "face_attr": {"st_age": "st_adult"}, "list": [1]});
        let columns = ["st_age", "snap_id", "similarity", "missing", "list"];
        let expected = [Cell::text("st_adult"), Cell::text("a"), Cell::Number(-1), Cell::text(""), Cell::text("")];
        assert_eq!(cells(&row, &columns), expected);
    }
}
