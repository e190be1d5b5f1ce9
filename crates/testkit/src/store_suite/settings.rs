//! Accounts, the audit log and single settings.

use domain::{
    Account, AccountChange, AccountId, AuditClass, AuditEntry, Defaults, Error, NewAccount, PasswordHashes, Role, Thing,
};

use super::Stores;
use super::samples::at;

fn hashes(text: &str) -> PasswordHashes {
    PasswordHashes { password: format!("p {text}"), digest_ha1: Some(format!("h {text}")), md5: format!("m {text}") }
}

fn new_account(name: &str, role: Role) -> NewAccount {
    NewAccount { name: name.into(), role, hashes: hashes(name), at: at(1) }
}

/// With every role, in order of id.
pub fn an_account_reads_back_as_created(store: &dyn Stores) {
    let mut created = Vec::new();
    for (name, role) in [("root", Role::Admin), ("op", Role::Operator), ("eye", Role::Viewer)] {
        let account = store.insert_account(&new_account(name, role)).unwrap();
        assert_eq!((&*account.name, account.role, account.created_at), (name, role, at(1)));
        let (read, kept) = store.credentials(name).unwrap();
        assert!(read == account && kept == hashes(name));
        created.push(account);
    }
    assert_eq!(store.accounts().unwrap(), created);
    assert!(created.is_sorted_by_key(|account| account.id));
}

/// The first account stays unchanged; letter case matters.
pub fn a_login_name_is_unique(store: &dyn Stores) {
    store.insert_account(&new_account("root", Role::Admin)).unwrap();
    let again = store.insert_account(&new_account("root", Role::Viewer));
    assert!(matches!(again, Err(Error::AlreadyExists { what: Thing::Account })));
    assert_eq!(store.credentials("root").unwrap().0.role, Role::Admin);
    assert!(matches!(store.credentials("Root"), Err(Error::NotFound { what: Thing::Account })));
}

/// All together, for this account only.
pub fn a_new_password_replaces_all_hashes(store: &dyn Stores) {
    for name in ["root", "op"] {
        store.insert_account(&new_account(name, Role::Admin)).unwrap();
    }
    store.set_password("root", &hashes("new")).unwrap();
    assert!(store.credentials("root").unwrap().1 == hashes("new"));
    assert!(store.credentials("op").unwrap().1 == hashes("op"));
    assert!(matches!(store.set_password("nobody", &hashes("x")), Err(Error::NotFound { what: Thing::Account })));
}

/// `None` removes, also when there is no value.
pub fn a_setting_is_set_and_removed(store: &dyn Stores) {
    assert_eq!(store.setting("a").unwrap(), None);
    store.set_setting("a", Some("1")).unwrap();
    store.set_setting("b", Some("")).unwrap();
    store.set_setting("a", Some("2")).unwrap();
    assert_eq!(store.setting("a").unwrap().as_deref(), Some("2"));
    assert_eq!(store.setting("b").unwrap().as_deref(), Some(""));
    store.set_setting("a", None).unwrap();
    store.set_setting("a", None).unwrap();
    assert_eq!(store.setting("a").unwrap(), None);
}

/// Everything else stays; an account that does not exist is ignored.
pub fn restoring_changes_settings_values_and_password_together(store: &dyn Stores) {
    store.insert_account(&new_account("root", Role::Admin)).unwrap();
    for name in ["a", "b", "c"] {
        store.set_setting(name, Some("1")).unwrap();
        store.set_value("one", name, Some("1")).unwrap();
        store.set_value("two", name, Some("1")).unwrap();
    }
    let set = |value: &str| Some(value.to_owned());
    let changes = [("a", None), ("z", None), ("b", set("2")), ("d", set("4"))];
    let defaults = |name: &str| Defaults {
        changes: &changes,
        values: ("one", &["a", "b"]),
        password: Some((name.to_owned(), hashes("first"))),
    };
    store.restore(&defaults("root")).unwrap();
    let settings = ["a", "b", "c", "d"].map(|name| store.setting(name).unwrap());
    assert_eq!(settings.map(Option::unwrap_or_default), ["", "2", "1", "4"]);
    let values = |adapter| ["a", "b", "c"].map(|key| store.value(adapter, key).unwrap().is_some());
    assert_eq!((values("one"), values("two")), ([false, false, true], [true, true, true]));
    assert!(store.credentials("root").unwrap().1 == hashes("first"));
    store.restore(&defaults("nobody")).unwrap();
}

