//! Places of the log that were never used, because the log went back to an older copy of the database.

use std::fmt;

/// The setting that lists them.
pub(crate) const UNUSED: &str = "log.unused";
/// Ranges remembered; older ones lie behind every feed.
const MOST: usize = 16;

/// Ranges of places, first and last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Unused(Vec<(i64, i64)>);

impl Unused {
    /// Reads them as [`fmt::Display`] writes them; what is unreadable is left out.
    pub(crate) fn read(text: &str) -> Self {
        let range = |text: &str| {
            let (first, last) = text.split_once('-')?;
            Some((first.parse().ok()?, last.parse().ok()?))
        };
        Self(text.split_whitespace().filter_map(range).collect())
    }

    pub(crate) fn add(&mut self, first: i64, last: i64) {
        self.0.push((first, last));
        let outdated = self.0.len().saturating_sub(MOST);
        self.0.drain(..outdated);
    }

    /// How many lie between two places.
    pub(crate) fn between(&self, after: i64, before: i64) -> u64 {
        let common =
            |(first, last): &(i64, i64)| (before.min(last + 1) - (after + 1).max(*first)).max(0).unsigned_abs();
        self.0.iter().map(common).sum()
    }
}

impl fmt::Display for Unused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(first, last)| write!(f, "{first}-{last} "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unused_places_are_counted_between_two_others() {
        let mut unused = Unused::default();
        unused.add(11, 20);
        unused.add(31, 31);
        let unused = Unused::read(&unused.to_string());
        let counts = [(0, 40), (10, 21), (15, 18), (10, 11), (20, 31), (20, 32), (25, 30)];
        assert_eq!(counts.map(|(after, before)| unused.between(after, before)), [11, 10, 2, 0, 0, 1, 0]);
        assert_eq!(Unused::read("x 4-"), Unused::default());
    }

    #[test]
    fn the_oldest_ranges_are_forgotten() {
        let mut unused = Unused::default();
        (0..20).for_each(|n| unused.add(n * 10, n * 10));
        assert_eq!(unused.between(-1, 1000), MOST as u64);
    }
}
