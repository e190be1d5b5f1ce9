//! Compares the time that two detectors take on this device.

use std::time::{Duration, Instant};

use crate::error::AnalysisError;
use crate::imaging::Picture;
use crate::session::Network;

/// Size of the searched picture, pixels: small, because the device is starting.
const WIDTH: usize = 320;
const HEIGHT: usize = 192;
/// Runs of each network; the fastest counts, because others may be disturbed.
const RUNS: usize = 3;

/// Why `challenger` is not to be used in place of `champion`; `None` when it is faster.
pub(super) fn lost(challenger: &mut Network, champion: &mut Network) -> Option<String> {
    match (time(challenger), time(champion)) {
        (Ok(new), Ok(old)) if new < old => None,
        (Ok(new), Ok(old)) => Some(format!("it takes {new:.1?} where {} takes {old:.1?}", champion.manifest().name)),
        (Err(error), _) | (_, Err(error)) => Some(error.to_string()),
    }
}

fn time(network: &mut Network) -> Result<Duration, AnalysisError> {
    let mut best = Duration::MAX;
    // The first run allocates.
    for _ in 0..=RUNS {
        let picture = Picture::from_rgb(WIDTH, HEIGHT, &[128; 3 * WIDTH * HEIGHT])?;
        let start = Instant::now();
        network.ask(&[picture], |_| Ok(()))?;
        best = best.min(start.elapsed());
    }
    Ok(best)
}
