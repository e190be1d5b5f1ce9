//! What was acknowledged survives `kill -9` at any moment.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use domain::ports::{LogStore, PersonStore, Pictures, SettingsStore};
use domain::{CaptureId, PersonId};
use rusqlite::Connection;
use store::{Options, Store, StoreKey};
use testkit::store_suite::samples;

fn key() -> StoreKey {
    StoreKey::new([7; 32])
}

const PLACE: &str = "POLYFACE_STORE_TEST_DIR";
const ROUNDS: u32 = 10;

#[derive(Default)]
struct Acknowledged {
    people: Vec<PersonId>,
    removed: Vec<PersonId>,
    captures: Vec<CaptureId>,
}

/// Not a test: the process that the test below starts and kills.
#[test]
#[ignore = "started by the test beside it"]
fn the_writer_that_is_killed() {
    let dir = std::env::var(PLACE).unwrap();
    let store = Store::open(Path::new(&dir), &key(), Options::default()).unwrap();
    let said = |line: String| writeln!(std::io::stderr(), "{line}").unwrap();
    for number in 0.. {
        let code = format!("{}-{number}", std::process::id());
        let person = samples::person(&store, &code);
        said(format!("person {person}"));
        let capture = store.append_record(&samples::stranger(&store, 1, number)).unwrap().capture.id;
        said(format!("capture {capture}"));
        if number % 3 == 0 {
            store.remove_person(person).unwrap();
            said(format!("removed {person}"));
        }
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill_at_any_moment() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = Acknowledged::default();
    for round in 0..ROUNDS {
        // Between 1 and 23 acknowledgements, then wherever the writer happens to be.
        run_and_kill(dir.path(), 1 + round * 7 % 23, &mut acknowledged);
        check(dir.path(), &mut acknowledged);
    }
    assert!(!acknowledged.removed.is_empty());
}

/// Kills the writer after so many acknowledgements; those that were already under way count too.
fn run_and_kill(dir: &Path, acknowledgements: u32, acknowledged: &mut Acknowledged) {
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_writer_that_is_killed", "--ignored", "--nocapture"])
        .env(PLACE, dir)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(writer.stderr.take().unwrap()).lines();
    let mut seen = 0;
    for line in lines.map_while(Result::ok) {
        seen += u32::from(acknowledged.hear(&line));
        if seen == acknowledgements {
            writer.kill().unwrap();
        }
    }
    assert!(!writer.wait().unwrap().success());
    assert!(seen >= acknowledgements, "the writer died by itself");
}

impl Acknowledged {
    fn hear(&mut self, line: &str) -> bool {
        match line.split_once(' ') {
            Some(("person", id)) => self.people.push(PersonId(id.parse().unwrap())),
            Some(("removed", id)) => self.removed.push(PersonId(id.parse().unwrap())),
            Some(("capture", id)) => self.captures.push(id.parse().unwrap()),
            _ => return false,
        }
        true
    }
}

fn check(dir: &Path, acknowledged: &mut Acknowledged) {
    let store = Store::open(dir, &key(), Options::default()).unwrap();
    check_people(&store, acknowledged);
    for id in &acknowledged.captures {
        let record = store.record_of_capture(*id).unwrap();
        store.get(&record.capture.crop).unwrap();
        store.get(&record.capture.scene).unwrap();
    }
    // Still writable.
    store.set_setting("checked", Some("yes")).unwrap();
    drop(store);
    assert_eq!(picture_files(dir), named_pictures(dir));
}

fn check_people(store: &Store, acknowledged: &mut Acknowledged) {
    // A last removal may have been committed without being acknowledged.
    if let Some(last) = acknowledged.people.pop_if(|last| store.person(*last).is_err()) {
        acknowledged.removed.push(last);
    }
    for id in &acknowledged.removed {
        assert!(store.person(*id).is_err(), "removed person {id} is back");
    }
    for id in acknowledged.people.iter().filter(|id| !acknowledged.removed.contains(id)) {
        let person = store.person(*id).unwrap();
        store.get(&person.photo).unwrap();
        store.embedding(*id, &samples::model()).unwrap();
    }
}

fn picture_files(dir: &Path) -> i64 {
    let dirs = std::fs::read_dir(dir.join("pictures")).unwrap();
    dirs.map(|dir| std::fs::read_dir(dir.unwrap().path()).unwrap().count() as i64).sum()
}

/// Checks the database from outside, and counts the pictures its rows name.
fn named_pictures(dir: &Path) -> i64 {
    let database = Connection::open(dir.join("polyface.db")).unwrap();
    let sound: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    let dangling: i64 =
        database.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0)).unwrap();
    assert_eq!(dangling, 0);
    let sql =
        "SELECT count(*) FROM (SELECT photo FROM person UNION SELECT crop FROM record UNION SELECT scene FROM record)";
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}
