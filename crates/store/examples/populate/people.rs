//! People that do not exist.

use std::fs;
use std::path::Path;

use domain::ModelId;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rusqlite::{Connection, Transaction, params};
use sha2::{Digest, Sha256};
use store::{Options, Store};

const DIMENSIONS: usize = 512;

/// Adds people with random faces of this model, and a photo file each, to the built-in library.
pub(crate) fn populate(dir: &Path, people: i64, model: &ModelId) {
    drop(Store::open(dir, Options::default()).unwrap());
    let mut database = Connection::open(dir.join("polyface.db")).unwrap();
    database.pragma_update(None, "synchronous", "off").unwrap();
    let first: i64 = database.query_row("SELECT coalesce(max(id), 0) + 1 FROM person", [], |row| row.get(0)).unwrap();
    let transaction = database.transaction().unwrap();
    let mut random = SmallRng::seed_from_u64(first.cast_unsigned());
    for id in first..first + people {
        insert(&transaction, id, &photo(dir, id), model, &face(&mut random));
    }
    transaction.commit().unwrap();
}

fn insert(db: &Transaction<'_>, id: i64, photo: &[u8], model: &ModelId, embedding: &[u8]) {
    let mut person = db
        .prepare_cached(
            "INSERT INTO person (id, code, photo, created_at, updated_at, name, name_folded, document_kind,
                 document_number, phone, email, address, native_place, ethnic_group, remark, category, validity)
             VALUES (?1, 'synthetic ' || ?1, ?2, ?1, ?1, 'name ' || ?1, 'name ' || ?1, '', '', '', '', '', '', '', '',
                 'staff', 'permanent')",
        )
        .unwrap();
    person.execute(params![id, photo]).unwrap();
    let mut template =
        db.prepare_cached("INSERT INTO template (person, model, quality, embedding) VALUES (?, ?, 90, ?)").unwrap();
    template.execute(params![id, &*model.0, embedding]).unwrap();
    let mut member =
        db.prepare_cached("INSERT INTO person_library (library, created_at, person) VALUES (1, ?1, ?1)").unwrap();
    member.execute([id]).unwrap();
}

/// Writes a file as the store names it; returns its hash.
fn photo(dir: &Path, id: i64) -> Vec<u8> {
    let content = format!("no photo of {id}");
    let hash = Sha256::digest(&content);
    let name = hex::encode(hash);
    let fan_out = dir.join("pictures").join(&name[..2]);
    fs::create_dir_all(&fan_out).unwrap();
    fs::write(fan_out.join(name), content).unwrap();
    hash.to_vec()
}

/// A unit vector as it is stored.
fn face(random: &mut SmallRng) -> Vec<u8> {
    let vector: Vec<f32> = (0..DIMENSIONS).map(|_| random.random_range(-1.0..1.0)).collect();
    let length = vector.iter().map(|component| component * component).sum::<f32>().sqrt();
    vector.iter().flat_map(|component| (component / length).to_le_bytes()).collect()
}
