//! Finding and comparing faces (sections 3.25, 3.26, 3.29 and 5).

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::{FakeFace, Picture};

use crate::witness::{Witness, base64, column, photo};

pub(crate) async fn faces_in_a_picture_are_described(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let faces = [FakeFace::of("alice").at(10, 20).sized(100).quality(61), FakeFace::of("bob").at(300, 200)];
    let pair = Picture::of(faces).png();
    let largest = witness.ok_form("detect_face", json!({}), &[("img", pair.clone())]).await;
    assert_eq!(largest["coordinate"], "300,200,460,360");
    assert_eq!(largest["quality"], 80);
    assert_eq!(largest["attribute"]["st_age_value"], "30.000000");
    assert_eq!(witness.ok("detect_face_base64", json!({"img": base64(&pair)})).await, largest);
    let all = witness.ok_form("detect_faces", json!({}), &[("img", pair)]).await;
    assert_eq!(column(&all, "coordinate"), ["300,200,460,360", "10,20,110,120"]);
    assert_eq!(column(&all, "quality"), [80, 61]);
    for path in column(&all, "img_path") {
        let (status, crop) = witness.download(path.as_str().unwrap(), witness.device.session()).await;
        assert_eq!(status, 200);
        witness.ok_form("detect_face", json!({}), &[("img", crop)]).await;
    }
    witness.stop().await;
}

pub(crate) async fn two_pictures_are_compared(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let other = Picture::of([FakeFace::of("alice").at(10, 20)]).jpeg();
    for (second, same) in [(other, true), (photo("bob"), false)] {
        let form =
            witness.ok_form("compare_1_to_1", json!({}), &[("img_1", photo("alice")), ("img_2", second.clone())]).await;
        let text = witness
            .ok("compare_1_to_1_base64", json!({"img_1": base64(&photo("alice")), "img_2": base64(&second)}))
            .await;
        assert_eq!(form, text);
        assert_eq!(form["FaceImg1to1Rsp_Score"].as_i64().unwrap() >= 80, same, "{form}");
    }
    witness.stop().await;
}

pub(crate) async fn a_picture_is_searched_for_in_libraries(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let staff = witness.library("staff", &["alice", "bob", "carol"]).await;
    let guests = witness.library("guests", &["dave"]).await;
    let probe = Picture::of([FakeFace::of("alice").at(40, 50)]).png();
    let query = json!({"lib_ids": format!("{staff}, {guests}"), "topk": 3, "n_topk": 2, "threshold": 0});
    let form = witness.ok_form("compare_1_to_n", query.clone(), &[("img", probe.clone())]).await;
    let mut encoded = query;
    encoded["img"] = base64(&probe);
    assert_eq!(witness.ok("compare_1_to_n_base64", encoded).await, form);
    let hits = form["topn"].as_array().unwrap();
    assert_eq!((hits.len(), &hits[0]["img_id"]), (3, &json!("alice")));
    assert_eq!(column(&form["topn"], "ranking"), [1, 2, 3]);
    assert_eq!(form["n_topn"], hits[1]);
    assert_eq!(
        form["in_pic"],
        json!({"pos_left": 40, "pos_top": 50, "pos_right": 200, "pos_bottom": 210, "quality": 80})
    );
    let best = json!({"lib_ids": staff.to_string()});
    assert_eq!(
        witness.ok_form("compare_1_to_n", best, &[("img", probe.clone())]).await["topn"].as_array().unwrap().len(),
        1
    );
    let none = json!({"lib_ids": guests.to_string(), "threshold": 90});
    let none = witness.ok_form("compare_1_to_n", none, &[("img", probe)]).await;
    assert_eq!((&none["topn"], &none["n_topn"]), (&json!([]), &json!({})));
    witness.stop().await;
}

pub(crate) async fn pictures_that_cannot_be_compared_are_refused(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let staff = witness.library("staff", &["alice"]).await;
    let empty = witness.library("empty", &[]).await;
    let before = witness.everything().await;
    let (good, poor) = (photo("alice"), Picture::of([FakeFace::of("bob").quality(10)]).png());
    let query = |library: i64| json!({"lib_ids": library.to_string()});
    let broken = good.slice(..good.len() / 2);
    for (picture, code) in [(Picture::empty().png(), -1101), (broken, -1104), (Bytes::from_static(b"x"), -1104)] {
        for act in ["detect_face", "detect_faces"] {
            witness.refused_form(act, json!({}), &[("img", picture.clone())], code).await;
        }
        witness.refused("detect_face_base64", json!({"img": base64(&picture)}), code).await;
        witness.refused_form("compare_1_to_n", query(staff), &[("img", picture.clone())], code).await;
        both_orders(&witness, &good, &picture, code).await;
    }
    witness.refused_form("compare_1_to_n", query(staff), &[("img", poor.clone())], -1102).await;
    both_orders(&witness, &good, &poor, -1102).await;
    for act in ["detect_face", "detect_faces", "compare_1_to_1", "compare_1_to_n"] {
        witness.refused_form(act, query(staff), &[], -3596).await;
    }
    for act in ["detect_face_base64", "compare_1_to_1_base64", "compare_1_to_n_base64"] {
        witness.refused(act, query(staff), -3596).await;
    }
    let many = (staff..staff + 51).map(|library| library.to_string()).collect::<Vec<_>>().join(",");
    let cases: [(Value, i64); 9] = [
        (query(99), -117),
        (query(empty), -110),
        (json!({}), -3596),
        (json!({"lib_ids": ""}), -3596),
        (json!({"lib_ids": many}), -3596),
        (json!({"lib_ids": staff.to_string(), "topk": 51}), -3596),
        (json!({"lib_ids": staff.to_string(), "topk": 0}), -3596),
        (json!({"lib_ids": staff.to_string(), "topk": 2, "n_topk": 3}), -3596),
        (json!({"lib_ids": staff.to_string(), "threshold": 101}), -3596),
    ];
    for (fields, code) in cases {
        witness.refused_form("compare_1_to_n", fields.clone(), &[("img", good.clone())], code).await;
        let mut encoded = fields;
        encoded["img"] = base64(&good);
        witness.refused("compare_1_to_n_base64", encoded, code).await;
    }
    assert_eq!(witness.everything().await, before);
    witness.stop().await;
}

async fn both_orders(witness: &Witness, good: &Bytes, bad: &Bytes, code: i64) {
    for (first, second) in [(good, bad), (bad, good)] {
        witness
            .refused_form("compare_1_to_1", json!({}), &[("img_1", first.clone()), ("img_2", second.clone())], code)
            .await;
        witness.refused("compare_1_to_1_base64", json!({"img_1": base64(first), "img_2": base64(second)}), code).await;
    }
}
