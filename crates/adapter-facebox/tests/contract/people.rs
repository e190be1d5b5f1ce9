//! People (chapter 4).

use std::sync::Arc;

use domain::Limits;
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::{FakeFace, Picture};

use crate::device::{Device, column};
use crate::pictures::photo;

impl Device {
    /// Enrols a person and returns the entry.
    pub(crate) async fn add_person(&self, library: i64, name: &str) -> Value {
        let pic_url = self.upload(&photo(name)).await;
        self.ok("/AddPerson", json!({"lib_id": library, "name": name, "pic_url": pic_url})).await;
        self.person(name).await
    }

    /// The newest entry with this name.
    pub(crate) async fn person(&self, name: &str) -> Value {
        let items = self.items("/QueryPersonList", json!({"name": name})).await;
        items.into_iter().next().unwrap_or_default()
    }
}

pub(crate) async fn people_are_enrolled_changed_and_removed(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let staff = device.add_library("staff").await;
    let pic_url = device.upload(&photo("alice")).await;
    let alice = json!({
        "lib_id": staff, "name": "曾一", "sex": 2, "pic_url": pic_url, "card_no": "370109", "phone": "138",
        "category": 1, "remark": "r",
    });
    device.ok("/AddPerson", alice.clone()).await;
    let row = device.person("曾一").await;
    for field in ["lib_id", "name", "sex", "pic_url", "card_no", "phone", "category", "remark"] {
        assert_eq!(row[field], alice[field], "{field}");
    }
    assert_eq!((&row["lib_name"], &row["pinyin"]), (&json!("staff"), &json!("zengyi")));
    assert_eq!(device.library("staff").await["person_count"], 1);
    device.refused("/DeletePicture", json!({"pic_url": pic_url}), 501).await;

    let key = json!({"lib_id": staff, "person_id": row["person_id"]});
    let with = |fields: Value| {
        let mut all = key.clone();
        fields.as_object().unwrap().iter().for_each(|(name, value)| all[name] = value.clone());
        all
    };
    device.ok("/UpdatePerson", with(json!({"name": "Rose", "category": 0, "card_no": ""}))).await;
    let changed = device.person("Rose").await;
    assert_eq!(
        (&changed["pinyin"], &changed["category"], &changed["card_no"]),
        (&json!("rose"), &json!(0), &json!(""))
    );
    assert_eq!((&changed["sex"], &changed["phone"], &changed["remark"]), (&json!(2), &json!("138"), &json!("r")));
    let other = device.upload(&Picture::of([FakeFace::of("alice").at(200, 100)]).png()).await;
    device.ok("/UpdatePerson", with(json!({"pic_url": other}))).await;
    assert_eq!(device.person("Rose").await["pic_url"], json!(other));
    device.refused("/DownloadPersonPicture", json!({"pic_url": pic_url}), 6).await;

    device.ok("/DeletePerson", key.clone()).await;
    assert_eq!(device.person("Rose").await, Value::Null);
    device.refused("/DeletePerson", key.clone(), 6).await;
    device.refused("/UpdatePerson", key, 6).await;
    device.refused("/DownloadPersonPicture", json!({"pic_url": other}), 6).await;
    device.stop().await;
}

pub(crate) async fn people_are_found_by_every_condition(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let (staff, guests) = (device.add_library("staff").await, device.add_library("guests").await);
    for (name, library, card, phone, category) in
        [("Ann", staff, "A1", "1380", 0), ("Annika", guests, "A1", "1390", 0), ("Bob", guests, "B1", "0138", 1)]
    {
        device.handles.clock.advance(std::time::Duration::from_secs(1));
        let pic_url = device.upload(&photo(name)).await;
        let person = json!({
            "lib_id": library, "name": name, "pic_url": pic_url, "card_no": card, "phone": phone, "category": category,
        });
        device.ok("/AddPerson", person).await;
    }
    for (query, names) in [
        (json!({}), json!(["Bob", "Annika", "Ann"])),
        (json!({"name": "ann"}), json!(["Annika", "Ann"])),
        (json!({"username": "ika"}), json!(["Annika"])),
        (json!({"card_no": "A1"}), json!(["Annika", "Ann"])),
        (json!({"card_no": "A"}), json!([])),
        (json!({"phone": "138"}), json!(["Bob", "Ann"])),
        (json!({"category": 1}), json!(["Bob"])),
        (json!({"category": 0, "phone": "139"}), json!(["Annika"])),
        (json!({"lib_id": staff}), json!(["Ann"])),
        (json!({"name": "", "card_no": "", "phone": ""}), json!(["Bob", "Annika", "Ann"])),
    ] {
        let found = device.items("/QueryPersonList", query.clone()).await;
        assert_eq!(json!(column(&found, "name")), names, "{query}");
    }
    let page = device.info("/QueryPersonList", json!({"page_no": 2, "page_size": 2})).await;
    assert_eq!((&page["total_count"], &page["items"][0]["name"]), (&json!(3), &json!("Ann")));
    let beyond = device.info("/QueryPersonList", json!({"page_no": 9, "page_size": 2})).await;
    assert_eq!((&beyond["total_count"], &beyond["items"]), (&json!(3), &json!([])));
    device.refused_for("/QueryPersonList", json!({"page_no": 1, "page_size": 1, "category": 2}), "category").await;
    device.refused_for("/QueryPersonList", json!({"page_no": 0, "page_size": 1}), "page_no").await;
    device.stop().await;
}

