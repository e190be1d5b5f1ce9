//! Resetting the device by parts.

use std::sync::Arc;

use domain::ports::{AdapterState, LogStore, PersonStore, SettingsStore};
use domain::{Account, AccountId, Actor, Error, LibraryFilter, PersonFilter, Reset, ResetStores, Role, Timestamp};
use testkit::actor;
use testkit::store_suite::samples;

use crate::stage::Stage;

const PEOPLE: Reset = Reset { people: true, settings: false, records: false, everything: false };

fn reset(stage: &Stage, reset: Reset) {
    let store = &stage.fakes.store;
    let stores = ResetStores { people: store.clone(), log: store.clone(), settings: store.clone() };
    stores.reset(reset).unwrap();
}

fn people(stage: &Stage) -> u64 {
    stage.fakes.store.people(&PersonFilter::default(), samples::ALL).unwrap().total
}

/// A device with a person, a record, and settings.
async fn used() -> Stage {
    let stage = Stage::new();
    stage.enrol("alice").await;
    let store = stage.fakes.store.as_ref();
    store.append_record(&samples::stranger(store, 1, 1)).unwrap();
    store.set_value("a", "receiver", Some("x")).unwrap();
    stage.appliance.by(&actor("test")).set_when_full(domain::WhenFull::Stop).await.unwrap();
    stage
}

#[tokio::test]
async fn a_reset_is_noted_and_ends_the_process() {
    let stage = used().await;
    let appliance = stage.appliance.clone();
    let mut ends = tokio::task::JoinSet::new();
    ends.spawn(async move { appliance.until_reset().await });
    let nothing = stage.appliance.by(&actor("test")).reset(Reset::default()).await;
    assert!(matches!(nothing, Err(Error::Invalid { .. })), "{nothing:?}");
    assert_eq!(stage.fakes.store.wanted_reset(), None);
    stage.appliance.by(&actor("test")).reset(PEOPLE).await.unwrap();
    assert_eq!(stage.fakes.store.wanted_reset(), Some(PEOPLE));
    assert_eq!(people(&stage), 1, "the next start does it");
    ends.join_next().await.unwrap().unwrap();
    let audit = stage.fakes.store.audit_log(1).unwrap();
    assert_eq!((audit[0].action.as_str(), audit[0].subject.as_str()), ("device.reset", "people"));
}

#[tokio::test]
async fn only_an_administrator_resets_the_device() {
    let stage = used().await;
    let at = Timestamp::from_millis(0);
    let account = |role| Account { id: AccountId(1), name: "rose".into(), role, created_at: at, revision: 1 };
    for role in [Role::Viewer, Role::Operator] {
        let actor = Actor::user(&account(role), None, "test");
        assert!(matches!(stage.appliance.by(&actor).reset(Reset::EVERYTHING).await, Err(Error::Forbidden)));
    }
    assert_eq!(stage.fakes.store.wanted_reset(), None);
}

#[tokio::test]
async fn each_part_is_reset_alone() {
    let stage = used().await;
    let store = Arc::clone(&stage.fakes.store);
    reset(&stage, PEOPLE);
    assert_eq!((people(&stage), stage.records().await.len()), (0, 1));
    assert_eq!(store.libraries(&LibraryFilter::default()).unwrap().len(), 1, "libraries stay");
    assert!(store.value("a", "receiver").unwrap().is_some());

    reset(&stage, Reset { records: true, ..Reset::default() });
    assert!(stage.records().await.is_empty());
    assert!(store.newest().unwrap().0 > 0, "places are not used again");

    stage.enrol("bob").await;
    reset(&stage, Reset { settings: true, ..Reset::default() });
    assert_eq!(store.value("a", "receiver").unwrap(), None);
    assert_eq!(people(&stage), 1);
    let again = stage.fakes.restart(domain::Limits::default()).unwrap();
    assert_ne!(again.storage_limits().when_full, domain::WhenFull::Stop);
}
