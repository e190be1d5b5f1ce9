//! Compares the time that two detectors take on this device.

use std::time::{Duration, Instant};

use crate::error::AnalysisError;
use crate::imaging::Picture;
use crate::session::Network;

/// Size of the searched picture, pixels: no larger than needed, because the device is starting. In smaller pictures the
/// fixed cost of a run hides which network is faster.
const WIDTH: usize = 480;
const HEIGHT: usize = 288;
/// Runs of each network, by turns; the fastest counts, because others may be disturbed. The first run allocates.
const RUNS: usize = 5;

/// Why `challenger` is not to be used in place of `champion`; `None` when it is faster.
pub(super) fn lost(challenger: &mut Network, champion: &mut Network) -> Option<String> {
    match race(challenger, champion) {
        Ok((new, old)) if new < old => None,
        Ok((new, old)) => Some(format!("it takes {new:.1?} where {} takes {old:.1?}", champion.manifest().name)),
        Err(error) => Some(error.to_string()),
    }
}

fn race(challenger: &mut Network, champion: &mut Network) -> Result<(Duration, Duration), AnalysisError> {
    let (mut new, mut old) = (Duration::MAX, Duration::MAX);
    for _ in 0..RUNS {
        new = new.min(time(challenger)?);
        old = old.min(time(champion)?);
    }
    Ok((new, old))
}

fn time(network: &mut Network) -> Result<Duration, AnalysisError> {
    let picture = Picture::from_rgb(WIDTH, HEIGHT, &[128; 3 * WIDTH * HEIGHT])?;
    let start = Instant::now();
    network.ask(&[picture], |_| Ok(()))?;
    Ok(start.elapsed())
}
