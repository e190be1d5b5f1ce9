//! Permission groups, and the cameras that are reserved for them.

use std::collections::{BTreeMap, BTreeSet};

use domain::{CameraId, Error, PermissionGroup, PersonId, Thing};
use rusqlite::{Connection, params};

use crate::error::Fault;

/// All permission groups in order of creation.
pub(crate) fn groups(db: &Connection) -> Result<Vec<PermissionGroup>, Fault> {
    let mut statement =
        db.prepare_cached("SELECT id, name, description, note FROM permission_group ORDER BY position")?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(PermissionGroup { id: row.get(0)?, name: row.get(1)?, description: row.get(2)?, note: row.get(3)? })
    };
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

pub(crate) fn insert(db: &Connection, group: &PermissionGroup, limit: u32) -> Result<(), Fault> {
    let PermissionGroup { id, name, description, note } = group;
    if db.prepare_cached("SELECT 1 FROM permission_group WHERE id = ? OR name = ?")?.exists([id, name])? {
        return Err(taken());
    }
    let present: u32 = db.prepare_cached("SELECT count(*) FROM permission_group")?.query_row([], |row| row.get(0))?;
    if present >= limit {
        return Err(Error::LimitReached { what: Thing::PermissionGroup }.into());
    }
    db.prepare_cached("INSERT INTO permission_group (id, name, description, note) VALUES (?, ?, ?, ?)")?
        .execute(params![id, name, description, note])?;
    Ok(())
}

pub(crate) fn update(db: &Connection, group: &PermissionGroup) -> Result<(), Fault> {
    let PermissionGroup { id, name, description, note } = group;
    if db.prepare_cached("SELECT 1 FROM permission_group WHERE name = ? AND id <> ?")?.exists([name, id])? {
        return Err(taken());
    }
    let changed = db
        .prepare_cached("UPDATE permission_group SET name = ?, description = ?, note = ? WHERE id = ?")?
        .execute(params![name, description, note, id])?;
    if changed == 0 { Err(missing()) } else { Ok(()) }
}

/// Removes a group, also from its people; returns them. Cameras stay reserved for it.
pub(crate) fn remove(db: &Connection, id: &str) -> Result<Vec<PersonId>, Fault> {
    if db.prepare_cached("DELETE FROM permission_group WHERE id = ?")?.execute([id])? == 0 {
        return Err(missing());
    }
    let mut statement = db.prepare_cached("SELECT DISTINCT person FROM person_permission_group WHERE name = ?")?;
    let people = statement.query_map([id], |row| row.get(0).map(PersonId))?.collect::<Result<_, _>>()?;
    db.prepare_cached("DELETE FROM person_permission_group WHERE name = ?")?.execute([id])?;
    Ok(people)
}

/// Reserves a camera for these groups, in place of those before.
pub(crate) fn reserve(db: &Connection, camera: CameraId, groups: &BTreeSet<String>) -> Result<(), Fault> {
    db.prepare_cached("DELETE FROM camera_permission_group WHERE camera = ?")?.execute([camera.0])?;
    for group in groups {
        db.prepare_cached("INSERT INTO camera_permission_group (camera, permission_group) VALUES (?, ?)")?
            .execute(params![camera.0, group])?;
    }
    Ok(())
}

/// The groups that each camera is reserved for; cameras without any are left out.
pub(crate) fn reserved(db: &Connection) -> Result<BTreeMap<CameraId, BTreeSet<String>>, Fault> {
    let mut statement = db.prepare_cached("SELECT camera, permission_group FROM camera_permission_group")?;
    let mut all: BTreeMap<CameraId, BTreeSet<String>> = BTreeMap::new();
    for row in statement.query_map([], |row| Ok((CameraId(row.get(0)?), row.get(1)?)))? {
        let (camera, group) = row?;
        all.entry(camera).or_default().insert(group);
    }
    Ok(all)
}

fn taken() -> Fault {
    Error::AlreadyExists { what: Thing::PermissionGroup }.into()
}

fn missing() -> Fault {
    Error::NotFound { what: Thing::PermissionGroup }.into()
}
