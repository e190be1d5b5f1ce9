//! Pictures (chapter 2) and their comparison (6.7).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::Limits;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use testkit::contract::Ledger;
pub(crate) use testkit::portrait as photo;
use testkit::{FakeFace, Picture};

use crate::device::{Device, answer};

const UPLOAD: &str = "/UploadPersonPicture";

fn part(picture: &[u8]) -> Part {
    Part::bytes(picture.to_vec()).file_name("face.png")
}

impl Device {
    async fn send_form(&self, form: Form) -> Value {
        answer(self.client().post(self.url(UPLOAD)).multipart(form)).await
    }

    /// Uploads a picture and answers its address.
    pub(crate) async fn upload(&self, picture: &[u8]) -> String {
        let form = Form::new().text("session", self.session().to_owned()).part("file", part(picture));
        let answer = self.note_success(UPLOAD, self.send_form(form).await);
        answer["pic_url"].as_str().unwrap().to_owned()
    }

    /// The bytes at an address.
    pub(crate) async fn download(&self, address: &str) -> Bytes {
        let answer = self.ok("/DownloadPersonPicture", json!({"pic_url": address})).await;
        STANDARD.decode(answer["data"].as_str().unwrap()).unwrap().into()
    }
}

pub(crate) async fn pictures_are_kept_shown_and_removed(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let address = device.upload(&photo("alice")).await;
    assert!(address.starts_with("/picture/"), "{address}");
    assert_eq!(device.download(&address).await, photo("alice"));
    assert_eq!(device.download(&format!("http://box:1{address}")).await, photo("alice"));
    let shown =
        device.client().get(device.url(&format!("{address}?session={}", device.session()))).send().await.unwrap();
    assert_eq!(shown.headers()["content-type"], "image/png");
    assert_eq!(shown.bytes().await.unwrap(), photo("alice"));
    for (query, code) in [("", 3), ("?session=0", 5)] {
        let refused = answer(device.client().get(device.url(&format!("{address}{query}")))).await;
        assert_eq!(refused["code"], code);
    }
    let device = device.restart().await;
    assert_eq!(device.download(&address).await, photo("alice"), "it waits for its person");
    device.ok("/DeletePicture", json!({"pic_url": address})).await;
    for path in ["/DownloadPersonPicture", "/DeletePicture"] {
        for gone in [address.as_str(), "", "/etc/passwd"] {
            device.refused(path, json!({"pic_url": gone}), 6).await;
        }
        device.refused_for(path, json!({}), "pic_url").await;
    }
    device.stop().await;
}

pub(crate) async fn the_session_of_an_upload_may_come_in_three_ways(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let form = || Form::new().part("picture", part(&photo("alice")));
    let post = |query: &str| device.client().post(device.url(&format!("{UPLOAD}{query}")));
    let in_query = post(&format!("?session={}", device.session())).multipart(form());
    let in_header = post("").header("session", device.session()).multipart(form());
    for request in [in_query, in_header] {
        device.note_success(UPLOAD, answer(request).await);
    }
    for (form, code) in
        [(form(), 3), (form().text("session", "0"), 5), (Form::new().text("session", device.session().to_owned()), 3)]
    {
        device.note_refusal(UPLOAD, device.send_form(form).await, code, &json!(code));
    }
    let no_form = answer(post("").json(&json!({"session": device.session()}))).await;
    device.note_refusal(UPLOAD, no_form, 2, &json!("JSON"));
    device.stop().await;
}

pub(crate) async fn what_is_no_picture_is_refused(ledger: &Arc<Ledger>) {
    let device = Device::start_with(ledger, Limits { pictures: 1, ..Limits::default() }).await;
    let send = async |bytes: &[u8], code| {
        let form = Form::new().text("session", device.session().to_owned()).part("file", part(bytes));
        device.note_refusal(UPLOAD, device.send_form(form).await, code, &json!(bytes.len()));
    };
    let whole = photo("alice");
    for bytes in [&b""[..], b"GIF89a", b"<html>", &whole[..whole.len() / 2], &vec![0; (4 << 20) + 1]] {
        send(bytes, 503).await;
    }
    device.upload(&photo("alice")).await;
    send(&photo("bob"), 8).await;
    device.stop().await;
}

pub(crate) async fn metadata_of_a_file_is_not_kept(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let picture = Picture::of([FakeFace::of("alice")]).jpeg();
    let comment = b"\xff\xfe\x00\x10taken at home!";
    let told = [&picture[..2], comment, &picture[2..]].concat();
    let kept = device.download(&device.upload(&told).await).await;
    assert!(!kept.windows(4).any(|part| part == b"home") && kept.len() < told.len());
    device.stop().await;
}

pub(crate) async fn two_pictures_are_compared(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let one = device.upload(&photo("alice")).await;
    let two = device.upload(&Picture::of([FakeFace::of("alice").at(200, 100)]).png()).await;
    let other = device.upload(&photo("bob")).await;
    let compare = |first: &str, second: &str| json!({"first_pic": first, "second_pic": second});
    let same = device.ok("/Compare1V1", compare(&one, &two)).await["similarity"].as_f64().unwrap();
    let strange = device.ok("/Compare1V1", compare(&one, &other)).await["similarity"].as_f64().unwrap();
    assert!(same > 0.9 && same <= 1.0 && strange < 0.5, "{same} {strange}");
    let nobody = device.upload(&Picture::empty().png()).await;
    let pair = Picture::of([FakeFace::of("alice").at(20, 100), FakeFace::of("bob").at(420, 100)]);
    let pair = device.upload(&pair.png()).await;
    for bad in [&nobody, &pair] {
        let answer = device.refused("/Compare1V1", compare(&one, bad), 402).await;
        assert_eq!(answer["similarity"], 0);
        device.refused("/Compare1V1", compare(bad, &one), 402).await;
    }
    device.refused("/Compare1V1", compare(&one, "/picture/person/none.jpg"), 6).await;
    device.refused_for("/Compare1V1", json!({"first_pic": one}), "second_pic").await;
    device.stop().await;
}
