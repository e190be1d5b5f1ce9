//! Conversions between the document's types and the core's: scales, time text, paging, paths. They are pure.

pub(crate) mod batches;
pub(crate) mod bodies;
pub(crate) mod cameras;
pub(crate) mod clock;
pub(crate) mod compare;
pub(crate) mod exports;
pub(crate) mod faces;
pub(crate) mod libraries;
pub(crate) mod network;
pub(crate) mod paths;
pub(crate) mod people;
pub(crate) mod records;
pub(crate) mod relays;
pub(crate) mod sources;
pub(crate) mod time;

use domain::{LibraryId, Similarity, Window};

use crate::codes::Fault;
use crate::wire::{Int, Text};

/// The default number of rows of a query page.
const DEFAULT_PAGE: i64 = 10;
/// Maximum number of rows of a query page.
pub(crate) const QUERY_PAGE: i64 = 50;
/// Maximum number of rows of an export.
pub(crate) const EXPORT_PAGE: i64 = 500;
/// Maximum number of pictures or captures named by a call.
pub(crate) const SELECTION: usize = 50;
/// The longest free text, characters.
const MAX_TEXT: usize = 255;

/// The rows of a page: `start_no` counts from 1, `qry_len` is 1..=`most`.
pub(crate) fn window(start_no: Option<Int>, qry_len: Option<Int>, most: i64) -> Result<Window, Fault> {
    let start = within("start_no", start_no.map_or(1, |n| n.0), 1, i64::from(u32::MAX))?;
    let limit = within("qry_len", qry_len.map_or(DEFAULT_PAGE, |n| n.0), 1, most)?;
    Ok(Window { skip: start.unsigned_abs() - 1, limit: limit as u32 })
}

/// The number, when it is within the range.
pub(crate) fn within(field: &str, number: i64, least: i64, most: i64) -> Result<i64, Fault> {
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    Err(Fault::parameter(format!("{field} is not {least} to {most}")))
}

/// A threshold of 0..=100.
pub(crate) fn threshold(percent: Int) -> Result<Similarity, Fault> {
    within("threshold", percent.0, 0, 100).map(|percent| Similarity::from_percent(percent as f32))
}

/// The text, when it is not too long.
pub(crate) fn bounded(field: &str, text: Text) -> Result<String, Fault> {
    if text.0.chars().count() > MAX_TEXT {
        return Err(Fault::parameter(format!("{field} is longer than {MAX_TEXT} characters")));
    }
    Ok(text.0)
}

/// The longest library id with its comma and spaces, bytes.
const MAX_ID_TEXT: usize = 32;

/// The longest id of a picture or capture with its comma and spaces, bytes.
const MAX_LONG_ID_TEXT: usize = 520;

/// 1 to `most` comma separated ids of pictures or captures, each once, in their order; spaces around them and
/// empty places are ignored.
pub(crate) fn ids(field: &str, text: &str, most: usize) -> Result<Vec<String>, Fault> {
    if text.len() > most * MAX_LONG_ID_TEXT {
        return Err(Fault::parameter(format!("{field} is too long")));
    }
    let mut ids: Vec<String> = Vec::new();
    for (place, word) in text.split(',').map(str::trim).filter(|word| !word.is_empty()).enumerate() {
        if place == most {
            return Err(Fault::parameter(format!("{field} names more than {most}")));
        }
        if !ids.iter().any(|id| id == word) {
            ids.push(word.to_owned());
        }
    }
    if ids.is_empty() { Err(Fault::parameter(format!("{field} names nothing"))) } else { Ok(ids) }
}

/// Comma separated library ids, each once, in their order; spaces and empty places are ignored.
pub(crate) fn library_ids(text: &str, most: usize) -> Result<Vec<LibraryId>, Fault> {
    if text.len() > most * MAX_ID_TEXT {
        return Err(Fault::parameter("lib_ids is too long"));
    }
    let mut ids = Vec::new();
    for (place, word) in text.split(',').map(str::trim).filter(|word| !word.is_empty()).enumerate() {
        if place == most {
            return Err(Fault::parameter(format!("lib_ids names more than {most} libraries")));
        }
        let id = LibraryId(word.parse().map_err(|_| Fault::parameter("lib_ids is not a list of numbers"))?);
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_counts_from_one_and_has_ten_rows_by_default() {
        let page = |start: Option<i64>, len: Option<i64>| window(start.map(Int), len.map(Int), 50).ok();
        assert_eq!(page(None, None), Some(Window { skip: 0, limit: 10 }));
        assert_eq!(page(Some(11), Some(50)), Some(Window { skip: 10, limit: 50 }));
        for (start, len) in [(Some(0), None), (Some(-1), None), (None, Some(0)), (None, Some(51))] {
            assert_eq!(page(start, len), None, "{start:?} {len:?}");
        }
    }

    #[test]
    fn library_ids_tolerate_spaces_and_name_each_once() {
        let ids = |text| library_ids(text, 3).map(|ids| ids.iter().map(|id| id.0).collect::<Vec<_>>()).ok();
        assert_eq!(ids(""), Some(vec![]));
        assert_eq!(ids(" 2, 1 ,2,"), Some(vec![2, 1]));
        assert_eq!(ids("1;2"), None);
        assert_eq!(ids("1,2,2"), Some(vec![1, 2]));
        assert_eq!(ids("1,2,3,3"), None);
    }

    #[test]
    fn there_is_at_least_one_picture_id_and_each_counts_once() {
        let ids = |text| ids("img_ids", text, 3).ok();
        assert_eq!(ids(" b, a ,b,").unwrap(), ["b", "a"]);
        for bad in ["", " , ", "a,b,c,d", &"x".repeat(3 * MAX_LONG_ID_TEXT + 1)] {
            assert_eq!(ids(bad), None);
        }
    }

    #[test]
    fn a_threshold_is_a_percentage() {
        assert_eq!(threshold(Int(80)).unwrap().percent(), 80);
        assert!(threshold(Int(101)).is_err() && threshold(Int(-1)).is_err());
    }

    #[test]
    fn free_text_is_bounded() {
        assert_eq!(bounded("person_name", Text("张".repeat(255))).unwrap().chars().count(), 255);
        assert!(bounded("person_name", Text("张".repeat(256))).unwrap_err().message().contains("person_name"));
    }
}
