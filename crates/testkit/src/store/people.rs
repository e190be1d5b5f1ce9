//! `PersonStore`.

use std::cmp::Reverse;

use domain::names::same;
use domain::ports::PersonStore;
use domain::{
    Category, Description, Embedding, EnrolledPerson, Enrolment, Error, KeptPhoto, Library, LibraryChange,
    LibraryFilter, LibraryId, LibraryKind, LibraryName, ModelId, NewLibrary, Page, PermissionGroup, Person,
    PersonChange, PersonCode, PersonFilter, PersonId, PhotoFault, PhotoTemplate, PictureId, Profile, Result, Template,
    TemplateGaps, Thing, Timestamp, Validity, Window,
};

use super::people_filter::fits;
use super::{Enrolled, MemoryStore, State, next, window};

impl PersonStore for MemoryStore {
    fn libraries(&self, filter: &LibraryFilter) -> Result<Vec<Library>> {
        let state = self.read();
        let fits = |library: &&Library| {
            filter.id.is_none_or(|id| library.id == id)
                && filter.name.as_ref().is_none_or(|name| same(library.name.as_str(), name))
                && filter.kind.is_none_or(|kind| library.kind == kind)
        };
        Ok(state.libraries.values().filter(fits).map(|library| state.counted(library)).collect())
    }

    fn create_library(&self, library: &NewLibrary, at: Timestamp) -> Result<Library> {
        let mut state = self.write()?;
        state.require_free_name(&library.name, None)?;
        let id = LibraryId(next(&mut state.last.library));
        let NewLibrary { name, kind, description, note } = library.clone();
        let library = Library { id, name, kind, description, people: 0, created_at: at, updated_at: at };
        state.libraries.insert(id, library.clone());
        state.keep_note(id, note.as_ref());
        Ok(library)
    }

    fn update_library(&self, id: LibraryId, change: &LibraryChange, at: Timestamp) -> Result<Library> {
        let mut state = self.write()?;
        state.require_libraries(&[id])?;
        if let Some(name) = &change.name {
            state.require_free_name(name, Some(id))?;
        }
        let library = state.libraries.get_mut(&id).ok_or(Error::NotFound { what: Thing::Library })?;
        let LibraryChange { name, kind, description, note } = change.clone();
        library.name = name.unwrap_or_else(|| library.name.clone());
        library.kind = kind.unwrap_or(library.kind);
        library.description = description.unwrap_or_else(|| library.description.clone());
        library.updated_at = at;
        let library = library.clone();
        state.keep_note(id, note.as_ref());
        Ok(state.counted(&library))
    }

    fn remove_library(&self, id: LibraryId) -> Result<Vec<PersonId>> {
        let mut state = self.write()?;
        state.require_libraries(&[id])?;
        if id == LibraryId::DEFAULT {
            return Err(Error::invalid("library", "the built-in library stays"));
        }
        if state.cameras.values().any(|camera| camera.watch.settings.libraries.contains(&id)) {
            return Err(Error::InUse { by: Thing::Camera });
        }
        if state.tasks.values().any(|task| task.settings.watch.libraries.contains(&id)) {
            return Err(Error::InUse { by: Thing::Task });
        }
        state.libraries.remove(&id);
        state.remove_notes(id);
        state.generation += 1;
        for enrolled in state.people.values_mut() {
            enrolled.person.libraries.retain(|library| *library != id);
        }
        let removed: Vec<PersonId> =
            state.people.values().filter(|e| e.person.libraries.is_empty()).map(id_of).collect();
        removed.iter().for_each(|person| drop(state.remove_person(*person)));
        Ok(removed)
    }

