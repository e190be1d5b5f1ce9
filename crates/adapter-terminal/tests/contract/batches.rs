//! Many people at once.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::{FakeFace, Picture};

use crate::subscriber::Server;
use crate::witness::{Witness, person};

pub(crate) fn batch(operator: &str, people: &Value) -> Value {
    let number = people.as_array().map_or(0, Vec::len);
    json!({"operator": operator, "DataBegin": "BeginFlag", "DataEnd": "EndFlag", "PersonNum": number, "info": people})
}

/// Somebody whose picture lies on the server.
pub(crate) fn entry(server: &Server, name: &str) -> Value {
    let url = server.offer(&format!("/{name}.png"), Picture::of([FakeFace::of(name)]).png());
    json!({"customId": name, "name": name, "personType": 0, "tempCardType": 0, "picURI": url})
}

fn with(mut entry: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("not fields: {changes}") };
    entry.as_object_mut().unwrap().extend(changes);
    entry
}

/// Runs a batch and gives who failed, and how.
async fn run(witness: &Witness, operator: &str, people: Value) -> Vec<(String, i64)> {
    let number = people.as_array().unwrap().len();
    let report = witness.ok_command(operator, batch(operator, &people)).await;
    let failed = report["AddErrInfo"].as_array().unwrap().clone();
    let done = report["AddSucInfo"].as_array().unwrap().len();
    assert_eq!(report["AddErrNum"], json!(failed.len().to_string()));
    assert_eq!((report["AddSucNum"].as_str(), failed.len() + done), (Some(done.to_string().as_str()), number));
    let code = |entry: &Value| entry["errcode"].as_str().unwrap().parse().unwrap();
    let failed: Vec<(String, i64)> =
        failed.iter().map(|entry| (entry["customId"].as_str().unwrap().to_owned(), code(entry))).collect();
    for (_, code) in &failed {
        assert_eq!(witness.ledger.item(operator, *code), Ok(()));
    }
    failed
}

async fn ids(witness: &Witness) -> Vec<String> {
    let all = witness.ok("QueryPerson", json!({})).await;
    let mut ids: Vec<_> = all["customId"].as_str().unwrap().split(',').map(str::to_owned).collect();
    ids.sort_unstable();
    ids
}

pub(crate) async fn people_are_added_by_the_addresses_of_their_pictures(ledger: &Arc<Ledger>) {
    let (witness, server) = (Witness::start(ledger).await, Server::start().await);
    witness
        .ok("EditPerson", {
            let mut sent = person("old");
            (sent["cardNum2"], sent["RFIDCard"]) = (json!(7), json!("ff"));
            sent
        })
        .await;
    let at = |path: &str, bytes: Vec<u8>| json!({"picURI": server.offer(path, bytes.into())});
    let wide = Picture::of([FakeFace::of("wide")]).sized(2000, 900).jpeg().to_vec();
    let people = json!([
        entry(&server, "alice"),
        entry(&server, "old"),
        with(entry(&server, "c1"), json!({"RFIDCard": "ff"})),
        with(entry(&server, "c2"), json!({"picURI": "", "pic": crate::device::photo("c2")})),
        with(entry(&server, "c3"), json!({"picURI": "http://nowhere.invalid/x.jpg"})),
        with(entry(&server, "c4"), json!({"picURI": format!("http://{}/missing", server.address)})),
        with(entry(&server, "c5"), at("/c5", vec![7; 5000])),
        with(entry(&server, "c6"), at("/c6", wide)),
        with(entry(&server, "c7"), at("/c7", Picture::empty().jpeg().to_vec())),
        with(entry(&server, "c8"), json!({"cardNum2": 7})),
        with(entry(&server, "c9"), json!({"cardType2": 2, "cardNum2": 5, "WiegandType": 6})),
        with(entry(&server, "d1"), json!({"cardType2": 2})),
        with(entry(&server, "d2"), json!({"isCheckSimilarity": 1, "picURI": entry(&server, "old")["picURI"]})),
        with(entry(&server, "d3"), json!({"tempCardType": 1})),
        entry(&server, "alice"),
        with(entry(&server, "bob"), json!({"isCheckSimilarity": 1})),
    ]);
    let failed = run(&witness, "AddPersons", people).await;
    let expected = [
        ("old", 461),
        ("c1", 462),
        ("c2", 463),
        ("c3", 464),
        ("c4", 465),
        ("c5", 466),
        ("c6", 467),
        ("c7", 468),
        ("c8", 475),
        ("c9", 476),
        ("d1", 477),
        ("d2", 478),
        ("d3", 470),
        ("alice", 461),
    ];
    assert_eq!(failed, expected.map(|(id, code)| (id.to_owned(), code)));
    assert_eq!(ids(&witness).await, ["alice", "bob", "old"]);
    witness.device.handles.store.fill_up(true);
    assert_eq!(run(&witness, "AddPersons", json!([entry(&server, "eve")])).await, [("eve".to_owned(), 469)]);
    witness.device.handles.store.fill_up(false);
    witness.stop().await;
}

