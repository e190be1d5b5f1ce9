//! People (chapter 3), and their pictures.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Limits;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::{FakeFace, Picture, portrait};

use crate::device::{Device, column};

/// A picture of this face in base64.
pub(crate) fn photo(name: &str) -> String {
    STANDARD.encode(portrait(name))
}

impl Device {
    /// Enrols a person and returns the id.
    pub(crate) async fn add_person(&self, library: i64, name: &str) -> i64 {
        let person = json!({"lib_id": library, "person_name": name, "image_base64": photo(name)});
        self.ok("/person/add", person).await["person_id"].as_i64().unwrap()
    }

    async fn people(&self, library: i64, mut filter: Value) -> Vec<Value> {
        filter["lib_id"] = json!(library);
        self.page("/person/list", filter).await.1
    }

    /// The bytes at an address of a picture.
    pub(crate) async fn picture(&self, method: Method, address: &str) -> reqwest::Response {
        self.send_as(self.admin(), self.client().request(method, self.url(address))).await
    }
}

pub(crate) async fn people_are_enrolled_changed_listed_and_removed(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let staff = device.add_library("staff").await;
    let sent = json!({
        "lib_id": staff, "person_name": "曾一", "image_base64": format!("data:image/png;base64,{}", photo("alice")),
        "sex": "2", "email": "a@example.org", "tel": "", "certificate_type": 1, "certificate_no": "370109200001010055",
        "birth_date": "2000-01-01",
    });
    let id = device.ok("/person/add", sent.clone()).await["person_id"].clone();
    let row = device.people(staff, json!({})).await.remove(0);
    for field in ["person_name", "email", "tel", "certificate_type", "certificate_no", "birth_date", "lib_id"] {
        assert_eq!(row[field], sent[field], "{field}");
    }
    assert_eq!((&row["sex"], &row["modeling_type"], &row["person_id"]), (&json!(2), &json!(3), &id));
    assert_eq!(row["create_time"].as_i64().unwrap(), device.appliance.now().as_millis() / 1000);

    let address = row["image_path"].as_str().unwrap();
    let shown = device.picture(Method::GET, address).await;
    assert_eq!(shown.headers()["content-type"], "image/png");
    assert_eq!(shown.bytes().await.unwrap(), portrait("alice"));
    assert_eq!(device.ledger().answer("/api/v2/smart/picture", None, None), Ok(()));
    assert_eq!(device.picture(Method::POST, &format!("{address}/&Size=7")).await.status(), 200);
    assert_eq!(device.picture(Method::HEAD, address).await.status(), 200);
    assert_eq!(device.client().get(device.url(address)).send().await.unwrap().status(), 401);

    let other = STANDARD.encode(Picture::of([FakeFace::of("alice").at(200, 100)]).png());
    // The person stays in the library, whatever lib_id says.
    let change =
        json!({"person_id": id, "lib_id": 1, "person_name": "Rose", "sex": 99, "tel": "138", "image_base64": other});
    device.ok("/person/update", change).await;
    let changed = device.people(staff, json!({})).await.remove(0);
    assert_eq!(
        (&changed["person_name"], &changed["sex"], &changed["tel"]),
        (&json!("Rose"), &json!(99), &json!("138"))
    );
    assert_eq!((&changed["email"], &changed["birth_date"]), (&row["email"], &row["birth_date"]));
    assert_ne!(changed["image_path"], row["image_path"]);
    let gone = device.picture(Method::GET, address).await;
    assert_eq!(gone.status(), 404);
    let body: Value = gone.json().await.unwrap();
    assert_eq!(body["status_code"], 404);
    device.note_refusal("/smart/picture", &body, 2, &json!(address));

    device.refused("/person/delete", json!({"person_id_list": [id, 99]}), 2).await;
    device.ok("/person/delete", json!({"person_id_list": [id, id]})).await;
    assert_eq!(device.people(staff, json!({})).await, [] as [Value; 0]);
    device.refused("/person/delete", json!({"person_id_list": [id]}), 2).await;
    device.refused("/person/update", json!({"person_id": id, "person_name": "x"}), 2).await;
    for bad in ["Type=4&Index=abc", "Type=1&Index=abc", "Type=1", "Index=abc", "Type=3&Index=../../etc/passwd"] {
        let response = device.picture(Method::GET, &format!("/api/v2/smart/picture?{bad}")).await;
        assert_eq!(response.status(), 404, "{bad}");
    }
    device.stop().await;
}

pub(crate) async fn people_are_imported_one_by_one(ledger: &Arc<Ledger>) {
    let device = Device::start_with(ledger, Limits { people: 3, ..Limits::default() }).await;
    let staff = device.add_library("staff").await;
    let person = |name: &str, image: String| json!({"lib_id": staff, "person_name": name, "image_base64": image});
    let list = json!([
        person("alice", photo("alice")),
        person("nothing", "no picture".to_owned()),
        {"lib_id": 99, "person_name": "nowhere", "image_base64": photo("a")},
        {"person_name": "incomplete"},
        {"lib_id": staff, "image_base64": photo("nameless")},
        person("bob", photo("bob")),
    ]);
    let answer = device.ok("/person/import", json!({"person_list": list})).await;
    assert_eq!(answer["fail_list"], json!(["nothing", "nowhere", "incomplete", ""]));
    assert_eq!(device.people(staff, json!({})).await.len(), 2);
    for bad in [json!([]), json!(null), json!("x"), json!([1]), json!({})] {
        device.refused("/person/import", json!({"person_list": bad}), 2).await;
    }
    let more = json!({"person_list": [person("c", photo("c")), person("d", photo("d"))]});
    assert_eq!(device.ok("/person/import", more.clone()).await["fail_list"], json!(["d"]));
    device.refused("/person/import", more, 1200).await;
    device.stop().await;
}

