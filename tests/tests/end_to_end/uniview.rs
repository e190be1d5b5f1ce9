//! A platform of the Uniview interface: people and films, alarms with videos, an absence of the platform, and what the
//! searches and the other interfaces say of it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use polyface_tests::{Device, Uniview, UniviewPlatform, cache, cast, eventually_within, hd};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::clip::{Codec, Passages};
use testkit::rtsp::{RtspOptions, RtspServer};

const PATIENCE: Duration = Duration::from_secs(60);
/// The channel that shows faces, and the one that shows a street.
const GATE: i64 = 1;
const STREET: i64 = 2;

/// Everything, of every channel.
fn anything() -> Value {
    json!({"channel_id": [], "start_time": 0, "end_time": 4_000_000_000_i64})
}

async fn add_person(client: &Uniview, library: &Value, name: &str, photo: &Path) -> Value {
    let photo = BASE64.encode(std::fs::read(photo).unwrap());
    let person = json!({"lib_id": library, "person_name": name, "image_base64": photo});
    client.ok("/person/add", person).await["person_id"].clone()
}

/// The numbers of the alarms that a search finds.
async fn found(client: &Uniview, search: &str) -> BTreeSet<i64> {
    client.list(search, anything()).await.iter().map(|row| row["alarm_id"].as_i64().unwrap()).collect()
}

fn event_id(message: &Value) -> i64 {
    message["event_id"].as_str().unwrap().parse().unwrap()
}

fn pushed(platform: &UniviewPlatform, kind: i64) -> BTreeSet<i64> {
    platform.of_type(kind).iter().map(event_id).collect()
}

/// People who pass one after the other, as a camera shows them.
fn faces(folder: &Path) -> RtspServer {
    let film = cast()[..2]
        .iter()
        .fold(Passages::new(hd(Codec::H264), 1.0), |film, actor| film.one(actor.name, &actor.seen, 3.0));
    let film = film.render(&folder.join("faces.mp4")).unwrap().file;
    RtspServer::start(&[film.as_path()], &RtspOptions::default()).unwrap()
}