pub(crate) async fn people_are_changed_in_a_batch(ledger: &Arc<Ledger>) {
    let (witness, server) = (Witness::start(ledger).await, Server::start().await);
    for name in ["alice", "bob"] {
        witness.enrol(name).await;
    }
    let at = |path: &str, bytes: Vec<u8>| server.offer(path, bytes.into());
    let people = json!([
        {"customId": "alice", "name": "Alice", "telnum1": "13700880000"},
        {"customId": "dave", "name": "x"},
        {"name": "x"},
        {"customId": "bob", "name": "x", "picURI": "http://nowhere.invalid/x.jpg"},
        {"customId": "bob", "name": "x", "picURI": format!("http://{}/missing", server.address)},
        {"customId": "bob", "name": "x", "picURI": at("/text", vec![7; 5000])},
        {"customId": "bob", "name": "x", "picURI": at("/long", vec![7; (1 << 20) + 1])},
        {"customId": "bob", "name": "x", "picURI": at("/empty", Picture::empty().jpeg().to_vec())},
        {"customId": "bob", "name": "x", "cardType2": 2},
        {"customId": "bob", "name": "x", "WiegandType": 6},
        {"customId": "bob", "name": "x", "tempCardType": 3},
        {"customId": "bob", "name": "x", "personType": 4},
        {"customId": "bob", "picURI": entry(&server, "carol")["picURI"]},
    ]);
    let failed = run(&witness, "EditPersons", people).await;
    let expected = [
        ("dave", 462),
        ("", 461),
        ("bob", 464),
        ("bob", 465),
        ("bob", 466),
        ("bob", 467),
        ("bob", 468),
        ("bob", 477),
        ("bob", 476),
        ("bob", 479),
        ("bob", 479),
    ];
    assert_eq!(failed, expected.map(|(id, code)| (id.to_owned(), code)));
    let alice = witness.ok("SearchPerson", json!({"customId": "alice"})).await;
    assert_eq!((&alice["name"], &alice["telnum1"]), (&json!("Alice"), &json!("13700880000")));
    let bob = witness.ok("SearchPerson", json!({"customId": "bob", "Picture": 1})).await;
    assert_eq!(bob["name"], json!("bob"));
    witness.device.handles.store.fill_up(true);
    let other = json!([{"customId": "bob", "picURI": entry(&server, "dave")["picURI"]}]);
    assert_eq!(run(&witness, "EditPersons", other).await, [("bob".to_owned(), 469)]);
    witness.device.handles.store.fill_up(false);
    assert!(bob["top"]["pic"].as_str().unwrap().starts_with("data:image/png;base64,"), "the other picture");
    witness.stop().await;
}

