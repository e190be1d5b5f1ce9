//! Settings.

use std::sync::Arc;

use domain::Event;
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::{actor, until};

use crate::witness::Witness;

/// The value of a setting that was sent to a front end.
fn told(events: &mut tokio::sync::broadcast::Receiver<Event>, wanted: &str) -> Option<String> {
    std::iter::from_fn(|| events.try_recv().ok()).find_map(|event| match event {
        Event::FrontEnd { what, content } if what == wanted => Some(content),
        _ => None,
    })
}

async fn unchanged_but(witness: &Witness, get: &str, before: &Value, changed: &[(&str, &str)]) {
    let mut expected = before.clone();
    for (name, value) in changed {
        expected[name] = json!(value);
    }
    assert_eq!(witness.ok(get, json!({})).await, expected);
}

pub(crate) async fn system_settings_are_changed_in_parts_and_kept(ledger: &Arc<Ledger>) {
    let mut witness = Witness::start(ledger).await;
    let mut events = witness.device.appliance.events();
    let before = witness.ok("Getconfig", json!({})).await;
    let done =
        witness.ok("Upconfig", json!({"LedLightType": "1", "LedTimeBeg": "20:00:00", "ledbrightness": 60})).await;
    assert_eq!(done["reboot"], json!("0"));
    let changed = [("LedLightType", "1"), ("LedTimeBeg", "20:00:00"), ("LedBrightness", "60")];
    unchanged_but(&witness, "Getconfig", &before, &changed).await;
    assert_eq!(told(&mut events, "LedBrightness").as_deref(), Some("60"));
    for wrong in
        [json!({"Language": 11}), json!({"FaceDisplay": 0, "WebTimeOut": 1}), json!({"LedTimeEnd": "25:00:00"})]
    {
        witness.refused("Upconfig", wrong, 461).await;
    }
    witness.refused_command("Upconfig", json!({"operator": "Upconfig"}), 462).await;
    witness.refused_command("Getconfig", json!({"operator": "Getconfig"}), 462).await;
    unchanged_but(&witness, "Getconfig", &before, &changed).await;
    let language = witness.ok("Upconfig", json!({"Language": 2})).await;
    assert_eq!(language["reboot"], json!("1"));
    witness.event_on("mqtt/face/basic", "Offline", |_| true).await;
    witness.device = witness.device.restart().await;
    witness.device.wait_until_connected().await;
    let kept = [changed[0], changed[1], changed[2], ("Language", "2")];
    unchanged_but(&witness, "Getconfig", &before, &kept).await;
    witness.stop().await;
}

pub(crate) async fn sounds_and_texts_are_changed_in_parts(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let before = witness.ok("GetSoundconfig", json!({})).await;
    witness.ok("UpSoundconfig", json!({"Volume": "30", "VerifyTipContent": "欢迎".repeat(20)})).await;
    let text = "欢迎".repeat(20);
    let changed = [("Volume", "30"), ("VerifyTipContent", &text[..63])];
    unchanged_but(&witness, "GetSoundconfig", &before, &changed).await;
    witness.refused("UpSoundconfig", json!({"Volume": 101}), 462).await;
    unchanged_but(&witness, "GetSoundconfig", &before, &changed).await;
    witness.stop().await;
}

pub(crate) async fn temperature_settings_have_an_old_name(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let before = witness.ok("GetTPTconfig", json!({})).await;
    witness.ok("UpTPTconfig", json!({"Distance": "200", "TemperatureHigh": "37.2"})).await;
    let changed = [("Distance", "200"), ("TempFaceMinW", "200"), ("TemperatureHigh", "37.20")];
    unchanged_but(&witness, "GetTPTconfig", &before, &changed).await;
    witness.refused("UpTPTconfig", json!({"TempFaceMinW": 20}), 462).await;
    unchanged_but(&witness, "GetTPTconfig", &before, &changed).await;
    witness.stop().await;
}

pub(crate) async fn reports_are_set_and_new_topics_connect_again(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let before = witness.ok("GetMQTTconfig", json!({})).await;
    assert_eq!((&before["OnlineTopic"], &before["ResumefromBreakpoint"]), (&json!("mqtt/face/basic"), &json!("0")));
    witness.ok("UpMQTTconfig", json!({"Direction": "2", "MQAddr": "elsewhere"})).await;
    assert_eq!(witness.ok("GetMQTTconfig", json!({})).await["Direction"], json!("2"));
    for wrong in [json!({"RecordUploadType": 3}), json!({"OnlineTopic": "a/#"}), json!({"BeginTime": "soon"})] {
        witness.refused("UpMQTTconfig", wrong, 462).await;
    }
    let done = witness.ok("UpMQTTconfig", json!({"OnlineTopic": "mqtt/face/elsewhere"})).await;
    assert_eq!(done["ReConnect"], json!("1"));
    witness.event_on("mqtt/face/elsewhere", "Online", |_| true).await;
    assert_eq!(witness.ok("GetMQTTconfig", json!({})).await["OnlineTopic"], json!("mqtt/face/elsewhere"));
    witness.stop().await;
}

