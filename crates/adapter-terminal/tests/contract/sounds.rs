//! Sounds.

use std::sync::Arc;

use domain::{DoorOptions, Options, SoundFolders};
use serde_json::json;
use testkit::contract::Ledger;
use testkit::{Act, until};

use crate::witness::Witness;

pub(crate) async fn sounds_are_listed_and_played(ledger: &Arc<Ledger>) {
    let (built_in, own) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for name in ["welcome.wav", "sorry.wav", "readme.txt"] {
        std::fs::write(built_in.path().join(name), b"").unwrap();
    }
    std::fs::write(own.path().join("Fail_C.wav"), b"").unwrap();
    let sounds = SoundFolders { built_in: built_in.path().into(), own: own.path().into() };
    let witness = Witness::start_of(ledger, Options { sounds, ..testkit::options() }).await;
    let list = witness.ok("GetAudio", json!({})).await;
    assert_eq!((&list["AudioNum"], &list["AudioName"]), (&json!("2"), &json!(["sorry.wav", "welcome.wav"])));
    assert_eq!((&list["AudioCustomerNum"], &list["AudioCustomerName"]), (&json!("1"), &json!(["Fail_C.wav"])));
    witness.ok("voiceplay", json!({"voicetype": "welcome.wav"})).await;
    witness.ok("UpSoundconfig", json!({"Volume": 40})).await;
    witness.ok("voiceplay", json!({"UsrType": "2", "voicetype": "Fail_C.wav"})).await;
    let played = [Act::Play("welcome.wav".into(), 90), Act::Play("Fail_C.wav".into(), 40)];
    assert_eq!(witness.device.handles.host.acts(), played);
    let cases = [
        (json!({}), 463),
        (json!({"voicetype": "Fail_C.wav"}), 464),
        (json!({"UsrType": 2, "voicetype": "welcome.wav"}), 464),
        (json!({"voicetype": "../welcome.wav"}), 464),
        (json!({"voicetype": "readme.txt"}), 464),
    ];
    for (info, code) in cases {
        witness.refused("voiceplay", info, code).await;
    }
    witness.refused_command("voiceplay", json!({"operator": "voiceplay"}), 462).await;
    witness.device.handles.host.silence(true);
    let command = json!({"operator": "voiceplay", "info": {"voicetype": "welcome.wav"}});
    let refused = witness.platform.ask(command).await;
    assert_eq!((&refused["code"], &refused["info"]["detail"]), (&json!("461"), &json!("no sound device")));
    assert_eq!(witness.device.handles.host.acts(), played);
    witness.stop().await;
}

pub(crate) async fn a_device_without_sounds_reports_that(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.refused("GetAudio", json!({}), 463).await;
    witness.refused_command("GetAudio", json!({"operator": "GetAudio"}), 462).await;
    witness.stop().await;
}

/// Waits until this was played last.
async fn hears(witness: &Witness, name: &str) {
    let played = || witness.device.handles.host.acts().into_iter().rfind(|act| matches!(act, Act::Play(..)));
    until(&format!("{name} is heard"), async || played() == Some(Act::Play(name.into(), 90))).await;
}

pub(crate) async fn the_person_before_the_device_hears_the_outcome(ledger: &Arc<Ledger>) {
    let built_in = tempfile::tempdir().unwrap();
    for name in ["VerifySuccess.wav", "VerifyFail.wav", "theDoorOpen.wav"] {
        std::fs::write(built_in.path().join(name), b"").unwrap();
    }
    let sounds = SoundFolders { built_in: built_in.path().into(), ..SoundFolders::default() };
    let doors = DoorOptions { own_door: true, ..testkit::options().doors };
    let witness = Witness::start_of(ledger, Options { sounds, doors, ..testkit::options() }).await;
    witness.enrol("alice").await;
    witness.device.watch(&["alice"]).await;
    hears(&witness, "VerifySuccess.wav").await;
    witness.device.watch(&["mallory"]).await;
    hears(&witness, "VerifyFail.wav").await;
    witness.ok("UpDoorconfig", json!({"OpendoorWay": 2})).await;
    witness.ok("Unlock", json!({"openDoor": 1})).await;
    witness.ok("UpSoundconfig", json!({"RemoteCtrlAudio": 1, "VerifyFailAudio": 0})).await;
    let before = witness.device.handles.host.acts().len();
    witness.ok("Unlock", json!({"openDoor": 1})).await;
    hears(&witness, "theDoorOpen.wav").await;
    witness.device.watch(&["mallory"]).await;
    witness.event("Snap", "StrSnapPush").await;
    witness.event("Snap", "StrSnapPush").await;
    let since = witness.device.handles.host.acts().split_off(before);
    assert!(!since.contains(&Act::Play("VerifyFail.wav".into(), 90)), "{since:?}");
    witness.stop().await;
}
