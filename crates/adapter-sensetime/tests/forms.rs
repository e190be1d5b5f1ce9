//! Requests as clients of the field write them: forms with file names that are not ASCII, headers and JSON at the edge
//! of their grammar.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

mod device;

use device::{Answer, Device};
use serde_json::{Value, json};
use testkit::{FakeFace, Picture};

const NAME: &str = "张三_id-1_#_1_30_北京.jpg";
const PERCENT: &str = "%E5%BC%A0%E4%B8%89_id-1_%23_1_30_%E5%8C%97%E4%BA%AC.jpg";

fn part(disposition: &[u8], content: &[u8]) -> Vec<u8> {
    [b"--X7\r\nContent-Disposition: form-data; ", disposition, b"\r\n\r\n", content, b"\r\n"].concat()
}

async fn send_form(device: &Device, content_type: &str, parts: &[Vec<u8>]) -> Answer {
    let body = [parts.concat(), b"--X7--\r\n".to_vec()].concat();
    let request = device.post("/api/form").header("sessionid", device.session());
    Answer::of(request.header("content-type", content_type).body(body)).await
}

/// A batch of one picture whose part says this of itself.
async fn batch(device: &Device, library: i64, content_type: &str, written: &[u8]) -> Answer {
    let picture = Picture::of([FakeFace::of("zhang")]).jpeg();
    let parts = [
        part(b"name=\"msg_id\"", b"1030"),
        part(b"name=\"lib_id\"", library.to_string().as_bytes()),
        part(b"name=\"uuid\"", b"u"),
        part(written, &picture),
    ];
    send_form(device, content_type, &parts).await
}

const FORM: &str = "multipart/form-data; boundary=X7";

/// Each file name enrols 张三 as `id-1`, and no other person.
#[tokio::test]
async fn a_person_is_enrolled_as_the_file_name_says_however_it_is_written() {
    let device = Device::start().await;
    let library = device.enrol("staff", &[]).await;
    let gbk = b"\xd5\xc5\xc8\xfd_id-1_#_1_30_\xb1\xb1\xbe\xa9.jpg";
    let raw_gbk = [b"name=\"img_1\"; filename=\"", &gbk[..], b"\""].concat();
    let quoted = |written: String| (FORM, format!("name=\"img_1\"; {written}").into_bytes());
    let written = [
        quoted(format!("filename=\"{NAME}\"")),
        quoted(format!("filename=\"C:\\照片\\{NAME}\"")),
        quoted(format!("filename=\"{PERCENT}\"")),
        quoted(format!("filename*=UTF-8'zh-cn'{PERCENT}")),
        quoted(format!("filename=\"??_id-1_#_1_30_??.jpg\"; filename*=\"UTF-8''{PERCENT}\"")),
        quoted("filename*=gb18030''%D5%C5%C8%FD_id-1_%23_1_30_%B1%B1%BE%A9.jpg".into()),
        quoted(
            "filename=\"=?gb2312?Q?=D5=C5=C8=FD=5Fid-1=5F#?= =?utf-8?Q?=5F1=5F30=5F=E5=8C=97=E4=BA=AC.jpg?=\"".into(),
        ),
        quoted(
            "filename*0*=utf-8''%E5%BC%A0%E4%B8%89; filename*1=\"_id-1_#_1_30_\"; filename*2*=%E5%8C%97%E4%BA%AC.jpg"
                .into(),
        ),
        quoted("filename=\"&#24352;&#19977;_id-1_#_1_30_&#21271;&#20140;.jpg\"".into()),
        (FORM, format!("NAME*=utf-8''img%5F1; FILENAME={NAME}").into_bytes()),
        ("Multipart/Form-Data ; Charset=\"GBK\" ; Boundary=\"X7\"", raw_gbk),
    ];
    for (content_type, written) in written {
        let shown = String::from_utf8_lossy(&written).into_owned();
        let answer = batch(&device, library, content_type, &written).await;
        assert_eq!((answer.code, &answer.data["err_count"]), (0, &json!(0)), "{shown}");
        let person = device.ask(json!({"msg_id": "1032", "lib_id": library, "img_id": "id-1"})).await;
        assert_eq!((&person["person_name"], &person["person_addr"]), (&json!("张三"), &json!("北京")), "{shown}");
        device.ask(json!({"msg_id": "1031", "lib_id": library, "img_id": "id-1"})).await;
        let left = device.ask(json!({"msg_id": "1035", "lib_id": library})).await;
        assert_eq!(left["total_num"], 0, "{shown}");
    }
    device.stop().await;
}