pub(crate) async fn people_are_found_by_names_in_any_letter_case(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let staff = device.add_library("staff").await;
    for name in ["Иван", "Jose\u{301}", "Weiß", "Ａｎｎ%"] {
        device.handles.clock.advance(std::time::Duration::from_secs(1));
        device.add_person(staff, name).await;
    }
    for (part, names) in [
        ("иван", json!(["Иван"])),
        ("ВАН", json!(["Иван"])),
        ("josé", json!(["Jose\u{301}"])),
        ("WEISS", json!(["Weiß"])),
        ("ann", json!(["Ａｎｎ%"])),
        ("%", json!(["Ａｎｎ%"])),
        ("_", json!([])),
    ] {
        let found = device.items("/QueryPersonList", json!({"name": part})).await;
        assert_eq!(json!(column(&found, "name")), names, "{part}");
    }
    device.stop().await;
}

pub(crate) async fn people_who_cannot_be_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start_with(ledger, Limits { people: 2, ..Limits::default() }).await;
    let (staff, guests) = (device.add_library("staff").await, device.add_library("guests").await);
    let alice = device.add_person(staff, "alice").await;
    let url = device.upload(&photo("bob")).await;
    let nobody = device.upload(&Picture::empty().png()).await;
    let key = json!({"lib_id": staff, "person_id": alice["person_id"]});
    device.ok("/UpdatePerson", json!({"lib_id": staff, "person_id": alice["person_id"], "card_no": "1"})).await;
    let before = device.items("/QueryPersonList", json!({})).await;
    let bob = |field: &str, value: Value| {
        let mut bob = json!({"lib_id": staff, "name": "bob", "pic_url": url});
        bob[field] = value;
        bob
    };
    let change = |field: &str, value: Value| {
        let mut change = key.clone();
        change[field] = value;
        change
    };
    for (field, value, code) in [
        ("lib_id", json!(99), 201),
        ("pic_url", json!(nobody), 502),
        ("pic_url", json!("/picture/person/none.jpg"), 503),
        ("card_no", json!("1"), 504),
        ("name", json!(""), 3),
        ("name", json!("x".repeat(65)), 3),
        ("sex", json!(3), 3),
        ("sex", json!("1"), 3),
        ("category", json!(2), 3),
        ("remark", json!("x".repeat(257)), 3),
        ("phone", json!(138), 3),
    ] {
        device.refused("/AddPerson", bob(field, value.clone()), code).await;
        if code != 504 {
            device.refused("/UpdatePerson", change(field, value), code).await;
        }
    }
    device.refused_for("/AddPerson", json!({"lib_id": staff, "name": "bob"}), "pic_url").await;
    for path in ["/UpdatePerson", "/DeletePerson"] {
        device.refused(path, change("lib_id", json!(guests)), 6).await;
        device.refused(path, change("lib_id", json!(99)), 201).await;
        device.refused(path, change("person_id", json!(99)), 6).await;
        device.refused_for(path, json!({"lib_id": staff}), "person_id").await;
    }
    assert_eq!(device.items("/QueryPersonList", json!({})).await, before);
    device.ok("/AddPerson", bob("lib_id", json!(guests))).await;
    let bob_id = device.person("bob").await["person_id"].clone();
    device.ok("/UpdatePerson", json!({"lib_id": guests, "person_id": bob_id, "card_no": "1"})).await;
    device.refused("/AddPerson", bob("name", json!("eve")), 500).await;
    device.stop().await;

    let device = Device::start(ledger).await;
    let (one, two) = (device.add_person(1, "alice").await, device.add_person(1, "bob").await);
    let card = |person: &Value| json!({"lib_id": 1, "person_id": person["person_id"], "card_no": "7"});
    device.ok("/UpdatePerson", card(&one)).await;
    device.ok("/UpdatePerson", card(&one)).await;
    device.refused("/UpdatePerson", card(&two), 504).await;
    device.stop().await;
}
