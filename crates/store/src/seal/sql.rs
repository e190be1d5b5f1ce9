//! Functions in SQL, for the migration that seals and for tools that fill a store.
//!
//! | function | result |
//! |---|---|
//! | `sealed(table, row, part, content)` | the content, text or blob, sealed for this place; NULL stays NULL |
//! | `opened(table, row, part, sealed)` | the content as a blob |
//! | `fields(text, …)` | several texts as one content; NULL is empty |
//! | `keyed(kind, value)` | the keyed hash of a value that is looked up; NULL stays NULL |

use std::sync::Arc;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result};

use super::{Keys, Place, pack};

pub(crate) fn add_functions(connection: &Connection, keys: &Arc<Keys>) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    let sealing = Arc::clone(keys);
    connection.create_scalar_function("sealed", 4, flags, move |call| {
        on_value(call, |place, content| Ok(sealing.seal(place, content)))
    })?;
    let opening = Arc::clone(keys);
    connection.create_scalar_function("opened", 4, flags, move |call| {
        on_value(call, |place, sealed| {
            opening.open(place, sealed).map_err(|fault| Error::UserFunctionError(fault.into()))
        })
    })?;
    connection.create_scalar_function("fields", -1, flags, |call| {
        let texts = (0..call.len()).map(|n| call.get::<Option<String>>(n)).collect::<Result<Vec<_>>>()?;
        Ok(pack(&texts.iter().map(|text| text.as_deref().unwrap_or_default()).collect::<Vec<_>>()))
    })?;
    let hashing = Arc::clone(keys);
    connection.create_scalar_function("keyed", 2, flags, move |call| {
        let kind = call.get::<String>(0)?;
        Ok(bytes(call.get_raw(1))?.map(|value| hashing.hash(&kind, value).to_vec()))
    })
}

fn on_value(call: &Context<'_>, work: impl Fn(Place<'_>, &[u8]) -> Result<Vec<u8>>) -> Result<Option<Vec<u8>>> {
    let (table, row, part) = (call.get::<String>(0)?, call.get(1)?, call.get::<String>(2)?);
    let content = bytes(call.get_raw(3))?;
    content.map(|content| work(Place::new(&table, row).part(&part), content)).transpose()
}

fn bytes(value: ValueRef<'_>) -> Result<Option<&[u8]>> {
    match value {
        ValueRef::Null => Ok(None),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Ok(Some(bytes)),
        other => Err(Error::InvalidFunctionParameterType(3, other.data_type())),
    }
}
