//! People (chapter 4).

use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
pub(crate) struct AddPerson {
    pub(crate) lib_id: i64,
    pub(crate) name: String,
    pub(crate) pic_url: String,
    pub(crate) sex: Option<i64>,
    pub(crate) card_no: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) category: Option<i64>,
    pub(crate) remark: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct UpdatePerson {
    pub(crate) lib_id: i64,
    pub(crate) person_id: i64,
    pub(crate) name: Option<String>,
    pub(crate) pic_url: Option<String>,
    pub(crate) sex: Option<i64>,
    pub(crate) card_no: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) category: Option<i64>,
    pub(crate) remark: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct PersonKey {
    pub(crate) lib_id: i64,
    pub(crate) person_id: i64,
}

#[derive(Deserialize)]
pub(crate) struct QueryPeople {
    pub(crate) page_no: i64,
    pub(crate) page_size: i64,
    pub(crate) name: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) card_no: Option<String>,
    pub(crate) category: Option<i64>,
    pub(crate) phone: Option<String>,
    pub(crate) lib_id: Option<i64>,
}

#[derive(Serialize)]
pub(crate) struct PersonRow {
    pub(crate) lib_id: i64,
    pub(crate) lib_name: String,
    pub(crate) person_id: i64,
    pub(crate) name: String,
    pub(crate) pinyin: String,
    pub(crate) sex: u8,
    pub(crate) card_no: String,
    pub(crate) phone: String,
    pub(crate) category: u8,
    pub(crate) pic_url: String,
    pub(crate) remark: String,
    pub(crate) create_time: String,
}
