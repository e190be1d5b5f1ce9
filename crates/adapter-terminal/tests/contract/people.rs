//! People.

use std::sync::Arc;

use domain::Limits;
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::{FakeFace, Picture};

use crate::device::{photo, uri};
use crate::subscriber::Server;
use crate::witness::{Witness, person};

pub(crate) async fn a_person_is_added_read_changed_and_removed(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let sent = json!({
        "customId": "a-1", "name": "Zhang San", "personType": "0", "tempCardType": "0", "nation": 3, "gender": "1",
        "idCard": "421381199504030001", "birthday": "1992-6-15", "telnum1": "18888888888", "native": "Shenzhen",
        "address": "", "notes": "left-handed", "pic": photo("alice"),
    });
    let added = witness.ok("EditPerson", sent).await;
    assert_eq!(added["customId"], json!("a-1"));
    let read = witness.ok("SearchPerson", json!({"CustomID": "a-1", "Picture": "1"})).await;
    let expected = [
        ("personId", &added["personId"]),
        ("name", &json!("Zhang San")),
        ("nation", &json!("3")),
        ("gender", &json!("1")),
        ("idCard", &json!("421381199504030001")),
        ("birthday", &json!("1992-06-15")),
        ("native", &json!("Shenzhen")),
        ("address", &json!(" ")),
        ("notes", &json!("left-handed")),
    ];
    expected.into_iter().for_each(|(name, value)| assert_eq!(&read[name], value, "{name}"));
    assert_eq!(read["top"]["pic"], json!(photo("alice")));
    let changed = json!({"customId": "a-1", "telnum1": "1", "personType": 1, "pic": photo("bob")});
    witness.ok("EditPerson", changed).await;
    let again = witness.ok("SearchPerson", json!({"customId": "a-1", "Picture": 1})).await;
    assert_eq!(
        (&again["name"], &again["telnum1"], &again["personType"]),
        (&json!("Zhang San"), &json!("1"), &json!("1"))
    );
    assert_eq!((&again["top"]["pic"], &again["personId"]), (&json!(photo("bob")), &added["personId"]));
    let all = witness.ok("QueryPerson", json!({})).await;
    assert_eq!((&all["customId"], &all["TotalPersonNum"]), (&json!("a-1"), &json!("1")));
    let removed = witness.ok("DelPerson", json!({"customId": "a-1"})).await;
    assert_eq!(removed["personId"], added["personId"]);
    for (operator, code) in [("SearchPerson", 464), ("DelPerson", 464)] {
        witness.refused(operator, json!({"customId": "a-1"}), code).await;
    }
    assert_eq!(witness.ok("QueryPerson", json!({})).await["QueryPersonNum"], json!("0"));
    witness.stop().await;
}

pub(crate) async fn what_only_this_document_knows_of_a_person_is_kept(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let mut sent = person("alice");
    for (name, value) in
        [("cardType2", 2), ("cardNum2", 17), ("WiegandType", 6), ("WGFacilityCode", 12), ("cardType", 0)]
    {
        sent[name] = json!(value);
    }
    sent["RFIDCard"] = json!("519f7d29");
    witness.ok("EditPerson", sent).await;
    witness.ok("EditPerson", json!({"customId": "alice", "notes": "x"})).await;
    let rows = witness.ok("SearchPersonList", json!({"name": "alice"})).await;
    let row = &rows["List"][0];
    assert_eq!((&row["cardType2"], &row["cardNum2"], &row["RFIDCard"]), (&json!(2), &json!(17), &json!("519f7d29")));
    assert_eq!(row["notes"], json!("x"));
    let device = witness.device.appliance.clone();
    let stored = device.person_by_code("alice".parse().unwrap()).await.unwrap();
    assert_eq!(stored.profile.cards, ["17", "1369406761"], "others see the numbers of the cards");
    witness.ok("EditPerson", json!({"customId": "alice", "cardNum2": "18"})).await;
    let stored = device.person_by_code("alice".parse().unwrap()).await.unwrap();
    assert_eq!(stored.profile.cards, ["1369406761", "18"]);
    witness.stop().await;
}

async fn found(witness: &Witness, conditions: Value) -> Vec<String> {
    let rows = witness.ok("SearchPersonList", conditions).await;
    let names = rows["List"].as_array().unwrap().iter().map(|row| row["customId"].as_str().unwrap().to_owned());
    names.collect()
}

