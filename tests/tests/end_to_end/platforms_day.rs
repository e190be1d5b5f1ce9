//! A day of a management platform: it makes libraries, imports people, adds cameras, watches, queries, exports,
//! removes, goes over to HTTPS, and finds everything as it was after a restart.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use polyface_tests::{
    ADMIN_PASSWORD, Device, PushReceiver, SenseTime, Subscription, cache, cast, eventually_within, hd,
};
use rcgen::{CertificateParams, KeyPair};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use testkit::clip::{Codec, Passages};

/// People in each of the two ways to import many.
const BATCH: usize = 100;
const PATIENCE: Duration = Duration::from_secs(90);

/// A photo to import, under the file name that says who it is.
struct Import {
    code: String,
    file_name: String,
    photo: Vec<u8>,
}

/// So many people: photos come again, codes do not.
fn imports(prefix: &str) -> Vec<Import> {
    let mut photos: Vec<PathBuf> = fs::read_dir(cache().join("photos")).unwrap().map(|e| e.unwrap().path()).collect();
    photos.retain(|folder| folder.is_dir() && !folder.ends_with("_groups"));
    let mut files: Vec<PathBuf> =
        photos.iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let import = |(number, path): (usize, &PathBuf)| {
        let name = path.parent().unwrap().file_name().unwrap().to_str().unwrap().replace('_', " ");
        let code = format!("{prefix}{number:03}");
        let extension = path.extension().unwrap().to_str().unwrap();
        let file_name = format!("{name}_{code}_#_1_33_Main Street.{extension}");
        Import { code, file_name, photo: fs::read(path).unwrap() }
    };
    files.iter().cycle().take(BATCH).enumerate().map(import).collect()
}

/// What became of each file, by the table that the answer names.
async fn failures(client: &SenseTime, made: &Value) -> Vec<String> {
    let table = client.download(made["url"].as_str().unwrap()).await.text().await.unwrap();
    let rows: Vec<&str> = table.lines().skip(1).collect();
    assert_eq!(rows.len(), BATCH);
    let failed = rows.iter().filter(|row| !row.contains(",0,"));
    failed.map(|row| (*row).to_owned()).collect()
}

async fn import_as_form(client: &SenseTime, library: i64, imports: &[Import]) -> Value {
    let mut form = Form::new().text("msg_id", "1030").text("lib_id", library.to_string()).text("uuid", "day-1");
    for (number, import) in (1..).zip(imports) {
        let part = Part::bytes(import.photo.clone()).file_name(import.file_name.clone());
        form = form.part(format!("img_{number}"), part);
    }
    let answer = client.post("/api/form").multipart(form).send().await.unwrap().json::<Value>().await.unwrap();
    assert_eq!(answer["code"], 0, "{answer}");
    answer["data"].clone()
}

async fn import_as_base64(client: &SenseTime, library: i64, imports: &[Import]) -> Value {
    let image = |import: &Import| json!({"filename": import.file_name, "data": BASE64.encode(&import.photo)});
    let images: Vec<Value> = imports.iter().map(image).collect();
    client.call(json!({"msg_id": "1052", "lib_id": library, "uuid": "day-2", "imgs": images})).await.ok()
}

/// A film past whose camera these people of the cast go.
fn film(device: &Device, name: &str, actors: std::ops::Range<usize>) -> String {
    let mut passages = Passages::new(hd(Codec::H264), 1.2);
    for actor in &cast()[actors] {
        passages = passages.one(actor.name, &actor.seen, 3.0);
    }
    let file = passages.render(&device.storage().parent().unwrap().join(name)).unwrap().file;
    format!("file://{}", file.display())
}

async fn total(client: &SenseTime, msg_id: &str) -> u64 {
    client.call(json!({"msg_id": msg_id, "qry_len": 1})).await.ok()["total_num"].as_u64().unwrap()
}