/// People and deletions are the same through another interface; a captured request is worth nothing.
async fn people_are_shared_and_replays_refused(device: &Device, client: &Uniview, library: &Value) {
    let other = device.log_in().await;
    let (actor, number) = (&cast()[2], library.as_i64().unwrap());
    let person = add_person(client, library, actor.name, &actor.enrolled).await;
    assert_eq!(other.codes(number).await.len(), 1);
    client.ok("/person/delete", json!({"person_id_list": [person]})).await;
    assert!(other.codes(number).await.is_empty());
    let photo = std::fs::read(&actor.enrolled).unwrap();
    other.enrol(number, "guest", actor.name, &photo).await.ok();
    let people = async || client.list("/person/list", json!({"lib_id": number})).await;
    assert_eq!(people().await[0]["person_name"], actor.name);
    other.call(json!({"msg_id": "1031", "lib_id": number, "img_id": "guest"})).await.ok();
    assert!(people().await.is_empty());

    let target = "/api/v2/device/get";
    let proof = client.proof(&Method::POST, target).await;
    let send = async || client.send_with(Method::POST, target, &json!({}), proof.as_deref()).await;
    assert_eq!(send().await.status(), 200);
    let again = send().await;
    assert_eq!(again.status(), 401);
    assert!(again.headers()["www-authenticate"].to_str().unwrap().contains(r#"stale="TRUE""#));
}

/// Has the gate compare faces, report who stands in the middle and film that; has the street count people.
async fn analyse(client: &Uniview, library: &Value) {
    let middle = json!([{"polygon": {"point_x": "3500,6500,6500,3500", "point_y": "0,0,10000,10000"}}]);
    let tasks = json!([
        {"algo_model": "ObjectIsRecognized"},
        {"algo_model": "FieldDetectorObjectsInside", "object_type": [1], "graphs": middle},
    ]);
    let control = json!({"alarm_threshold": 80, "person_lib_id": [library]});
    let update = json!({"channel_id": GATE, "smart_list": tasks, "person_control_info": control});
    client.ok("/smart/update", update).await;
    let video = json!({"status": 1, "befor_alarmed_time": 5, "after_alarmed_time": 5});
    client.ok("/smart/params/update", json!({"channel_id": GATE, "alarm_video_param": video})).await;
    let line = json!([{
        "line": {"point_x": "4427,4427", "point_y": "1910,6944"},
        "direction_line": {"point_x": "3000,6000", "point_y": "4000,4000"},
    }]);
    let tasks = json!([{"algo_model": "LinePeopleCounting", "graphs": line}]);
    client.ok("/smart/update", json!({"channel_id": STREET, "smart_list": tasks})).await;
}

async fn dock(client: &Uniview, address: SocketAddr) {
    let platform = json!({
        "id": 1, "version_code": "V2.0", "enabled": 1, "url": format!("http://{address}"), "picture_enable": 1,
        "video_enable": 1, "http_alive": 0, "alive_interval": 30, "channel_enable": 0,
    });
    client.ok("/docking/config/update", json!({"platform": [platform], "time_conf": []})).await;
}

/// An ordinary player decodes the whole file, which shows the time around the alarm.
fn plays(folder: &Path, file: &[u8]) {
    let path = folder.join("alarm.mp4");
    std::fs::write(&path, file).unwrap();
    let shown = "stream=codec_name,nb_read_frames:format=duration";
    let arguments = ["-v", "error", "-count_frames", "-show_entries", shown, "-of", "json"];
    let probed = Command::new("ffprobe").args(arguments).arg(&path).output().unwrap();
    assert!(probed.stderr.is_empty(), "{}", String::from_utf8_lossy(&probed.stderr));
    let about: Value = serde_json::from_slice(&probed.stdout).unwrap();
    let stream = &about["streams"][0];
    let frames: u32 = stream["nb_read_frames"].as_str().unwrap().parse().unwrap();
    assert_eq!(stream["codec_name"], "h264", "{about}");
    let seconds: f64 = about["format"]["duration"].as_str().unwrap().parse().unwrap();
    assert!((4.0..=12.0).contains(&seconds) && frames >= 50, "{about}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_was_away_gets_everything_that_the_searches_find() {
    let device = Device::start_with_sections("[uniview]\nenabled = true\nlisten = \"127.0.0.1:0\"").await;
    let folder: PathBuf = device.storage().parent().unwrap().to_owned();
    let rtsp = faces(&folder);
    let client = Uniview::new(device.listener("uniview"));
    let library = client.ok("/personlib/add", json!({"lib_name": "staff"})).await["lib_id"].clone();
    people_are_shared_and_replays_refused(&device, &client, &library).await;
    add_person(&client, &library, cast()[0].name, &cast()[0].enrolled).await;

    // The platform is away; each film begins once its camera is analysed.
    let platform = UniviewPlatform::start_on(SocketAddr::from(([127, 0, 0, 1], 0))).await;
    let address = platform.address();
    drop(platform);
    dock(&client, address).await;
    let street = folder.join("street.avi");
    for (name, url) in [("gate", rtsp.url()), ("street", format!("file://{}", street.display()))] {
        client.ok("/channel/add", json!({"type": 2, "channel_name": name, "rtsp": url})).await;
    }
    analyse(&client, &library).await;
    // Whole at once: a camera must not begin with half of it.
    let copy = street.with_extension("part");
    std::fs::copy(cache().join("films/vtest.avi"), &copy).unwrap();
    std::fs::rename(copy, &street).unwrap();
    eventually_within(PATIENCE, "both films are seen", async || {
        let alarms = client.list("/search/behavior", anything()).await;
        let of = |channel: i64| alarms.iter().filter(move |alarm| alarm["channel_id"] == channel).count();
        let filmed = alarms.iter().any(|alarm| alarm["video_url"].as_str().is_some_and(|url| url.contains("&Size=")));
        let faces = client.list("/search/facematch", anything()).await.len();
        (of(GATE) >= 2 && of(STREET) >= 1 && faces >= 2 && filmed).then_some(())
    })
    .await;
    for channel in [GATE, STREET] {
        client.ok("/smart/task", json!({"channel_id": channel, "status": 0})).await;
    }

    let platform = UniviewPlatform::start_on(address).await;
    let alarms = eventually_within(PATIENCE, "every alarm is pushed", async || {
        let alarms = found(&client, "/search/behavior").await;
        (pushed(&platform, 1) == alarms && !platform.videos().is_empty()).then_some(alarms)
    })
    .await;
    let last = alarms.iter().chain(&found(&client, "/search/facecap").await).max().copied();
    eventually_within(PATIENCE, "the last face is pushed", async || {
        (platform.messages().iter().map(event_id).max() == last).then_some(())
    })
    .await;
    assert_eq!(pushed(&platform, 5), found(&client, "/search/behaviormatch").await);
    // A face for which the libraries had no candidate is compared, but no match.
    let faces = found(&client, "/search/facecap").await;
    assert_eq!(pushed(&platform, 4), faces);
    assert!(found(&client, "/search/facematch").await.is_subset(&faces));
    let order: Vec<_> = platform.messages().iter().map(event_id).collect();
    assert!(order.is_sorted(), "{order:?}");
    assert_eq!(order.iter().collect::<BTreeSet<_>>().len() + platform.of_type(5).len(), order.len(), "once each");
    the_right_person_is_named(&client, &platform).await;
    people_in_the_street_are_counted(&platform);
    the_video_is_that_of_the_alarm(&client, &platform, &folder).await;
}

/// The faces and the alarms name the one who is enrolled, and nobody else.
async fn the_right_person_is_named(client: &Uniview, platform: &UniviewPlatform) {
    let results = |kind| {
        platform.of_type(kind).into_iter().flat_map(|message| message["compare_results"].as_array().unwrap().clone())
    };
    let names: BTreeSet<_> = results(4).chain(results(5)).map(|person| person["person_name"].to_string()).collect();
    assert_eq!(names, [format!("{:?}", cast()[0].name)].into());
    assert!(results(4).count() > 0 && results(5).count() > 0, "a face and an alarm with it");
    let rows = client.list("/search/behaviormatch", anything()).await;
    let recognised = rows.iter().filter(|row| row["object_list"][0]["match_type"] == 1).count();
    assert_eq!(recognised, platform.of_type(5).iter().filter(|message| message["has_result"] == 1).count());
}

/// In the first ten seconds of the film people walk to the right at 1.2 and 9.6 s, and to the left at 6.5 s; a busy machine
/// may miss some.
fn people_in_the_street_are_counted(platform: &UniviewPlatform) {
    let alarms = platform.of_type(1);
    let counts = alarms.iter().filter(|message| message["channel_info"]["channel_id"] == STREET);
    let passed: Vec<_> = counts
        .map(|message| {
            let number = |field: &str| message["behaviour"][field].as_i64().unwrap();
            (number("in_num"), number("out_num"))
        })
        .collect();
    let all: i64 = passed.iter().map(|(inwards, outwards)| inwards + outwards).sum();
    assert!((1..=3).contains(&all) && passed.iter().all(|count| *count != (0, 0)), "{passed:?}");
}

async fn the_video_is_that_of_the_alarm(client: &Uniview, platform: &UniviewPlatform, folder: &Path) {
    let video = platform.videos().remove(0);
    let alarms = platform.of_type(1);
    let alarm = alarms.iter().find(|alarm| alarm["behaviour"]["video_uuid"] == video.uuid).unwrap();
    assert_eq!(alarm["channel_info"]["channel_id"], GATE);
    assert_eq!(client.download(alarm["behaviour"]["video_url"].as_str().unwrap()).await, video.file);
    plays(folder, &video.file);
}
