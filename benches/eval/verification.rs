//! One to one: how alike the faces of one person and of two people are.

use std::path::Path;

use polyface_tests::Report;

use crate::faces::PhotoFace;
use crate::plots;

/// The rates of false acceptance at which the rate of true acceptance is told.
const FALSE_RATES: [(f64, &str); 3] = [(0.01, "1 %"), (0.001, "0.1 %"), (0.0001, "0.01 %")];

/// The cosines of all pairs, each sorted upwards.
pub(crate) struct Pairs {
    pub(crate) genuine: Vec<f64>,
    pub(crate) impostor: Vec<f64>,
}

impl Pairs {
    pub(crate) fn of(faces: &[PhotoFace]) -> Self {
        let (mut genuine, mut impostor) = (Vec::new(), Vec::new());
        for (index, one) in faces.iter().enumerate() {
            for other in faces[index + 1..].iter().filter(|other| one.comparable(other)) {
                let cosine = f64::from(one.embedding.cosine(&other.embedding).unwrap());
                if one.who == other.who { &mut genuine } else { &mut impostor }.push(cosine);
            }
        }
        genuine.sort_by(f64::total_cmp);
        impostor.sort_by(f64::total_cmp);
        Self { genuine, impostor }
    }

    /// The share of impostor pairs at or above the cosine.
    pub(crate) fn false_match_rate(&self, cosine: f64) -> f64 {
        1.0 - share_below(&self.impostor, cosine)
    }

    /// The share of genuine pairs below the cosine.
    pub(crate) fn false_non_match_rate(&self, cosine: f64) -> f64 {
        share_below(&self.genuine, cosine)
    }

    /// The cosine and the rate where both errors are equally frequent.
    pub(crate) fn equal_errors(&self) -> (f64, f64) {
        let gap = |cosine: f64| (self.false_match_rate(cosine) - self.false_non_match_rate(cosine)).abs();
        let steps: Vec<f64> = (0..=1000).map(|step| f64::from(step) / 1000.0).collect();
        let least = steps.iter().copied().map(gap).fold(f64::INFINITY, f64::min);
        // Between two separate heaps the errors are equal over a whole stretch; its middle is the fairest.
        let even: Vec<f64> = steps.into_iter().filter(|cosine| gap(*cosine) <= least).collect();
        let cosine = (even[0] + even[even.len() - 1]) / 2.0;
        (cosine, (self.false_match_rate(cosine) + self.false_non_match_rate(cosine)) / 2.0)
    }

    /// How far apart the heaps are, in their common deviation.
    fn d_prime(&self) -> f64 {
        let ((m1, s1), (m2, s2)) = (moments(&self.genuine), moments(&self.impostor));
        (m1 - m2) / ((s1 * s1 + s2 * s2) / 2.0).sqrt()
    }
}

/// Adds the figures to the report and draws histogram and trade-off.
pub(crate) fn tell(pairs: &Pairs, report: &mut Report, pictures: &Path) {
    let (genuine, impostor) = (pairs.genuine.len() as f64, pairs.impostor.len() as f64);
    report.row("verification: genuine pairs", genuine, None, None);
    report.row("verification: impostor pairs", impostor, None, None);
    let ((mean, _), (unlike, deviation)) = (moments(&pairs.genuine), moments(&pairs.impostor));
    report.row("verification: genuine mean, cosine", mean, None, None);
    report.row("verification: impostor mean, cosine", unlike, None, None);
    report.row("verification: impostor deviation, cosine", deviation, None, None);
    report.row("verification: worst genuine, cosine", pairs.genuine[0], None, None);
    report.row("verification: worst impostor, cosine", pairs.impostor[pairs.impostor.len() - 1], None, None);
    report.row_at_least("verification: d-prime", pairs.d_prime(), None, Some(6.0));
    let (cosine, rate) = pairs.equal_errors();
    report.row("verification: equal errors at, cosine", cosine, None, None);
    report.row("verification: equal error rate, %", rate * 100.0, None, Some(1.0));
    for (rate, name) in FALSE_RATES {
        tell_true_acceptance(pairs, rate, name, report);
    }
    plots::histogram(pairs, &pictures.join("histogram.svg"));
    plots::trade_off(pairs, &pictures.join("det.svg"));
}

/// A rate that less than one pair of the set stands for cannot be measured with it.
fn tell_true_acceptance(pairs: &Pairs, rate: f64, name: &str, report: &mut Report) {
    let allowed = (rate * pairs.impostor.len() as f64).floor() as usize;
    if allowed == 0 {
        report.row_at_least(&format!("verification: TAR at FAR {name}, % (too few pairs)"), f64::NAN, None, None);
        return;
    }
    let threshold = pairs.impostor[pairs.impostor.len() - allowed];
    let accepted = pairs.genuine.iter().filter(|cosine| **cosine >= threshold).count();
    let (low, high) = confidence(accepted, pairs.genuine.len());
    let measured = accepted as f64 / pairs.genuine.len() as f64;
    let budget = (rate >= 0.001).then_some(99.0);
    report.row_at_least(&format!("verification: TAR at FAR {name}, %"), measured * 100.0, None, budget);
    report.row(&format!("verification: TAR at FAR {name}, 95 % from, %"), low * 100.0, None, None);
    report.row(&format!("verification: TAR at FAR {name}, 95 % to, %"), high * 100.0, None, None);
}

/// Wilson's 95 % interval of a share.
pub(crate) fn confidence(hits: usize, of: usize) -> (f64, f64) {
    const Z: f64 = 1.96;
    if of == 0 {
        return (0.0, 1.0);
    }
    let (n, share) = (of as f64, hits as f64 / of as f64);
    let middle = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    (((middle - half) / scale).max(0.0), ((middle + half) / scale).min(1.0))
}

/// Mean and standard deviation.
pub(crate) fn moments(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64;
    (mean, variance.sqrt())
}

fn share_below(sorted: &[f64], cosine: f64) -> f64 {
    sorted.partition_point(|value| *value < cosine) as f64 / sorted.len() as f64
}
