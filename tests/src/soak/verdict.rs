//! Flat or not: what a row of samples says of growth.

use std::time::Duration;

use serde::Serialize;

use super::Sample;
use crate::Figures;

/// How much each figure may grow from the first third of the samples after the warm-up to the last third.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Growth of memory, bytes.
    pub resident_bytes: f64,
    /// Growth of memory as a share of what it was, when that is more.
    pub resident_share: f64,
    /// Growth of threads.
    pub threads: f64,
    /// Growth of descriptors.
    pub descriptors: f64,
    /// The most memory ever, bytes.
    pub resident_peak_bytes: f64,
}

/// What became of one figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trend {
    /// The figure, its unit in the name.
    pub name: &'static str,
    /// Median of the first third of the samples.
    pub first: f64,
    /// Median of the last third.
    pub last: f64,
    /// The highest sample.
    pub peak: f64,
    /// Median slope over all pairs of samples (Theil–Sen), in an hour.
    pub per_hour: f64,
    /// How much it may grow.
    pub limit: f64,
    /// Whether it did not grow more.
    pub ok: bool,
}

/// The trends of all figures over the samples taken after `warm_up`; `None` for fewer than three samples.
pub(super) fn trends(samples: &[Sample], warm_up: Duration, limits: &Limits) -> Option<Vec<Trend>> {
    let warm: Vec<_> = samples.iter().filter(|sample| sample.at_seconds >= warm_up.as_secs_f64()).collect();
    let series = |figure: fn(&Figures) -> u64| -> Vec<(f64, f64)> {
        warm.iter().map(|sample| (sample.at_seconds, figure(&sample.figures) as f64)).collect()
    };
    let memory = series(|figures| figures.resident_bytes);
    let (first, _) = thirds(&memory)?;
    let memory_limit = limits.resident_bytes.max(first * limits.resident_share);
    let mut resident = trend("resident_bytes", &memory, memory_limit)?;
    resident.ok &= resident.peak <= limits.resident_peak_bytes;
    Some(vec![
        resident,
        trend("threads", &series(|figures| figures.threads), limits.threads)?,
        trend("descriptors", &series(|figures| figures.descriptors), limits.descriptors)?,
    ])
}

fn trend(name: &'static str, series: &[(f64, f64)], limit: f64) -> Option<Trend> {
    let (first, last) = thirds(series)?;
    let peak = series.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    Some(Trend { name, first, last, peak, per_hour: slope(series) * 3600.0, limit, ok: last - first <= limit })
}

/// The medians of the first and the last third.
fn thirds(series: &[(f64, f64)]) -> Option<(f64, f64)> {
    let third = series.len() / 3;
    let of = |part: &[(f64, f64)]| median(part.iter().map(|(_, value)| *value).collect());
    Some((of(&series[..third])?, of(&series[series.len() - third..])?))
}

fn slope(series: &[(f64, f64)]) -> f64 {
    let pairs = series.iter().enumerate().flat_map(|(n, a)| series[n + 1..].iter().map(move |b| (a, b)));
    let slopes = pairs.filter(|(a, b)| b.0 > a.0).map(|(a, b)| (b.1 - a.1) / (b.0 - a.0));
    median(slopes.collect()).unwrap_or_default()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        resident_bytes: 1000.0,
        resident_share: 0.0,
        threads: 2.0,
        descriptors: 2.0,
        resident_peak_bytes: 1e9,
    };

    fn samples(figures: impl Fn(u64) -> (u64, u64, u64)) -> Vec<Sample> {
        let sample = |n| {
            let (resident_bytes, threads, descriptors) = figures(n);
            let figures = Figures { resident_bytes, anonymous_bytes: 0, threads, descriptors, processor_seconds: 0.0 };
            Sample { at_seconds: n as f64, figures }
        };
        (0..90).map(sample).collect()
    }

    fn ok(samples: &[Sample]) -> Vec<bool> {
        trends(samples, Duration::from_secs(9), &LIMITS).unwrap().iter().map(|trend| trend.ok).collect()
    }

    #[test]
    fn what_swings_around_a_level_is_flat() {
        assert_eq!(ok(&samples(|n| (50_000 + n % 7 * 900, 20 + n % 5, 60 + n % 11 * 3))), [true, true, true]);
    }

    #[test]
    fn what_grows_slowly_all_the_time_is_found() {
        assert_eq!(ok(&samples(|n| (50_000 + n * 30, 20, 60))), [false, true, true]);
        assert_eq!(ok(&samples(|n| (50_000, 20 + n / 9, 60))), [true, false, true]);
        assert_eq!(ok(&samples(|n| (50_000, 20, 60 + n / 8))), [true, true, false]);
        let trends = trends(&samples(|n| (50_000 + n * 30, 20, 60)), Duration::ZERO, &LIMITS).unwrap();
        assert_eq!(trends[0].per_hour, 30.0 * 3600.0);
    }

    #[test]
    fn growth_while_warming_up_does_not_count() {
        assert_eq!(ok(&samples(|n| (if n < 9 { n * 10_000 } else { 90_000 }, 20, 60))), [true, true, true]);
    }

    #[test]
    fn a_peak_over_the_limit_is_not_flat() {
        let limits = Limits { resident_peak_bytes: 60_000.0, ..LIMITS };
        let samples = samples(|n| (if n == 50 { 70_000 } else { 50_000 }, 20, 60));
        assert!(!trends(&samples, Duration::ZERO, &limits).unwrap()[0].ok);
    }

    #[test]
    fn two_samples_say_nothing() {
        assert_eq!(trends(&samples(|_| (1, 1, 1))[..2], Duration::ZERO, &LIMITS), None);
    }
}