    fn insert_person(&self, new: &EnrolledPerson) -> Result<Person> {
        let mut state = self.write()?;
        state.check_pictures(&[&new.photo.picture])?;
        state.require_libraries(&new.libraries)?;
        if state.people.values().any(|enrolled| enrolled.person.code == new.code) {
            return Err(Error::AlreadyExists { what: Thing::PersonCode });
        }
        state.require_free_cards(&new.profile, None)?;
        let libraries = normalised(&new.libraries)?;
        let person = Person {
            id: PersonId(next(&mut state.last.person)),
            code: new.code.clone(),
            profile: new.profile.clone(),
            libraries,
            photo: new.photo.picture.clone(),
            enrolment: new.photo.described.enrolment(),
            created_at: new.at,
            updated_at: new.at,
        };
        let enrolled = Enrolled { person: person.clone(), templates: templates_of(&new.photo) };
        state.people.insert(person.id, enrolled);
        state.keep_note(person.id, new.note.as_ref());
        state.generation += 1;
        state.unpin(&new.photo.picture);
        state.kept_pictures.remove(&new.photo.picture);
        Ok(person)
    }

    fn person(&self, id: PersonId) -> Result<Person> {
        self.read().people.get(&id).map(|enrolled| enrolled.person.clone()).ok_or_else(not_found)
    }

    fn person_by_code(&self, code: &PersonCode) -> Result<Person> {
        let state = self.read();
        let found = state.people.values().find(|enrolled| enrolled.person.code == *code);
        found.map(|enrolled| enrolled.person.clone()).ok_or_else(not_found)
    }

    fn people_by_id(&self, ids: &[PersonId]) -> Result<Vec<Person>> {
        let state = self.read();
        Ok(ids.iter().filter_map(|id| state.people.get(id)).map(|enrolled| enrolled.person.clone()).collect())
    }

    fn people(&self, filter: &PersonFilter, wanted: Window) -> Result<Page<Person>> {
        let state = self.read();
        let people = state.people.values().map(|enrolled| &enrolled.person);
        let fits = |person: &&Person| fits(filter, person) && state.fits(filter, person);
        let mut rows: Vec<Person> = people.filter(fits).cloned().collect();
        rows.sort_by_key(|person| Reverse((person.created_at, person.id)));
        Ok(Page { total: rows.len() as u64, rows: window(rows, wanted) })
    }

    fn update_person(&self, id: PersonId, change: &PersonChange, at: Timestamp) -> Result<Person> {
        let mut state = self.write()?;
        let mut person = state.people.get(&id).ok_or_else(not_found)?.person.clone();
        if let Some(profile) = &change.profile {
            state.require_free_cards(profile, Some(id))?;
            let groups = std::mem::replace(&mut person.profile, profile.clone()).permission_groups;
            state.generation += u64::from(groups != profile.permission_groups);
        }
        if let Some(libraries) = &change.libraries {
            state.require_libraries(libraries)?;
            person.libraries = normalised(libraries)?;
            state.generation += 1;
        }
        person.updated_at = at;
        if let Some(photo) = &change.photo {
            state.check_pictures(&[&photo.picture])?;
            person.photo = photo.picture.clone();
            person.enrolment = photo.described.enrolment();
        }
        let enrolled = state.people.get_mut(&id).ok_or_else(not_found)?;
        let before = std::mem::replace(&mut enrolled.person, person.clone()).photo;
        if let Some(photo) = &change.photo {
            enrolled.templates = templates_of(photo);
            state.generation += 1;
            state.unpin(&photo.picture);
            state.kept_pictures.remove(&photo.picture);
            state.remove_unnamed(&before);
        }
        state.keep_note(id, change.note.as_ref());
        Ok(person)
    }

    fn permission_groups(&self) -> Result<Vec<PermissionGroup>> {
        Ok(self.read().permission_groups.clone())
    }

    fn insert_permission_group(&self, group: &PermissionGroup, limit: u32) -> Result<()> {
        let mut state = self.write()?;
        let present = &mut state.permission_groups;
        if present.iter().any(|other| other.id == group.id || other.name == group.name) {
            return Err(Error::AlreadyExists { what: Thing::PermissionGroup });
        }
        if present.len() >= limit as usize {
            return Err(Error::LimitReached { what: Thing::PermissionGroup });
        }
        present.push(group.clone());
        Ok(())
    }

