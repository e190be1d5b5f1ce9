//! Videos of alarms (13.2), and faces in alarms (type 5, 11.3).

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::{FakeFace, Take, eventually, until};

use crate::device::{Device, column};
use crate::docking::platform;
use crate::platform::Platform;

const GATE: &str = "rtsp://192.0.2.7/gate";

fn somebody(take: Take, name: &str, seconds: u64) -> Take {
    take.show(Duration::from_secs(seconds), [FakeFace::of(name).at(200, 60).sized(60)])
}

fn nobody(take: Take, seconds: u64) -> Take {
    take.nobody(Duration::from_secs(seconds))
}

fn search(fields: &Value) -> Value {
    let mut search =
        json!({"page": 1, "pagesize": 50, "channel_id": [], "start_time": 0, "end_time": 4_000_000_000_i64});
    fields.as_object().unwrap().iter().for_each(|(name, value)| search[name] = value.clone());
    search
}

impl Device {
    /// Has the gate report everybody who is there.
    async fn report_intrusion(&self, channel: i64, control: Value) {
        let area = json!({"polygon": {"point_x": "0,10000,10000,0", "point_y": "0,0,10000,10000"}});
        let tasks = json!([{"algo_model": "FieldDetectorObjectsInside", "graphs": [area]}]);
        self.ok("/smart/update", json!({"channel_id": channel, "smart_list": tasks, "person_control_info": control}))
            .await;
    }

    async fn film_alarms(&self, channel: i64, status: u8) {
        let video = json!({"status": status, "befor_alarmed_time": 5, "after_alarmed_time": 5});
        self.ok("/smart/params/update", json!({"channel_id": channel, "alarm_video_param": video})).await;
    }

    /// The addresses of the videos of all alarms, newest first.
    async fn videos(&self) -> Vec<Value> {
        column(self.ok("/search/behavior", search(&json!({}))).await["list"].as_array().unwrap(), "video_url")
    }
}

pub(crate) async fn videos_follow_their_alarms(ledger: &Arc<Ledger>) {
    let (device, films) = (Device::start(ledger).await, Platform::start().await);
    let plain = Platform::start().await;
    let channel = device.add_channel("gate", GATE).await;
    device.report_intrusion(channel, json!(null)).await;
    device.film_alarms(channel, 1).await;
    let mut with_videos = platform(1, &films.url);
    with_videos["video_enable"] = json!(1);
    // The second alarm comes too soon to be pushed.
    let seldom = json!([{"channel_id": channel, "interval": 100, "enable": 1}]);
    let platforms = json!([with_videos, platform(2, &plain.url)]);
    device.ok("/docking/config/update", json!({"platform": platforms, "time_conf": seldom})).await;
    let first = nobody(somebody(nobody(Take::new(), 2), "alice", 2), 4);
    let first = nobody(somebody(first, "bob", 1), 60);
    let second = nobody(somebody(nobody(Take::new(), 1), "carol", 2), 60);
    device.handles.frames.script(GATE, [first, second]);

    let alarm = films.of_type(1, 1).await.remove(0);
    device.note_event(1, &alarm);
    let (uuid, url) = (alarm["behaviour"]["video_uuid"].clone(), alarm["behaviour"]["video_url"].clone());
    let url = url.as_str().unwrap();
    assert_eq!(url, format!("/api/v2/smart/video?Index={}", uuid.as_str().unwrap()));
    assert_eq!(plain.of_type(1, 1).await[0]["behaviour"]["video_uuid"], uuid, "it can be downloaded from the device");
    let early = device.picture(Method::GET, url).await;
    assert_eq!(early.status(), 503);
    assert_eq!(early.json::<Value>().await.unwrap()["code"], 6);
    assert_eq!(device.videos().await.last(), Some(&json!(url)));
    assert!(films.videos().is_empty());

    films.answer(500);
    let refused = eventually("the video is sent", async || films.videos().pop()).await;
    films.answer(200);
    until("it is sent again", async || films.videos().len() > 1).await;
    let parts: Vec<_> = refused.parts.iter().map(|(name, file)| (name.as_str(), file.is_some())).collect();
    assert_eq!(parts, [("video_uuid", false), ("file", true)]);
    let message = json!({"video_uuid": refused.uuid, "file": "(binary)"});
    assert_eq!(ledger.event("/custom/router2", &message, &[]), Ok(()), "{message}");
    assert_eq!((refused.target.as_str(), refused.content_type.as_str()), ("/custom/router2", "video/mp4"));
    assert_eq!(json!(refused.uuid), uuid);
    assert_eq!(refused.parts[1].1.as_deref(), Some(format!("{}.mp4", refused.uuid).as_str()));
    for method in [Method::GET, Method::POST] {
        let answer = device.picture(method, url).await;
        assert_eq!((answer.status().as_u16(), &answer.headers()["content-type"]), (200, &"video/mp4".parse().unwrap()));
        assert_eq!(answer.bytes().await.unwrap(), refused.file);
    }
    let stored = eventually("both videos are stored", async || {
        let videos = device.videos().await;
        let sized = videos.iter().all(|url| url.as_str().is_some_and(|url| url.contains("&Size=")));
        (sized && videos.len() == 2).then_some(videos)
    })
    .await;
    assert_eq!(stored[1], format!("{url}&Size={}", refused.file.len()));
    until("the second one passes by", async || {
        let cursor = device.appliance.state("uniview").cursor("video1").await.unwrap();
        cursor == Some(*device.appliance.newest_entry().borrow())
    })
    .await;
    assert_eq!((films.of_type(1, 1).await.len(), plain.videos().len()), (1, 0));

    // The alarm of a video that a crash cuts off stays; the video is lost, and nothing waits for it.
    let device = device.crash().await;
    films.of_type(1, 2).await;
    let device = device.crash().await;
    eventually("its video is lost", async || (device.videos().await[0] == Value::Null).then_some(())).await;
    let lost = films.of_type(1, 2).await.pop().unwrap();
    let gone = device.picture(Method::GET, lost["behaviour"]["video_url"].as_str().unwrap()).await;
    assert_eq!((gone.status().as_u16(), gone.json::<Value>().await.unwrap()["code"].clone()), (404, json!(2)));
    for unknown in ["x", "8f5e7c1a-2f5d-4f43-9b60-0c1f0f7d1c11"] {
        let answer = device.picture(Method::GET, &format!("/api/v2/smart/video?Index={unknown}")).await;
        assert_eq!(answer.status(), 404, "{unknown}");
    }
    let uuids: Vec<_> = films.videos().into_iter().map(|video| json!(video.uuid)).collect();
    assert!(uuids.iter().all(|sent| *sent == uuid), "{uuids:?}");
    device.film_alarms(channel, 0).await;
    let rules = device.appliance.rules(domain::CameraId(1)).await.unwrap();
    assert!(rules.iter().all(|rule| rule.settings.options.clip.is_none()));
    device.stop().await;
}