#[tokio::test]
async fn an_unreadable_file_name_enrols_no_person() {
    let device = Device::start().await;
    let library = device.enrol("staff", &[]).await;
    let written: [&[u8]; 11] = [
        b"name=\"img_1\"; filename=\"\xd5\xc5\xc8\xfd_id-1_#_1_30_#.jpg\"",
        b"name=\"img_1\"; filename=\"\xd5\\\"",
        b"name=\"img_1\"; filename=\"J\xfcrgen_id-1_#_1_30_#.jpg\"",
        b"name=\"img_1\"; filename=\"a.jpg\"; filename*=utf-8''%D5%C5_id-1_#_1_30_#.jpg",
        b"name=\"img_1\"; filename=\"=?utf-8?B?5byg\"",
        b"name=\"img_1\"; filename=\"%D5%C5%C8%FD_id-1_%23_1_30_%23.jpg\"",
        "name=\"img_1\"; filename=\"张\u{fffd}_id-1_#_1_30_#.jpg\"".as_bytes(),
        b"name=\"img_1\"; filename=\"??_id-1_#_1_30_??.jpg\"",
        b"name=\"img_1\"; filename=\"\"",
        b"name=\"img_1\"; filename=\"a_id-1_#_1_30_#.jpg\"; filename=\"b_id-1_#_1_30_#.jpg\"",
        b"name=\"img_1\"",
    ];
    for written in written {
        let shown = String::from_utf8_lossy(written).into_owned();
        let answer = batch(&device, library, FORM, written).await;
        assert_eq!((answer.code, &answer.data["err_count"]), (0, &json!(1)), "{shown}");
        let table = device.get("/ws/tmp/image_u.csv").header("sessionid", device.session()).send().await.unwrap();
        let table = table.text().await.unwrap();
        assert!(table.contains("-3596,Parameter input error: "), "{shown}: {table}");
    }
    let unreadable = batch(&device, library, FORM, b"name=\"\xd5\xc5\"; filename=\"a.jpg\"").await;
    assert_eq!((unreadable.code, unreadable.data), (-3596, json!("")), "which part it is cannot be told");
    let listed = json!([{"filename": "张\u{fffd}.jpg", "data": ""}, {"filename": "", "data": ""}]);
    let made = device.ask(json!({"msg_id": 1052, "lib_id": library, "uuid": "u", "imgs": listed})).await;
    assert_eq!(made["err_count"], 2);
    assert_eq!(device.ask(json!({"msg_id": "1035", "lib_id": library})).await["total_num"], 0);
    device.stop().await;
}

#[tokio::test]
async fn a_field_of_a_form_that_is_not_text_is_named_and_enrols_no_person() {
    let device = Device::start().await;
    let library = device.enrol("staff", &[]).await;
    let picture = Picture::of([FakeFace::of("zhang")]).jpeg();
    let parts = |field: &str, value: &[u8]| {
        [
            part(b"name=\"msg_id\"", b"\xef\xbb\xbf1029\0"),
            part(b"name=\"lib_id\"", library.to_string().as_bytes()),
            part(format!("name={field}").as_bytes(), value),
            part(b"name=\"img\"", &picture),
        ]
    };
    for field in ["person_name", "img_id", "person_addr"] {
        let answer = send_form(&device, FORM, &parts(field, b"\xd5\xc5\xc8\xfd")).await;
        assert_eq!(answer.code, -3596, "{field}");
        assert!(answer.msg.contains(field), "{}", answer.msg);
    }
    assert_eq!(device.ask(json!({"msg_id": "1035", "lib_id": library})).await["total_num"], 0);
    let enrolled = send_form(&device, FORM, &parts("person_name", "张三".as_bytes())).await;
    assert_eq!((enrolled.code, enrolled.msg.as_str()), (0, ""), "a picture needs no file name here");
    device.stop().await;
}

