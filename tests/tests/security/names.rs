//! Terminal escapes, separators of spreadsheets and control characters in names harm no reader.

use std::io::{Cursor, Read};

use polyface_tests::{Device, cast};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_no_formula_and_no_escape_for_any_separator() {
    let device = Device::start().await;
    let client = device.log_in().await;
    let portrait = std::fs::read(&cast()[0].enrolled).unwrap();
    let name = "\u{1b}[31mRed\u{7};=HYPERLINK(1),=2|@SUM(A1)";
    client.enrol(1, "one", name, &portrait).await.ok();
    let exported = client.call(json!({"msg_id": "1038", "lib_id": 1, "start_no": 1, "qry_len": 10})).await.ok();
    let zip = client.download(exported["export_url"].as_str().unwrap()).await.bytes().await.unwrap();
    let mut zip = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert!(names.iter().all(|name| !name.contains(|c: char| c.is_control())), "{names:?}");
    let table = names.iter().find(|name| name.ends_with(".csv")).unwrap();
    let mut text = String::new();
    zip.by_name(table).unwrap().read_to_string(&mut text).unwrap();
    assert!(text.contains("[31mRed"), "{text:?}");
    assert!(!text.contains(|c: char| c.is_control() && !matches!(c, '\r' | '\n')), "{text:?}");
    for separator in [',', ';', '|', '\t'] {
        for cell in text.split(['\r', '\n']).flat_map(|row| row.split(separator)) {
            let cell = cell.trim_start_matches([' ', '"']);
            assert!(!cell.starts_with(['=', '+', '@']), "{cell:?} of {text:?}");
        }
    }
    for output in [device.audit().stdout, device.try_passwd("\u{1b}[31mrose", "Seven-grey-doors").stderr] {
        let text = String::from_utf8(output).unwrap();
        assert!(!text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')), "{text:?}");
    }
    assert!(!device.log().contains('\u{1b}'), "{:?}", device.log());
}