/// As restoring, with the values of all adapters.
pub fn restoring_all_removes_the_values_of_every_adapter(store: &dyn Stores) {
    store.insert_account(&new_account("root", Role::Admin)).unwrap();
    ["a", "b"].iter().for_each(|name| store.set_setting(name, Some("1")).unwrap());
    ["one", "two"].iter().for_each(|adapter| store.set_value(adapter, "key", Some("1")).unwrap());
    store.restore_all(&[("a", None)], Some(&("root".to_owned(), hashes("first")))).unwrap();
    assert_eq!(["a", "b"].map(|name| store.setting(name).unwrap().is_some()), [false, true]);
    assert_eq!(["one", "two"].map(|adapter| store.value(adapter, "key").unwrap()), [None, None]);
    assert!(store.credentials("root").unwrap().1 == hashes("first"));
    store.restore_all(&[], Some(&("nobody".to_owned(), hashes("first")))).unwrap();
}

/// An entry by `root`.
fn entry(time: i64, action: &str, subject: &str) -> AuditEntry {
    AuditEntry {
        at: at(time),
        class: AuditClass::Contents,
        actor: "root".into(),
        role: Some(Role::Admin),
        origin: Some([192, 0, 2, 1].into()),
        adapter: Some("console".into()),
        action: action.into(),
        subject: subject.into(),
    }
}

/// In order of writing, since the clock may have been set back.
pub fn the_audit_log_comes_newest_first(store: &dyn Stores) {
    let entries = [(5, "1"), (3, "2"), (4, "3")].map(|(time, subject)| entry(time, "person.enrol", subject));
    for entry in &entries {
        store.audit(entry).unwrap();
    }
    let [first, second, third] = entries;
    assert_eq!(store.audit_log(2).unwrap(), [third.clone(), second.clone()]);
    assert_eq!(store.audit_log(u32::MAX).unwrap(), [third, second, first]);
}

/// Unknown fields stay unknown.
pub fn the_audit_log_keeps_actor_and_origin(store: &dyn Stores) {
    let known = entry(1, "person.enrol", "1");
    let by_ipv6 = AuditEntry { role: Some(Role::Operator), origin: "2001:db8::1".parse().ok(), ..known.clone() };
    let by_device = AuditEntry { origin: None, adapter: Some("device".into()), ..known.clone() };
    let unknown = AuditEntry { role: None, origin: None, adapter: None, ..known.clone() };
    let entries = [known, by_ipv6, by_device, unknown];
    entries.iter().for_each(|entry| store.audit(entry).unwrap());
    let kept = store.audit_log(u32::MAX).unwrap();
    assert_eq!(kept.into_iter().rev().collect::<Vec<_>>(), entries);
}

/// Entries about logins, accounts, doors and data flows stay.
pub fn a_cleared_audit_log_keeps_what_must_not_be_erased(store: &dyn Stores) {
    let of = |class, action: &str| AuditEntry { class, ..entry(1, action, "") };
    for class in AuditClass::ALL {
        store.audit(&of(class, "before")).unwrap();
    }
    let clear = of(AuditClass::Accounts, "audit.clear");
    store.clear_audit_log(&clear).unwrap();
    let kept = AuditClass::ALL.into_iter().filter(|class| !class.is_cleared()).map(|class| of(class, "before"));
    let mut expected: Vec<_> = kept.chain([clear]).collect();
    expected.reverse();
    assert_eq!(store.audit_log(u32::MAX).unwrap(), expected);
}