#[tokio::test]
async fn the_content_type_follows_the_grammar_of_http_and_json_needs_none() {
    let device = Device::start().await;
    for content_type in [
        "",
        "application/json ; charset=\"UTF-8\"",
        "Application/JSON;charset=utf-8;",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; profile=\"a;b\"; v=1",
        "\u{e9}",
    ] {
        let request = device.post("/api/json").header("sessionid", device.session()).body("{\"msg_id\": 1028}");
        let request = if content_type.is_empty() { request } else { request.header("content-type", content_type) };
        assert_eq!(Answer::of(request).await.code, 0, "{content_type}");
    }
    for content_type in [
        "multipart/form-data ; boundary=X7",
        "MULTIPART/FORM-DATA;BOUNDARY=\"X7\"",
        "multipart/form-data;\tcharset=utf-8 ;\tboundary = X7 ;",
    ] {
        let answer = send_form(&device, content_type, &[part(b"name = msg_id", b"1028")]).await;
        assert_eq!(answer.code, 0, "{content_type}");
    }
    for content_type in ["multipart/form-data", "multipart/form-data; boundary", "multipart/form-data; boundary=\"X7"] {
        let answer = send_form(&device, content_type, &[part(b"name=msg_id", b"1028")]).await;
        assert_eq!(answer.code, -3596, "{content_type}");
    }
    device.stop().await;
}

#[tokio::test]
async fn json_is_read_as_clients_write_it() {
    let device = Device::start().await;
    let cases: [(&[u8], &str); 5] = [
        (b"\xef\xbb\xbf{\"msg_id\": \"1025\", \"lib_type\": 1, \"lib_name\": \"a\"}", "a"),
        (b"{\"msg_id\": \"1025\", \"lib_type\": 1, \"lib_name\": \"b\"}\0", "b"),
        (b"{\"msg_id\": \"1025\", \"lib_type\": 1, \"lib_name\": \"c\\ud83d\"}\r\n\0\0", "c\u{fffd}"),
        (b"{\"msg_id\": \"1025\", \"lib_type\": 1, \"lib_name\": \"\\ude00d\",}", "\u{fffd}d"),
        (b"{\"msg_id\": \"1025\", \"lib_type\": 1, \"lib_name\": \"e\xed\xa0\xbd\"}", "e\u{fffd}\u{fffd}\u{fffd}"),
    ];
    for (body, name) in cases {
        let request = device.post("/api/json").header("sessionid", device.session()).body(body);
        assert_eq!(Answer::of(request).await.code, 0, "{name}");
        let found = device.ask(json!({"msg_id": "1034", "qry_len": 50})).await;
        let names: Vec<&Value> = found["record"].as_array().unwrap().iter().map(|row| &row["lib_name"]).collect();
        assert!(names.contains(&&json!(name)), "{names:?}");
    }
    let raw = b"{\"msg_id\": \"1025\", \"lib_type\": 1, \"lib_name\": \"\xd5\xc5\"}";
    for (content_type, code) in [("application/json", -3596), ("application/json ; charset=\"GBK\"", 0)] {
        let request = device.post("/api/json").header("sessionid", device.session()).body(&raw[..]);
        assert_eq!(Answer::of(request.header("content-type", content_type)).await.code, code, "{content_type}");
    }
    assert_eq!(device.ask(json!({"msg_id": "1034", "lib_name": "张"})).await["total_num"], 1);
    device.stop().await;
}
