//! Zip files of pictures and tables (sections 3.11, 3.12, 3.14, 3.15, 3.17 and 3.18).

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use testkit::contract::Ledger;
use zip::ZipArchive;

use crate::records::after_a_visit;
use crate::witness::{Witness, column, photo, rows};

/// The pictures of an export by file name, and the rows of its table by the file they are about.
pub(crate) struct Export {
    pub(crate) pictures: BTreeMap<String, Vec<u8>>,
    pub(crate) table: BTreeMap<String, BTreeMap<String, String>>,
}

/// Fetches the file that an answer names; its name must begin like this.
pub(crate) async fn fetch(witness: &Witness, answer: &Value, beginning: &str) -> Export {
    let path = answer["export_url"].as_str().unwrap();
    let time = path.strip_prefix(beginning).and_then(|rest| rest.strip_suffix(".zip")).unwrap_or(path);
    assert!(time.starts_with("2026-03-02-09-0"), "local time: {path}");
    let (status, file) = witness.download(path, witness.device.session()).await;
    assert_eq!(status, 200);
    assert_eq!(witness.download(path, "12345").await.0, 401);
    let mut zip = ZipArchive::new(Cursor::new(file)).unwrap();
    let mut pictures = BTreeMap::new();
    for place in 0..zip.len() {
        let mut entry = zip.by_index(place).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let name = entry.name().unwrap().into_owned();
        pictures.insert(name, content);
    }
    let mut lines = rows(&pictures.remove("index.csv").unwrap()).into_iter();
    let header = lines.next().unwrap();
    let row = |line: Vec<String>| {
        let row: BTreeMap<_, _> = header.iter().cloned().zip(line).collect();
        // What a spreadsheet would take for a formula has an apostrophe there.
        (row["file"].replace('\'', ""), row)
    };
    let table: BTreeMap<_, _> = lines.map(row).collect();
    assert_eq!(table.keys().collect::<Vec<_>>(), pictures.keys().collect::<Vec<_>>(), "a row for each picture");
    assert_eq!(answer["result_num"], pictures.len());
    Export { pictures, table }
}

pub(crate) async fn faces_are_exported_and_imported_again(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let library = witness.library("staff", &[]).await;
    let people = [("ann", "安, \"An\"", "0", "20"), ("ben", "=1+1", "1", ""), ("cyd", "c_d/e", "", "99")];
    for (id, name, gender, age) in people {
        let fields = json!({
            "lib_id": library, "img_id": id, "person_name": name, "person_gender": gender, "person_age": age,
            "person_idcard": "7", "person_addr": "",
        });
        witness.ok_form("add_face", fields, &[("img", photo(id))]).await;
    }
    let page = witness.ok("export_faces_page", json!({"lib_id": library})).await;
    assert_eq!(page["total_num"], 3);
    let export = fetch(&witness, &page, "tmp/face_").await;
    let names = ["=1+1_ben_7_1_#_#.png", "c-d-e_cyd_7_#_99_#.png", "安, -An-_ann_7_0_20_#.png"];
    assert_eq!(export.pictures.keys().collect::<Vec<_>>(), names);
    assert_eq!(export.pictures[names[2]], photo("ann"));
    let ben = &export.table.values().find(|row| row["img_id"] == "ben").unwrap()["person_name"];
    assert_eq!(ben, "'=1+1");
    let ann = &export.table[names[2]];
    assert_eq!((ann["person_name"].as_str(), ann["lib_id"].as_str()), ("安, \"An\"", library.to_string().as_str()));
    assert_eq!(ann.len(), 9);
    let second = witness.ok("export_faces_page", json!({"lib_id": library, "start_no": "2", "qry_len": 1})).await;
    assert_ne!(second["export_url"], page["export_url"], "each call makes a file of its own");
    assert!(fetch(&witness, &second, "tmp/face_").await.pictures.contains_key(names[0]));
    let selected = json!({"lib_id": library, "img_ids": "nobody, ann,cyd ,no/body"});
    let selected = witness.ok("export_faces_selected", selected).await;
    assert_eq!((&selected["failed_img_ids"], &selected["total_num"]), (&json!("nobody,no/body"), &json!(4)));
    assert_eq!(fetch(&witness, &selected, "tmp/face_").await.pictures.len(), 2);
    taken_back(&witness, &export, library).await;
    witness.stop().await;
}

/// Enrols what was exported into another library, after it was removed from this one.
async fn taken_back(witness: &Witness, export: &Export, library: i64) {
    witness.ok("delete_faces_batch", json!({"lib_id": library, "img_ids": "ann,ben,cyd"})).await;
    let files: Vec<_> = export.pictures.iter().map(|(name, p)| (name.as_str(), Bytes::from(p.clone()))).collect();
    let answer = witness.send_batch("add_faces_batch", json!({"lib_id": 1, "uuid": "back"}), &files).await;
    assert_eq!(witness.note_success("add_faces_batch", answer)["err_count"], 0);
    let back = witness.ok("get_face", json!({"lib_id": 1, "img_id": "ben"})).await;
    assert_eq!(
        (&back["person_name"], &back["person_gender"], &back["person_age"]),
        (&json!("=1+1"), &json!("1"), &json!(""))
    );
}

