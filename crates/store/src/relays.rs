//! Relays and the cameras they are bound to.

use domain::{CameraId, Error, NewRelay, Relay, RelayId, Thing};
use rusqlite::Connection;

use crate::cameras;
use crate::columns::{self, Reader, text};
use crate::error::Fault;

/// All relays by ascending id.
pub(crate) fn relays(db: &Connection) -> Result<Vec<Relay>, Fault> {
    let mut statement = db.prepare_cached("SELECT id, camera, address, name, tag FROM relay ORDER BY id")?;
    statement.query_and_then([], |row| read(&mut Reader::new(row)))?.collect()
}

pub(crate) fn insert(db: &Connection, new: &NewRelay, limit: u32) -> Result<Relay, Fault> {
    cameras::require(db, new.camera)?;
    let present: u32 = db.prepare_cached("SELECT count(*) FROM relay")?.query_row([], |row| row.get(0))?;
    if present >= limit {
        return Err(Error::LimitReached { what: Thing::Relay }.into());
    }
    let columns = vec![
        ("camera", new.camera.0.into()),
        ("address", text(&new.address.to_string())),
        ("name", text(&new.name)),
        ("tag", text(&new.tag)),
    ];
    let id = RelayId(columns::insert(db, "relay", columns)?);
    let NewRelay { camera, address, name, tag } = new.clone();
    Ok(Relay { id, camera, address, name, tag })
}

pub(crate) fn remove(db: &Connection, id: RelayId) -> Result<(), Fault> {
    let removed = db.prepare_cached("DELETE FROM relay WHERE id = ?")?.execute([id.0])?;
    if removed == 0 { Err(Error::NotFound { what: Thing::Relay }.into()) } else { Ok(()) }
}

fn read(row: &mut Reader<'_>) -> Result<Relay, Fault> {
    Ok(Relay {
        id: RelayId(row.take()?),
        camera: CameraId(row.take()?),
        address: row.parse("relay address")?,
        name: row.take()?,
        tag: row.take()?,
    })
}
