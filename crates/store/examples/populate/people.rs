//! People that do not exist.

use std::fs;
use std::path::Path;

use domain::ModelId;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rusqlite::{Connection, Transaction, params};
use sha2::{Digest, Sha256};
use store::{Options, Store, StoreKey};

const DIMENSIONS: usize = 512;

/// Adds people with random faces of this model, and a photo file each, to the built-in library.
pub(crate) fn populate(dir: &Path, people: i64, model: &ModelId) {
    let key = key(dir);
    drop(Store::open(dir, &key, Options::default()).unwrap());
    let mut database = Connection::open(dir.join("polyface.db")).unwrap();
    store::add_functions(&database, dir, &key).unwrap();
    database.pragma_update(None, "synchronous", "off").unwrap();
    let first: i64 = database.query_row("SELECT coalesce(max(id), 0) + 1 FROM person", [], |row| row.get(0)).unwrap();
    let transaction = database.transaction().unwrap();
    let mut random = SmallRng::seed_from_u64(first.cast_unsigned());
    for id in first..first + people {
        insert(&transaction, id, &photo(&transaction, dir, id), model, &face(&mut random));
    }
    transaction.commit().unwrap();
}

/// The key file beside the directory, as the daemon makes it; a key of its own when there is none.
pub(crate) fn key(dir: &Path) -> StoreKey {
    let file = dir.with_added_extension("key");
    fs::read(file).map_or_else(|_| StoreKey::new([7; 32]), |content| StoreKey::parse(&content).unwrap())
}

fn insert(db: &Transaction<'_>, id: i64, photo: &[u8], model: &ModelId, embedding: &[u8]) {
    let mut person = db
        .prepare_cached(
            "INSERT INTO person (id, code_key, photo, created_at, updated_at, name_key, document_key, address_key,
                 category, validity, enrolment, sealed)
             VALUES (?1, keyed('code', 'synthetic ' || ?1), ?2, ?1, ?1, keyed('name', 'name ' || ?1),
                 keyed('document', ''), keyed('address', ''), 'staff', 'permanent', 'enrolled',
                 sealed('person', ?1, '', fields('synthetic ' || ?1, 'name ' || ?1)))",
        )
        .unwrap();
    person.execute(params![id, photo]).unwrap();
    let mut template = db
        .prepare_cached(
            "INSERT INTO template (person, model, quality, embedding)
                 VALUES (?1, ?2, 90, sealed('template', ?1, ?2, ?3))",
        )
        .unwrap();
    template.execute(params![id, &*model.0, embedding]).unwrap();
    let mut member =
        db.prepare_cached("INSERT INTO person_library (library, created_at, person) VALUES (1, ?1, ?1)").unwrap();
    member.execute([id]).unwrap();
}

/// Writes a file as the store names it; returns its hash.
fn photo(db: &Connection, dir: &Path, id: i64) -> Vec<u8> {
    let content = format!("no photo of {id}");
    let hash = Sha256::digest(&content);
    let name = hex::encode(hash);
    let fan_out = dir.join("pictures").join(&name[..2]);
    fs::create_dir_all(&fan_out).unwrap();
    let file = fan_out.join(&name);
    let seal = "SELECT sealed('picture', 0, ?, ?)";
    let sealed: Vec<u8> = db.prepare_cached(seal).unwrap().query_row(params![name, content], |row| row.get(0)).unwrap();
    fs::write(file, sealed).unwrap();
    hash.to_vec()
}

/// A unit vector as it is stored.
fn face(random: &mut SmallRng) -> Vec<u8> {
    let vector: Vec<f32> = (0..DIMENSIONS).map(|_| random.random_range(-1.0..1.0)).collect();
    let length = vector.iter().map(|component| component * component).sum::<f32>().sqrt();
    vector.iter().flat_map(|component| (component / length).to_le_bytes()).collect()
}