pub(crate) async fn faces_in_alarms_are_compared(ledger: &Arc<Ledger>) {
    let (device, receiver) = (Device::start(ledger).await, Platform::start().await);
    let staff = device.add_library("staff").await;
    let alice = device.add_person(staff, "alice").await;
    device.ok("/person/update", json!({"person_id": alice, "certificate_no": "AB12", "tel": "138"})).await;
    let channel = device.add_channel("gate", GATE).await;
    device.report_intrusion(channel, json!({"person_lib_id": [staff], "alarm_threshold": 80})).await;
    let mut with_pictures = platform(1, &receiver.url);
    with_pictures["picture_enable"] = json!(1);
    device.dock(json!([with_pictures])).await;
    let visits = nobody(somebody(nobody(Take::new(), 1), "alice", 1), 4);
    device.handles.frames.script(GATE, [nobody(somebody(visits, "mallory", 1), 60)]);

    let compared = receiver.of_type(5, 2).await;
    for message in &compared {
        device.note_event(5, message);
    }
    let order: Vec<_> = receiver.messages().into_iter().map(|(_, message)| message["type"].clone()).collect();
    assert_eq!(order, [1, 5, 1, 5], "after the alarm itself");
    let alarms = receiver.of_type(1, 2).await;
    assert_eq!(column(&alarms, "event_id"), column(&compared, "event_id"));
    assert_eq!(column(&alarms, "has_result"), [0, 0]);
    let (known, unknown) = (&compared[0], &compared[1]);
    assert_eq!((&known["has_result"], &unknown["has_result"]), (&json!(1), &json!(0)));
    assert_eq!(unknown["compare_results"], json!([]));
    let person = &known["compare_results"][0];
    assert_eq!(person["target_id"], known["behaviour"]["capture_info"][0]["target_id"]);
    let told = ["lib_id", "lib_name", "person_id", "person_name", "tel", "certificate_no"].map(|f| person[f].clone());
    assert_eq!(told, [json!(staff), json!("staff"), json!(alice), json!("alice"), json!("138"), json!("AB12")]);
    assert!(person["image_base64"].is_string());

    let ids = column(&compared, "event_id").into_iter().map(|id| id.as_str().unwrap().parse::<i64>().unwrap());
    let (earlier, later) = {
        let ids: Vec<_> = ids.collect();
        (json!(ids[0]), json!(ids[1]))
    };
    let both = json!([later, earlier]);
    let matches = device.ok("/search/behaviormatch", search(&json!({}))).await;
    let match_types: Vec<_> =
        matches["list"].as_array().unwrap().iter().map(|row| row["object_list"][0]["match_type"].clone()).collect();
    assert_eq!((match_types, &matches["total"]), (vec![json!(2), json!(1)], &json!(2)));
    let row = &matches["list"][1];
    assert_eq!((&row["glass"], &row["algo_model"]), (&json!(1), &json!("FieldDetectorObjectsInside")));
    let similarity = row["object_list"][0]["similarity"].as_i64().unwrap();
    for url in [&row["big_picture_url"], &row["object_list"][0]["base_image_url"]] {
        assert_eq!(device.picture(Method::GET, url.as_str().unwrap()).await.status(), 200);
    }
    for (fields, expected) in [
        (json!({}), &both),
        (json!({"match_type": 999, "name": "", "certificate_no": "", "similarity": {"min": 1, "max": 100}}), &both),
        (json!({"match_type": 1}), &json!([earlier])),
        (json!({"match_type": 2}), &json!([later])),
        (json!({"match_type": 1, "name": "lic", "certificate_no": "B1"}), &json!([earlier])),
        (json!({"name": "mallory"}), &json!([])),
        (json!({"similarity": {"min": similarity, "max": similarity}}), &json!([earlier])),
        (json!({"algo_model": ["FieldDetectorObjectsInside"]}), &both),
        (json!({"algo_model": ["NoMaskAlarm"]}), &json!([])),
        (json!({"channel_id": [2]}), &json!([])),
    ] {
        let found = device.ok("/search/behaviormatch", search(&fields)).await;
        assert_eq!(json!(column(found["list"].as_array().unwrap(), "alarm_id")), *expected, "{fields}");
    }
    for fields in [json!({}), json!({"compare_flag": 2})] {
        let found = device.ok("/search/behavior", search(&fields)).await;
        assert_eq!(json!(column(found["list"].as_array().unwrap(), "alarm_id")), both, "{fields}");
        assert_eq!(found["list"][1]["compare_list"][0]["base_image_id"], alice);
    }
    device.stop().await;
}