pub(crate) async fn lists_of_people_meet_every_condition(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    for (name, kind, gender, card) in [("alice", 0, 1, 11), ("bob", 1, 0, 12), ("carol", 0, 1, 13)] {
        let mut sent = person(name);
        (sent["personType"], sent["gender"], sent["cardNum2"]) = (json!(kind), json!(gender), json!(card));
        witness.ok("EditPerson", sent).await;
    }
    let table = [
        (json!({}), vec!["carol", "bob", "alice"]),
        (json!({"personType": 2, "gender": 2}), vec!["carol", "bob", "alice"]),
        (json!({"personType": "1"}), vec!["bob"]),
        (json!({"personType": 0}), vec!["carol", "alice"]),
        (json!({"gender": 0}), vec!["bob"]),
        (json!({"name": "aro"}), vec!["carol"]),
        (json!({"cardNum2": 11}), vec!["alice"]),
        (json!({"BeginNO": 1, "RequestCount": 1}), vec!["bob"]),
        (json!({"BeginTime": "2000-01-01T00:00:00", "EndTime": "2100-01-01T00:00:00"}), vec!["carol", "bob", "alice"]),
        (json!({"facesluiceId": testkit::mqtt::ID, "name": "o", "personType": 1}), vec!["bob"]),
        (json!({"BeginTime": "0001-01-01T00:00:00", "EndTime": "9999-12-31T23:59:59"}), vec!["carol", "bob", "alice"]),
        (json!({"BeginTime": "0000-00-00 00:00:00", "EndTime": "2026-03-02T24:00:00"}), vec!["carol", "bob", "alice"]),
    ];
    for (conditions, expected) in table {
        assert_eq!(found(&witness, conditions.clone()).await, expected, "{conditions}");
    }
    for (id, name, part) in [("ivan", "Иван", "ВАН"), ("jose", "Jose\u{301}", "JOSÉ"), ("lee", "Ｌｅｅ", "lee")]
    {
        let mut sent = person(id);
        sent["name"] = json!(name);
        witness.ok("EditPerson", sent).await;
        assert_eq!(found(&witness, json!({"name": part})).await, [id]);
        witness.ok("DelPerson", json!({"customId": id})).await;
    }
    let page = witness.ok("SearchPersonList", json!({"RequestCount": 1})).await;
    assert_eq!((&page["TotalPersonNum"], &page["PersonNum"]), (&json!(3), &json!(1)));
    for nobody in [json!({"name": "dave"}), json!({"EndTime": "2000-01-01T00:00:00"}), json!({"BeginNO": 3})] {
        witness.refused("SearchPersonList", nobody, 466).await;
    }
    witness.refused("SearchPersonList", json!({"facesluiceId": "1"}), 465).await;
    witness.stop().await;
}

fn with(name: &str, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("not fields: {changes}") };
    let mut sent = person(name);
    sent.as_object_mut().unwrap().extend(changes);
    sent
}

pub(crate) async fn a_person_that_cannot_be_stored_changes_nothing(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.enrol("alice").await;
    let before = witness.ok("SearchPersonList", json!({})).await;
    let nobody = uri(&Picture::empty().jpeg());
    let huge = uri(&vec![7; 1 << 20][..1_000_000]);
    let cases = [
        (with("bob", json!({"customId": ""})), 461),
        (with("bob", json!({"customId": "x".repeat(48)})), 461),
        (with("bob", json!({"customId": "b,c"})), 461),
        (with("bob", json!({"personType": 2})), 462),
        (with("bob", json!({"birthday": "1992-02-30"})), 462),
        (json!({"customId": "alice", "name": "x".repeat(32)}), 462),
        (json!({"customId": "alice", "telnum1": "1", "gender": 2}), 462),
        (with("bob", json!({"pic": "data:image/jpeg;base64,!"})), 463),
        (with("bob", json!({"pic": nobody})), 464),
        (with("bob", json!({"pic": null})), 472),
        (with("bob", json!({"tempCardType": 1})), 465),
        (with("bob", json!({"tempCardType": 9})), 465),
        (with("bob", json!({"pic": huge})), 460),
        (with("bob", json!({"cardType2": 2})), 475),
        (with("bob", json!({"cardType2": 2, "cardNum2": 5, "WiegandType": 7})), 474),
        (json!({"customId": "alice", "name": "other", "pic": nobody}), 464),
    ];
    for (sent, code) in cases {
        witness.refused("EditPerson", sent, code).await;
    }
    for (operator, code) in [("EditPerson", 462), ("DelPerson", 462), ("SearchPerson", 462), ("SearchPersonList", 462)]
    {
        witness.refused_command(operator, json!({"operator": operator}), code).await;
    }
    witness.refused("SearchPerson", json!({}), 463).await;
    witness.refused("DelPerson", json!({"customId": ""}), 461).await;
    let padding = " ".repeat(1 << 20);
    for operator in ["SearchPerson", "SearchPersonList", "DeleteAllPerson"] {
        let command = json!({"operator": operator, "info": {"customId": "alice", "padding": padding, "deleteall": 1}});
        witness.refused_command(operator, command, 460).await;
    }
    witness.device.handles.store.fill_up(true);
    witness.refused("EditPerson", person("bob"), 465).await;
    witness.device.handles.store.fill_up(false);
    assert_eq!(witness.ok("SearchPersonList", json!({})).await, before);
    witness.stop().await;
}