pub(crate) async fn captures_and_alarms_are_exported(ledger: &Arc<Ledger>) {
    let (witness, library) = after_a_visit(ledger).await;
    let snaps = witness.ok("query_snaps", json!({})).await;
    let alarm = witness.ok("query_alarms", json!({})).await["record"][0].clone();
    let ids = column(&snaps["record"], "snap_id");
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let both = ids.iter().map(text).collect::<Vec<_>>().join(",");
    let all = witness.ok("export_snaps_page", json!({})).await;
    assert_eq!((&all["total_num"], &all["result_num"]), (&json!(2), &json!(2)));
    let export = fetch(&witness, &all, "tmp/catch_").await;
    for snap in snaps["record"].as_array().unwrap() {
        let file = format!("{}.jpg", text(&snap["snap_id"]));
        let (_, picture) = witness.download(&text(&snap["snap_path"]), witness.device.session()).await;
        assert_eq!(export.pictures[&file], picture);
        for field in ["snap_id", "trigger", "channel", "camera_name", "position", "similarity", "lib_name", "lib_type"]
        {
            assert_eq!(export.table[&file][field], text(&snap[field]), "{field}");
        }
        assert_eq!(export.table[&file]["st_age_value"], text(&snap["face_attr"]["st_age_value"]));
    }
    let filtered = json!({"lib_name": "staff", "channel": 1, "start_no": 2, "qry_len": 500});
    let older = witness.ok("export_snaps_page", filtered).await;
    assert_eq!((&older["total_num"], &older["result_num"]), (&json!(2), &json!(1)));
    let unknown = "9448f6e5-0d8b-4fd0-a13f-98b1a05500ec";
    let chosen = witness.ok("export_snaps_selected", json!({"snap_ids": format!("{both},{unknown},x")})).await;
    assert_eq!((&chosen["failed_img_ids"], &chosen["total_num"]), (&json!(format!("{unknown},x")), &json!(4)));
    assert_eq!(fetch(&witness, &chosen, "tmp/catch_").await.pictures.len(), 2);

    let alarms = witness.ok("export_alarms_page", json!({"lib_ids": format!("1, {library}")})).await;
    assert_eq!(alarms["total_num"], 1);
    let export = fetch(&witness, &alarms, "tmp/alarm_").await;
    let row = &export.table[&format!("{}.jpg", text(&alarm["snap_id"]))];
    for field in ["img_id", "person_name", "person_age", "create_time", "threshold", "similarity"] {
        assert_eq!(row[field], text(&alarm[field]), "{field}");
    }
    let chosen = witness.ok("export_alarms_selected", json!({"snap_ids": both})).await;
    let stranger = text(ids.iter().find(|id| **id != alarm["snap_id"]).unwrap());
    assert_eq!(chosen["failed_img_ids"], stranger, "a capture that is no alarm");
    assert_eq!(fetch(&witness, &chosen, "tmp/alarm_").await.pictures.len(), 1);
    witness.stop().await;
}

pub(crate) async fn what_cannot_be_exported_is_refused(ledger: &Arc<Ledger>) {
    let (witness, library) = after_a_visit(ledger).await;
    let empty = witness.library("empty", &[]).await;
    let many = (0..51).map(|n| format!("id-{n}")).collect::<Vec<_>>().join(",");
    let stranger = witness.ok("query_snaps", json!({"qry_len": 1})).await["record"][0]["snap_id"].clone();
    for (act, fields, code) in [
        ("export_faces_page", json!({"lib_id": 99}), -117),
        ("export_faces_page", json!({"lib_id": empty}), -110),
        ("export_faces_page", json!({"lib_id": library, "start_no": 2}), -2100),
        ("export_faces_page", json!({"lib_id": library, "qry_len": 501}), -3596),
        ("export_faces_page", json!({"lib_id": library, "start_no": 0}), -3596),
        ("export_faces_page", json!({}), -3596),
        ("export_faces_selected", json!({"lib_id": 99, "img_ids": "alice"}), -117),
        ("export_faces_selected", json!({"lib_id": empty, "img_ids": "alice"}), -2100),
        ("export_faces_selected", json!({"lib_id": library, "img_ids": many}), -3596),
        ("export_faces_selected", json!({"lib_id": library, "img_ids": " , "}), -3596),
        ("export_faces_selected", json!({"lib_id": library}), -3596),
        ("export_snaps_page", json!({"channel": 2}), -2100),
        ("export_snaps_page", json!({"lib_type": 1}), -2100),
        ("export_snaps_page", json!({"qry_len": 501}), -3596),
        ("export_snaps_page", json!({"start_time": "yesterday"}), -3596),
        ("export_snaps_selected", json!({"snap_ids": "x,9448f6e5-0d8b-4fd0-a13f-98b1a05500ec"}), -2100),
        ("export_snaps_selected", json!({"snap_ids": ""}), -3596),
        ("export_snaps_selected", json!({"snap_ids": many}), -3596),
        ("export_snaps_selected", json!({}), -3596),
        ("export_alarms_page", json!({"lib_ids": empty}), -2100),
        ("export_alarms_page", json!({"lib_ids": format!("{library},99")}), -117),
        ("export_alarms_page", json!({"lib_ids": "staff"}), -3596),
        ("export_alarms_page", json!({}), -3596),
        ("export_alarms_selected", json!({"snap_ids": stranger}), -2100),
        ("export_alarms_selected", json!({"snap_ids": many}), -3596),
        ("export_alarms_selected", json!({}), -3596),
    ] {
        witness.refused(act, fields, code).await;
    }
    witness.stop().await;
}