pub(crate) async fn the_smallest_face_of_every_camera_follows(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.device.watch(&["mallory"]).await;
    let before = witness.ok("GetFaceconfig", json!({})).await;
    witness.ok("UpFaceconfig", json!({"recDistance": "114", "detectArea_w": 480})).await;
    let changed = [("recDistance", "114"), ("faceMinPixel", "200"), ("detectArea_w", "480")];
    unchanged_but(&witness, "GetFaceconfig", &before, &changed).await;
    let camera = async || witness.device.appliance.cameras().await.unwrap().remove(0).settings;
    assert_eq!(camera().await.min_face_px, 200);
    let picture = witness.device.appliance.snapshot(domain::CameraId(1)).await.unwrap();
    let (width, height) = image::load_from_memory(&picture).unwrap().to_rgb8().dimensions();
    let region = camera().await.region.unwrap();
    assert_eq!((region.left, region.top, region.right, region.bottom), (0.0, 0.0, width as f32 / 2.0, height as f32));
    witness.refused("UpFaceconfig", json!({"facesluiceId": "1", "recDistance": 50}), 463).await;
    for wrong in [json!({"detectArea_x": 482}), json!({"detectArea_y": 3}), json!({"recDistance": 20})] {
        witness.refused("UpFaceconfig", wrong, 462).await;
    }
    unchanged_but(&witness, "GetFaceconfig", &before, &changed).await;
    witness.ok("UpFaceconfig", json!({"detectArea_w": 960})).await;
    assert_eq!(camera().await.region, None);
    witness.stop().await;
}

pub(crate) async fn faces_are_checked_for_liveness_when_the_platform_sets_that(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    assert_eq!(witness.ok("Getconfig", json!({})).await["LiveDetectType"], json!("1"), "the device cannot tell");
    witness.device.handles.analyzer.judge_liveness(0.5, |_| Some(0.2));
    assert_eq!(witness.ok("Getconfig", json!({})).await["LiveDetectType"], json!("0"));
    witness.enrol("alice").await;
    witness.device.watch(&["alice"]).await;
    witness.event("Snap", "StrSnapPush").await;
    let daily = json!({"LiveDetectType": "2", "LiveDetectTimeBeg": "20:00:00", "LiveDetectTimeEnd": "6:00:00"});
    witness.ok("Upconfig", daily).await;
    let told = witness.ok("Getconfig", json!({})).await;
    assert_eq!((&told["LiveDetectType"], &told["LiveDetectTimeEnd"]), (&json!("2"), &json!("06:00:00")));
    // It is morning.
    witness.device.watch(&["alice"]).await;
    assert_eq!(witness.event("Rec", "RecPush").await["customId"], json!("alice"));
    witness.ok("Upconfig", json!({"LiveDetectType": "1"})).await;
    assert_eq!(witness.ok("Getconfig", json!({})).await["LiveDetectType"], json!("1"));
    witness.ok("SetFactoryDefault", json!({"DefaltSystemSettings": 1})).await;
    assert_eq!(witness.ok("Getconfig", json!({})).await["LiveDetectType"], json!("0"));
    witness.stop().await;
}

fn as_text(number: u32) -> Value {
    json!(number.to_string())
}

/// The reported values are those in force on the cameras: on existing ones, on later ones, and after a reset.
pub(crate) async fn a_camera_s_own_values_take_precedence_until_they_are_reset(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let (appliance, factory) =
        (witness.device.appliance.clone(), witness.ok("GetFaceconfig", json!({})).await["faceMinPixel"].clone());
    assert_eq!(factory, json!("124"));
    let sample = || {
        let mut camera = testkit::store_suite::samples::new_camera([]);
        camera.settings.region = None;
        camera
    };
    let own = domain::OwnValues { min_face_px: true, threshold: true, ..Default::default() };
    appliance.by(&actor("test")).add_camera(sample()).await.unwrap();
    appliance.by(&actor("test")).add_camera(domain::NewCamera { own, ..sample() }).await.unwrap();
    let told = witness.ok("GetFaceconfig", json!({})).await;
    assert_eq!(told["faceMinPixel"], as_text(sample().settings.min_face_px), "as the camera does it");
    witness.ok("UpFaceconfig", json!({"recDistance": 200})).await;
    witness.ok("UpDoorconfig", json!({"FaceThreshold": 91, "VerifyResetTime": 7})).await;
    appliance.by(&actor("test")).add_camera(sample()).await.unwrap();
    let cameras = async || {
        let cameras = appliance.cameras().await.unwrap();
        let facts = |c: &domain::Camera| {
            let watch = &c.watch.settings;
            (c.settings.min_face_px, watch.threshold.percent(), watch.rearm.as_secs())
        };
        cameras.iter().map(facts).collect::<Vec<_>>()
    };
    assert_eq!(cameras().await, [(124, 91, 7), (60, 83, 7), (124, 91, 7)]);
    let face = witness.ok("GetFaceconfig", json!({})).await;
    assert_eq!((&face["recDistance"], &face["faceMinPixel"]), (&json!("200"), &json!("124")));
    witness.ok("SetFactoryDefault", json!({"DefaltDoorSet": 1})).await;
    assert_eq!(cameras().await, [(124, 80, 2), (60, 80, 2), (124, 80, 2)]);
    witness.ok("UpFaceconfig", json!({"faceMinPixel": 300, "detectArea_w": 480})).await;
    witness.ok("SetFactoryDefault", json!({"DefaltSystemSettings": 1})).await;
    assert_eq!(cameras().await, [(124, 80, 2); 3]);
    let face = witness.ok("GetFaceconfig", json!({})).await;
    assert_eq!((&face["recDistance"], &face["detectArea_w"]), (&json!("200"), &json!("960")));
    let door = witness.ok("GetDoorconfig", json!({})).await;
    assert_eq!((&door["FaceThreshold"], &door["VerifyResetTime"]), (&json!("80"), &json!("2")));
    witness.stop().await;
}

