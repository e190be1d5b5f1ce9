//! Conversion between Rust values and columns.

use std::str::FromStr;

use domain::geometry::Rect;
use domain::{Embedding, ModelId, PictureId, Timestamp};
use rusqlite::types::{FromSql, Value};
use rusqlite::{Connection, Row, params_from_iter};

use crate::error::Fault;
use crate::seal::{Fields, Keys, Place};
use crate::words::Word;

/// Columns to write: names and values.
pub(crate) type Columns = Vec<(&'static str, Value)>;

/// Inserts a row and returns its rowid.
pub(crate) fn insert(db: &Connection, table: &str, columns: Columns) -> rusqlite::Result<i64> {
    let (names, values): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    let marks = vec!["?"; names.len()].join(", ");
    let sql = format!("INSERT INTO {table} ({}) VALUES ({marks})", names.join(", "));
    db.prepare_cached(&sql)?.insert(params_from_iter(values))
}

/// Updates the row with this id; `false` when there is none.
pub(crate) fn update(db: &Connection, table: &str, id: i64, columns: Columns) -> rusqlite::Result<bool> {
    let (names, mut values): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    values.push(id.into());
    let sql = format!("UPDATE {table} SET {} = ? WHERE id = ?", names.join(" = ?, "));
    Ok(db.prepare_cached(&sql)?.execute(params_from_iter(values))? == 1)
}

/// A text value.
pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// The value of an enumeration.
pub(crate) fn word(value: &impl Word) -> Value {
    text(value.word())
}

/// An optional value; `None` is NULL.
pub(crate) fn optional<T>(value: Option<T>, column: impl FnOnce(T) -> Value) -> Value {
    value.map_or(Value::Null, column)
}

/// A float value. NaN, which SQLite cannot store, becomes 0.
pub(crate) fn real(number: f32) -> Value {
    Value::Real(if number.is_nan() { 0.0 } else { f64::from(number) })
}

/// An integer value, saturating at 2^63-1.
pub(crate) fn whole(number: impl TryInto<i64>) -> Value {
    Value::Integer(number.try_into().unwrap_or(i64::MAX))
}

/// A time, milliseconds since 1970.
pub(crate) fn time(at: Timestamp) -> Value {
    Value::Integer(at.as_millis())
}

/// A picture id, as the bytes of its hash.
pub(crate) fn picture(id: &PictureId) -> Value {
    // The id is hexadecimal by construction.
    Value::Blob(hex::decode(id.as_str()).unwrap_or_default())
}

/// A vector, as little-endian floats.
pub(crate) fn vector(numbers: &[f32]) -> Value {
    Value::Blob(vector_bytes(numbers))
}

/// A vector, as little-endian floats.
pub(crate) fn vector_bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// An embedding, sealed for this row of a table.
pub(crate) fn embedding(keys: &Keys, place: Place<'_>, embedding: &Embedding) -> Value {
    Value::Blob(keys.seal(place.part(&embedding.model().0), &vector_bytes(embedding.vector())))
}

fn numbers(bytes: &[u8]) -> Result<Vec<f32>, Fault> {
    let (numbers, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err(Fault::Corrupt("vector"));
    }
    Ok(numbers.iter().map(|number| f32::from_le_bytes(*number)).collect())
}

/// Reads the columns of a result row from left to right.
pub(crate) struct Reader<'r> {
    row: &'r Row<'r>,
    next: usize,
}

impl<'r> Reader<'r> {
    pub(crate) fn new(row: &'r Row<'r>) -> Self {
        Self { row, next: 0 }
    }

