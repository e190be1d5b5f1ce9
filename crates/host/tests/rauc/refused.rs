//! What may not be installed is refused before the first byte is written.

use std::path::PathBuf;

use domain::{Error, Options};
use testkit::options;

use super::{NEW, appliance, upgrade};
use crate::machine::{BOARD, SlotMachine, image};

const LENGTH: usize = 1 << 20;

fn field(done: &Result<(), Error>) -> &'static str {
    match done {
        Err(Error::Invalid { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

/// A trusted bundle that was changed in a way.
fn changed(machine: &SlotMachine, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let bundle = machine.bundle(&machine.signer("trusted"), BOARD, NEW, &image(3, LENGTH));
    let mut bytes = std::fs::read(&bundle).unwrap();
    change(&mut bytes);
    std::fs::write(&bundle, bytes).unwrap();
    bundle
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_may_not_be_installed_writes_nothing() {
    let Some(machine) = SlotMachine::start() else { return };
    let (trusted, stranger) = (machine.signer("trusted"), machine.signer("stranger"));
    std::fs::create_dir_all(machine.path("ledger")).unwrap();
    std::fs::write(machine.path("ledger/min-version"), "50.0.0\n").unwrap();
    let make = |signer, board, version| machine.bundle(signer, board, version, &image(3, LENGTH));
    let cases = [
        ("foreign signature", make(&stranger, BOARD, NEW), "package"),
        ("changed content", changed(&machine, |bytes| bytes[5000] ^= 1), "package"),
        ("cut off", changed(&machine, |bytes| bytes.truncate(bytes.len() - 1000)), "package content"),
        ("another board", make(&trusted, "polyface-other", NEW), "package product"),
        ("lower version", make(&trusted, BOARD, "0.0.1"), "package version"),
        ("below the floor", make(&trusted, BOARD, "49.9.9"), "package version"),
        ("no version", make(&trusted, BOARD, "latest"), "package version"),
    ];
    let minisign = |bytes: &mut Vec<u8>| bytes.extend_from_slice(b"\nuntrusted comment: signature\n");
    let cases = cases.into_iter().chain([("minisign", changed(&machine, minisign), "package")]);
    let before = [machine.slot("A"), machine.slot("B")];
    let appliance = appliance(&machine, options());
    for (case, bundle, refused) in cases {
        let done = upgrade(&appliance, &bundle).await;
        assert_eq!(field(&done), refused, "{case}: {done:?}");
        assert!(!bundle.exists(), "{case}");
    }
    assert!([machine.slot("A"), machine.slot("B")] == before, "a slot was written");
    assert_eq!(machine.bootable(), "A");
    assert!(!machine.log().contains("as non-bootable"), "{}", machine.log());
    assert!(!machine.path("ledger/pending.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_who_goes_back_may_install_an_earlier_version() {
    let Some(machine) = SlotMachine::start() else { return };
    let back = Options { allow_downgrade: true, ..options() };
    let bundle = machine.bundle(&machine.signer("trusted"), BOARD, "0.0.1", &image(4, LENGTH));
    let done = upgrade(&appliance(&machine, back), &bundle).await;
    assert!(matches!(done, Err(Error::Unavailable { what: "the system's power service" })), "{done:?}");
    assert_eq!(machine.slot("B")[..LENGTH], image(4, LENGTH));
    assert_eq!(machine.bootable(), "B");
}
