//! Logistic regression: the probability of an outcome from a few measures, fitted to examples.

/// Newton steps; the likelihood is convex and converges in a few.
const STEPS: usize = 40;

/// Log odds = constant + the weighted measures.
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic {
    /// Log odds where all measures are 0.
    pub constant: f64,
    /// One for each measure.
    pub weights: Vec<f64>,
}

impl Logistic {
    /// Fits the outcomes by iteratively reweighted least squares. `ridge` holds the weights of the standardised measures
    /// near 0, so that measures which say the same share a weight.
    pub fn fit(rows: &[Vec<f64>], outcomes: &[bool], ridge: f64) -> Self {
        let measures = rows.first().map_or(0, Vec::len);
        let scales: Vec<_> = (0..measures).map(|column| moments(rows, column)).collect();
        let standard = |row: &Vec<f64>| -> Vec<f64> {
            let scaled = row.iter().zip(&scales).map(|(value, (mean, deviation))| (value - mean) / deviation);
            scaled.chain([1.0]).collect()
        };
        let rows: Vec<_> = rows.iter().map(standard).collect();
        let mut weights = vec![0.0; measures + 1];
        for _ in 0..STEPS {
            let step = newton(&rows, outcomes, &weights, ridge);
            weights.iter_mut().zip(step).for_each(|(weight, step)| *weight -= step);
        }
        let per_unit: Vec<_> = weights.iter().zip(&scales).map(|(weight, (_, deviation))| weight / deviation).collect();
        let shift: f64 = per_unit.iter().zip(&scales).map(|(weight, (mean, _))| weight * mean).sum();
        Self { constant: weights[measures] - shift, weights: per_unit }
    }

    /// The probability of the outcome, 0..=1.
    pub fn probability(&self, row: &[f64]) -> f64 {
        sigmoid(self.constant + row.iter().zip(&self.weights).map(|(value, weight)| value * weight).sum::<f64>())
    }
}

/// The probability of each outcome by a fit to the rows of all other groups, so that no row is judged by what was fitted
/// to its own group.
pub fn left_out(rows: &[Vec<f64>], outcomes: &[bool], groups: &[usize], ridge: f64) -> Vec<f64> {
    let mut fits = std::collections::BTreeMap::new();
    let mut of_group = |group: usize| -> Logistic {
        let fit = || {
            let others = (0..rows.len()).filter(|index| groups[*index] != group);
            let (rows, outcomes): (Vec<_>, Vec<_>) = others.map(|index| (rows[index].clone(), outcomes[index])).unzip();
            Logistic::fit(&rows, &outcomes, ridge)
        };
        fits.entry(group).or_insert_with(fit).clone()
    };
    rows.iter().zip(groups).map(|(row, group)| of_group(*group).probability(row)).collect()
}

/// The area under the ROC curve: how often a row with the outcome has the higher value than one without, ties by half.
pub fn area(values: &[f64], outcomes: &[bool]) -> f64 {
    let of = |wanted: bool| -> Vec<f64> {
        values.iter().zip(outcomes).filter(|(_, outcome)| **outcome == wanted).map(|(value, _)| *value).collect()
    };
    let (with, without) = (of(true), of(false));
    let won = |value: &f64| -> f64 {
        let points = without.iter().map(|other| match value.total_cmp(other) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        });
        points.sum()
    };
    with.iter().map(won).sum::<f64>() / (with.len() * without.len()) as f64
}

fn sigmoid(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds).exp())
}

/// Mean and deviation of a column; a constant one has deviation 1, so that its weight stays 0.
fn moments(rows: &[Vec<f64>], column: usize) -> (f64, f64) {
    let count = rows.len() as f64;
    let mean = rows.iter().map(|row| row[column]).sum::<f64>() / count;
    let deviation = (rows.iter().map(|row| (row[column] - mean).powi(2)).sum::<f64>() / count).sqrt();
    (mean, if deviation > 1e-9 { deviation } else { 1.0 })
}

/// The gradient divided by the curvature. The constant, last, is not held near 0.
fn newton(rows: &[Vec<f64>], outcomes: &[bool], weights: &[f64], ridge: f64) -> Vec<f64> {
    let size = weights.len();
    let held = |index: usize| if index + 1 < size { ridge } else { 1e-9 };
    let mut gradient: Vec<f64> = (0..size).map(|index| held(index) * weights[index]).collect();
    let mut curvature = vec![vec![0.0; size]; size];
    (0..size).for_each(|index| curvature[index][index] = held(index));
    for (row, outcome) in rows.iter().zip(outcomes) {
        let expected = sigmoid(row.iter().zip(weights).map(|(value, weight)| value * weight).sum());
        let error = expected - f64::from(u8::from(*outcome));
        let certain = expected * (1.0 - expected);
        for ((slope, curves), value) in gradient.iter_mut().zip(&mut curvature).zip(row) {
            *slope += error * value;
            curves.iter_mut().zip(row).for_each(|(curve, other)| *curve += certain * value * other);
        }
    }
    solved(curvature, gradient)
}

