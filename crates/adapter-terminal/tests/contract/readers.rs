//! Readers of codes, cards and ID cards.

use std::sync::Arc;

use domain::{Document, Gender, Scan};
use serde_json::{Value, json};
use testkit::contract::Ledger;

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

pub(crate) async fn what_is_read_is_told_to_the_platform(ledger: &Arc<Ledger>) {
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
    witness.stop().await;
}

pub(crate) async fn what_is_read_is_told_to_a_subscriber(ledger: &Arc<Ledger>) {
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

pub(crate) async fn what_nobody_wants_to_know_is_not_told(ledger: &Arc<Ledger>) {
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
    let twice = async {
        while openings(&witness) < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(crate::bench::DEADLINE, twice).await.expect("the card opens nothing");
    witness.stop().await;
}
