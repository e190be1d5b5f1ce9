//! Commands written as clients of the field write them, and commands that cannot be read to their end.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::mqtt::ID;

use crate::batches::{batch, entry};
use crate::device::photo;
use crate::subscriber::Server;
use crate::witness::Witness;

/// Says this and gives the answer to the command 7 in it.
async fn answer(witness: &Witness, payload: &[u8]) -> Value {
    witness.platform.publish(&format!("mqtt/face/{ID}"), payload).await;
    witness.platform.wait("Ack", |answer| answer["messageId"] == json!(7)).await
}

/// Enrols a person with this in a field.
fn enrolling(field: &str, value: &[u8]) -> Vec<u8> {
    let head = format!(r#"{{"messageId":7,"operator":"EditPerson","info":{{"{field}":""#);
    let other = if field == "customId" { "name" } else { "customId" };
    let rest = format!(r#"","{other}":"a","tempCardType":0,"personType":0,"pic":"{}"}}}}"#, photo("alice"));
    [head.as_bytes(), value, rest.as_bytes()].concat()
}

async fn is_unreadable(witness: &Witness, payload: &[u8], code: &str, field: &str) {
    let answered = answer(witness, payload).await;
    let said = payload[..payload.len().min(120)].escape_ascii();
    let wanted = format!("Parameter error: {field} is not readable: send UTF-8");
    assert_eq!((&answered["code"], &answered["info"]["detail"]), (&json!(code), &json!(wanted)), "{said}");
}

async fn number_of_people(witness: &Witness) -> Value {
    witness.ok("QueryPerson", json!({})).await["QueryPersonNum"].clone()
}

pub(crate) async fn what_stands_around_a_command_is_ignored(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let command: &[u8] = br#"{"messageId": 7, "operator": "Versions", "info": {}}"#;
    for (before, after) in
        [(&b"\xef\xbb\xbf"[..], &b""[..]), (b"", b"\0"), (b"", b"\r\n\0\0\0"), (b"\xef\xbb\xbf\r\n", b" \0")]
    {
        let answered = answer(&witness, &[before, command, after].concat()).await;
        assert_eq!(answered["code"], json!("200"), "{} {}", before.escape_ascii(), after.escape_ascii());
    }
    witness.stop().await;
}

pub(crate) async fn unreadable_characters_are_replaced_in_fields_that_do_not_identify_a_person(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let notes: [(&[u8], &str); 6] = [
        (br"Ann \ud83d", "Ann \u{fffd}"),
        (br"\ude00\ud83d\ude00", "\u{fffd}\u{1f600}"),
        (b"Jos\xe9", "Jos\u{fffd}"),
        // GBK, once with a second byte that looks like a backslash.
        (b"\xd5\xc5", "\u{fffd}\u{fffd}"),
        (b"\x8c\x5c", "\u{fffd}"),
        (b"Ann\tSmith", "Ann\tSmith"),
    ];
    for (sent, stored) in notes {
        let answered = answer(&witness, &enrolling("notes", sent)).await;
        assert_eq!(answered["code"], json!("200"), "{}", sent.escape_ascii());
        let read = witness.ok("SearchPerson", json!({"customId": "a"})).await;
        assert_eq!(read["notes"], json!(stored), "{}", sent.escape_ascii());
    }
    witness.stop().await;
}

/// Two names of four bytes in GBK, which become the same when they are read as UTF-8.
const TWO_IN_GBK: [&[u8]; 2] = [b"\xd5\xc5\xc8\xfd", b"\xc0\xee\xcb\xc4"];

pub(crate) async fn a_person_with_an_unreadable_id_is_not_enrolled_as_another(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    for field in ["customId", "name", "idCard", "cardNum2", "RFIDCard"] {
        for value in TWO_IN_GBK {
            is_unreadable(&witness, &enrolling(field, value), "462", field).await;
            assert_eq!(number_of_people(&witness).await, json!("0"), "{field}");
        }
        is_unreadable(&witness, &enrolling(field, br"\ud83d"), "462", field).await;
    }
    witness.enrol("alice").await;
    let edit = [&br#"{"messageId":7,"operator":"EditPerson","info":{"customId":"alice","name":""#[..], TWO_IN_GBK[0]];
    is_unreadable(&witness, &[edit.concat(), br#"","notes":"x"}}"#.to_vec()].concat(), "462", "name").await;
    let read = witness.ok("SearchPerson", json!({"customId": "alice"})).await;
    assert_eq!((&read["name"], &read["notes"]), (&json!("alice"), &json!(" ")));
    witness.stop().await;
}

pub(crate) async fn who_cannot_be_read_is_neither_found_nor_removed(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.enrol("alice").await;
    // As a release before this one enrolled it.
    let damaged = "\u{fffd}".repeat(4);
    let table = [
        ("DelPerson", json!({"customId": damaged}), 462, "customId"),
        ("SearchPerson", json!({"customId": damaged}), 462, "customId"),
        ("SearchPersonList", json!({"name": damaged}), 462, "name"),
        ("SearchPersonList", json!({"cardNum2": damaged}), 462, "cardNum2"),
        (
            "ManualPushRecords",
            json!({"TimeS": "2020-01-01T00:00:00", "TimeE": "2030-01-01T00:00:00", "Name": damaged}),
            462,
            "Name",
        ),
        ("DeletePersons", json!([{"customId": "alice"}, {"customId": damaged}]), 414, "customId"),
    ];
    for (operator, info, code, field) in table {
        witness.refused(operator, info.clone(), code).await;
        let command = json!({"messageId": 7, "operator": operator, "info": info}).to_string();
        is_unreadable(&witness, command.as_bytes(), &code.to_string(), field).await;
    }
    let mut framed = batch("DeletePersons", &json!(["alice", damaged]));
    framed["info"] = json!({"customId": framed["info"]});
    witness.refused_command("DeletePersons", framed, 414).await;
    assert_eq!(number_of_people(&witness).await, json!("1"), "nothing is half done");
    witness.stop().await;
}

pub(crate) async fn of_a_batch_only_who_cannot_be_read_is_refused(ledger: &Arc<Ledger>) {
    let (witness, server) = (Witness::start(ledger).await, Server::start().await);
    let with = |name: &str, field: &str| {
        let mut person = entry(&server, name);
        person[field] = json!("\u{fffd}\u{fffd}");
        person
    };
    let people =
        json!([with("eve", "customId"), entry(&server, "alice"), with("bob", "name"), entry(&server, "carol")]);
    for (operator, code) in [("AddPersons", "470"), ("EditPersons", "479"), ("EditPersonsNew", "479")] {
        let report = witness.ok_command(operator, batch(operator, &people)).await;
        let failed = json!([
            {"customId": "\u{fffd}\u{fffd}", "errcode": code},
            {"customId": "bob", "errcode": code},
        ]);
        assert_eq!((&report["AddErrInfo"], &report["AddSucNum"]), (&failed, &json!("2")), "{operator}");
        assert_eq!(number_of_people(&witness).await, json!("2"));
    }
    witness.stop().await;
}

pub(crate) async fn a_command_whose_rest_cannot_be_read_is_answered(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let deep = format!(r#"{{"messageId":7,"operator":"EditPerson","info":{}"#, "[".repeat(5000));
    let many = format!(r#"{{"messageId":7,"operator":"EditPerson","info":[{}0]}}"#, "0,".repeat(200_000));
    let damaged: [(&str, &str); 11] = [
        (r#"{"messageId":7,"operator":"EditPerson","info":{"customId":"a","na"#, "462"),
        (r#"{"messageId":7,"operator":"EditPerson","info":{"customId" "a"}}"#, "462"),
        (r#"{"MessageId":7,"Operator":"EditPerson","info":"customId"}"#, "462"),
        (r#"{"messageId":7,"operator":"EditPerson","info":[{"customId":"a"}]}"#, "462"),
        (r#"{"messageId":7,"operator":"EditPerson","info":null}"#, "462"),
        (r#"{"messageId":7,"operator":"Unlock","info":true}"#, "461"),
        (r#"{"messageId":7,"operator":"Unlock","info":{"openDoor":{}}}"#, "462"),
        (r#"{"messageId":7,"operator":"PushAck","info":{"PushAckType":[]}}"#, "463"),
        (r#"{"messageId":7,"operator":"AddPersons","DataBegin":1,"info":[{"#, "412"),
        (&deep, "462"),
        (&many, "462"),
    ];
    for (payload, code) in damaged {
        let answered = answer(&witness, payload.as_bytes()).await;
        let said = &payload[..payload.len().min(80)];
        assert_eq!((&answered["code"], &answered["info"]["result"]), (&json!(code), &json!("fail")), "{said}");
    }
    assert_eq!(witness.ok("QueryPerson", json!({})).await["QueryPersonNum"], json!("0"));
    witness.stop().await;
}
