//! The coded pictures that are kept.

use std::collections::VecDeque;
use std::time::Duration;

use super::millis;
use crate::time::Timestamp;
use crate::video::AccessUnit;

/// Bytes that a picture counts for besides its data, so that the number of tiny ones is bounded too.
const OVERHEAD: usize = 1 << 10;

/// Coded pictures in order of arrival, in whole groups: each group begins with the key frame needed to decode it.
pub(super) struct Ring {
    units: VecDeque<Kept>,
    /// Times of the key frames that the groups begin with.
    groups: VecDeque<Timestamp>,
    /// Number of the run that the next picture belongs to.
    run: u64,
    bytes: usize,
    max_bytes: usize,
}

/// A picture, and the run of pictures without a gap that it is in.
struct Kept {
    run: u64,
    unit: AccessUnit,
}

impl Ring {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { units: VecDeque::new(), groups: VecDeque::new(), run: 0, bytes: 0, max_bytes }
    }

    /// Adds a picture, and drops groups that are not needed to show the last `time`.
    pub(super) fn push(&mut self, unit: AccessUnit, time: Duration) {
        let begins = self.units.back().is_none_or(|last| last.run != self.run);
        if begins && !unit.key {
            return;
        }
        let horizon = unit.at.plus_millis(-millis(time));
        self.bytes += size(&unit);
        self.groups.extend(unit.key.then_some(unit.at));
        self.units.push_back(Kept { run: self.run, unit });
        while self.bytes > self.max_bytes || self.groups.get(1).is_some_and(|at| *at <= horizon) {
            self.drop_group();
        }
    }

    fn drop_group(&mut self) {
        self.groups.pop_front();
        while let Some(kept) = self.units.pop_front() {
            self.bytes -= size(&kept.unit);
            if self.units.front().is_some_and(|next| next.unit.key) {
                return;
            }
        }
    }

    /// The next picture does not follow the last one.
    pub(super) fn interrupt(&mut self) {
        self.run += 1;
    }

    pub(super) fn clear(&mut self) {
        self.units.clear();
        self.groups.clear();
        self.bytes = 0;
    }

    /// The pictures from `from` until `to` without a gap, beginning with the key frame before `from`: those around
    /// `moment`, or else the next ones. Empty when there are none of that time.
    pub(super) fn cut(&self, from: Timestamp, moment: Timestamp, to: Timestamp) -> Vec<AccessUnit> {
        let shown = || self.units.iter().filter(|kept| kept.unit.at >= from);
        let around = shown().take_while(|kept| kept.unit.at <= moment).last().or_else(|| shown().next());
        let Some(run) = around.map(|kept| kept.run) else { return Vec::new() };
        let units: Vec<_> = self.units.iter().filter(|kept| kept.run == run).map(|kept| &kept.unit).collect();
        let first = units.iter().rposition(|unit| unit.key && unit.at <= from).unwrap_or(0);
        units.into_iter().skip(first).take_while(|unit| unit.at <= to).cloned().collect()
    }
}

/// What a picture counts for.
fn size(unit: &AccessUnit) -> usize {
    unit.data.len() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::video::Codec;

    /// Size of a picture of the tests.
    const SIZE: usize = 100 + OVERHEAD;
    const KEPT: Duration = Duration::from_secs(2);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// Ten pictures in a second of 100 bytes each, every fifth a key frame.
    fn push_pictures(ring: &mut Ring, millis: std::ops::Range<i64>) {
        for time in millis.step_by(100) {
            let data = Bytes::from(vec![0; 100]);
            ring.push(AccessUnit { codec: Codec::H264, key: time % 500 == 0, at: at(time), data }, KEPT);
        }
    }

    fn times(units: &[AccessUnit]) -> (usize, i64, i64) {
        let (first, last) = (units.first().unwrap(), units.last().unwrap());
        assert!(first.key);
        (units.len(), first.at.as_millis(), last.at.as_millis())
    }

    /// Around the end.
    fn cut(ring: &Ring, from: i64, to: i64) -> Vec<AccessUnit> {
        ring.cut(at(from), at(to), at(to))
    }

    fn ring() -> Ring {
        Ring::new(100_000)
    }

    #[test]
    fn a_clip_begins_at_the_key_frame_before_the_time_asked_for() {
        let mut ring = ring();
        push_pictures(&mut ring, 0..2_000);
        assert_eq!(times(&cut(&ring, 700, 1_250)), (8, 500, 1_200));
        assert_eq!(times(&cut(&ring, 1_000, 1_000)), (1, 1_000, 1_000));
        assert_eq!(times(&cut(&ring, -900, 300)), (4, 0, 300), "all there is");
        assert_eq!(times(&cut(&ring, 1_500, 9_000)), (5, 1_500, 1_900));
        assert_eq!(cut(&ring, 2_000, 3_000), [], "that time was not seen");
        assert_eq!(cut(&ring, -900, -100), []);
    }

    #[test]
    fn only_whole_groups_are_dropped_and_the_time_kept_stays() {
        let mut ring = ring();
        push_pictures(&mut ring, 300..10_200);
        assert_eq!(times(&cut(&ring, 0, 20_000)), (22, 8_000, 10_100));
        assert_eq!(ring.bytes, 22 * SIZE);
        assert_eq!(ring.groups, [8_000, 8_500, 9_000, 9_500, 10_000].map(at));
    }

    #[test]
    fn a_ring_never_grows_beyond_its_size() {
        let mut ring = Ring::new(12 * SIZE);
        for end in 1..100 {
            ring.clear();
            push_pictures(&mut ring, 0..end * 100);
            assert!(ring.bytes <= 12 * SIZE);
            assert!(ring.units.front().is_none_or(|kept| kept.unit.key));
        }
        // A single group that is too large: nothing until the next one.
        let mut small = Ring::new(3 * SIZE);
        push_pictures(&mut small, 0..500);
        assert_eq!(cut(&small, 0, 500), []);
        push_pictures(&mut small, 500..800);
        assert_eq!(times(&cut(&small, 500, 800)), (3, 500, 700));
    }

    #[test]
    fn a_clip_is_of_the_run_around_the_moment() {
        let mut ring = Ring::new(100_000);
        push_pictures(&mut ring, 0..1_000);
        ring.interrupt();
        // The first picture of a run is a key frame.
        push_pictures(&mut ring, 1_200..2_000);
        let cut = |from, moment, to| times(&ring.cut(at(from), at(moment), at(to)));
        assert_eq!(cut(200, 900, 1_900), (10, 0, 900));
        assert_eq!(cut(200, 1_100, 1_900), (10, 0, 900), "lost a moment ago");
        assert_eq!(cut(200, 1_600, 1_900), (5, 1_500, 1_900));
        assert_eq!(cut(1_000, 1_100, 1_900), (5, 1_500, 1_900), "the next there is");
    }

    #[test]
    fn tiny_pictures_without_another_key_frame_are_bounded() {
        let mut ring = Ring::new(50 * OVERHEAD);
        for time in 0..200 {
            let (key, data) = (time == 0 || time == 100, Bytes::new());
            ring.push(AccessUnit { codec: Codec::H264, key, at: at(time), data }, KEPT);
            assert!(ring.units.len() <= 50);
        }
        assert!(ring.units.is_empty() && ring.groups.is_empty(), "each group is too large");
    }
}