pub(crate) async fn people_are_added_or_changed_in_a_batch(ledger: &Arc<Ledger>) {
    let (witness, server) = (Witness::start(ledger).await, Server::start().await);
    witness.enrol("alice").await;
    let people = json!([
        {"customId": "alice", "name": "Alice", "cardNum2": 7, "RFIDCard": "ff"},
        entry(&server, "bob"),
        {"customId": "carol", "name": "carol"},
        {"name": "x"},
        with(entry(&server, "e1"), json!({"picURI": "http://nowhere.invalid/x.jpg"})),
    ]);
    let failed = run(&witness, "EditPersonsNew", people).await;
    assert_eq!(failed, [("carol", 481), ("", 461), ("e1", 464)].map(|(id, code)| (id.to_owned(), code)));
    let cards = json!([
        with(entry(&server, "e2"), json!({"cardNum2": 7})),
        with(entry(&server, "e3"), json!({"RFIDCard": "ff"})),
        with(entry(&server, "e4"), json!({"tempCardType": 9})),
    ]);
    let failed = run(&witness, "EditPersonsNew", cards).await;
    assert_eq!(failed, [("e2", 475), ("e3", 480), ("e4", 479)].map(|(id, code)| (id.to_owned(), code)));
    let at = |path: &str, bytes: Vec<u8>| json!({"picURI": server.offer(path, bytes.into())});
    let pictures = json!([
        with(entry(&server, "p1"), json!({"picURI": format!("http://{}/missing", server.address)})),
        with(entry(&server, "p2"), at("/text", vec![7; 5000])),
        with(entry(&server, "p3"), at("/long", vec![7; (1 << 20) + 1])),
        with(entry(&server, "p4"), at("/empty", Picture::empty().jpeg().to_vec())),
        with(entry(&server, "p5"), json!({"cardType2": 2, "cardNum2": 5, "WiegandType": 6})),
        with(entry(&server, "p6"), json!({"cardType2": 2})),
    ]);
    let failed = run(&witness, "EditPersonsNew", pictures).await;
    let expected = [("p1", 465), ("p2", 466), ("p3", 467), ("p4", 468), ("p5", 476), ("p6", 477)];
    assert_eq!(failed, expected.map(|(id, code)| (id.to_owned(), code)));
    witness.device.handles.store.fill_up(true);
    let full = json!([entry(&server, "p7")]);
    assert_eq!(run(&witness, "EditPersonsNew", full).await, [("p7".to_owned(), 469)]);
    witness.device.handles.store.fill_up(false);
    assert_eq!(ids(&witness).await, ["alice", "bob"]);
    assert_eq!(witness.ok("SearchPerson", json!({"customId": "alice"})).await["name"], json!("Alice"));
    witness.stop().await;
}

pub(crate) async fn a_batch_with_a_broken_frame_is_refused(ledger: &Arc<Ledger>) {
    let (witness, server) = (Witness::start(ledger).await, Server::start().await);
    let people = json!([entry(&server, "alice")]);
    for operator in ["AddPersons", "EditPersons", "EditPersonsNew"] {
        let without = |name: &str| {
            let mut command = batch(operator, &people);
            command.as_object_mut().unwrap().remove(name);
            command
        };
        let other = |name: &str, value: Value| with(batch(operator, &people), json!({ name: value }));
        let cases = [
            (without("DataBegin"), 412),
            (without("DataEnd"), 413),
            (without("info"), 414),
            (without("PersonNum"), 415),
            (other("PersonNum", json!("1001")), 416),
            (other("PersonNum", json!(0)), 416),
            (other("info", json!({})), 418),
            (other("PersonNum", json!(2)), 417),
            (other("padding", json!(" ".repeat(1 << 20))), 460),
        ];
        for (command, code) in cases {
            witness.refused_command(operator, command, code).await;
        }
    }
    assert_eq!(witness.ok("QueryPerson", json!({})).await["QueryPersonNum"], json!("0"));
    witness.stop().await;
}

pub(crate) async fn progress(witness: &Witness, kind: &str, status: &str) {
    let info = witness.ok("QueryProgress", json!({})).await;
    assert_eq!((&info["QueryType"], &info["Status"]), (&json!(kind), &json!(status)));
}

/// Other commands are done meanwhile.
pub(crate) async fn one_batch_runs_at_a_time_and_says_so(ledger: &Arc<Ledger>) {
    let (witness, server) = (Witness::start(ledger).await, Server::start().await);
    progress(&witness, "None", "0").await;
    witness.refused_command("QueryProgress", json!({"operator": "QueryProgress"}), 461).await;
    server.close().await;
    for (operator, status) in [("AddPersons", "1"), ("EditPersonsNew", "3"), ("EditPersons", "2")] {
        let mut command = batch(operator, &json!([entry(&server, "alice")]));
        command["messageId"] = json!(operator);
        witness.platform.send(&command).await;
        // Commands are taken in order: the answer to another shows that the batch has begun.
        witness.ok("Versions", json!({})).await;
        progress(&witness, operator, status).await;
        for second in ["AddPersons", "EditPersons", "EditPersonsNew"] {
            let command = batch(second, &json!([entry(&server, "bob")]));
            witness.refused_command(second, command, 410).await;
        }
        server.open();
        let report = witness.platform.wait("Ack", |answer| answer["messageId"] == json!(operator)).await;
        assert_eq!(report["info"]["AddSucNum"], json!("1"), "{report}");
        server.close().await;
        progress(&witness, "None", "0").await;
    }
    witness.stop().await;
}
