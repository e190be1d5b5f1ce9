//! A cloud broker controls the device: many people enrolled while records flow and the link breaks, power cuts in the
//! middle, and messages that mean harm.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use polyface_tests::{Actor, Device, Figures, PictureServer, eventually_within, hd};
use serde_json::{Value, json};
use testkit::clip::{Codec, Passages};
use testkit::mqtt::{Broker, ID, Platform};
use testkit::rtsp::{RtspOptions, RtspServer};
use tokio::task::JoinSet;

/// People in one batch, the most there may be.
const PEOPLE: usize = 1000;
/// Those of the clips, far apart in the batch.
const IN_THE_CLIP: [usize; 3] = [0, 400, 900];
/// Longer than a batch takes on a busy machine.
const BATCH: Duration = Duration::from_secs(600);
/// How long the broker is away.
const OUTAGE: Duration = Duration::from_secs(20);

/// The people whose photos are as small as the document wants them.
fn cast() -> Vec<Actor> {
    polyface_tests::cast().split_off(1)
}

/// A device that calls this broker.
async fn device(broker: &Broker) -> Device {
    let terminal = format!("[terminal]\nenabled = true\nbroker = {:?}\ndevice_id = {ID:?}", broker.url());
    Device::start_with_sections(&format!("{terminal}\nbroker_trust = \"network\"")).await
}

/// The platform, once the device answers it: after an outage it may take a minute to call again.
async fn platform(broker: &Broker) -> Arc<Platform> {
    let platform = Platform::connect(broker.address(), None).await;
    let question = json!({"messageId": "are you there", "operator": "QueryProgress", "info": {}});
    let mut asked: Option<Instant> = None;
    let answer = async || {
        if asked.is_none_or(|asked| asked.elapsed() > Duration::from_secs(1)) {
            platform.send(&question).await;
            asked = Some(Instant::now());
        }
        platform.take_one(&format!("mqtt/face/{ID}/Ack"))
    };
    eventually_within(Duration::from_secs(120), "the device is there", answer).await;
    Arc::new(platform)
}

/// Somebody of this number; those of the clips have their own picture, all others one of somebody else.
fn picture(cast: &[Actor], number: usize) -> &Actor {
    let in_the_clip = IN_THE_CLIP.iter().position(|place| *place == number);
    in_the_clip.map_or(&cast[3 + number % 2], |actor| &cast[actor])
}

/// AddPersons of everybody.
fn batch(server: &PictureServer) -> Value {
    let cast = cast();
    let person = |number: usize| {
        let actor = picture(&cast, number);
        json!({
            "customId": format!("{number:04}"), "name": actor.name, "personType": 0, "tempCardType": 0,
            "picURI": server.url(actor.name),
        })
    };
    let people: Vec<_> = (0..PEOPLE).map(person).collect();
    json!({
        "messageId": "batch", "operator": "AddPersons", "DataBegin": "BeginFlag", "DataEnd": "EndFlag",
        "PersonNum": PEOPLE, "info": people,
    })
}

/// The pictures of the cast, by name.
async fn pictures() -> PictureServer {
    let pictures = cast().into_iter().map(|actor| (actor.name.to_owned(), std::fs::read(actor.enrolled).unwrap()));
    PictureServer::start(pictures.collect::<BTreeMap<_, _>>()).await
}

async fn ok(platform: &Platform, operator: &str, info: Value) -> Value {
    let answer = platform.ask(json!({"operator": operator, "info": info})).await;
    assert_eq!(answer["code"], "200", "{answer}");
    answer["info"].clone()
}

/// Everybody whom the device knows.
async fn enrolled(platform: &Platform) -> BTreeSet<String> {
    let people = ok(platform, "QueryPerson", json!({})).await;
    let ids = people["customId"].as_str().unwrap().split(',').filter(|id| !id.is_empty());
    ids.map(str::to_owned).collect()
}

/// What a platform notes of the pushes of one topic, in the order of their coming, each confirmed.
#[derive(Default)]
struct Book {
    confirmed: Mutex<Vec<u64>>,
    again: Mutex<Vec<u64>>,
}

