//! The way between the document's words and the core's. Pure: units, scales, enumerations and paging live only here.

pub(crate) mod alarms;
pub(crate) mod algorithms;
pub(crate) mod channels;
pub(crate) mod digest;
pub(crate) mod docking;
pub(crate) mod people;
pub(crate) mod pictures;
pub(crate) mod plans;
pub(crate) mod push;
pub(crate) mod searches;
pub(crate) mod smart;

use domain::{Similarity, Timestamp, Window};

use crate::codes::Fault;
use crate::wire::Int;

/// Maximum length of a name, characters.
const MAX_NAME: usize = 64;
/// Maximum number of entries of a page.
const MAX_PAGE: i64 = 1000;
/// "All", in filters.
const ALL: i64 = 999;

/// A page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paging {
    page: u64,
    size: u64,
}

impl Paging {
    /// `page` counts from 1; a page has 1 to 1000 entries.
    pub(crate) fn new(page: Int, size: Int) -> Result<Self, Fault> {
        let number = |field, Int(number): Int| {
            u64::try_from(number).ok().filter(|number| *number > 0).ok_or_else(|| Fault::argument(field))
        };
        let (page, size) = (number("page", page)?, number("pagesize", size)?);
        if size > MAX_PAGE as u64 {
            return Err(Fault::argument("pagesize is more than 1000"));
        }
        Ok(Self { page, size })
    }

    /// The same page for the core.
    pub(crate) fn window(self) -> Window {
        Window { skip: (self.page - 1).saturating_mul(self.size), limit: self.size as u32 }
    }

    /// The total and the page of a list that is at hand.
    pub(crate) fn cut<T>(self, all: Vec<T>) -> (u64, Vec<T>) {
        let total = all.len() as u64;
        let skip = usize::try_from(self.window().skip).unwrap_or(usize::MAX);
        (total, all.into_iter().skip(skip).take(self.size as usize).collect())
    }
}

/// A name of 1 to 64 printable characters.
pub(crate) fn name(field: &str, text: &str) -> Result<String, Fault> {
    let trimmed = text.trim();
    let fits = !trimmed.is_empty() && trimmed.chars().count() <= MAX_NAME && !trimmed.chars().any(char::is_control);
    if fits { Ok(trimmed.to_owned()) } else { Err(Fault::argument(format!("{field} is not 1 to 64 characters"))) }
}

/// A text of at most so many characters.
pub(crate) fn bounded(field: &str, text: String, most: usize) -> Result<String, Fault> {
    let fits = text.chars().count() <= most;
    if fits { Ok(text) } else { Err(Fault::argument(format!("{field} is longer than {most} characters"))) }
}

/// A switch: 1 on, 0 off.
pub(crate) fn switch(field: &str, Int(number): Int) -> Result<bool, Fault> {
    match number {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Fault::argument(format!("{field} is neither 0 nor 1"))),
    }
}

/// A whole number in this range.
pub(crate) fn within<T: TryFrom<i64> + PartialOrd>(
    field: &str,
    Int(number): Int,
    range: std::ops::RangeInclusive<T>,
) -> Result<T, Fault> {
    let number = T::try_from(number).ok().filter(|number| range.contains(number));
    number.ok_or_else(|| Fault::argument(format!("{field} is out of its range")))
}

/// Seconds since 1970.
pub(crate) fn seconds(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1000)
}

/// 1 to 100.
pub(crate) fn percent(similarity: Similarity) -> u8 {
    similarity.percent().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_count_from_one() {
        let page = |page, size| Paging::new(Int(page), Int(size)).ok();
        assert_eq!(page(3, 10).unwrap().window(), Window { skip: 20, limit: 10 });
        assert_eq!(page(i64::MAX, 1000).unwrap().window().skip, u64::MAX);
        assert!([(0, 1), (-1, 1), (1, 0), (1, 1001)].into_iter().all(|(no, size)| page(no, size).is_none()));
        assert_eq!(page(2, 2).unwrap().cut(vec![1, 2, 3]), (3, vec![3]));
        assert_eq!(page(9, 2).unwrap().cut(vec![1]), (1, vec![]));
    }

    #[test]
    fn names_are_bounded_in_characters() {
        assert_eq!(name("n", " 张 ").unwrap(), "张");
        assert!(name("n", &"张".repeat(64)).is_ok());
        assert!(["", "  ", &"x".repeat(65), "a\nb"].into_iter().all(|bad| name("n", bad).is_err()));
    }

    #[test]
    fn numbers_outside_their_range_are_refused() {
        assert_eq!(within("n", Int(255), 1..=255_u8).unwrap(), 255);
        assert!([0, 256, -1, i64::MAX].into_iter().all(|bad| within("n", Int(bad), 1..=255_u8).is_err()));
        assert!(switch("s", Int(1)).unwrap() && !switch("s", Int(0)).unwrap() && switch("s", Int(2)).is_err());
        assert_eq!(seconds(Timestamp::from_millis(-1)), -1);
        assert_eq!((percent(Similarity::ZERO), percent(Similarity::new(0.957))), (1, 95));
    }
}
