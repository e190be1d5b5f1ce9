//! Commands written as clients of the field write them, and commands that cannot be read to their end.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::mqtt::ID;

use crate::bench::device::photo;
use crate::witness::{Witness, open_ledger};

/// Says this and gives the answer to the command 7 in it.
async fn answer(witness: &Witness, payload: &[u8]) -> Value {
    witness.platform.publish(&format!("mqtt/face/{ID}"), payload).await;
    witness.platform.wait("Ack", |answer| answer["messageId"] == json!(7)).await
}

fn enrolling(name: &[u8]) -> Vec<u8> {
    let rest = format!(r#"","tempCardType":0,"personType":0,"pic":"{}"}}}}"#, photo("alice"));
    [br#"{"messageId":7,"operator":"EditPerson","info":{"customId":"a","name":""#, name, rest.as_bytes()].concat()
}

#[tokio::test]
async fn what_stands_around_a_command_is_ignored() {
    let witness = Witness::start(&Arc::new(open_ledger())).await;
    let command: &[u8] = br#"{"messageId": 7, "operator": "Versions", "info": {}}"#;
    for (before, after) in
        [(&b"\xef\xbb\xbf"[..], &b""[..]), (b"", b"\0"), (b"", b"\r\n\0\0\0"), (b"\xef\xbb\xbf\r\n", b" \0")]
    {
        let answered = answer(&witness, &[before, command, after].concat()).await;
        assert_eq!(answered["code"], json!("200"), "{} {}", before.escape_ascii(), after.escape_ascii());
    }
    witness.stop().await;
}

#[tokio::test]
async fn what_is_no_character_is_replaced_and_the_command_obeyed() {
    let witness = Witness::start(&Arc::new(open_ledger())).await;
    let names: [(&[u8], &str); 6] = [
        (br"Ann \ud83d", "Ann \u{fffd}"),
        (br"\ude00\ud83d\ude00", "\u{fffd}\u{1f600}"),
        (b"Jos\xe9", "Jos\u{fffd}"),
        // GBK, once with a second byte that looks like a backslash.
        (b"\xd5\xc5", "\u{fffd}\u{fffd}"),
        (b"\x8c\x5c", "\u{fffd}"),
        (b"Ann\tSmith", "Ann\tSmith"),
    ];
    for (sent, stored) in names {
        assert_eq!(answer(&witness, &enrolling(sent)).await["code"], json!("200"), "{}", sent.escape_ascii());
        let read = witness.ok("SearchPerson", json!({"customId": "a"})).await;
        assert_eq!(read["name"], json!(stored), "{}", sent.escape_ascii());
    }
    witness.stop().await;
}

#[tokio::test]
async fn a_command_whose_rest_cannot_be_read_is_answered() {
    let witness = Witness::start(&Arc::new(open_ledger())).await;
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