    fn update_permission_group(&self, group: &PermissionGroup) -> Result<()> {
        let mut state = self.write()?;
        let present = &mut state.permission_groups;
        if present.iter().any(|other| other.id != group.id && other.name == group.name) {
            return Err(Error::AlreadyExists { what: Thing::PermissionGroup });
        }
        let changed = present.iter_mut().find(|other| other.id == group.id);
        changed.map(|former| former.clone_from(group)).ok_or(Error::NotFound { what: Thing::PermissionGroup })
    }

    fn remove_permission_group(&self, id: &str) -> Result<Vec<PersonId>> {
        let mut state = self.write()?;
        let place = state.permission_groups.iter().position(|group| group.id == id);
        state.permission_groups.remove(place.ok_or(Error::NotFound { what: Thing::PermissionGroup })?);
        let mut people = Vec::new();
        for Enrolled { person, .. } in state.people.values_mut() {
            let left = person.profile.permission_groups.extract_if(.., |group| group == id).count();
            people.extend((left > 0).then_some(person.id));
        }
        state.generation += people.len() as u64;
        Ok(people)
    }

    fn count_use(&self, id: PersonId) -> Result<bool> {
        let mut state = self.write()?;
        match &mut state.people.get_mut(&id).ok_or_else(not_found)?.person.profile.validity {
            Validity::Uses(0) => Ok(false),
            Validity::Uses(left) => {
                *left -= 1;
                Ok(true)
            }
            _ => Ok(true),
        }
    }

    fn remove_person(&self, id: PersonId) -> Result<()> {
        self.write()?.remove_person(id)
    }

    fn erase_removed(&self) -> Result<()> {
        self.read().erase_removed();
        Ok(())
    }

    fn templates(&self, model: &ModelId, take: &mut dyn FnMut(Template)) -> Result<()> {
        // Collected first: `take` may call the store.
        let template = |enrolled: &Enrolled| {
            let embedding = enrolled.by(model)?.clone()?;
            Some(Template { person: enrolled.person.id, membership: enrolled.person.membership(), embedding })
        };
        let templates: Vec<Template> = self.read().people.values().filter_map(template).collect();
        templates.into_iter().for_each(take);
        Ok(())
    }

    fn embedding(&self, id: PersonId, model: &ModelId) -> Result<Embedding> {
        let state = self.read();
        let enrolled = state.people.get(&id).ok_or_else(not_found)?;
        let last = enrolled.templates.iter().rev().find_map(|(_, embedding)| embedding.clone());
        enrolled.by(model).cloned().flatten().or(last).ok_or(Error::NoFace)
    }

    fn people_without_template(
        &self,
        model: &ModelId,
        after: PersonId,
        limit: u32,
    ) -> Result<Vec<(PersonId, PictureId)>> {
        let state = self.read();
        let after = state.people.values().filter(|enrolled| enrolled.person.id > after);
        let missing = after.filter(|enrolled| enrolled.by(model).is_none()).take(limit.min(1000) as usize);
        Ok(missing.map(|enrolled| (enrolled.person.id, enrolled.person.photo.clone())).collect())
    }

    fn template_gaps(&self, model: &ModelId) -> Result<TemplateGaps> {
        let state = self.read();
        let count = |wanted: Option<&Option<Embedding>>| {
            state.people.values().filter(|enrolled| enrolled.by(model) == wanted).count() as u64
        };
        Ok(TemplateGaps { missing: count(None), unusable: count(Some(&None)) })
    }

    fn put_template(&self, id: PersonId, model: &ModelId, described: Result<&PhotoTemplate, PhotoFault>) -> Result<()> {
        let mut state = self.write()?;
        let in_use = state.model.as_ref() == Some(model);
        let enrolled = state.people.get_mut(&id).ok_or_else(not_found)?;
        enrolled.templates.retain(|(by, _)| by != model);
        enrolled.templates.push((model.clone(), described.ok().map(|described| described.embedding.clone())));
        if in_use {
            enrolled.person.enrolment = described.map_or_else(Enrolment::Failed, |_| Enrolment::Enrolled);
        }
        state.generation += 1;
        Ok(())
    }

