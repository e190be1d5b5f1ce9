//! Readers of codes, cards and ID cards.

use std::sync::Arc;

use domain::{Document, Gender, Output, Scan};
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::{Act, until};

use crate::doors::{opened, openings, with_door};
use crate::http;
use crate::subscriber::Server;
use crate::witness::{Witness, person};

fn code() -> Scan {
    Scan::Code("https://u.example/123456ABCD".into())
}

fn id_card() -> Scan {
    Scan::Document(Box::new(Document {
        number: "421126198702054321".into(),
        name: "Li Mou".into(),
        gender: Some(Gender::Female),
        ethnic_group: "汉".into(),
        birth_date: Some(jiff::civil::date(1987, 2, 5)),
        address: "Qichun County".into(),
        issuer: "Bureau of Qichun".into(),
        valid: "20090828-20190828".into(),
        photo: vec![0xff, 0xd8, 0xff, 0xe0].into(),
    }))
}

const CARD: Scan = Scan::Card(0x519f_7d29);

fn id_card_info() -> Value {
    json!({
        "IDCard_Idno": "421126198702054321", "IDCard_Name": "Li Mou", "IDCard_Gender": 1, "IDCard_Nation": 1,
        "IDCard_Birthday": "1987-02-05", "IDCard_Address": "Qichun County", "IDCard_Idissue": "Bureau of Qichun",
        "IDCard_Idperiod": "20090828-20190828", "IDCard_photo": "data:image/jpeg;base64,/9j/4A==",
    })
}

pub(crate) async fn scans_are_pushed_to_the_platform(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.device.show(code()).await;
    let told = witness.event("QRCode", "QRCodePush").await;
    assert_eq!(
        (&told["QRCodeInfo"], &told["facesluiceName"]),
        (&json!("https://u.example/123456ABCD"), &json!("polyface"))
    );
    witness.ok("UpDoorconfig", json!({"VerifyMode": 2})).await;
    witness.device.show(id_card()).await;
    assert_eq!(witness.event("IDCard", "IDCardPush").await["IDCardInfo"], id_card_info());
    witness.ok("UpDoorconfig", json!({"VerifyMode": 25})).await;
    witness.device.show(CARD).await;
    let told = witness.event("Card", "CardPush").await["CardInfo"].clone();
    assert_eq!(told, json!({"Endian": "0", "CardMode": "0", "CardNum": "1369406761"}));
    witness.ok("UpDoorconfig", json!({"CardMode": 1})).await;
    witness.device.show(CARD).await;
    let told = witness.event("Card", "CardPush").await["CardInfo"].clone();
    assert_eq!(told, json!({"Endian": "0", "CardMode": "1", "CardNum": "519f7d29"}));
    witness.ok("UpDoorconfig", json!({"Endian": 1})).await;
    witness.device.show(CARD).await;
    let told = witness.event("Card", "CardPush").await["CardInfo"].clone();
    assert_eq!(told, json!({"Endian": "1", "CardMode": "1", "CardNum": "297d9f51"}));
    witness.stop().await;
}

pub(crate) async fn scans_are_pushed_to_a_subscriber(ledger: &Arc<Ledger>) {
    let (witness, mut server) = (Witness::start(ledger).await, Server::start().await);
    let set = json!({
        "ServerAddr": "127.0.0.1", "ServerPort": server.address.port(), "QRCode": 1, "IDCard": "1",
        "IDCardURL": "/people", "Auth": 1, "UserName": "admin", "PassWord": "secret",
    });
    witness.ok("UpHTTPconfig", set).await;
    server.will_answer(["what?"]);
    witness.device.show(code()).await;
    let post = server.post("/Subscribe/QRCode").await;
    assert_eq!(http::event(ledger, "HTTP QRCode", &post)["QRCodeInfo"], json!("https://u.example/123456ABCD"));
    assert_eq!(
        (&post.message["operator"], post.login.as_deref()),
        (&json!("QRCodePush"), Some("Basic YWRtaW46c2VjcmV0"))
    );
    witness.device.show(id_card()).await;
    let post = server.post("/people").await;
    assert_eq!(
        http::event(ledger, "HTTP IDCard", &post)["IDCardInfo"],
        id_card_info(),
        "told once, whatever was answered"
    );
    witness.stop().await;
}

pub(crate) async fn scans_that_are_switched_off_are_not_pushed(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    // Faces alone are demanded.
    witness.device.show(CARD).await;
    witness.device.show(id_card()).await;
    witness.device.show(code()).await;
    witness.event("QRCode", "QRCodePush").await;
    witness.ok("UpMQTTconfig", json!({"QRCode": 0, "Card": "0"})).await;
    witness.ok("UpDoorconfig", json!({"VerifyMode": 21})).await;
    witness.device.show(code()).await;
    witness.device.show(CARD).await;
    witness.ok("UpDoorconfig", json!({"VerifyMode": 4})).await;
    witness.device.show(id_card()).await;
    witness.event("IDCard", "IDCardPush").await;
    for topic in ["QRCode", "Card", "IDCard"] {
        assert!(witness.platform.left(topic).is_empty(), "{topic}");
    }
    witness.stop().await;
}

