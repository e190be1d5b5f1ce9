//! Conversions between the document's types and the core's: scales, time text, paging, addresses. They are pure.

pub(crate) mod accounts;
pub(crate) mod cameras;
pub(crate) mod config;
pub(crate) mod people;
pub(crate) mod pictures;
mod pinyin;
pub(crate) mod records;
pub(crate) mod tasks;

pub(crate) use adapter::local_text as time_text;
use domain::{Similarity, Window};

use crate::codes::Fault;
use crate::wire::Rows;

/// Maximum number of entries of a page.
const MAX_PAGE: i64 = 1000;
/// The longest name, characters.
const MAX_NAME: usize = 64;
/// The longest free text, characters.
const MAX_REMARK: usize = 256;

/// The requested page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paging {
    page_no: u64,
    page_size: u64,
}

impl Paging {
    /// `page_no` counts from 1, `page_size` is 1..=1000.
    pub(crate) fn new(page_no: i64, page_size: i64) -> Result<Self, Fault> {
        let page_no = u64::try_from(page_no).ok().filter(|page| *page > 0).ok_or_else(|| Fault::field("page_no"))?;
        if !(1..=MAX_PAGE).contains(&page_size) {
            return Err(Fault::field("page_size"));
        }
        Ok(Self { page_no, page_size: page_size.unsigned_abs() })
    }

    /// The page as the core's window.
    pub(crate) fn window(self) -> Window {
        Window { skip: (self.page_no - 1).saturating_mul(self.page_size), limit: self.page_size as u32 }
    }

    /// The page of a list of `total` entries in all.
    pub(crate) fn rows<T>(self, items: Vec<T>, total: u64) -> Rows<T> {
        Rows { page_no: self.page_no, page_size: self.page_size, total_count: total, items }
    }

    /// The page of a complete list.
    pub(crate) fn cut<T>(self, all: Vec<T>) -> Rows<T> {
        let total = all.len() as u64;
        let skip = usize::try_from(self.window().skip).unwrap_or(usize::MAX);
        let items = all.into_iter().skip(skip).take(self.page_size as usize).collect();
        self.rows(items, total)
    }
}

/// A name of 1 to 64 printable characters.
pub(crate) fn name(field: &str, text: String) -> Result<String, Fault> {
    let fits = (1..=MAX_NAME).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text) } else { Err(Fault::field(field)) }
}

/// A free text; empty when it is absent.
pub(crate) fn remark(text: Option<String>) -> Result<String, Fault> {
    bounded("remark", text.unwrap_or_default(), MAX_REMARK)
}

/// A text of at most `most` characters.
pub(crate) fn bounded(field: &str, text: String, most: usize) -> Result<String, Fault> {
    if text.chars().count() <= most { Ok(text) } else { Err(Fault::field(field)) }
}

/// A filter that is not empty; clients send the filter `name` as `username` too (quirk "lists, name").
pub(crate) fn filter(name: Option<String>, username: Option<String>) -> Option<String> {
    wanted(name).or_else(|| wanted(username))
}

/// A filter, unless it is empty.
pub(crate) fn wanted(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// The precision of similarities: millionths.
const MILLION: f64 = 1e6;

/// A similarity as a rounded number: 0.8 instead of 0.800000011920929.
pub(crate) fn fraction(similarity: Similarity) -> f64 {
    (f64::from(similarity.value()) * MILLION).round() / MILLION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_count_from_one() {
        let page = |no, size| Paging::new(no, size).ok();
        assert_eq!(page(3, 10).unwrap().window(), Window { skip: 20, limit: 10 });
        assert_eq!(page(i64::MAX, 1000).unwrap().window().skip, u64::MAX);
        assert!([(0, 1), (-1, 1), (1, 0), (1, 1001)].into_iter().all(|(no, size)| page(no, size).is_none()));
        let cut = page(2, 2).unwrap().cut(vec![1, 2, 3]);
        assert_eq!((cut.items, cut.total_count), (vec![3], 3));
        assert!(page(9, 2).unwrap().cut(vec![1]).items.is_empty());
    }

    #[test]
    fn empty_filters_are_ignored_and_name_comes_before_username() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(filter(text("a"), text("b")), text("a"));
        assert_eq!(filter(text(""), text("b")), text("b"));
        assert_eq!(filter(None, text("")), None);
    }

    #[test]
    fn names_and_remarks_are_bounded() {
        assert!(name("name", "x".repeat(64)).is_ok() && name("name", "张".repeat(64)).is_ok());
        for bad in [String::new(), "x".repeat(65), "a\nb".into()] {
            assert_eq!(name("name", bad).unwrap_err().message(), "Invalid para: name");
        }
        assert!(remark(Some("x".repeat(256))).is_ok() && remark(Some("x".repeat(257))).is_err());
    }
}
