//! People who do not exist: embeddings drawn from a distribution fitted to those of real faces.
//!
//! One is the mean of the real embeddings, plus a random mixture of their deviations from it (which has exactly their
//! covariance), plus a little noise in all directions, normalised. The few real faces span only a small part of the
//! space, so without the noise the distractors would crowd there and be more alike to real faces than real faces are
//! to each other; the share of noise is chosen so that they are just as alike.

use domain::{Embedding, ModelId};

/// A distribution of embeddings.
pub(crate) struct Distribution {
    model: ModelId,
    mean: Vec<f32>,
    deviations: Vec<Vec<f32>>,
    /// Mean squared length of a deviation.
    spread: f32,
    /// The part of the variance that lies in all directions alike, 0..=1.
    pub(crate) noise: f32,
}

impl Distribution {
    /// Fitted to one face of each person: `deviation` is that of the cosines between them.
    pub(crate) fn fitted(people: &[&Embedding], deviation: f64) -> Self {
        let dimensions = people[0].vector().len();
        let mut mean = vec![0.0; dimensions];
        for person in people {
            mean.iter_mut().zip(person.vector()).for_each(|(m, v)| *m += v / people.len() as f32);
        }
        let from_mean = |person: &&Embedding| person.vector().iter().zip(&mean).map(|(v, m)| v - m).collect();
        let deviations: Vec<Vec<f32>> = people.iter().map(from_mean).collect();
        let spread = deviations.iter().map(|d| domain::gallery::dot(d, d)).sum::<f32>() / people.len() as f32;
        let model = people[0].model().clone();
        let mut fitted = Self { model, mean, deviations, spread, noise: 0.0 };
        fitted.noise = fitted.balanced(people, deviation);
        fitted
    }

    /// The share of noise at which drawn and real faces are as alike as real faces are.
    fn balanced(&mut self, people: &[&Embedding], deviation: f64) -> f32 {
        const DRAWN: usize = 300;
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..8 {
            self.noise = (low + high) / 2.0;
            let drawn = self.draw(DRAWN, 7);
            let cosines: Vec<f64> = drawn
                .iter()
                .flat_map(|one| people.iter().map(move |other| f64::from(one.cosine(other).unwrap())))
                .collect();
            if crate::verification::moments(&cosines).1 > deviation { low = self.noise } else { high = self.noise }
        }
        (low + high) / 2.0
    }

    /// So many people, the same for the same seed.
    pub(crate) fn draw(&self, count: usize, seed: u64) -> Vec<Embedding> {
        let mut normal = Normal(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        (0..count).map(|_| self.one(&mut normal)).collect()
    }

    fn one(&self, normal: &mut Normal) -> Embedding {
        let inside = ((1.0 - self.noise) / self.deviations.len() as f32).sqrt();
        let outside = (self.noise * self.spread / self.mean.len() as f32).sqrt();
        let mut vector: Vec<f32> = self.mean.iter().map(|m| m + outside * normal.next()).collect();
        for deviation in &self.deviations {
            let weight = inside * normal.next();
            vector.iter_mut().zip(deviation).for_each(|(v, d)| *v += weight * d);
        }
        Embedding::normalised(self.model.clone(), vector).unwrap()
    }
}

/// Normally distributed numbers (xorshift and the polar way of Box and Muller).
struct Normal(u64);

impl Normal {
    fn uniform(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 40) as f32 + 0.5) / (1u64 << 24) as f32
    }

    fn next(&mut self) -> f32 {
        let (radius, angle) = (self.uniform(), self.uniform());
        (-2.0 * radius.ln()).sqrt() * (std::f32::consts::TAU * angle).cos()
    }
}