pub(crate) async fn a_refusal_names_the_field(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.enrol("alice").await;
    let cases = [
        ("EditPerson", json!({"customId": "a,b"}), "customId must not contain a comma"),
        ("EditPerson", json!({"customId": "alice", "cardType2": 7}), "cardType2 must be one of 0, 1, 2, 3"),
        (
            "EditPerson",
            json!({"customId": "alice", "tempCardType": 1, "cardValidBegin": "2026-03-01 09:00:00", "cardValidEnd": "soon"}),
            "other: cardValidEnd must be a time",
        ),
        (
            "EditPerson",
            json!({"customId": "alice", "tempCardType": 1, "cardValidBegin": "2026-03-01 24:00:00", "cardValidEnd": "2026-03-31 24:00:00"}),
            "other: cardValidBegin must be a time",
        ),
        ("EditPerson", json!({"customId": "alice", "tempCardType": 2}), "other: cardValidBegin is missing"),
        ("EditPerson", json!({"customId": "alice", "tempCardType": 3}), "other: EffectNumber must be"),
        ("SearchPersonList", json!({"BeginTime": "soon"}), "BeginTime must be a time"),
        ("SearchPersonList", json!({"gender": 3}), "gender must be one of 0, 1, 2"),
        ("Upconfig", json!({"WebTimeOut": 11}), "Set param fail: WebTimeOut must be a whole number, 2 to 10"),
        ("UpSoundconfig", json!({"Volume": [1]}), "Volume must be a whole number, 0 to 100"),
        ("UpTPTconfig", json!({"TemperatureHigh": "x"}), "TemperatureHigh must be a number"),
        ("UpMQTTconfig", json!({"BeginTime": "soon"}), "BeginTime must be a time"),
        ("UpMQTTconfig", json!({"HeartbeatTopic": "a/+"}), "HeartbeatTopic must be a topic"),
        ("UpHTTPconfig", json!({"ServerAddr": "10.0.0.1", "Verify": 5}), "Verify must be a whole number, 0 to 4"),
        ("UpHTTPconfig", json!({"RFBPTimeBegin": "soon"}), "RFBPTimeBegin must be a time"),
        ("UpDoorconfig", json!({"Wiegand": 3}), "Wiegand must be one of 0, 1, 4, 5, 6, 7"),
        ("UpDoorconfig", json!({"FaceThreshold": true}), "FaceThreshold must be a whole number, 50 to 100"),
        ("UpFaceconfig", json!({"detectArea_x": 482}), "detectArea_x and detectArea_w"),
        ("SetSysTime", json!({"SysTime": "noon"}), "SysTime must be a time"),
        ("ShowQRCode", json!({"QRCodeData": "x", "ImageType": 5}), "ImageType must be one of 1, 2, 3, 4"),
        ("EditAD", json!({"adslot": 1}), "path is missing"),
        ("GetPictureSearch", json!({"MaxSimilarity": 101, "MaxNum": 1}), "MaxSimilarity must be 0 to 100"),
        ("ManualPushRecords", json!({"TimeS": "x", "TimeE": "2020-01-01T00:00:00"}), "TimeS must be a time"),
        ("SetFactoryDefault", json!({"DefaltLog": 2}), "DefaltLog must be 0 or 1"),
        ("GetSceneSnap", json!({}), "a camera that delivers pictures is unavailable"),
    ];
    for (operator, info, says) in cases {
        let answer = witness.platform.ask(json!({"operator": operator, "info": info})).await;
        let detail = answer["info"]["detail"].as_str().unwrap_or_default();
        assert!(answer["info"]["result"] == "fail" && detail.contains(says), "{operator} {info}: {detail}");
    }
    witness.stop().await;
}