pub(crate) async fn people_are_found_by_every_condition(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let staff = device.add_library("staff").await;
    for (name, sex, number) in [("Ann", 2, "AB12"), ("Annika", 1, "ab34"), ("Bob", 99, "")] {
        device.handles.clock.advance(std::time::Duration::from_secs(1));
        let person = json!({"lib_id": staff, "person_name": name, "image_base64": photo(name), "sex": sex,
            "certificate_no": number});
        device.ok("/person/add", person).await;
    }
    let landscape =
        json!({"lib_id": staff, "person_name": "Landscape", "image_base64": STANDARD.encode(Picture::empty().png())});
    let nobody = device.ok("/person/add", landscape).await["person_id"].clone();
    for (filter, names) in [
        (json!({}), json!(["Landscape", "Bob", "Annika", "Ann"])),
        (
            json!({"person_name": "ann", "sex": 999, "certificate_no": "", "model_status": 999}),
            json!(["Annika", "Ann"]),
        ),
        (json!({"person_name": "ann", "sex": "", "model_status": ""}), json!(["Annika", "Ann"])),
        (json!({"sex": 2}), json!(["Ann"])),
        (json!({"sex": 99}), json!(["Landscape", "Bob"])),
        (json!({"certificate_no": "B3"}), json!(["Annika"])),
        (json!({"model_status": 3}), json!(["Bob", "Annika", "Ann"])),
        (json!({"modeling_type": "4"}), json!(["Landscape"])),
        (json!({"model_status": 2}), json!([])),
        (json!({"model_status": 1}), json!([])),
    ] {
        let found = device.people(staff, filter.clone()).await;
        assert_eq!(json!(column(&found, "person_name")), names, "{filter}");
    }
    let page = device.ok("/person/list", json!({"lib_id": staff, "page": 2, "pagesize": 2})).await;
    assert_eq!((&page["total"], &page["list"][1]["person_name"]), (&json!(4), &json!("Ann")));
    // A better photo is modelled again.
    device.ok("/person/update", json!({"person_id": nobody, "image_base64": photo("eve")})).await;
    assert_eq!(device.people(staff, json!({"model_status": 4})).await, [] as [Value; 0]);
    assert_eq!(device.people(staff, json!({"model_status": 3})).await.len(), 4);
    for (field, bad) in [("sex", json!(3)), ("model_status", json!(5)), ("person_name", json!("x".repeat(65)))] {
        let mut query = json!({"lib_id": staff, "page": 1, "pagesize": 2});
        query[field] = bad;
        device.refused("/person/list", query, 2).await;
    }
    device.refused("/person/list", json!({"lib_id": 99, "page": 1, "pagesize": 2}), 2).await;
    device.stop().await;
}

pub(crate) async fn people_who_cannot_be_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start_with(ledger, Limits { people: 2, ..Limits::default() }).await;
    let staff = device.add_library("staff").await;
    let id = device.add_person(staff, "alice").await;
    let before = device.people(staff, json!({})).await;
    let large = STANDARD.encode(vec![0; (4 << 20) + 1]);
    for (field, value, code) in [
        ("lib_id", json!(99), 2),
        ("lib_id", json!(null), 2),
        ("person_name", json!(""), 2),
        ("person_name", json!("x".repeat(65)), 2),
        ("sex", json!(3), 2),
        ("email", json!("x".repeat(65)), 2),
        ("tel", json!("1".repeat(33)), 2),
        ("certificate_no", json!("1".repeat(65)), 2),
        ("certificate_type", json!(4), 1201),
        ("birth_date", json!("01.02.2000"), 2),
        ("image_base64", json!("no picture"), 1202),
        ("image_base64", json!(STANDARD.encode("no picture")), 1202),
        ("image_base64", json!(large), 1203),
    ] {
        let mut person = json!({"lib_id": staff, "person_name": "bob", "image_base64": photo("bob")});
        person[field] = value.clone();
        device.refused("/person/add", person, code).await;
        if field != "lib_id" {
            let mut change = json!({"person_id": id});
            change[field] = value;
            device.refused("/person/update", change, code).await;
        }
    }
    device.refused("/person/add", json!({"lib_id": staff, "person_name": "bob"}), 2).await;
    device.refused("/person/update", json!({"person_name": "bob"}), 2).await;
    for bad in [json!([]), json!(["x"]), json!(null), json!([99])] {
        device.refused("/person/delete", json!({"person_id_list": bad}), 2).await;
    }
    assert_eq!(device.people(staff, json!({})).await, before);
    device.add_person(staff, "bob").await;
    let more = json!({"lib_id": staff, "person_name": "eve", "image_base64": photo("eve")});
    device.refused("/person/add", more, 1200).await;
    device.stop().await;
}
