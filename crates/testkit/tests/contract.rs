//! Tests of the contract runner with the catalogue's own examples.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testkit::contract::{Ledger, Rules};

fn catalogue() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/contracts/sensetime.yaml")
}

fn ledger() -> Ledger {
    let kind_of = |entry: &Value| match (entry.get("camera_mode")?.as_str()?, entry.get("protocol")) {
        ("IMAGE", _) => Some("image"),
        (_, Some(protocol)) if protocol == "onvif" => Some("onvif"),
        (_, Some(protocol)) if protocol == "GB28181" => Some("gb28181"),
        (_, _) => Some("rtsp"),
    };
    let rules = Rules { kind_of, attributes: &[("face_attr", "face_attr"), ("attribute", "face_attr")], ..Rules::NONE };
    Ledger::open(&catalogue(), rules).unwrap()
}

#[test]
fn every_example_answer_matches_its_fields() {
    let ledger = ledger();
    let text = std::fs::read_to_string(catalogue()).unwrap();
    let yaml: Value = serde_norway::from_str(&text).unwrap();
    for operation in yaml["operations"].as_array().unwrap() {
        let id = operation["id"].as_str().unwrap();
        let variant = operation.get("variant").and_then(Value::as_str);
        let data = operation["example_response"].get("data");
        // A body capture has an attribute object of its own.
        if id != "1046" {
            assert_eq!(ledger.answer(id, variant, data), Ok(()), "{id} {variant:?}");
        }
    }
    let gaps = [("257", "is played"), ("1046", "has an attribute object of its own"), ("8", "is nowhere")];
    let faults = ledger.coverage(&gaps).unwrap_err();
    let wanted = ["257 is no gap any more", "774 has no scenario", "775 has no scenario", "777 has no scenario"];
    assert_eq!(faults, [&wanted[..], &["the gap 8 is not in the catalogue"]].concat());
}

#[test]
fn deviations_from_the_catalogue_are_reported() {
    let ledger = ledger();
    let faults = |data: Value| ledger.answer("1025", None, Some(&data)).unwrap_err();
    assert_eq!(faults(json!({"lib_id": 1})), ["lib_name is missing"]);
    assert_eq!(faults(json!({"lib_id": "1", "lib_name": "a"})), ["lib_id is not of type int"]);
    assert_eq!(faults(json!({"lib_id": 1, "lib_name": "a", "b": 1})), ["b is not in the catalogue"]);
    assert_eq!(faults(json!("")), ["the payload is not Object"]);
    assert_eq!(ledger.answer("9", None, None).unwrap_err(), ["the catalogue has no operation 9"]);
}

#[test]
fn a_refusal_must_be_listed_by_the_operation_with_the_text_of_the_table() {
    let ledger = ledger();
    assert_eq!(ledger.refusal("1026", None, -117, "The face library does not exist"), Ok(()));
    assert!(ledger.refusal("1026", None, -117, "no such library").is_err());
    assert!(ledger.refusal("1026", None, -109, "Camera does not exist").is_err());
}

#[test]
fn an_operation_is_found_by_its_name() {
    let ledger = ledger();
    assert_eq!(ledger.operation("add_lib"), ("1025", None));
    assert_eq!(ledger.operation("add_camera_onvif"), ("513", Some("onvif")));
}
