//! From the measured cosines to the calibration in the embedder's manifest.

use std::path::Path;
use std::{fs, io};

use domain::{Calibration, Similarity};
use toml_edit::{Array, DocumentMut, Value};

use crate::verification::{Pairs, moments};

/// The similarity where wrong and missed matches are equally frequent.
const EQUAL_ERRORS: f64 = 0.70;
/// At the default threshold one pair of unlike faces in a million is taken for one: so many deviations out.
const DEVIATIONS_AT_DEFAULT: f64 = 4.753;
/// But the default threshold misses no more than this share of the genuine pairs: far out, nothing follows the normal
/// distribution of a model whose cosines are all close to 1.
const MOST_MISSED: f64 = 0.05;
/// The default threshold lies so far above equal errors at least, cosine.
const LEAST_STEP: f64 = 0.02;

/// No threshold falls below the nearest pair of different people and a little more, deviations.
const FLOOR_ABOVE: f64 = 0.1;

/// What the manifest is to say.
pub(crate) struct Found {
    /// (cosine, similarity), rising.
    pub(crate) points: Vec<(f64, f64)>,
    /// Mean and deviation of unlike faces.
    pub(crate) unlike: (f64, f64),
    /// Lowest cosine to which a threshold falls.
    floor: f64,
    comment: String,
}

impl Found {
    /// Equal errors at 0.70; the default threshold where, by the normal distribution fitted to the unlike pairs, one
    /// in a million is wrong; the median of the genuine pairs at 0.96.
    pub(crate) fn from(pairs: &Pairs) -> Self {
        let (mean, deviation) = moments(&pairs.impostor);
        let (equal, rate) = pairs.equal_errors();
        let far_out = mean + DEVIATIONS_AT_DEFAULT * deviation;
        let lenient = pairs.genuine[(pairs.genuine.len() as f64 * MOST_MISSED) as usize];
        let default = far_out.min(lenient).max(equal + LEAST_STEP);
        let typical = pairs.genuine[pairs.genuine.len() / 2].max(default + 2.0 * LEAST_STEP);
        let unlikely = (mean + 2.326 * deviation).min(equal - LEAST_STEP);
        let points = vec![
            (mean.min(unlikely - LEAST_STEP), 0.0),
            (unlikely, 0.35),
            (equal, EQUAL_ERRORS),
            (default, f64::from(Similarity::DEFAULT_THRESHOLD.value())),
            ((default + typical) / 2.0, 0.90),
            (typical, 0.96),
            (1.0, 1.0),
        ];
        let comment = format!(
            "\n# Written by `make eval WRITE=1` from {} genuine and {} impostor pairs: equal errors ({:.1} %) at a cosine\n\
             # of {equal:.3}; impostors {mean:.3} in the mean, deviation {deviation:.3}. A small and easy set: docs/quality.md.\n",
            pairs.genuine.len(),
            pairs.impostor.len(),
            rate * 100.0,
        );
        // Nearer than a normal distribution has them: look-alikes.
        let floor = pairs.impostor[pairs.impostor.len() - 1] + FLOOR_ABOVE * deviation;
        Self { points, unlike: (mean, deviation), floor, comment }
    }

    /// As the device would read it.
    pub(crate) fn calibration(&self) -> Calibration {
        let points = self.points.iter().map(|point| (point.0 as f32, point.1 as f32)).collect();
        let calibration = Calibration::new(points).expect("rising points");
        let calibration = calibration.with_unlike(self.unlike.0 as f32, self.unlike.1 as f32).expect("a spread");
        calibration.with_floor(self.floor as f32).expect("a cosine")
    }

    /// Writes it into the manifest; the rest of the file stays as it is.
    pub(crate) fn write(&self, manifest: &Path) -> io::Result<()> {
        let mut document: DocumentMut = fs::read_to_string(manifest)?.parse().map_err(io::Error::other)?;
        let mut points: Array = self.points.iter().map(|point| Value::from(pair(*point))).collect();
        points.iter_mut().for_each(|point| point.decor_mut().set_prefix("\n    "));
        points.set_trailing("\n");
        points.set_trailing_comma(true);
        let output = document["output"].as_table_mut().ok_or_else(|| io::Error::other("no [output]"))?;
        output.insert("calibration", points.into());
        output.insert("unlike", Value::from(pair(self.unlike)).into());
        output.insert("threshold_floor", toml_edit::value(rounded(self.floor)));
        if let Some(mut key) = output.key_mut("calibration") {
            key.leaf_decor_mut().set_prefix(self.comment.as_str());
        }
        fs::write(manifest, document.to_string())
    }
}

/// Rounded to what the number of pairs can bear.
fn pair((a, b): (f64, f64)) -> Array {
    [a, b].into_iter().map(rounded).collect()
}

fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