/// Names of the files in an export of captures.
async fn exported(client: &SenseTime, msg_id: &str) -> Vec<String> {
    let made = client.call(json!({"msg_id": msg_id, "start_no": 1, "qry_len": 500})).await.ok();
    let path = made["export_url"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let bytes = client.download(&path).await.bytes().await.unwrap();
    let archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    archive.file_names().map(|name| name.unwrap().into_owned()).collect()
}

async fn go_encrypted(device: &Device, client: &SenseTime) -> SenseTime {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    for (kind, file) in [("crt", certificate.pem()), ("key", key.serialize_pem())] {
        let part = Part::text(file).file_name(format!("device.{kind}"));
        let form = Form::new().text("msg_id", "1302").text("file_type", kind).part("file", part);
        let answer = client.post("/api/form").multipart(form).send().await.unwrap().json::<Value>().await.unwrap();
        assert_eq!(answer["code"], 0, "{answer}");
    }
    client.call(json!({"msg_id": "1305", "prot_mode": "https"})).await.ok();
    log_in_encrypted(device).await
}

async fn log_in_encrypted(device: &Device) -> SenseTime {
    let address = eventually_within(PATIENCE, "the device listens for HTTPS", async || {
        let listeners = fs::read(device.storage().join("run/listeners.json")).ok()?;
        let listeners: Value = serde_json::from_slice(&listeners).ok()?;
        listeners["sensetime-https"].as_str()?.parse().ok()
    })
    .await;
    SenseTime::log_in_encrypted(address, "admin", ADMIN_PASSWORD).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_s_day() {
    let mut device = Device::start().await;
    let client = device.log_in().await;
    let (staff, guests) = (client.add_library("staff", 2).await, client.add_library("guests", 2).await);

    // People, a hundred in each way.
    let (by_form, by_base64) = (imports("s"), imports("g"));
    let made = import_as_form(&client, staff, &by_form).await;
    assert_eq!((&made["err_count"], failures(&client, &made).await), (&json!(0), Vec::<String>::new()));
    let made = import_as_base64(&client, guests, &by_base64).await;
    assert_eq!((&made["err_count"], failures(&client, &made).await), (&json!(0), Vec::<String>::new()));
    let codes = |imports: &[Import]| imports.iter().map(|import| import.code.clone()).collect::<BTreeSet<_>>();
    assert_eq!(client.codes(staff).await, codes(&by_form));
    assert_eq!(client.codes(guests).await, codes(&by_base64));

    // Two cameras, and everybody who passes is pushed.
    let receiver = PushReceiver::start().await;
    client.call(json!({"msg_id": "1298", "url": receiver.url(), "key": "day"})).await.ok();
    let socket = Subscription::open(&client, device.listener("sensetime")).await;
    let front = client.add_camera("front", &film(&device, "front.mp4", 0..3), staff).await;
    let back = client.add_camera("back", &film(&device, "back.mp4", 3..6), guests).await;
    let pushes = eventually_within(PATIENCE, "everybody is pushed", async || {
        let pushes = receiver.captures();
        (pushes.len() >= cast().len()).then_some(pushes)
    })
    .await;
    let seen = |channel: i64| -> BTreeSet<String> {
        let of = pushes.iter().filter(|push| *push.field("channel") == channel);
        of.map(|push| push.field("person_name").as_str().unwrap().to_owned()).collect()
    };
    let surnames = |names: &BTreeSet<String>| -> BTreeSet<String> {
        names.iter().map(|name| name.rsplit(' ').next().unwrap().to_owned()).collect()
    };
    let actors =
        |range: std::ops::Range<usize>| cast()[range].iter().map(|a| a.name.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!((surnames(&seen(front)), surnames(&seen(back))), (actors(0..3), actors(3..6)));
    for channel in [front, back] {
        client.call(json!({"msg_id": "514", "channel": channel})).await.ok();
    }
    let frames = async || (socket.captures().len() >= pushes.len()).then_some(());
    eventually_within(PATIENCE, "the subscriber has them too", frames).await;

    // Queries and exports agree with what was pushed.
    let (captures, alarms) = (total(&client, "1037").await, total(&client, "1036").await);
    assert_eq!((captures, alarms), (pushes.len() as u64, pushes.len() as u64));
    let pictures = exported(&client, "1040").await;
    let jpegs = pictures.iter().filter(|name| name.ends_with(".jpg")).count();
    assert!(jpegs >= captures as usize && pictures.iter().any(|name| name.ends_with(".csv")), "{pictures:?}");

    // Somebody leaves.
    let gone: Vec<String> = by_base64[..50].iter().map(|import| import.code.clone()).collect();
    client.call(json!({"msg_id": "1044", "lib_id": guests, "img_ids": gone.join(",")})).await.ok();
    client.add_camera("front", "file:///nowhere.mp4", staff).await;

    // From now on over HTTPS alone; and all is as it was after a power cut.
    let client = go_encrypted(&device, &client).await;
    let before = everything(&client, &[staff, guests]).await;
    drop(client);
    device.kill();
    device.restart().await;
    let client = log_in_encrypted(&device).await;
    assert_eq!(everything(&client, &[staff, guests]).await, before);
    assert_eq!(client.codes(guests).await.len(), BATCH - gone.len());
    assert_eq!(total(&client, "1037").await, captures);
    let in_clear = device.anonymous().post("/api/json").json(&json!({"msg_id": "1028"})).send().await.unwrap();
    assert_eq!(in_clear.status(), 403);
}

/// What must outlive a restart.
async fn everything(client: &SenseTime, libraries: &[i64]) -> Value {
    let mut people = Vec::new();
    for library in libraries {
        people.push(client.codes(*library).await);
    }
    let mut cameras = client.call(json!({"msg_id": "516"})).await.ok();
    for camera in cameras["camera"].as_array_mut().unwrap() {
        camera["status"] = json!("changes by itself");
    }
    let receiver = client.call(json!({"msg_id": "1299"})).await.ok();
    let captures = client.captures().await;
    json!([client.call(json!({"msg_id": "1028"})).await.ok(), people, cameras, receiver, captures])
}
