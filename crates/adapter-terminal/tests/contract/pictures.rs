//! Faces in pictures, and what a camera sees.

use std::sync::Arc;

use serde_json::json;
use testkit::contract::Ledger;
use testkit::{FakeFace, Picture};

use crate::device::{photo, uri};
use crate::witness::Witness;

fn nobody() -> String {
    uri(&Picture::empty().jpeg())
}

pub(crate) async fn two_faces_are_compared(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let alike = |first: String, second: String| {
        witness.ok("GetPictureSimilarity", json!({"picinfo1": first, "Picinfo2": second}))
    };
    let number = |answer: serde_json::Value| answer["Similarity"].as_str().unwrap().parse::<f64>().unwrap();
    assert!(number(alike(photo("alice"), photo("alice")).await) > 90.0);
    assert!(number(alike(photo("alice"), photo("bob")).await) < 70.0);
    witness.ok("GetPictureSimilarity", json!({"pic1info": photo("alice"), "pic2info": photo("bob")})).await;
    let cases = [
        (json!({"facesluiceId": "1", "picinfo1": photo("alice"), "picinfo2": photo("bob")}), 463),
        (json!({"picinfo2": photo("bob")}), 464),
        (json!({"picinfo1": photo("alice")}), 465),
        (json!({"picinfo1": "!", "picinfo2": photo("bob")}), 466),
        (json!({"picinfo1": nobody(), "picinfo2": photo("bob")}), 467),
        (json!({"picinfo1": photo("alice"), "picinfo2": "!"}), 468),
        (json!({"picinfo1": photo("alice"), "picinfo2": nobody()}), 469),
    ];
    for (info, code) in cases {
        witness.refused("GetPictureSimilarity", info, code).await;
    }
    witness.refused_command("GetPictureSimilarity", json!({"operator": "GetPictureSimilarity"}), 462).await;
    witness.stop().await;
}

pub(crate) async fn people_are_searched_by_picture(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    for name in ["alice", "bob"] {
        witness.enrol(name).await;
    }
    let beside =
        json!({"operator": "GetPictureSearch", "info": {"MaxSimilarity": 80, "MaxNum": 1}, "picinfo": photo("bob")});
    let found = witness.ok_command("GetPictureSearch", beside).await;
    assert_eq!((&found["TotalNum"], &found["SearchInfo"][0]["customId"]), (&json!(1), &json!("bob")));
    let all =
        witness.ok("GetPictureSearch", json!({"MaxSimilarity": "0", "MaxNum": "99", "picinfo": photo("alice")})).await;
    assert_eq!(all["SearchInfo"].as_array().unwrap().len(), 2);
    assert_eq!(all["SearchInfo"][0]["customId"], json!("alice"), "the best first");
    for (share, found) in [(json!(0.8), 1), (json!("0.5"), 1), (json!(1), 2)] {
        let info = json!({"MaxSimilarity": share, "MaxNum": 9, "picinfo": photo("alice")});
        assert_eq!(witness.ok("GetPictureSearch", info).await["TotalNum"], json!(found), "{share}");
    }
    let with = |changes: serde_json::Value| {
        let mut info = json!({"MaxSimilarity": 80, "MaxNum": 1, "picinfo": photo("alice")});
        changes.as_object().unwrap().iter().for_each(|(name, value)| info[name] = value.clone());
        info
    };
    let cases = [
        (with(json!({"facesluiceId": "1"})), 461),
        (with(json!({"MaxSimilarity": null})), 463),
        (with(json!({"MaxSimilarity": 100.5})), 463),
        (with(json!({"MaxNum": ""})), 464),
        (with(json!({"picinfo": null})), 465),
        (with(json!({"picinfo": photo("mallory")})), 466),
        (with(json!({"picinfo": nobody()})), 467),
        (with(json!({"picinfo": "!"})), 468),
        (with(json!({"padding": " ".repeat(1 << 20)})), 460),
    ];
    for (info, code) in cases {
        witness.refused("GetPictureSearch", info, code).await;
    }
    witness.refused_command("GetPictureSearch", json!({"operator": "GetPictureSearch"}), 462).await;
    witness.stop().await;
}

pub(crate) async fn faces_are_detected(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    for (picture, face) in [(photo("alice"), "1"), (nobody(), "0"), (uri(b"no picture"), "0")] {
        assert_eq!(witness.ok("DetectFaceFromPic", json!({"picinfo": picture})).await["DetectFace"], json!(face));
    }
    let cases = [(json!({"facesluiceId": "1"}), 463), (json!({}), 464), (json!({"picinfo": "!"}), 465)];
    for (info, code) in cases {
        witness.refused("DetectFaceFromPic", info, code).await;
    }
    witness.refused_command("DetectFaceFromPic", json!({"operator": "DetectFaceFromPic"}), 462).await;
    witness.stop().await;
}

pub(crate) async fn a_camera_shows_its_scene(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.refused("GetSceneSnap", json!({}), 463).await;
    let lasting = testkit::Take::new().show(std::time::Duration::from_secs(3600), [FakeFace::of("alice")]);
    witness.device.handles.frames.script("rtsp://mallory", [lasting]);
    witness.device.watch_scripted("rtsp://mallory").await;
    witness.event("Snap", "StrSnapPush").await;
    let kinds = [
        (json!({}), "data:image/jpeg;base64,"),
        (json!({"ImgType": 1}), "data:image/bmp;base64,"),
        (json!({"ImgType": "0"}), "data:image/yuv;base64,"),
    ];
    for (info, begins) in kinds {
        let answer = witness.ok("GetSceneSnap", info).await;
        assert!(answer["ImgData"].as_str().unwrap().starts_with(begins), "{begins}");
    }
    let scene = witness.ok("GetSceneSnap", json!({"ImgQuality": 100})).await;
    let seen = witness.ok("DetectFaceFromPic", json!({"picinfo": scene["ImgData"]})).await;
    assert_eq!(seen["DetectFace"], json!("1"), "the scene shows who is there");
    witness.refused("GetSceneSnap", json!({"ImgType": 7}), 464).await;
    witness.refused("GetSceneSnap", json!({"facesluiceId": "1"}), 465).await;
    witness.refused_command("GetSceneSnap", json!({"operator": "GetSceneSnap"}), 462).await;
    witness.stop().await;
}
