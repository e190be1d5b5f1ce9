//! Multipart forms as they come.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

use adapter::{Form, FormError, FormLimits, Part, Spool, UnreadableName};
use axum::body::Body;
use axum::extract::Request;

const LIMITS: FormLimits = FormLimits { parts: 3, part_bytes: 100, total_bytes: 150 };

fn part(name: &str, file_name: Option<&str>, content: &[u8]) -> Vec<u8> {
    let file = file_name.map_or(String::new(), |name| format!("; filename=\"{name}\"\r\nContent-Type: image/jpeg"));
    let head = format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
    [head.as_bytes(), content, b"\r\n"].concat()
}

fn request(parts: &[Vec<u8>]) -> Request {
    let body = [parts.concat(), b"--limit--\r\n".to_vec()].concat();
    request_of("multipart/form-data; boundary=limit", body)
}

fn request_of(content_type: &str, body: impl Into<Body>) -> Request {
    Request::builder().header("content-type", content_type).body(body.into()).unwrap()
}

async fn read(parts: &[Vec<u8>]) -> Result<Form, FormError> {
    Form::read(request(parts), LIMITS).await
}

#[tokio::test]
async fn texts_and_files_are_found_by_name() {
    let parts = [part("msg_id", None, b"1031"), part("file", Some("张三.jpg"), &[0xff, 0xd8])];
    let form = read(&parts).await.unwrap();
    assert_eq!(form.text("msg_id"), Ok("1031".into()));
    assert_eq!(form.file("file").unwrap()[..], [0xff, 0xd8]);
    assert_eq!(form.part("file").unwrap().file_name, Some(Ok("张三.jpg".into())));
    assert_eq!(form.text("file"), Err(FormError::NotText { name: "file" }));
    assert_eq!(form.text("lib_id"), Err(FormError::Missing { name: "lib_id" }));
    assert_eq!(form.optional_text("lib_id"), Ok(None));
}

#[tokio::test]
async fn a_part_that_comes_twice_is_told_from_one_that_is_missing() {
    let form = read(&[part("id", None, b"1"), part("id", None, b"2")]).await.unwrap();
    assert_eq!(form.text("id"), Err(FormError::Duplicate { name: "id" }));
    assert_eq!(form.parts().len(), 2);
}

#[tokio::test]
async fn a_form_is_bounded_in_parts_and_bytes() {
    let small = part("a", None, b"1");
    assert!(read(&vec![small.clone(); 3]).await.is_ok());
    assert_eq!(read(&vec![small; 4]).await, Err(FormError::TooLarge));
    assert!(read(&[part("a", None, &[b'x'; 100])]).await.is_ok());
    assert_eq!(read(&[part("a", None, &[b'x'; 101])]).await, Err(FormError::TooLarge));
    let half = part("a", None, &[b'x'; 76]);
    assert_eq!(read(&[half.clone(), half]).await, Err(FormError::TooLarge));
    let announced = Request::builder()
        .header("content-type", "multipart/form-data; boundary=limit")
        .header("content-length", "99999999")
        .body(Body::empty());
    assert_eq!(Form::read(announced.unwrap(), LIMITS).await, Err(FormError::TooLarge));
    let endless = [b"--limit\r\nX: ".as_slice(), &[b'x'; 100_000]].concat();
    assert_eq!(
        Form::read(request_of("multipart/form-data; boundary=limit", endless), LIMITS).await,
        Err(FormError::TooLarge)
    );
}

#[tokio::test]
async fn what_is_no_form_is_refused() {
    for content_type in ["application/json", "multipart/form-data", "multipart/mixed; boundary=limit", ""] {
        assert_eq!(Form::read(request_of(content_type, "{}"), LIMITS).await, Err(FormError::NotMultipart));
    }
    for body in ["", "--limit", "--limit\r\n\r\nx", "no boundary at all"] {
        let form = Form::read(request_of("multipart/form-data; boundary=limit", body), LIMITS).await;
        assert_eq!(form, Err(FormError::Broken), "{body}");
    }
}