pub(crate) async fn pictures_are_fetched_only_as_the_document_allows(ledger: &Arc<Ledger>) {
    let (witness, server) = (Witness::start(ledger).await, Server::start().await);
    let good = server.offer("/alice.png", Picture::of([FakeFace::of("alice")]).png());
    let by =
        |url: &str| json!({"customId": "alice", "name": "alice", "personType": 0, "tempCardType": 0, "picURI": url});
    let wide = Picture::of([FakeFace::of("alice")]).sized(2000, 900);
    let cases = [
        (server.offer("/short.jpg", vec![0xff; 999].into()), 468),
        (server.offer("/long.jpg", vec![0xff; (1 << 20) + 1].into()), 469),
        (server.offer("/wide.jpg", wide.jpeg()), 469),
        ("http://nowhere.invalid/alice.jpg".to_owned(), 470),
        ("http://0.0.0.0/alice.jpg".to_owned(), 470),
        ("file:///etc/passwd".to_owned(), 470),
        (format!("http://{}/missing.jpg", server.address), 471),
        ("http://127.0.0.1:1/alice.jpg".to_owned(), 471),
    ];
    for (url, code) in cases {
        witness.refused("EditPerson", by(&url), code).await;
    }
    assert_eq!(witness.ok("QueryPerson", json!({})).await["QueryPersonNum"], json!("0"));
    witness.ok("EditPerson", by(&good)).await;
    assert_eq!(witness.ok("QueryPerson", json!({})).await["customId"], json!("alice"));
    witness.stop().await;
}

pub(crate) async fn a_card_belongs_to_one_person(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.ok("EditPerson", with("alice", json!({"cardNum2": 7, "RFIDCard": "ff"}))).await;
    witness.refused("EditPerson", with("bob", json!({"cardNum2": "7"})), 476).await;
    witness.refused("EditPerson", with("bob", json!({"RFIDCard": "255", "RFCardMode": 0})), 473).await;
    witness.ok("EditPerson", with("bob", json!({"cardNum2": 8}))).await;
    witness.refused("EditPerson", json!({"customId": "bob", "cardNum2": 7}), 476).await;
    witness.ok("EditPerson", json!({"customId": "bob", "cardNum2": 8, "name": "Bob"})).await;
    let bob = witness.ok("SearchPerson", json!({"customId": "bob"})).await;
    assert_eq!((&bob["cardNum2"], &bob["name"]), (&json!("8"), &json!("Bob")));
    witness.stop().await;
}

pub(crate) async fn temporary_lists_read_back_as_set(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let lists = [
        (
            json!({"tempCardType": 1, "cardValidBegin": "2026-03-01 09:00:00", "cardValidEnd": "2026-03-05T17:00:00"}),
            "1",
            "0",
        ),
        (json!({"tempValid": 2, "validBegin": "2026-03-01 09:00:00", "validEnd": "2026-03-05 17:00:00"}), "2", "0"),
        (json!({"tempCardType": 3, "EffectNumber": "4"}), "3", "4"),
        (json!({"tempCardType": 0}), "0", "0"),
    ];
    witness.enrol("alice").await;
    for (list, kind, uses) in lists {
        let mut sent = list.clone();
        sent["customId"] = json!("alice");
        witness.ok("EditPerson", sent).await;
        let read = witness.ok("SearchPerson", json!({"customId": "alice"})).await;
        assert_eq!((&read["tempCardType"], &read["EffectNumber"]), (&json!(kind), &json!(uses)), "{list}");
        let dated = matches!(kind, "1" | "2");
        let ends = if dated { ["2026-03-01 09:00:00", "2026-03-05 17:00:00"] } else { ["0000-00-00 00:00:00"; 2] };
        assert_eq!([&read["cardValidBegin"], &read["cardValidEnd"]], [&json!(ends[0]), &json!(ends[1])], "{list}");
    }
    witness.stop().await;
}

