//! Faces in libraries (sections 3.6 to 3.10 and 3.27).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Limits;
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::{FakeFace, Picture};

use crate::witness::{Witness, base64, column, photo};

pub(crate) async fn faces_are_enrolled_read_changed_and_removed(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let library = witness.library("staff", &[]).await;
    let alice = json!({
        "lib_id": library, "img_id": "alice-1", "person_name": "爱丽丝", "person_idcard": "31010", "person_gender": "0",
        "person_age": "33", "person_addr": "上海",
    });
    let made = witness.ok_form("add_face", alice.clone(), &[("img", photo("alice"))]).await;
    assert_eq!(made, json!({"img_id": "alice-1"}));
    let which = json!({"lib_id": library, "img_id": "alice-1"});
    let read = witness.ok("get_face", which.clone()).await;
    for (field, value) in alice.as_object().unwrap() {
        assert_eq!(read[field], *value, "{field}");
    }
    assert_eq!(read["img"], STANDARD.encode(photo("alice")));
    let path = read["img_path"].as_str().unwrap();
    assert_eq!(witness.download(path, witness.device.session()).await, (200, photo("alice")));
    let change = json!({"lib_id": library, "img_id": "alice-1", "person_age": 90, "person_addr": ""});
    witness.ok("update_face", change).await;
    let changed = witness.ok("get_face", which.clone()).await;
    assert_eq!((&changed["person_age"], &changed["person_addr"]), (&json!("90"), &json!("")));
    assert_eq!((&changed["person_name"], &changed["img"]), (&read["person_name"], &read["img"]));
    witness.ok("delete_face", which.clone()).await;
    witness.refused("get_face", which.clone(), -126).await;
    witness.refused("delete_face", which, -126).await;
    assert_eq!(witness.download(path, witness.device.session()).await.0, 404);
    assert_eq!(witness.ok("query_libs", json!({"lib_id": library})).await["record"][0]["picture_no"], 0);
    witness.stop().await;
}

pub(crate) async fn faces_are_enrolled_from_base64_with_or_without_an_id(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let made = witness.ok("add_face_base64", json!({"lib_id": "1", "img": base64(&photo("alice"))})).await;
    let id = made["img_id"].as_str().unwrap();
    assert_eq!(id.len(), 36, "a UUID of the device's own");
    let uri = format!("data:image/jpeg;base64,{}", STANDARD.encode(Picture::of([FakeFace::of("bob")]).jpeg()));
    let img = json!({"filename": "bob.jpg", "data": uri});
    witness.ok("add_face_base64", json!({"lib_id": 1, "img_id": "bob", "img": img, "person_age": 44})).await;
    let read = witness.ok("get_face", json!({"lib_id": 1, "img_id": "bob"})).await;
    assert_eq!(read["person_age"], "44");
    assert_eq!(witness.ok("query_faces", json!({"lib_id": 1})).await["total_num"], 2);
    witness.stop().await;
}

pub(crate) async fn faces_are_found_by_every_condition(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    for (id, age, gender, address) in [("ann", "20", "0", "wuhan"), ("ben", "21", "1", "wuhan"), ("cyd", "", "", "")] {
        witness.device.handles.clock.advance(std::time::Duration::from_secs(1));
        let fields = json!({
            "lib_id": 1, "img_id": id, "person_name": format!("{id} name"), "person_idcard": format!("{id}-7"),
            "person_age": age, "person_gender": gender, "person_addr": address,
        });
        witness.ok_form("add_face", fields, &[("img", photo(id))]).await;
    }
    let created = witness.ok("get_face", json!({"lib_id": 1, "img_id": "cyd"})).await["create_time"].clone();
    for (query, ids) in [
        (json!({}), json!(["cyd", "ben", "ann"])),
        (json!({"start_no": 2, "qry_len": 1}), json!(["ben"])),
        (json!({"person_name": "ann name"}), json!(["ann"])),
        (json!({"person_name": "ann"}), json!([])),
        (json!({"person_idcard": "ben-7"}), json!(["ben"])),
        (json!({"person_addr": "wuhan"}), json!(["ben", "ann"])),
        (json!({"person_addr": "wuhan", "person_gender": "1"}), json!(["ben"])),
        (json!({"person_age": 20}), json!(["ann"])),
        (json!({"create_time": created}), json!(["cyd"])),
        (json!({"create_time": "2026-03-02"}), json!(["cyd", "ben", "ann"])),
        (json!({"fuzzy_key": "-7"}), json!(["cyd", "ben", "ann"])),
        (json!({"fuzzy_key": "uha"}), json!(["ben", "ann"])),
        (json!({"fuzzy_key": "nobody"}), json!([])),
        (json!({"fuzzy_key": "0"}), json!(["ann"])),
        (json!({"fuzzy_key": "21"}), json!(["ben"])),
        (json!({"fuzzy_key": "男"}), json!([])),
        (json!({"fuzzy_key": "x".repeat(40)}), json!([])),
        (json!({"fuzzy_key": "wuhan", "create_time": "2026-03", "person_name": ""}), json!(["ben", "ann"])),
        (json!({"start_no": 4}), json!([])),
    ] {
        let mut asked = query.clone();
        asked["lib_id"] = json!(1);
        let found = witness.ok("query_faces", asked).await;
        assert_eq!(json!(column(&found["record"], "img_id")), ids, "{query}");
    }
    for (id, name) in [("ivan", "Иван"), ("jose", "Jose\u{301}"), ("weiss", "Weiß"), ("lee", "Ｌｅｅ_")] {
        let fields = json!({"lib_id": 1, "img_id": id, "person_name": name});
        witness.ok_form("add_face", fields, &[("img", photo(id))]).await;
        let whole = json!({"lib_id": 1, "person_name": name.to_uppercase()});
        assert_eq!(json!(column(&witness.ok("query_faces", whole).await["record"], "img_id")), json!([id]));
    }
    for (key, ids) in [
        ("иван", json!(["ivan"])),
        ("ВАН", json!(["ivan"])),
        ("josé", json!(["jose"])),
        ("ISS", json!(["weiss"])),
        ("lee_", json!(["lee"])),
        ("%", json!([])),
    ] {
        let found = witness.ok("query_faces", json!({"lib_id": 1, "fuzzy_key": key})).await;
        assert_eq!(json!(column(&found["record"], "img_id")), ids, "{key}");
    }
    witness.refused("query_faces", json!({"lib_id": 99}), -117).await;
    for (field, value) in [
        ("person_name", "ann"),
        ("person_idcard", "ann-7"),
        ("person_age", "20"),
        ("person_gender", "0"),
        ("person_addr", "wuhan"),
    ] {
        witness.refused("query_faces", json!({"lib_id": 1, "fuzzy_key": "a", field: value}), -3596).await;
    }
    for wrong in [
        json!({"lib_id": 1, "fuzzy_key": "x".repeat(41)}),
        json!({"lib_id": 1, "person_age": 0}),
        json!({"lib_id": 1, "person_gender": "2"}),
        json!({"lib_id": 1, "qry_len": 51}),
        json!({}),
    ] {
        witness.refused("query_faces", wrong, -3596).await;
    }
    witness.stop().await;
}