fn spool(folder: &std::path::Path, bytes: usize) -> Option<Spool> {
    let wanted = |before: &[Part], name: &str| name == "file" && before.iter().any(|part| part.name == "id");
    Some(Spool { folder: folder.to_owned(), bytes, wanted })
}

#[tokio::test]
async fn a_large_part_goes_to_a_file_that_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..100_000).map(|at| at as u8).collect();
    let parts = [part("id", None, b"1"), part("file", Some("a.img"), &content), part("note", None, b"x")];
    let (form, upload) =
        Form::read_with_upload(request(&parts), LIMITS, spool(folder.path(), content.len())).await.unwrap();
    let upload = upload.unwrap();
    assert_eq!(std::fs::read(upload.path()).unwrap(), content);
    assert_eq!(form.parts().len(), 2, "the file is not among the parts");
    drop(upload);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_file_that_is_not_the_one_wanted_or_too_large_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let large = part("file", Some("a.img"), &[b'x'; 1000]);
    let of = async |parts: &[Vec<u8>], bytes| {
        Form::read_with_upload(request(parts), LIMITS, spool(folder.path(), bytes)).await.map(|(_, upload)| upload)
    };
    let id = part("id", None, b"1");
    assert!(matches!(of(&[large.clone(), id.clone()], 5000).await, Err(FormError::TooLarge)), "nothing wants it yet");
    assert!(matches!(of(&[id.clone(), large.clone(), large.clone()], 5000).await, Err(FormError::TooLarge)));
    assert!(matches!(of(&[id.clone(), large.clone()], 999).await, Err(FormError::TooLarge)));
    assert!(of(&[id.clone(), large.clone()], 1000).await.unwrap().is_some());
    let nowhere = spool(&folder.path().join("nowhere"), 5000);
    let kept = Form::read_with_upload(request(&[id, large]), LIMITS, nowhere).await;
    assert!(matches!(kept, Err(FormError::NotKept)));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn the_names_of_a_part_are_read_from_its_header_as_clients_write_it() {
    let of = async |disposition: &[u8]| {
        let part = [b"--limit\r\nContent-Disposition: ", disposition, b"\r\n\r\nx\r\n--limit--\r\n"].concat();
        let form = Form::read(request_of("multipart/form-data ; boundary=\"limit\"", part), LIMITS).await?;
        Ok::<_, FormError>(form.into_parts().remove(0))
    };
    let dotnet = b"form-data; name=img; filename=\"=?utf-8?B?5byg5LiJ?=\"; filename*=utf-8''%E5%BC%A0%E4%B8%89";
    for disposition in [&dotnet[..], b"FORM-DATA; filename*=GBK''%D5%C5%C8%FD ; Name=\"img\""] {
        let part = of(disposition).await.unwrap();
        assert_eq!((part.name.as_str(), part.file_name), ("img", Some(Ok("张三".into()))));
    }
    let folded = b"form-data;\r\n\tname=img;\r\n filename=\"=?utf-8?B?5byg?=\r\n =?utf-8?B?5LiJ?=\"";
    assert_eq!(of(folded).await.unwrap().file_name, Some(Ok("张三".into())));
    let raw = of(b"form-data; name=img; filename=\"\xd5\xc5\"").await.unwrap();
    assert_eq!((raw.name.as_str(), raw.file_name), ("img", Some(Err(UnreadableName))));
    assert_eq!(of(b"form-data; name=\"\xd5\xc5\"").await, Err(FormError::UnreadableName));
    assert_eq!(of(b"form-data; name=\"a").await, Err(FormError::UnreadableName));
    assert_eq!(of(b"attachment").await.unwrap().name, "");
}

#[tokio::test]
async fn a_text_has_no_byte_order_mark_and_no_end_of_a_buffer() {
    let form = read(&[part("id", None, b"\xef\xbb\xbf7\0\0"), part("note", None, b" a\0b ")]).await.unwrap();
    assert_eq!((form.text("id"), form.text("note")), (Ok("7".into()), Ok(" a\0b ".into())));
}
