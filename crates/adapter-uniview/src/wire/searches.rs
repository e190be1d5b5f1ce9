//! Searches (chapter 11).

use serde::{Deserialize, Serialize};

use super::{Ids, Int, Text, Texts, filter, optional_int};

#[derive(Deserialize)]
pub(crate) struct Search {
    pub(crate) page: Int,
    pub(crate) pagesize: Int,
    #[serde(deserialize_with = "filter")]
    pub(crate) channel_id: Ids,
    pub(crate) start_time: Int,
    pub(crate) end_time: Int,
    #[serde(default, deserialize_with = "filter")]
    pub(crate) algo_model: Option<Texts>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) compare_flag: Option<Int>,
    #[serde(default, deserialize_with = "filter")]
    pub(crate) object_type: Option<Ids>,
    pub(crate) plate_no: Option<Text>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) match_type: Option<Int>,
    pub(crate) name: Option<Text>,
    pub(crate) certificate_no: Option<Text>,
    #[serde(default, deserialize_with = "filter")]
    pub(crate) similarity: Option<Range>,
    #[serde(default, deserialize_with = "filter")]
    pub(crate) faceattr: Option<FaceAttributes>,
}

#[derive(Deserialize, Clone, Copy)]
pub(crate) struct Range {
    pub(crate) min: Int,
    pub(crate) max: Int,
}

#[derive(Deserialize, Default, Clone, Copy)]
pub(crate) struct FaceAttributes {
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) gender: Option<Int>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) age: Option<Int>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) glass: Option<Int>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) mask: Option<Int>,
}

#[derive(Serialize)]
pub(crate) struct Hits<T> {
    pub(crate) total: u64,
    pub(crate) list: Vec<T>,
}

#[derive(Serialize)]
pub(crate) struct FaceCapture {
    pub(crate) alarm_id: i64,
    pub(crate) big_picture_url: String,
    pub(crate) small_picture_url: String,
    pub(crate) capture_time: i64,
    pub(crate) channel_id: u32,
    pub(crate) channel_name: String,
    pub(crate) gender: u8,
    pub(crate) glass: u8,
    pub(crate) age: u8,
    pub(crate) mask: u8,
    pub(crate) algo_model: &'static str,
    pub(crate) compare_list: Vec<Compared>,
}

#[derive(Serialize)]
pub(crate) struct FaceMatch {
    pub(crate) alarm_id: i64,
    pub(crate) big_picture_url: String,
    pub(crate) algo_model: &'static str,
    pub(crate) capture_time: i64,
    pub(crate) channel_id: u32,
    pub(crate) channel_name: String,
    pub(crate) gender: u8,
    pub(crate) age: u8,
    pub(crate) glass: u8,
    pub(crate) mask: u8,
    pub(crate) object_list: Vec<Compared>,
}

#[derive(Serialize)]
pub(crate) struct Alarm {
    pub(crate) alarm_id: i64,
    pub(crate) big_picture_url: String,
    pub(crate) algo_model: &'static str,
    pub(crate) capture_time: i64,
    pub(crate) channel_id: u32,
    pub(crate) channel_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) video_url: Option<String>,
    pub(crate) object_list: Vec<Plate>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) compare_list: Vec<Compared>,
}

/// An alarm whose faces were compared; the attributes are those of the first.
#[derive(Serialize)]
pub(crate) struct AlarmMatch {
    pub(crate) alarm_id: i64,
    pub(crate) big_picture_url: String,
    pub(crate) algo_model: &'static str,
    pub(crate) capture_time: i64,
    pub(crate) channel_id: u32,
    pub(crate) channel_name: String,
    pub(crate) gender: u8,
    pub(crate) age: u8,
    pub(crate) glass: u8,
    pub(crate) mask: u8,
    pub(crate) object_list: Vec<Compared>,
}

#[derive(Serialize)]
pub(crate) struct Plate {
    pub(crate) plate_no: &'static str,
}

/// A comparison; without a person where the libraries were empty.
#[derive(Serialize)]
pub(crate) struct Compared {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) small_picture_url: Option<String>,
    pub(crate) match_type: u8,
    #[serde(flatten)]
    pub(crate) person: Option<ComparedPerson>,
}

#[derive(Serialize)]
pub(crate) struct ComparedPerson {
    pub(crate) base_image_id: i64,
    pub(crate) base_image_url: String,
    pub(crate) name: String,
    pub(crate) certificate_no: String,
    pub(crate) similarity: u8,
}
