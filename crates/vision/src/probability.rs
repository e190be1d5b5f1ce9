//! Probabilities and expectations.

/// Converts values to probabilities: by softmax when they are logits, otherwise unchanged.
pub(crate) fn probabilities(values: &[f32], softmax: bool) -> Vec<f32> {
    if !softmax {
        return values.to_vec();
    }
    let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights: Vec<f32> = values.iter().map(|value| (value - most).exp()).collect();
    let sum: f32 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// The mean of first, first + step, first + 2·step, … weighted by their probabilities.
pub(crate) fn expectation(probabilities: &[f32], first: f32, step: f32) -> f32 {
    probabilities.iter().enumerate().map(|(index, p)| p * (first + step * index as f32)).sum()
}

/// The index of the largest value.
pub(crate) fn likeliest(probabilities: &[f32]) -> Option<usize> {
    let best = probabilities.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    best.map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_survives_large_logits() {
        let found = probabilities(&[1000.0, 1000.0], true);
        assert_eq!(found, [0.5, 0.5]);
        assert_eq!(probabilities(&[0.25, 0.75], false), [0.25, 0.75]);
    }

    #[test]
    fn the_expectation_lies_between_the_classes() {
        assert!((expectation(&[0.0, 0.5, 0.5], -99.0, 3.0) - -94.5).abs() < 1e-4);
    }

    #[test]
    fn the_likeliest_class_has_the_largest_probability() {
        assert_eq!(likeliest(&[0.1, 0.7, 0.2]), Some(1));
        assert_eq!(likeliest(&[]), None);
    }
}
