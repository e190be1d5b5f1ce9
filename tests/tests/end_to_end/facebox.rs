//! Tasks over real clips: who came, who left, who is absent, and that every interface tells the same.

use std::collections::BTreeSet;
use std::time::Duration;

use polyface_tests::{ADMIN_PASSWORD, Device, FaceBox, cast, eventually_within, hd, photo};
use serde_json::{Value, json};
use testkit::clip::{Codec, Passages};

/// How long after a film began its last record may arrive.
const LATE: Duration = Duration::from_secs(150);

/// The page's view of a roll: the names of those who were seen, or of those who were not.
async fn roll(device: &Device, task: &Value, seen: bool) -> BTreeSet<String> {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let console = format!("http://{}", device.listener("console"));
    let login = client.post(format!("{console}/login"));
    let login = login.json(&json!({"username": "admin", "password": ADMIN_PASSWORD}));
    let answer = login.send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let request = client.get(format!("{console}/api/tasks/{task}/roll?seen={seen}")).header("Cookie", cookie);
    let roll: Value = request.send().await.unwrap().json().await.unwrap();
    roll["people"].as_array().unwrap().iter().map(|line| line["name"].as_str().unwrap().to_owned()).collect()
}

/// Who was seen by which camera, from either interface.
fn seen(records: &[Value], name: &str, camera: &str) -> BTreeSet<(String, i64)> {
    let known = records.iter().filter(|record| record[name] != "");
    known.map(|record| (record[name].as_str().unwrap().to_owned(), record[camera].as_i64().unwrap())).collect()
}

async fn offline(client: &FaceBox, name: &str) {
    eventually_within(LATE, "the film was shown", async || {
        (client.entry("/QueryCameraList", name).await["online"] == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_tell_who_came_who_left_and_who_is_absent() {
    let device = Device::start().await;
    let folder = device.storage().parent().unwrap().to_owned();
    let cast = cast();
    let client = FaceBox::log_in(device.listener("facebox"), "admin", ADMIN_PASSWORD).await;
    let (staff, guests) = (client.add_library("staff").await, client.add_library("guests").await);
    for (library, actor) in [(&staff, &cast[0]), (&guests, &cast[1]), (&staff, &cast[2])] {
        client.add_person(library, actor.name, &actor.enrolled).await;
    }

    // Each film appears where its camera waits for it, once the tasks run.
    let (way_in, way_out) = (folder.join("in.mp4"), folder.join("out.mp4"));
    let entry = client.add_camera("entry", &format!("file://{}", way_in.display())).await;
    let exit = client.add_camera("exit", &format!("file://{}", way_out.display())).await;
    let task = |name: &str, kind: u8| {
        json!({
            "name": name, "type": kind, "camera_list1": entry.to_string(), "camera_list2": exit.to_string(),
            "lib_list": format!("{staff},{guests}"), "interval": 3000, "threshold": 0.8,
        })
    };
    let plain = client.run_task(task("watch", 0)).await;
    let morning = client.run_task(task("morning roll", 1)).await;
    let stranger = photo("Eileen_Collins/astronaut.png");
    let films = folder.join("films");
    std::fs::create_dir(&films).unwrap();
    let film = Passages::new(hd(Codec::H264), 1.5);
    let film = film.one("Obama", &cast[0].seen, 4.0).one("Salley", &cast[1].seen, 4.0).one("?", &stranger, 4.0);
    let shown_in = film.render(&films.join("in.mp4")).unwrap();
    let film = Passages::new(hd(Codec::H264), 1.5).one("Salley", &cast[1].seen, 4.0);
    let shown_out = film.render(&films.join("out.mp4")).unwrap();
    std::fs::rename(&shown_in.file, &way_in).unwrap();
    std::fs::rename(&shown_out.file, &way_out).unwrap();

    let of = |records: Vec<Value>, task: &Value| -> Vec<Value> {
        records.into_iter().filter(|record| record["task_id"] == *task).collect()
    };
    let records = eventually_within(LATE, "everybody is recorded by both tasks", async || {
        let records = client.list("/QueryTaskCaptureRecord").await;
        let enough = [&plain, &morning].iter().all(|task| of(records.clone(), task).len() >= 4);
        enough.then_some(records)
    })
    .await;
    let watched = of(records, &plain);
    let camera = |id: &Value| id.as_i64().unwrap();
    let passed = [("Obama", &entry), ("Salley", &entry), ("Salley", &exit)];
    let expected: BTreeSet<_> = passed.iter().map(|(name, id)| ((*name).to_owned(), camera(id))).collect();
    assert_eq!(seen(&watched, "person_name", "camera_id"), expected);
    assert!(watched.iter().any(|record| record["classify"] == 0), "the stranger is recorded");
    for known in watched.iter().filter(|record| record["classify"] == 1) {
        assert!(known["similarity"].as_f64().unwrap() >= 0.8 && known["task_name"] == "watch", "{known}");
        let library = if known["person_name"] == "Obama" { "staff" } else { "guests" };
        assert_eq!(known["lib_name"], library);
    }
    assert_eq!(roll(&device, &morning, true).await, ["Obama", "Salley"].map(str::to_owned).into());
    assert_eq!(roll(&device, &morning, false).await, ["Savage".to_owned()].into());

    // The other interface tells of the same captures and people.
    let other = device.log_in().await;
    assert_eq!(other.captures().await.len(), watched.len());
    let alarms = other.call(json!({"msg_id": "1036", "qry_len": 50})).await.ok();
    let alarms = alarms["record"].as_array().unwrap();
    let told: BTreeSet<_> = alarms.iter().map(|alarm| alarm["person_name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, ["Obama", "Salley"].map(str::to_owned).into());

    // What is shown while no task runs is recorded by nobody.
    offline(&client, "entry").await;
    for id in [&plain, &morning] {
        client.ok("/StopTask", json!({"task_id": id})).await;
    }
    let before = client.list("/QueryTaskCaptureRecord").await;
    let again = format!("file://{}?loop=0", way_out.display());
    client.ok("/UpdateCamera", json!({"camera_id": entry, "rtsp": again})).await;
    eventually_within(LATE, "the film is shown again", async || {
        (client.entry("/QueryCameraList", "entry").await["online"] == 1).then_some(())
    })
    .await;
    offline(&client, "entry").await;
    assert_eq!(client.list("/QueryTaskCaptureRecord").await, before);
}