/// Solves a system of linear equations by elimination with pivots.
fn solved(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let size = right.len();
    for column in 0..size {
        let pivot = (column..size).max_by(|a, b| matrix[*a][column].abs().total_cmp(&matrix[*b][column].abs()));
        let pivot = pivot.unwrap_or(column);
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        let (head, first) = (matrix[column].clone(), right[column]);
        for (line, value) in matrix.iter_mut().zip(&mut right).skip(column + 1) {
            let factor = line[column] / head[column];
            line.iter_mut().zip(&head).skip(column).for_each(|(part, head)| *part -= factor * head);
            *value -= factor * first;
        }
    }
    for column in (0..size).rev() {
        let known: f64 = (column + 1..size).map(|at| matrix[column][at] * right[at]).sum();
        right[column] = (right[column] - known) / matrix[column][column];
    }
    right
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    /// Rows of three measures of which the third means nothing, with outcomes drawn by these log odds.
    fn drawn(count: usize, constant: f64, weights: [f64; 2]) -> (Vec<Vec<f64>>, Vec<bool>) {
        let mut random = SmallRng::seed_from_u64(5);
        let row = |random: &mut SmallRng| -> Vec<f64> {
            let [a, b, c]: [f64; 3] = std::array::from_fn(|_| random.random_range(-1.0..1.0));
            vec![3.0 + a, 100.0 * b, c]
        };
        let rows: Vec<_> = (0..count).map(|_| row(&mut random)).collect();
        let odds = |row: &Vec<f64>| constant + weights[0] * row[0] + weights[1] * row[1];
        let outcomes = rows.iter().map(|row| random.random_range(0.0..1.0) < sigmoid(odds(row))).collect();
        (rows, outcomes)
    }

    #[test]
    fn a_fit_finds_the_odds_that_the_examples_were_drawn_by() {
        let (rows, outcomes) = drawn(20_000, -6.0, [2.0, 0.03]);
        let fit = Logistic::fit(&rows, &outcomes, 1.0);
        assert!((fit.constant + 6.0).abs() < 0.4, "{fit:?}");
        assert!((fit.weights[0] - 2.0).abs() < 0.12 && (fit.weights[1] - 0.03).abs() < 0.002, "{fit:?}");
        assert!(fit.weights[2].abs() < 0.1, "{fit:?}");
        let clear = fit.probability(&[4.0, 100.0, 0.0]);
        assert!((clear - sigmoid(5.0)).abs() < 0.02, "{clear}");
    }

    #[test]
    fn examples_that_can_be_told_apart_have_no_endless_weights() {
        let rows: Vec<_> = (0..100).map(|n| vec![f64::from(n), 7.0]).collect();
        let outcomes: Vec<_> = (0..100).map(|n| n >= 50).collect();
        let fit = Logistic::fit(&rows, &outcomes, 1.0);
        assert!(fit.weights[0] > 0.0 && fit.weights[0] < 1.0, "{fit:?}");
        assert!(fit.weights[1].abs() < 1e-9, "a measure that never changes says nothing");
        assert!(fit.probability(&[0.0, 7.0]) < 0.05 && fit.probability(&[99.0, 7.0]) > 0.95);
    }

    #[test]
    fn a_group_is_judged_by_the_others() {
        // In the group 1 the outcome is the other way round; a fit that knew it would not say so.
        let rows: Vec<_> = (0..200).map(|n| vec![f64::from(n % 100)]).collect();
        let groups: Vec<_> = (0..200).map(|n| usize::from(n >= 100)).collect();
        let outcomes: Vec<_> = (0..200).map(|n| (n % 100 >= 50) != (n >= 100)).collect();
        let judged = left_out(&rows, &outcomes, &groups, 1.0);
        assert_eq!(area(&judged[..100], &outcomes[..100]), 0.0);
        assert_eq!(area(&judged[100..], &outcomes[100..]), 0.0);
    }

    #[test]
    fn the_area_counts_pairs_in_the_right_order() {
        assert_eq!(area(&[0.1, 0.2, 0.8, 0.9], &[false, false, true, true]), 1.0);
        assert_eq!(area(&[0.1, 0.9, 0.2, 0.8], &[false, false, true, true]), 0.5);
        assert_eq!(area(&[0.5, 0.5], &[false, true]), 0.5);
    }
}
