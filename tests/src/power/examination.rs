//! Compares a disk that a power cut left with what was acknowledged before.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use domain::ports::{LogStore, PersonStore, Pictures};
use domain::{PersonFilter, PictureId, Seq, Window};
use sha2::{Digest, Sha256};
use store::{Options, Store, StoreKey};

use super::Expected;

/// Rows read at a time.
const PAGE: u32 = 500;

/// What was found on a disk.
#[derive(Debug, Default)]
pub struct Examination {
    /// What is not as it must be; one line each.
    pub faults: Vec<String>,
    /// Codes of the people who are stored.
    pub people: BTreeSet<String>,
    /// Captures of the records that are stored.
    pub records: BTreeSet<String>,
}

/// Pictures whose content was compared with their name, each with the bytes of its file: opening those of every disk
/// again would take longer than everything else.
#[derive(Debug, Default)]
pub struct Sound(HashMap<PictureId, Vec<u8>>);

/// Opens the storage directory as the daemon does and compares it with what must be there.
pub fn examine(storage: &Path, key: &StoreKey, expected: &Expected, sound: &mut Sound) -> Examination {
    let mut found = Examination::default();
    match Store::open(storage, key, Options::default()) {
        Ok(store) => found.read(&store, storage, sound),
        Err(error) => found.faults.push(format!("the store cannot be opened: {error}: {error:?}")),
    }
    if found.faults.is_empty() {
        found.compare(expected);
    }
    found
}

impl Examination {
    fn read(&mut self, store: &Store, storage: &Path, sound: &mut Sound) {
        let mut pictures = Vec::new();
        if let Err(error) = self.read_rows(store, &mut pictures) {
            self.faults.push(format!("rows cannot be read: {error}"));
        }
        for picture in pictures.iter().filter(|picture| picture.is_kept()) {
            if !sound.has(store, storage, picture) {
                self.faults.push(format!("the picture {picture} of a row is missing or broken"));
            }
        }
    }

    fn read_rows(&mut self, store: &Store, pictures: &mut Vec<PictureId>) -> domain::Result<()> {
        for skip in (0..).step_by(PAGE as usize) {
            let page = store.people(&PersonFilter::default(), Window { skip, limit: PAGE })?;
            self.people.extend(page.rows.iter().map(|person| person.code.as_str().to_owned()));
            pictures.extend(page.rows.into_iter().map(|person| person.photo));
            if skip + u64::from(PAGE) >= page.total {
                break;
            }
        }
        let mut last = Seq(0);
        loop {
            let records = store.records_after(last, PAGE)?;
            let Some(newest) = records.last() else { return Ok(()) };
            last = newest.seq;
            self.records.extend(records.iter().map(|record| record.capture.id.to_string()));
            pictures.extend(records.into_iter().flat_map(|record| [record.capture.crop, record.capture.scene]));
        }
    }

    fn compare(&mut self, expected: &Expected) {
        let lost = expected.people.difference(&self.people);
        let mut faults: Vec<_> = lost.map(|code| format!("the acknowledged enrolment of {code} is lost")).collect();
        let known = |code: &&String| !expected.people.contains(*code) && !expected.perhaps.contains(*code);
        let back = self.people.iter().filter(known);
        faults.extend(back.map(|code| format!("{code} is stored, whose removal was acknowledged")));
        let gone = expected.records.difference(&self.records);
        faults.extend(gone.map(|capture| format!("the record {capture}, which was seen, is lost")));
        self.faults.append(&mut faults);
    }
}

impl Sound {
    /// Whether the content of a picture is what its name says.
    fn has(&mut self, store: &Store, storage: &Path, picture: &PictureId) -> bool {
        let name = picture.as_str();
        let Ok(bytes) = fs::read(storage.join("pictures").join(&name[..2]).join(name)) else { return false };
        if self.0.get(picture) == Some(&bytes) {
            return true;
        }
        let is_sound = store.get(picture).is_ok_and(|content| hex::encode(Sha256::digest(content)) == name);
        if is_sound {
            self.0.insert(picture.clone(), bytes);
        }
        is_sound
    }
}