pub(crate) async fn a_photo_that_cannot_be_enrolled_changes_nothing(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let library = witness.library("staff", &["alice"]).await;
    let other = witness.library("guests", &[]).await;
    let before = witness.everything().await;
    let good = photo("bob");
    let poor = Picture::of([FakeFace::of("bob").quality(10)]).png();
    for (id, photo, code) in [
        ("bob", Picture::empty().png(), -1101),
        ("bob", poor, -1102),
        ("bob", good.slice(..good.len() / 2), -1104),
        ("bob", bytes::Bytes::from_static(b"GIF89a"), -1104),
        ("bob", Picture::empty().sized(5_000, 4_000).png(), -1104),
        ("alice", good.clone(), -1100),
        ("a_b", good.clone(), -3596),
        (&"x".repeat(49), good.clone(), -2754),
    ] {
        let fields = json!({"lib_id": other, "img_id": id});
        witness.refused_form("add_face", fields.clone(), &[("img", photo.clone())], code).await;
        let mut encoded = fields;
        encoded["img"] = base64(&photo);
        witness.refused("add_face_base64", encoded, code).await;
    }
    witness.refused_form("add_face", json!({"lib_id": 99}), &[("img", good.clone())], -117).await;
    witness.refused_form("add_face", json!({"lib_id": library}), &[], -3596).await;
    witness.refused_form("add_face", json!({}), &[("img", good.clone())], -3596).await;
    for wrong in [json!({"person_age": "121"}), json!({"person_age": "old"}), json!({"person_gender": "2"})] {
        let mut fields = wrong;
        fields["lib_id"] = json!(library);
        witness.refused_form("add_face", fields, &[("img", good.clone())], -3596).await;
    }
    assert_eq!(witness.everything().await, before);
    witness.stop().await;
}

pub(crate) async fn a_full_device_enrols_no_more_people(ledger: &Arc<Ledger>) {
    let witness = Witness::start_with(ledger, Limits { people: 1, ..Limits::default() }).await;
    witness.ok_form("add_face", json!({"lib_id": 1, "img_id": "alice"}), &[("img", photo("alice"))]).await;
    witness.refused_form("add_face", json!({"lib_id": 1, "img_id": "bob"}), &[("img", photo("bob"))], -122).await;
    witness.ok("delete_face", json!({"lib_id": 1, "img_id": "alice"})).await;
    witness.ok_form("add_face", json!({"lib_id": 1, "img_id": "bob"}), &[("img", photo("bob"))]).await;
    witness.stop().await;
}

pub(crate) async fn a_face_that_is_not_there_cannot_be_read_changed_or_removed(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let library = witness.library("staff", &["alice"]).await;
    let before = witness.everything().await;
    let which = |library: Value, id: Value| json!({"lib_id": library, "img_id": id, "person_name": "x"});
    for act in ["delete_face", "get_face", "update_face"] {
        witness.refused(act, which(json!(99), json!("alice")), -117).await;
        witness.refused(act, which(json!(library), json!("bob")), -126).await;
        witness.refused(act, which(json!(1), json!("alice")), -126).await;
        witness.refused(act, json!({"lib_id": library}), -3596).await;
        witness.refused(act, json!({"img_id": "alice"}), -3596).await;
    }
    let change = |field: &str, value: &str| json!({"lib_id": library, "img_id": "alice", field: value});
    witness.refused("update_face", change("person_age", "0"), -3596).await;
    witness.refused("update_face", change("person_gender", "x"), -3596).await;
    assert_eq!(witness.everything().await, before);
    witness.stop().await;
}