/// Confirms each push of a topic; a record that comes although it was confirmed is noted.
async fn confirm_all(platform: Arc<Platform>, topic: &'static str, id: &'static str, kind: u8, book: Arc<Book>) {
    loop {
        let push = platform.wait_within(BATCH, topic, |push| push["info"][id].is_string()).await;
        let number: u64 = push["info"][id].as_str().unwrap().parse().unwrap();
        if book.confirmed.lock().unwrap().contains(&number) {
            book.again.lock().unwrap().push(number);
            continue;
        }
        let ack = json!({"operator": "PushAck", "info": {"PushAckType": kind, "SnapOrRecordID": number.to_string()}});
        if platform.ask(ack).await["code"] == "200" {
            book.confirmed.lock().unwrap().push(number);
        }
    }
}

/// The platform's bookkeeping of records and snapshots.
struct Books {
    records: Arc<Book>,
    snapshots: Arc<Book>,
    keeping: JoinSet<()>,
}

impl Books {
    fn new() -> Self {
        Self { records: Arc::default(), snapshots: Arc::default(), keeping: JoinSet::new() }
    }

    fn keep(&mut self, platform: &Arc<Platform>) {
        self.keeping.spawn(confirm_all(Arc::clone(platform), "Rec", "RecordID", 2, Arc::clone(&self.records)));
        self.keeping.spawn(confirm_all(Arc::clone(platform), "Snap", "SnapID", 1, Arc::clone(&self.snapshots)));
    }

    fn both(&self) -> [&Book; 2] {
        [&self.records, &self.snapshots]
    }

