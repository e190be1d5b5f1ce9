//! People: `PersonStore`.

mod enrolment;
mod filter;
mod profile;
mod templates;

use domain::ports::PersonStore;
use domain::{
    Description, Embedding, EnrolledPerson, Enrolment, Error, KeptPhoto, Library, LibraryChange, LibraryFilter,
    LibraryId, ModelId, NewLibrary, Page, PermissionGroup, Person, PersonChange, PersonCode, PersonFilter, PersonId,
    PhotoFault, PhotoTemplate, PictureId, Profile, Result, Template, TemplateGaps, Thing, Timestamp, Window,
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::columns::{self, Columns, Reader, picture, time};
use crate::connection::View;
use crate::error::Fault;
use crate::seal::Place;
use crate::{Store, libraries, notes, permissions, pictures};

/// Kinds of values that are looked up exactly.
const CODE: &str = "code";
const NAME: &str = "name";
const DOCUMENT: &str = "document";
const ADDRESS: &str = "address";
const CARD: &str = "card";

impl PersonStore for Store {
    fn libraries(&self, filter: &LibraryFilter) -> Result<Vec<Library>> {
        self.database.read("reading libraries", |db| libraries::libraries(db, filter))
    }

    fn create_library(&self, library: &NewLibrary, at: Timestamp) -> Result<Library> {
        self.database.write("creating a library", |db| libraries::create(db, library, at))
    }

    fn update_library(&self, id: LibraryId, change: &LibraryChange, at: Timestamp) -> Result<Library> {
        self.database.write("changing a library", |db| libraries::change(db, id, change, at))
    }

    fn remove_library(&self, id: LibraryId) -> Result<Vec<PersonId>> {
        let mut writer = self.database.writer();
        let (people, photos) = writer.commit("removing a library", |db| libraries::remove(db, id))?;
        self.erasures.note_removal();
        self.discard(&writer, &photos);
        Ok(people)
    }

    fn insert_person(&self, person: &EnrolledPerson) -> Result<Person> {
        let mut writer = self.database.writer();
        self.pictures.check(&[&person.photo.picture])?;
        let stored = writer.commit("storing a person", |db| insert(db, person))?;
        self.pictures.unpin(&person.photo.picture);
        Ok(stored)
    }

    fn person(&self, id: PersonId) -> Result<Person> {
        self.database.read("reading a person", |db| person(db, id))
    }

    fn person_by_code(&self, code: &PersonCode) -> Result<Person> {
        self.database.read("reading a person", |db| person(db, id_of(db, code)?))
    }

    fn people_by_id(&self, ids: &[PersonId]) -> Result<Vec<Person>> {
        self.database.read("reading people", |db| profile::load(db, ids.iter().map(|id| id.0)))
    }

    fn people(&self, filter: &PersonFilter, window: Window) -> Result<Page<Person>> {
        self.database.read("reading a page of people", |db| {
            let (total, ids) = filter::select(db, filter)?.keys(db, window)?;
            Ok(Page { rows: profile::load(db, ids)?, total })
        })
    }

    fn update_person(&self, id: PersonId, change: &PersonChange, at: Timestamp) -> Result<Person> {
        let mut writer = self.database.writer();
        let photo = change.photo.as_ref().map(|photo| &photo.picture);
        self.pictures.check(photo.as_slice())?;
        let (changed, gone) = writer.commit("changing a person", |db| update(db, id, change, at))?;
        photo.into_iter().for_each(|photo| self.pictures.unpin(photo));
        self.discard(&writer, &gone);
        Ok(changed)
    }

    fn count_use(&self, id: PersonId) -> Result<bool> {
        self.database.write("counting a use", |db| count_use(db, id))
    }

    fn remove_person(&self, id: PersonId) -> Result<()> {
        let mut writer = self.database.writer();
        let photos = writer.commit("removing a person", |db| {
            require(db, id)?;
            remove_rows(db, &[id])
        })?;
        self.erasures.note_removal();
        self.discard(&writer, &photos);
        Ok(())
    }

    fn remove_everybody(&self) -> Result<u64> {
        let mut removed = 0;
        loop {
            let mut writer = self.database.writer();
            let (count, photos) = writer.commit("removing people", |db| remove_some(db))?;
            self.erasures.note_removal();
            self.discard(&writer, &photos);
            removed += count;
            if count == 0 {
                return Ok(removed);
            }
        }
    }

    fn erase_removed(&self) -> Result<()> {
        self.erase_removed_people()
    }

    fn templates(&self, model: &ModelId, take: &mut dyn FnMut(Template)) -> Result<()> {
        self.database.read("reading templates", |db| templates::all(db, model, take))
    }

    fn embedding(&self, id: PersonId, model: &ModelId) -> Result<Embedding> {
        self.database.read("reading an embedding", |db| templates::embedding(db, id, model))
    }

    fn people_without_template(
        &self,
        model: &ModelId,
        after: PersonId,
        limit: u32,
    ) -> Result<Vec<(PersonId, PictureId)>> {
        self.database.read("finding people without a template", |db| templates::missing(db, model, after, limit))
    }

    fn template_gaps(&self, model: &ModelId) -> Result<TemplateGaps> {
        self.database.read("counting templates", |db| templates::gaps(db, model))
    }

    fn put_template(&self, id: PersonId, model: &ModelId, described: Result<&PhotoTemplate, PhotoFault>) -> Result<()> {
        self.database.write("storing a template", |db| {
            require(db, id)?;
            templates::put(db, id, model, described.ok())?;
            enrolment::follow(db, id, model, described.map_or_else(Enrolment::Failed, |_| Enrolment::Enrolled))
        })
    }

    fn use_model(&self, model: &ModelId) -> Result<()> {
        if self.database.read("reading the model in use", |db| enrolment::is_by(db, model))? {
            return Ok(());
        }
        self.database.write("changing the model in use", |db| enrolment::use_model(db, model))
    }

    fn permission_groups(&self) -> Result<Vec<PermissionGroup>> {
        self.database.read("reading permission groups", |db| permissions::groups(db))
    }

    fn insert_permission_group(&self, group: &PermissionGroup, limit: u32) -> Result<()> {
        self.database.write("creating a permission group", |db| permissions::insert(db, group, limit))
    }

    fn update_permission_group(&self, group: &PermissionGroup) -> Result<()> {
        self.database.write("changing a permission group", |db| permissions::update(db, group))
    }

    fn remove_permission_group(&self, id: &str) -> Result<Vec<PersonId>> {
        self.database.write("removing a permission group", |db| permissions::remove(db, id))
    }

    fn people_not_enrolled(&self) -> Result<u64> {
        self.database.read("counting people who are not enrolled", |db| enrolment::missing(db))
    }
}

fn count_use(db: &Connection, id: PersonId) -> Result<bool, Fault> {
    require(db, id)?;
    let sql = "UPDATE person SET uses_left = uses_left - 1 WHERE id = ? AND validity = 'uses' AND uses_left > 0";
    let counted = db.prepare_cached(sql)?.execute([id.0])? == 1;
    let mut uncounted = db.prepare_cached("SELECT 1 FROM person WHERE id = ? AND validity <> 'uses'")?;
    Ok(counted || uncounted.exists([id.0])?)
}

fn person(db: &View<'_>, id: PersonId) -> Result<Person, Fault> {
    profile::load(db, [id.0])?.pop().ok_or_else(|| not_found().into())
}

fn id_of(db: &View<'_>, code: &PersonCode) -> Result<PersonId, Fault> {
    let mut statement = db.prepare_cached("SELECT id FROM person WHERE code_key = ?")?;
    let id = statement.query_row([db.keys.key_of(CODE, code.as_str())], |row| row.get(0)).optional()?;
    id.map(PersonId).ok_or_else(|| not_found().into())
}

pub(crate) fn require(db: &Connection, id: PersonId) -> Result<(), Fault> {
    let mut statement = db.prepare_cached("SELECT 1 FROM person WHERE id = ?")?;
    if statement.exists([id.0])? { Ok(()) } else { Err(not_found().into()) }
}

fn not_found() -> Error {
    Error::NotFound { what: Thing::Person }
}

fn insert(db: &View<'_>, new: &EnrolledPerson) -> Result<Person, Fault> {
    libraries::require_all(db, &new.libraries)?;
    let code_key = db.keys.key_of(CODE, new.code.as_str());
    if db.prepare_cached("SELECT 1 FROM person WHERE code_key = ?")?.exists([&code_key])? {
        return Err(Error::AlreadyExists { what: Thing::PersonCode }.into());
    }
    // Values are sealed for a row, so its number is taken first. Nothing else takes one in this transaction.
    let id = next_id(db)?;
    let mut columns: Columns = vec![
        ("id", id.0.into()),
        ("code_key", code_key),
        ("photo", picture(&new.photo.picture)),
        ("created_at", time(new.at)),
        ("updated_at", time(new.at)),
    ];
    columns.extend(enrolment::columns(new.photo.described.enrolment()));
    columns.extend(profile::columns(db.keys, id, &new.code, &new.profile));
    columns::insert(db, "person", columns)?;
    describe(db, id, &new.photo)?;
    insert_lists(db, id, &new.profile)?;
    insert_memberships(db, id, &new.libraries, new.at)?;
    notes::keep(db, id, new.note.as_ref())?;
    person(db, id)
}

/// The next number of a person; none is used twice.
fn next_id(db: &Connection) -> rusqlite::Result<PersonId> {
    let sql = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'person'), 0) + 1";
    db.prepare_cached(sql)?.query_row([], |row| row.get(0)).map(PersonId)
}

