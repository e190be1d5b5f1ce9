//! 769, 779, 782, 771, 772, 780 and 781.

use adapter::lenient::optional_int;
use serde::{Deserialize, Serialize};

use super::records::{FaceAttr, MatchedLib};
use super::{Int, Text};

/// 772 and 780, beside the picture.
#[derive(Deserialize)]
pub(crate) struct SearchFaces {
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) threshold: Option<Int>,
    pub(crate) lib_ids: Text,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) topk: Option<Int>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) n_topk: Option<Int>,
}

/// The answer to 769 and 779.
#[derive(Serialize)]
pub(crate) struct DetectedFace {
    pub(crate) attribute: FaceAttr,
    pub(crate) quality: u8,
    pub(crate) coordinate: String,
}

/// A row of 782.
#[derive(Serialize)]
pub(crate) struct CroppedFace {
    #[serde(flatten)]
    pub(crate) face: DetectedFace,
    pub(crate) img_path: String,
}

/// The answer to 771 and 781.
#[derive(Serialize)]
pub(crate) struct Score {
    #[serde(rename = "FaceImg1to1Rsp_Score")]
    pub(crate) score: u8,
}

/// The answer to 772 and 780.
#[derive(Serialize)]
pub(crate) struct SearchResult {
    pub(crate) in_pic: InPic,
    pub(crate) n_topn: RankedHit,
    pub(crate) topn: Vec<Hit>,
}

/// The hit of one rank; an empty object when there is none.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum RankedHit {
    There(Box<Hit>),
    Absent {},
}

/// The face in the picture that was sent.
#[derive(Serialize)]
pub(crate) struct InPic {
    #[serde(flatten)]
    pub(crate) face: Position,
    pub(crate) quality: u8,
}

/// The edges of a face in picture pixels.
#[derive(Serialize)]
pub(crate) struct Position {
    pub(crate) pos_top: i64,
    pub(crate) pos_bottom: i64,
    pub(crate) pos_left: i64,
    pub(crate) pos_right: i64,
}

/// A person similar to the one in the picture.
#[derive(Serialize, Clone)]
pub(crate) struct Hit {
    pub(crate) img_id: String,
    pub(crate) img_path: String,
    #[serde(flatten)]
    pub(crate) library: MatchedLib,
    pub(crate) ranking: i64,
    pub(crate) similarity: u8,
    /// The identity code.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) gender: String,
    pub(crate) age: String,
    pub(crate) address: String,
}