    fn use_model(&self, model: &ModelId) -> Result<()> {
        if self.read().model.as_ref() == Some(model) {
            return Ok(());
        }
        let mut state = self.write()?;
        state.model = Some(model.clone());
        for enrolled in state.people.values_mut() {
            let enrolment = match (enrolled.by(model), enrolled.person.enrolment) {
                (None, _) => Enrolment::Pending,
                (Some(Some(_)), _) => Enrolment::Enrolled,
                (Some(None), Enrolment::Failed(fault)) => Enrolment::Failed(fault),
                (Some(None), _) => Enrolment::Failed(PhotoFault::NoFace),
            };
            enrolled.person.enrolment = enrolment;
        }
        Ok(())
    }

    fn people_not_enrolled(&self) -> Result<u64> {
        let state = self.read();
        let missing = state.people.values().filter(|enrolled| enrolled.person.enrolment != Enrolment::Enrolled);
        Ok(missing.count() as u64)
    }
}

fn templates_of(photo: &KeptPhoto) -> Vec<(ModelId, Option<Embedding>)> {
    let embedding = photo.described.template().map(|template| template.embedding.clone());
    match photo.described {
        Description::Pending => Vec::new(),
        Description::Template(_) | Description::Unusable(_) => vec![(photo.model.clone(), embedding)],
    }
}

impl Enrolled {
    fn by(&self, model: &ModelId) -> Option<&Option<Embedding>> {
        self.templates.iter().find(|(by, _)| by == model).map(|(_, embedding)| embedding)
    }
}

impl State {
    fn fits(&self, filter: &PersonFilter, person: &Person) -> bool {
        let block = |id| self.libraries.get(id).is_some_and(|library| library.kind == LibraryKind::Block);
        let blocked = person.profile.category == Category::Blocked || person.libraries.iter().any(block);
        filter.blocked.is_none_or(|wanted| wanted == blocked)
    }

    fn counted(&self, library: &Library) -> Library {
        let people = self.people.values().filter(|enrolled| enrolled.person.libraries.contains(&library.id)).count();
        Library { people: people as u64, ..library.clone() }
    }

    pub(super) fn require_libraries<'a>(&self, ids: impl IntoIterator<Item = &'a LibraryId>) -> Result<()> {
        let all_exist = ids.into_iter().all(|id| self.libraries.contains_key(id));
        if all_exist { Ok(()) } else { Err(Error::NotFound { what: Thing::Library }) }
    }

    fn require_free_name(&self, name: &LibraryName, but: Option<LibraryId>) -> Result<()> {
        let taken = self.libraries.values().any(|library| library.name == *name && Some(library.id) != but);
        if taken { Err(Error::AlreadyExists { what: Thing::Library }) } else { Ok(()) }
    }

    fn require_free_cards(&self, profile: &Profile, but: Option<PersonId>) -> Result<()> {
        let others = self.people.values().map(|enrolled| &enrolled.person).filter(|person| Some(person.id) != but);
        let mut taken: Vec<&String> = others.flat_map(|person| &person.profile.cards).collect();
        for number in &profile.cards {
            if taken.contains(&number) {
                return Err(Error::invalid("cards", "the card number is taken"));
            }
            taken.push(number);
        }
        Ok(())
    }

    fn remove_person(&mut self, id: PersonId) -> Result<()> {
        let removed = self.people.remove(&id).ok_or_else(not_found)?;
        self.generation += 1;
        self.remove_notes(id);
        self.remove_unnamed(&removed.person.photo);
        Ok(())
    }
}

fn not_found() -> Error {
    Error::NotFound { what: Thing::Person }
}

fn id_of(enrolled: &Enrolled) -> PersonId {
    enrolled.person.id
}

/// The libraries ascending and without duplicates; `Invalid` when there is none.
fn normalised(libraries: &[LibraryId]) -> Result<Vec<LibraryId>> {
    if libraries.is_empty() {
        return Err(Error::invalid("libraries", "at least one is needed"));
    }
    let mut libraries = libraries.to_vec();
    libraries.sort_unstable();
    libraries.dedup();
    Ok(libraries)
}
