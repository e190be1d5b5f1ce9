//! Disks as power cuts would have left them.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::write_log::{Entry, SECTOR, WriteLog};

/// A power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cut {
    /// How many entries of the log came before it.
    pub after: usize,
    /// `None`: all of them are on the disk. Otherwise those after the last flush are there or not at random, and the last
    /// of them that is there may be torn between two sectors.
    pub seed: Option<u64>,
}

impl Cut {
    /// So many cuts in this range of places, two of three of them harsh; in ascending order.
    pub fn choose(count: usize, places: std::ops::RangeInclusive<usize>, seed: u64) -> Vec<Self> {
        let mut random = StdRng::seed_from_u64(seed);
        let mut cut = |number: usize| {
            let after = random.random_range(places.clone());
            Self { after, seed: (!number.is_multiple_of(3)).then(|| random.random()) }
        };
        let mut cuts: Vec<_> = (0..count).map(&mut cut).collect();
        cuts.sort_unstable();
        cuts
    }
}

/// Replays a log onto a disk.
pub struct Replay {
    log: WriteLog,
    /// The disk with everything up to the last flush before the last cut.
    image: PathBuf,
    file: File,
    applied: usize,
}

impl Replay {
    /// Begins with the disk as it was before the first entry; the file is changed.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn new(log: WriteLog, image: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).open(image)?;
        Ok(Self { log, image: image.to_owned(), file, applied: 0 })
    }

    /// Writes the disk that a cut leaves into a file. Cuts must be made in ascending order.
    ///
    /// # Errors
    /// When files cannot be read or written.
    pub fn cut(&mut self, cut: Cut, into: &Path) -> io::Result<()> {
        let flushed = self.log.flushed(cut.after);
        assert!(flushed >= self.applied, "cuts are made in ascending order");
        for number in self.applied..flushed {
            self.write(&self.file, self.log.entry(number), usize::MAX)?;
        }
        self.applied = flushed;
        copy(&self.image, into)?;
        let left = OpenOptions::new().write(true).open(into)?;
        for (entry, sectors) in self.survivors(flushed, cut) {
            self.write(&left, entry, sectors)?;
        }
        Ok(())
    }

    /// The entries after the last flush that reach the disk, each with how many of its sectors do.
    fn survivors(&self, flushed: usize, cut: Cut) -> Vec<(Entry, usize)> {
        let entries = (flushed..cut.after).map(|number| (self.log.entry(number), usize::MAX));
        let Some(seed) = cut.seed else { return entries.collect() };
        let mut random = StdRng::seed_from_u64(seed);
        let mut left: Vec<_> = entries.filter(|(entry, _)| entry.is_durable || random.random()).collect();
        if let Some((entry, sectors)) = left.last_mut()
            && !entry.is_durable
            && entry.sectors > 1
        {
            *sectors = random.random_range(1..entry.sectors) as usize;
        }
        left
    }

    fn write(&self, to: &File, entry: Entry, sectors: usize) -> io::Result<()> {
        let mut content = self.log.content(entry)?;
        content.truncate(sectors.saturating_mul(SECTOR));
        to.write_all_at(&content, entry.sector * SECTOR as u64)
    }
}

/// Copies a file and leaves out what was never written.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let _ = fs::remove_file(to);
    let copied = Command::new("cp").arg("--sparse=always").args([from, to]).status()?;
    if copied.success() { Ok(()) } else { Err(io::Error::other("cp failed")) }
}

#[cfg(test)]
mod tests {
    use super::super::write_log::tests::{log, logged};
    use super::*;

    /// Sector 1, flushed; then sectors 2 and 3 at once, and 1 again.
    fn replay(dir: &Path) -> Replay {
        let entries = [logged(1, 0, &[1; 512]), logged(0, 1, &[]), logged(2, 0, &[2; 1024]), logged(1, 0, &[3; 512])];
        let image = dir.join("image");
        fs::write(&image, [0; 4 * SECTOR]).unwrap();
        Replay::new(log(&dir.join("log"), &entries), &image).unwrap()
    }

    /// The first byte of each sector.
    fn left(replay: &mut Replay, cut: Cut) -> [u8; 4] {
        let into = replay.image.with_extension("cut");
        replay.cut(cut, &into).unwrap();
        let bytes = fs::read(into).unwrap();
        std::array::from_fn(|sector| bytes[sector * SECTOR])
    }

    #[test]
    fn a_cut_leaves_what_was_written_before() {
        let dir = tempfile::tempdir().unwrap();
        let mut replay = replay(dir.path());
        let cuts = [0, 1, 2, 3, 4].map(|after| left(&mut replay, Cut { after, seed: None }));
        assert_eq!(cuts, [[0; 4], [0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 2, 2], [0, 3, 2, 2]]);
    }

    #[test]
    fn a_harsh_cut_spares_what_was_flushed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let mut replay = replay(dir.path());
        let cuts: std::collections::BTreeSet<_> =
            (0..64).map(|seed| left(&mut replay, Cut { after: 4, seed: Some(seed) })).collect();
        let possible = [[0, 1, 0, 0], [0, 1, 2, 0], [0, 3, 0, 0], [0, 3, 2, 2]];
        assert_eq!(cuts, possible.into(), "none, torn, only the later, both");
        assert_eq!(
            left(&mut replay, Cut { after: 4, seed: Some(5) }),
            left(&mut replay, Cut { after: 4, seed: Some(5) })
        );
    }

    #[test]
    fn cuts_are_in_order_and_the_same_for_a_seed() {
        let cuts = Cut::choose(30, 5..=900, 7);
        assert!(cuts.is_sorted() && cuts.iter().all(|cut| (5..=900).contains(&cut.after)));
        assert_eq!(cuts.iter().filter(|cut| cut.seed.is_none()).count(), 10);
        assert_eq!(cuts, Cut::choose(30, 5..=900, 7));
        assert_ne!(cuts, Cut::choose(30, 5..=900, 8));
    }
}