    /// The next column.
    pub(crate) fn take<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        self.next += 1;
        self.row.get(self.next - 1)
    }

    /// The next column as text; NULL is empty.
    pub(crate) fn text_or_empty(&mut self) -> rusqlite::Result<String> {
        self.take::<Option<String>>().map(Option::unwrap_or_default)
    }

    /// Opens the next column.
    pub(crate) fn open(&mut self, keys: &Keys, place: Place<'_>) -> Result<Vec<u8>, Fault> {
        self.open_optional(keys, place)?.ok_or(Fault::Corrupt("sealed value"))
    }

    /// Opens the next column; `None` for NULL.
    pub(crate) fn open_optional(&mut self, keys: &Keys, place: Place<'_>) -> Result<Option<Vec<u8>>, Fault> {
        let sealed = self.row.get_ref(self.next)?.as_blob_or_null().map_err(|_| Fault::Corrupt("sealed value"))?;
        self.next += 1;
        sealed.map(|sealed| keys.open(place, sealed)).transpose()
    }

    /// Opens the next column as a text.
    pub(crate) fn open_text(&mut self, keys: &Keys, place: Place<'_>) -> Result<String, Fault> {
        String::from_utf8(self.open(keys, place)?).map_err(|_| Fault::Corrupt("sealed text"))
    }

    /// Opens the next column as the texts of a row.
    pub(crate) fn fields(&mut self, keys: &Keys, place: Place<'_>) -> Result<Fields, Fault> {
        Fields::read(&self.open(keys, place)?)
    }

    /// Skips columns.
    pub(crate) fn skip(&mut self, columns: usize) {
        self.next += columns;
    }

    /// Parses the next column's text.
    pub(crate) fn parse<T: FromStr>(&mut self, what: &'static str) -> Result<T, Fault> {
        self.parse_optional(what)?.ok_or(Fault::Corrupt(what))
    }

    /// Parses the next column's text; `None` for NULL.
    pub(crate) fn parse_optional<T: FromStr>(&mut self, what: &'static str) -> Result<Option<T>, Fault> {
        let text = self.row.get_ref(self.next)?.as_str_or_null().map_err(|_| Fault::Corrupt(what))?;
        self.next += 1;
        text.map(|text| text.parse().map_err(|_| Fault::Corrupt(what))).transpose()
    }

    pub(crate) fn word<T: Word>(&mut self) -> Result<T, Fault> {
        self.word_optional()?.ok_or(Fault::Corrupt(T::WHAT))
    }

    pub(crate) fn word_optional<T: Word>(&mut self) -> Result<Option<T>, Fault> {
        let text = self.row.get_ref(self.next)?.as_str_or_null().map_err(|_| Fault::Corrupt(T::WHAT))?;
        self.next += 1;
        text.map(|text| T::from_word(text).ok_or(Fault::Corrupt(T::WHAT))).transpose()
    }

    pub(crate) fn time(&mut self) -> rusqlite::Result<Timestamp> {
        self.take().map(Timestamp::from_millis)
    }

    pub(crate) fn picture(&mut self) -> Result<PictureId, Fault> {
        self.picture_optional()?.ok_or(Fault::Corrupt("picture id"))
    }

    pub(crate) fn picture_optional(&mut self) -> Result<Option<PictureId>, Fault> {
        let hash = self.row.get_ref(self.next)?.as_blob_or_null().map_err(|_| Fault::Corrupt("picture id"))?;
        self.next += 1;
        hash.map(|hash| hex::encode(hash).parse().map_err(|_| Fault::Corrupt("picture id"))).transpose()
    }

    pub(crate) fn vector(&mut self) -> Result<Vec<f32>, Fault> {
        let bytes = self.row.get_ref(self.next)?.as_blob().map_err(|_| Fault::Corrupt("vector"))?;
        self.next += 1;
        numbers(bytes)
    }

    /// Two columns: model and sealed vector, of this row of the table.
    pub(crate) fn embedding(&mut self, keys: &Keys, place: Place<'_>) -> Result<Embedding, Fault> {
        let model = ModelId(self.take::<String>()?.into());
        self.embedding_of(&model, keys, place)
    }

    /// The next column as an embedding of this model, sealed for this row of the table.
    pub(crate) fn embedding_of(&mut self, model: &ModelId, keys: &Keys, place: Place<'_>) -> Result<Embedding, Fault> {
        let vector = numbers(&self.open(keys, place.part(&model.0))?)?;
        Embedding::restored(model.clone(), vector).map_err(|_| Fault::Corrupt("embedding"))
    }

    /// Four columns: left, top, right, bottom.
    pub(crate) fn rect(&mut self) -> rusqlite::Result<Rect> {
        Ok(Rect { left: self.take()?, top: self.take()?, right: self.take()?, bottom: self.take()? })
    }
}
