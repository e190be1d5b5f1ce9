//! What a screen would show.

use std::sync::Arc;

use domain::Event;
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::{FakeFace, Picture};
use tokio::sync::broadcast::Receiver;

use crate::device::photo;
use crate::subscriber::Server;
use crate::witness::Witness;

/// The next content that was sent to a front end.
fn told(events: &mut Receiver<Event>) -> (String, String) {
    loop {
        if let Event::FrontEnd { what, content } = events.try_recv().expect("nothing was told") {
            return (what, content);
        }
    }
}

pub(crate) async fn advertisements_are_kept_and_removed(ledger: &Arc<Ledger>) {
    let (witness, server) = (Witness::start(ledger).await, Server::start().await);
    let mut events = witness.device.appliance.events();
    let picture = Picture::of([FakeFace::of("alice")]).jpeg();
    let url = server.offer("/ad.jpg", picture);
    let answer = witness.ok("EditAD", json!({"adid": "7", "path": url, "adslot": "2"})).await;
    assert_eq!(answer["adid"], json!("7"));
    let (what, content) = told(&mut events);
    let shown: Value = serde_json::from_str(&content).unwrap();
    assert_eq!((what.as_str(), &shown["polltime"]), ("advertisement.2", &json!(10)));
    assert_eq!(shown["picture"], json!(photo("alice")));
    witness.ok("EditAD", json!({"adslot": 2, "polltime": 30})).await;
    let longer: Value = serde_json::from_str(&told(&mut events).1).unwrap();
    assert_eq!((&longer["picture"], &longer["polltime"]), (&shown["picture"], &json!(30)));
    let text = server.offer("/text", b"no picture"[..].to_vec().into());
    let cases = [
        ("EditAD", json!({"path": url}), 462),
        ("EditAD", json!({"path": url, "adslot": 5}), 463),
        ("EditAD", json!({"path": format!("http://{}/missing", server.address), "adslot": 1}), 465),
        ("EditAD", json!({"path": text, "adslot": 1}), 465),
        ("EditAD", json!({"adslot": 1, "polltime": 5}), 465),
        ("EditAD", json!({"path": url, "adslot": 1, "facesluiceId": "1"}), 467),
        ("DelAD", json!({}), 462),
        ("DelAD", json!({"adslot": -1}), 463),
    ];
    for (operator, info, code) in cases {
        witness.refused(operator, info, code).await;
    }
    for operator in ["EditAD", "DelAD"] {
        witness.refused_command(operator, json!({"operator": operator}), 461).await;
    }
    witness.ok("DelAD", json!({"adslot": "2"})).await;
    assert_eq!(told(&mut events), ("advertisement.2".to_owned(), String::new()));
    witness.refused("EditAD", json!({"adslot": 2, "polltime": 5}), 465).await;
    witness.stop().await;
}

pub(crate) async fn a_code_is_shown_and_hidden(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let mut events = witness.device.appliance.events();
    witness.ok("ShowQRCode", json!({"ImageType": "1", "AbsX": 3, "QRCodeData": "A1B2C3"})).await;
    let (what, content) = told(&mut events);
    let shown: Value = serde_json::from_str(&content).unwrap();
    assert_eq!((what.as_str(), &shown["QRCodeData"], &shown["AbsX"]), ("qr code", &json!("A1B2C3"), &json!(10)));
    witness.ok("ShowQRCode", json!({"ImageType": 3, "QRCodeData": photo("alice")})).await;
    told(&mut events);
    let cases = [
        (json!({"ImageType": 1}), 463),
        (json!({"ImageType": 9, "QRCodeData": "x"}), 463),
        (json!({"ImageType": 2, "QRCodeData": "no picture"}), 463),
        (json!({"ImageType": 1, "QRCodeData": "x".repeat(32 << 10)}), 463),
        (json!({"ImageType": 1, "QRCodeData": "x", "facesluiceId": "1"}), 464),
    ];
    for (info, code) in cases {
        witness.refused("ShowQRCode", info, code).await;
    }
    witness.refused_command("ShowQRCode", json!({"operator": "ShowQRCode"}), 462).await;
    witness.ok("ShowQRCode", json!({"ShowStatus": "0"})).await;
    assert_eq!(told(&mut events), ("qr code".to_owned(), String::new()));
    witness.stop().await;
}