/// "For ever", as each platform writes it, and shifts that end in the morning after.
pub(crate) async fn lists_reach_to_the_ends_of_the_calendar_and_over_midnight(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.enrol("alice").await;
    for (kind, begin, end) in [
        (1, "2026-03-01 00:00:00", "9999-12-31 23:59:59"),
        (1, "0000-00-00 00:00:00", "9999-12-31 23:59:59"),
        (1, "1970-01-01 00:00:00", "2099-12-31 23:59:59"),
        (1, "1900-01-01 00:00:00", "0000-00-00 00:00:00"),
        (2, "2026-03-01 22:00:00", "2026-03-31 06:00:00"),
        (2, "2026-03-01 22:00:00", "9999-12-31 06:00:00"),
        (2, "0000-00-00 22:00:00", "0000-00-00 06:00:00"),
        (2, "2026-03-01 08:00:00", "2026-03-31 00:00:00"),
    ] {
        let list = json!({"customId": "alice", "tempCardType": kind, "cardValidBegin": begin, "cardValidEnd": end});
        witness.ok("EditPerson", list).await;
        let read = witness.ok("SearchPerson", json!({"customId": "alice"})).await;
        assert_eq!([&read["cardValidBegin"], &read["cardValidEnd"]], [&json!(begin), &json!(end)]);
        let told = json!({"customId": "alice", "tempCardType": kind, "cardValidBegin": read["cardValidBegin"],
                          "cardValidEnd": read["cardValidEnd"]});
        witness.ok("EditPerson", told).await;
    }
    witness.stop().await;
}

pub(crate) async fn many_people_are_removed_at_once(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    for name in ["alice", "bob", "carol"] {
        witness.enrol(name).await;
    }
    let frame = |ids: &[&str], number: Value| {
        json!({"operator": "DeletePersons", "DataBegin": "BeginFlag", "DataEnd": "EndFlag", "PersonNum": number,
               "info": {"customId": ids}})
    };
    let without = |name: &str| {
        let mut command = frame(&["alice"], json!(1));
        command.as_object_mut().unwrap().remove(name);
        command
    };
    let cases = [
        (without("DataBegin"), 412),
        (without("DataEnd"), 413),
        (without("info"), 414),
        (without("PersonNum"), 415),
        (frame(&["alice"], json!(201)), 416),
        (frame(&["alice"], json!(0)), 416),
        (frame(&["alice"], json!(2)), 417),
        (json!({"operator": "DeletePersons", "DataBegin": "b", "DataEnd": "e", "PersonNum": 1, "info": {}}), 418),
    ];
    for (command, code) in cases {
        witness.refused_command("DeletePersons", command, code).await;
    }
    let done = witness.ok_command("DeletePersons", frame(&["alice", "dave"], json!("2"))).await;
    assert_eq!(
        (&done["DelSucInfo"], &done["DelErrInfo"]),
        (&json!([{"customId": "alice"}]), &json!([{"customId": "dave"}]))
    );
    assert_eq!((&done["DelSucNum"], &done["DelErrNum"]), (&json!("1"), &json!("1")));
    let bare = json!({"operator": "DeletePersons", "info": [{"customId": "bob"}]});
    assert_eq!(witness.ok_command("DeletePersons", bare).await["DelSucNum"], json!("1"));
    assert_eq!(witness.ok("QueryPerson", json!({})).await["customId"], json!("carol"));
    witness.stop().await;
}

/// Strangers' records stay; a new session starts.
pub(crate) async fn all_people_are_removed_with_their_records(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.enrol("alice").await;
    witness.device.watch(&["alice", "mallory"]).await;
    let snap = witness.event("Snap", "StrSnapPush").await;
    for wrong in [json!({}), json!({"deleteall": 2})] {
        witness.refused("DeleteAllPerson", wrong, 463).await;
    }
    witness.refused_command("DeleteAllPerson", json!({"operator": "DeleteAllPerson"}), 462).await;
    witness.ok("DeleteAllPerson", json!({"deleteall": "0"})).await;
    assert_eq!(witness.ok("QueryPerson", json!({})).await["QueryPersonNum"], json!("1"));
    witness.ok("DeleteAllPerson", json!({"deleteall": "1"})).await;
    witness.platform.wait_for_return().await;
    assert_eq!(witness.ok("QueryPerson", json!({})).await["QueryPersonNum"], json!("0"));
    let left = witness.device.appliance.records_after(domain::Seq(0), 10).await.unwrap();
    let left: Vec<_> = left.iter().map(|record| json!(record.seq.to_string())).collect();
    assert_eq!(left, [snap["SnapID"].clone()]);
    witness.stop().await;
}

pub(crate) async fn a_full_device_enrols_no_more_people(ledger: &Arc<Ledger>) {
    let witness = Witness::start_with(ledger, Limits { people: 1, ..Limits::default() }).await;
    witness.enrol("alice").await;
    witness.refused("EditPerson", person("bob"), 467).await;
    witness.ok("EditPerson", json!({"customId": "alice", "name": "Alice"})).await;
    witness.stop().await;
}