pub(crate) async fn no_pictures_are_kept_when_the_platform_sets_that(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.enrol("alice").await;
    for (switch, kept) in [("0", false), ("1", true)] {
        witness.ok("Upconfig", json!({"DataBaseEnable": switch})).await;
        assert_eq!(witness.ok("Getconfig", json!({})).await["DataBaseEnable"], json!(switch));
        witness.device.watch(&["alice", "mallory"]).await;
        for (topic, operator) in [("Rec", "RecPush"), ("Snap", "StrSnapPush")] {
            let push = witness.platform.wait(topic, |push| push["operator"] == operator).await;
            assert_eq!(push["info"].get("pic").is_some(), kept, "{operator}");
        }
    }
    let records = witness.device.appliance.records_after(domain::Seq(0), 9).await.unwrap();
    let kept: Vec<_> = records.iter().map(|record| record.capture.crop.is_kept()).collect();
    assert_eq!(kept, [false, false, true, true]);
    witness.ok("Upconfig", json!({"DataBaseEnable": "0"})).await;
    witness.ok("SetFactoryDefault", json!({"DefaltSystemSettings": 1})).await;
    assert!(witness.device.appliance.keeps_pictures());
    witness.stop().await;
}

pub(crate) async fn the_place_to_resume_from_is_reported(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let begin = async || witness.ok("GetMQTTconfig", json!({})).await["BeginTime"].clone();
    assert_eq!(begin().await, json!("0000-00-00T00:00:00"), "nothing is resumed yet");
    // What is reported may be sent back.
    for (get, set, name) in
        [("GetMQTTconfig", "UpMQTTconfig", "BeginTime"), ("GetHTTPconfig", "UpHTTPconfig", "RFBPTimeBegin")]
    {
        let reported = witness.ok(get, json!({})).await[name].clone();
        witness.ok(set, json!({"ServerAddr": "127.0.0.1", name: reported})).await;
        assert_eq!(witness.ok(get, json!({})).await[name], reported);
    }
    witness.refused("UpMQTTconfig", json!({"BeginTime": "0000-00-00T22:00:00"}), 462).await;
    witness.ok("UpMQTTconfig", json!({"ResumefromBreakpoint": 1})).await;
    let since = begin().await;
    assert_ne!(since, json!("0000-00-00T00:00:00"));
    witness.enrol("alice").await;
    witness.device.watch(&["alice"]).await;
    let record = witness.event("Rec", "RecPush").await;
    witness.ok("PushAck", json!({"PushAckType": 2, "SnapOrRecordID": record["RecordID"]})).await;
    let place = json!(record["time"].as_str().unwrap().replace(' ', "T"));
    until("it is the place of the last record", async || begin().await == place).await;
    witness.ok("UpMQTTconfig", json!({"BeginTime": "2020-3-31T15:31:39"})).await;
    assert_eq!(begin().await, json!("2020-03-31T15:31:39"), "as it was set");
    witness.ok("UpHTTPconfig", json!({"ServerAddr": "127.0.0.1", "RFBPTimeBegin": "2020-1-3 18:11:40"})).await;
    assert_eq!(witness.ok("GetHTTPconfig", json!({})).await["RFBPTimeBegin"], json!("2020-01-03 18:11:40"));
    // The record comes again, and without resuming it needs no confirmation.
    witness.ok("SetFactoryDefault", json!({"DefaltCenterPar": 1})).await;
    until("it is the place of the last record again", async || begin().await == place).await;
    witness.stop().await;
}