    fn confirmed(&self) -> usize {
        self.both().iter().map(|book| book.confirmed.lock().unwrap().len()).sum()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_people_are_enrolled_while_records_flow_and_the_broker_goes_away() {
    let (mut broker, server) = (Broker::start().await, pictures().await);
    let device = device(&broker).await;
    let first = platform(&broker).await;
    ok(&first, "UpMQTTconfig", json!({"ResumefromBreakpoint": 1, "StrangerUploadType": 0})).await;
    let mut books = Books::new();
    books.keep(&first);

    let cast = cast();
    let film = cast[..3]
        .iter()
        .fold(Passages::new(hd(Codec::H264), 1.5), |film, actor| film.one(actor.name, &actor.seen, 3.0));
    let film = film.render(&device.storage().join("film.mp4")).unwrap();
    let camera = RtspServer::start(&[&film.file], &RtspOptions::default()).unwrap();
    let client = device.log_in().await;
    let channel = client.add_camera("gate", &camera.url(), 1).await;
    first.send(&batch(&server)).await;
    eventually_within(BATCH, "records flow while people are enrolled", async || {
        (books.confirmed() >= 2 && enrolled(&first).await.len() >= 20).then_some(())
    })
    .await;
    let progress = ok(&first, "QueryProgress", json!({})).await;
    assert_eq!((&progress["QueryType"], &progress["Status"]), (&json!("AddPersons"), &json!("1")));

    broker.go_away().await;
    let before = client.captures().await.len();
    tokio::time::sleep(OUTAGE).await;
    assert!(client.captures().await.len() > before, "records are made without a platform");
    books.keeping.shutdown().await;
    broker.come_back().await;
    let second = platform(&broker).await;
    books.keep(&second);
    eventually_within(BATCH, "everybody is enrolled", async || (enrolled(&second).await.len() == PEOPLE).then_some(()))
        .await;
    eventually_within(BATCH, "the batch is over", async || {
        (ok(&second, "QueryProgress", json!({})).await["Status"] == "0").then_some(())
    })
    .await;
    let known = ok(&second, "SearchPerson", json!({"customId": "0900"})).await;
    assert_eq!(known["name"], "Schneider");

    // Everybody in the clip is known by now: a record of each, in the loop of the clip.
    let seen: Mutex<BTreeSet<String>> = Mutex::default();
    eventually_within(BATCH, "each of the clip is recognised", async || {
        let captures = client.call(json!({"msg_id": "1036", "qry_len": 50})).await.ok();
        let names =
            captures["record"].as_array().unwrap().iter().map(|line| line["person_name"].as_str().unwrap().to_owned());
        seen.lock().unwrap().extend(names);
        (seen.lock().unwrap().len() >= 3).then_some(())
    })
    .await;
    client.call(json!({"msg_id": "514", "channel": channel})).await.ok();
    let captures = client.captures().await.len();
    eventually_within(BATCH, "every record arrives", async || (books.confirmed() >= captures).then_some(())).await;
    for book in books.both() {
        let confirmed = book.confirmed.lock().unwrap().clone();
        assert!(confirmed.is_sorted_by(|one, next| one < next), "in order, each once: {confirmed:?}");
    }
    assert_eq!(books.confirmed(), captures);
    // A push may have been on its way while its confirmation was; nothing is sent after that.
    let again: Vec<_> = books.both().map(|book| book.again.lock().unwrap().clone()).concat();
    let mut once = again.clone();
    once.dedup();
    assert_eq!(again, once, "sent again and again after its confirmation");
}

/// How many people the device's last start has found.
fn people_at_start(device: &Device) -> usize {
    let log = device.log();
    let (_, after) = log.rsplit_once("gallery.people=").unwrap();
    after.split_whitespace().next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_in_the_middle_of_a_batch_leaves_people_whole() {
    let (broker, server) = (Broker::start().await, pictures().await);
    let mut device = device(&broker).await;
    let first = platform(&broker).await;
    first.send(&batch(&server)).await;
    eventually_within(BATCH, "some are enrolled", async || (enrolled(&first).await.len() >= 50).then_some(())).await;
    let before = enrolled(&first).await;
    device.kill();
    device.restart().await;
    let again = platform(&broker).await;
    let kept = enrolled(&again).await;
    assert!(kept.is_superset(&before), "{} of {}", kept.len(), before.len());
    // The batch may have come to its end since; what the power cut left is what the start has found.
    let left = people_at_start(&device);
    assert!((before.len()..PEOPLE).contains(&left), "{left} of {}", before.len());
    for id in kept.iter().take(3) {
        let person = again.ask(json!({"operator": "SearchPerson", "info": {"customId": id, "Picture": 1}})).await;
        assert!(person["pic"].as_str().unwrap().starts_with("data:image/jpeg;base64,"), "{id} has no picture");
    }
    let report = again.wait_within(BATCH, "Ack", |answer| answer["messageId"] == "batch").await;
    assert_eq!((&report["info"]["AddSucNum"], &report["info"]["AddErrInfo"]), (&json!(PEOPLE.to_string()), &json!([])));
    assert_eq!(ok(&again, "QueryProgress", json!({})).await["Status"], "0");
    assert_eq!(enrolled(&again).await.len(), PEOPLE);

    // Who sends it again all the same does no harm.
    let mut repeated = batch(&server);
    repeated["messageId"] = json!("repeated");
    again.send(&repeated).await;
    let report = again.wait_within(BATCH, "Ack", |answer| answer["messageId"] == "repeated").await;
    let refused = report["info"]["AddErrInfo"].as_array().unwrap();
    assert!(
        refused.len() == PEOPLE && refused.iter().all(|person| person["errcode"] == "461"),
        "they are there already"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_commands_and_rubbish_among_them_take_no_memory() {
    let broker = Broker::start().await;
    let device = device(&broker).await;
    let platform = platform(&broker).await;
    let resident = || Figures::of(device.pid()).unwrap().resident_bytes / (1 << 20);
    let topic = format!("mqtt/face/{ID}");
    let unknown = json!({"operator": "GetNetConfig", "info": {}}).to_string();
    let rubbish: [&[u8]; 3] = [&[b' '; 2 << 20], b"no JSON", unknown.as_bytes()];
    let mut level = 0;
    for round in 0..100 {
        if round % 10 == 0 {
            platform.publish(&topic, rubbish[round / 10 % rubbish.len()]).await;
        }
        for _ in 0..99 {
            platform.send(&json!({"operator": "GetSysTime", "info": {}})).await;
        }
        let asked = Instant::now();
        platform.ask(json!({"operator": "QueryPerson", "info": {}})).await;
        assert!(asked.elapsed() < Duration::from_secs(10), "a hundred commands took {:?}", asked.elapsed());
        assert_eq!(platform.forget("Ack"), 99, "each command is answered");
        // Caches fill in the beginning.
        if round == 20 {
            level = resident();
        }
    }
    let now = resident();
    assert!(now <= level + 16, "{level} MiB after 2000 commands, {now} MiB after 10000");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_messages_a_second_leave_the_link_up() {
    let broker = Broker::start().await;
    let _device = device(&broker).await;
    let platform = platform(&broker).await;
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    for number in 0..1000 {
        ticks.tick().await;
        platform.send(&json!({"messageId": number, "operator": "Getconfig", "info": {}})).await;
    }
    let asked = Instant::now();
    platform.ask(json!({"operator": "Versions", "info": {}})).await;
    assert!(asked.elapsed() < Duration::from_secs(1), "the next command took {:?}", asked.elapsed());
}