fn insert_lists(db: &View<'_>, id: PersonId, profile: &Profile) -> Result<(), Fault> {
    let mut card = db.prepare_cached(
        "INSERT INTO person_card (person, position, number_key, sealed) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )?;
    for (position, number) in (0_i64..).zip(&profile.cards) {
        let sealed = db.keys.sealed(Place::new("person_card", id.0).part(&position.to_string()), number);
        if card.execute(params![id.0, position, db.keys.key_of(CARD, number), sealed])? == 0 {
            return Err(Error::invalid("cards", "the card number is taken").into());
        }
    }
    let mut group =
        db.prepare_cached("INSERT INTO person_permission_group (person, position, name) VALUES (?, ?, ?)")?;
    for (position, name) in (0..).zip(&profile.permission_groups) {
        group.execute(params![id.0, position, name])?;
    }
    Ok(())
}

/// Adds memberships; a duplicate library is ignored.
fn insert_memberships(db: &Connection, id: PersonId, ids: &[LibraryId], created: Timestamp) -> Result<(), Fault> {
    if ids.is_empty() {
        return Err(Error::invalid("libraries", "at least one is needed").into());
    }
    let mut statement = db.prepare_cached(
        "INSERT INTO person_library (library, created_at, person) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    )?;
    for library in ids {
        statement.execute([library.0, created.as_millis(), id.0])?;
    }
    Ok(())
}

/// Changes a person; also returns the photos that no row references any more.
fn update(
    db: &View<'_>,
    id: PersonId,
    change: &PersonChange,
    at: Timestamp,
) -> Result<(Person, Vec<PictureId>), Fault> {
    require(db, id)?;
    let mut columns: Columns = vec![("updated_at", time(at))];
    if let Some(profile) = &change.profile {
        let code = person(db, id)?.code;
        columns.extend(profile::columns(db.keys, id, &code, profile));
    }
    columns::update(db, "person", id.0, columns)?;
    if let Some(profile) = &change.profile {
        for table in ["person_card", "person_permission_group"] {
            delete_of(db, table, id)?;
        }
        insert_lists(db, id, profile)?;
    }
    if let Some(ids) = &change.libraries {
        libraries::require_all(db, ids)?;
        delete_of(db, "person_library", id)?;
        insert_memberships(db, id, ids, created_at(db, id)?)?;
    }
    let gone = match &change.photo {
        Some(photo) => replace_photo(db, id, photo)?,
        None => Vec::new(),
    };
    notes::keep(db, id, change.note.as_ref())?;
    Ok((person(db, id)?, gone))
}

/// Replaces the photo and deletes all templates of the old one.
fn replace_photo(db: &View<'_>, id: PersonId, photo: &KeptPhoto) -> Result<Vec<PictureId>, Fault> {
    let mut statement = db.prepare_cached("SELECT photo FROM person WHERE id = ?")?;
    let before = statement.query_one([id.0], |row| Ok(Reader::new(row).picture()))??;
    let mut columns = vec![("photo", picture(&photo.picture))];
    columns.extend(enrolment::columns(photo.described.enrolment()));
    columns::update(db, "person", id.0, columns)?;
    delete_of(db, "template", id)?;
    describe(db, id, photo)?;
    pictures::unnamed(db, vec![before])
}

/// Keeps what the model makes of a person's new photo.
fn describe(db: &View<'_>, id: PersonId, photo: &KeptPhoto) -> Result<(), Fault> {
    pictures::enrolled(db, &photo.picture)?;
    match &photo.described {
        Description::Pending => Ok(()),
        described => templates::put(db, id, &photo.model, described.template()),
    }
}

fn delete_of(db: &Connection, table: &str, id: PersonId) -> rusqlite::Result<usize> {
    db.prepare_cached(&format!("DELETE FROM {table} WHERE person = ?"))?.execute([id.0])
}

fn created_at(db: &Connection, id: PersonId) -> rusqlite::Result<Timestamp> {
    let mut statement = db.prepare_cached("SELECT created_at FROM person WHERE id = ?")?;
    statement.query_row([id.0], |row| row.get(0).map(Timestamp::from_millis))
}

/// Removes some people, and at last what is kept for people who are still to be enrolled; returns how many they were, and
/// the pictures that no row references any more.
fn remove_some(db: &Connection) -> Result<(u64, Vec<PictureId>), Fault> {
    const STEP: u32 = 500;
    let mut statement = db.prepare_cached("SELECT id FROM person LIMIT ?")?;
    let ids = statement.query_map([STEP], |row| row.get(0).map(PersonId))?.collect::<rusqlite::Result<Vec<_>>>()?;
    if !ids.is_empty() {
        return Ok((ids.len() as u64, remove_rows(db, &ids)?));
    }
    db.execute("DELETE FROM adapter_job", [])?;
    let mut statement = db.prepare_cached("DELETE FROM kept_picture RETURNING picture")?;
    let kept = statement.query_and_then([], |row| Reader::new(row).picture())?.collect::<Result<Vec<_>, Fault>>()?;
    Ok((0, pictures::unnamed(db, kept)?))
}

/// Removes people and all their data; returns the photos that no row references any more.
pub(crate) fn remove_rows(db: &Connection, ids: &[PersonId]) -> Result<Vec<PictureId>, Fault> {
    let mut statement = db.prepare_cached("DELETE FROM person WHERE id = ? RETURNING photo")?;
    let mut photos = Vec::new();
    for id in ids {
        photos.push(statement.query_one([id.0], |row| Ok(Reader::new(row).picture()))??);
    }
    pictures::unnamed(db, photos)
}