/// It does so with the password, for itself alone; the same password and a digest are no change.
pub fn the_revision_of_an_account_rises_with_its_password(store: &dyn Stores) {
    store.insert_account(&new_account("root", Role::Admin)).unwrap();
    let op = store.insert_account(&new_account("op", Role::Operator)).unwrap();
    let revision = || store.account(op.id).unwrap().revision;
    let first = revision();
    assert_eq!(store.credentials("op").unwrap().0.revision, first);
    store.set_password("op", &PasswordHashes { digest_ha1: None, ..hashes("op") }).unwrap();
    store.update_account(op.id, &AccountChange { name: Some("ops".into()), hashes: None }).unwrap();
    store.set_password("root", &hashes("new")).unwrap();
    store.set_digest("ops", &hashes("op"), "digest").unwrap();
    assert_eq!(store.credentials("ops").unwrap().1.digest_ha1.as_deref(), Some("digest"));
    store.set_digest("ops", &hashes("former"), "another").unwrap();
    assert_eq!(store.credentials("ops").unwrap().1.digest_ha1.as_deref(), Some("digest"));
    assert_eq!(revision(), first);
    store.set_password("ops", &hashes("new")).unwrap();
    assert_eq!(revision(), first + 1);
    let changed = AccountChange { name: None, hashes: Some(hashes("newer")) };
    assert_eq!(store.update_account(op.id, &changed).unwrap().revision, first + 2);
    let password = Some(("ops".to_owned(), hashes("first")));
    store.restore(&Defaults { changes: &[], values: ("one", &[]), password }).unwrap();
    assert_eq!(revision(), first + 3);
    assert!(matches!(store.account(AccountId(99)), Err(Error::NotFound { what: Thing::Account })));
}

/// `None` keeps a field; a name in use and an unknown account change nothing.
pub fn a_change_of_an_account_keeps_other_fields(store: &dyn Stores) {
    let root = store.insert_account(&new_account("root", Role::Admin)).unwrap();
    let op = store.insert_account(&new_account("op", Role::Operator)).unwrap();
    let named = |name: &str| AccountChange { name: Some(name.into()), hashes: None };
    let renamed = store.update_account(op.id, &named("rose")).unwrap();
    assert_eq!((&*renamed.name, renamed.id, renamed.role), ("rose", op.id, Role::Operator));
    assert!(store.credentials("rose").unwrap().1 == hashes("op"));
    let renamed = Account { revision: renamed.revision + 1, ..renamed };
    store.update_account(op.id, &AccountChange { name: None, hashes: Some(hashes("new")) }).unwrap();
    assert!(store.credentials("rose").unwrap().1 == hashes("new"));
    assert_eq!(store.update_account(op.id, &AccountChange::default()).unwrap(), renamed);
    let taken = store.update_account(op.id, &named("root"));
    assert!(matches!(taken, Err(Error::AlreadyExists { what: Thing::Account })));
    assert!(store.update_account(op.id, &named("rose")).is_ok(), "its own name");
    let unknown = store.update_account(AccountId(99), &named("x"));
    assert!(matches!(unknown, Err(Error::NotFound { what: Thing::Account })));
    assert_eq!(store.accounts().unwrap(), [root, renamed]);
}

/// Its id is not reused.
pub fn a_removed_account_is_not_found(store: &dyn Stores) {
    let root = store.insert_account(&new_account("root", Role::Admin)).unwrap();
    let op = store.insert_account(&new_account("op", Role::Operator)).unwrap();
    store.remove_account(op.id).unwrap();
    assert_eq!(store.accounts().unwrap(), [root]);
    assert!(matches!(store.remove_account(op.id), Err(Error::NotFound { what: Thing::Account })));
    assert!(store.insert_account(&new_account("op", Role::Operator)).unwrap().id > op.id);
}