pub(crate) async fn a_card_opens_the_door_as_the_mode_has_it(ledger: &Arc<Ledger>) {
    let witness = with_door(ledger).await;
    let mut alice = person("alice");
    alice["RFIDCard"] = json!("519f7d29");
    witness.ok("EditPerson", alice).await;
    witness.ok("UpDoorconfig", json!({"VerifyMode": 22})).await;
    witness.device.show(CARD).await;
    witness.event("Card", "CardPush").await;
    assert_eq!(openings(&witness), 0, "her face is missing");
    witness.device.watch(&["alice"]).await;
    opened(&witness).await;
    witness.ok("UpDoorconfig", json!({"VerifyMode": 26})).await;
    witness.device.show(Scan::Card(7)).await;
    witness.device.show(CARD).await;
    until("the door opens again", async || openings(&witness) >= 2).await;
    let entry = witness.event_on("mqtt/face/1306612/Rec", "RecPush", |message| message["info"]["otype"] == "24").await;
    assert_eq!((&entry["customId"], &entry["RFIDCard"]), (&json!("alice"), &json!("519f7d29")));
    witness.stop().await;
}

/// Numbers sent to the controller so far, with their parity.
fn numbers(witness: &Witness) -> Vec<String> {
    let number = |act| if let Act::Number(number) = act { Some(number.to_string()) } else { None };
    witness.device.handles.host.acts().into_iter().filter_map(number).collect()
}

pub(crate) async fn numbers_of_people_who_enter_are_sent_to_a_controller(ledger: &Arc<Ledger>) {
    let witness = with_door(ledger).await;
    for (name, card, fields) in [
        ("alice", 0x519f_7d29, json!({"cardType2": 2, "cardNum2": 42, "WiegandType": 6, "WGFacilityCode": 3})),
        ("bob", 17, json!({"cardType2": 0})),
        ("carol", 18, json!({"cardType2": 3})),
        ("dave", 19, json!({"cardType2": 2, "cardNum2": 16_777_216})),
    ] {
        let mut sent = person(name);
        sent["RFIDCard"] = json!(format!("{card:x}"));
        sent.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        witness.ok("EditPerson", sent).await;
    }
    let set = json!({"VerifyMode": 21, "ControlType": 0, "Wiegand": 4, "PublicMjCardNo": "5"});
    witness.ok("UpDoorconfig", set).await;
    for card in [18, 19, 0x519f_7d29] {
        witness.device.show(Scan::Card(card)).await;
    }
    // Facility 3, card 42; dave's does not fit, carol has no access.
    until("her number is sent", async || numbers(&witness) == ["00000001100000000001010100"]).await;
    witness.device.show(Scan::Card(17)).await;
    until("there are two numbers", async || numbers(&witness).len() == 2).await;
    assert_eq!(numbers(&witness)[1], "00000000000000000000001011");
    assert_eq!(openings(&witness), 0, "numbers only");
    witness.ok("UpDoorconfig", json!({"ControlType": 2, "Wiegand": 1, "OpendoorWay": 2})).await;
    witness.ok("Unlock", json!({"openDoor": 1})).await;
    until("there are three numbers", async || numbers(&witness).len() == 3).await;
    assert_eq!((numbers(&witness)[2].len(), openings(&witness)), (34, 1));
    witness.ok("UpDoorconfig", json!({"IsOutFF": 1})).await;
    witness.device.watch(&["mallory"]).await;
    until("there are four numbers", async || numbers(&witness).len() == 4).await;
    assert_eq!(numbers(&witness)[3], format!("0{}", "1".repeat(33)));
    witness.stop().await;
}

pub(crate) async fn a_contact_that_opens_the_door_by_opening_is_closed_before(ledger: &Arc<Ledger>) {
    let witness = with_door(ledger).await;
    witness.ok("UpDoorconfig", json!({"IOType": 1, "OpendoorWay": 1, "IOStayTime": 50})).await;
    let switched = || witness.device.handles.host.switched();
    assert_eq!(switched(), [(Output::Contact, true)], "closed, and so is the door");
    witness.ok("Unlock", json!({"openDoor": 1})).await;
    until("the door is closed and opened", async || {
        switched() == [(Output::Contact, true), (Output::Contact, false), (Output::Contact, true)]
    })
    .await;
    witness.ok("UpDoorconfig", json!({"IOType": 0})).await;
    assert_eq!(switched().last(), Some(&(Output::Contact, false)));
    witness.stop().await;
}
