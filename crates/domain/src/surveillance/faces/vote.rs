//! What the looks of a visit are searched for: the mean of all, and each look that may count alone.

use crate::face::{Embedding, Face};
use crate::rules;

/// Maximum number of looks that count alone; beyond that the poorest is left to the mean.
const MOST: usize = 6;

/// All looks of a visit. The noise of single shots averages out in their mean, weighted by quality. A good look among
/// poor ones is diluted there, so each is searched for as well.
///
/// Where a living face is demanded, a picture of somebody has no vote beside a living look: otherwise a living visitor
/// who then holds up a picture would be taken for the person in it.
#[derive(Debug, Default)]
pub(super) struct Vote {
    sum: Vec<f32>,
    looks: u32,
    mean: Option<Embedding>,
    /// Whether the looks in the mean are living.
    living: bool,
    alone: Vec<Single>,
}

#[derive(Debug)]
struct Single {
    embedding: Embedding,
    quality: u8,
    liveness: Option<f32>,
}

impl Vote {
    /// Adds a look. `certain`: it surely shows the visitor, so that it may count alone. `live_from`: lowest liveness
    /// score of a living face, if one is demanded.
    pub(super) fn add(&mut self, face: &Face, certain: bool, live_from: Option<f32>) {
        let living = rules::is_living(live_from, face.liveness);
        if living && !self.living {
            self.sum.clear();
            self.looks = 0;
        }
        if living || !self.living {
            self.living = living;
            self.add_to_mean(face);
        }
        if certain {
            let (embedding, quality) = (face.embedding.clone(), face.detection.quality.overall);
            self.alone.push(Single { embedding, quality, liveness: face.liveness });
            self.drop_poorest();
        }
    }

    fn add_to_mean(&mut self, face: &Face) {
        let weight = f32::from(face.detection.quality.overall.max(1));
        self.sum.resize(face.embedding.vector().len(), 0.0);
        self.sum.iter_mut().zip(face.embedding.vector()).for_each(|(sum, part)| *sum += weight * part);
        self.looks += 1;
        // Embeddings that cancel out have no mean; the newest is used alone then.
        let mean = Embedding::normalised(face.embedding.model().clone(), self.sum.clone());
        self.mean = Some(mean.unwrap_or_else(|_| face.embedding.clone()));
    }

    /// Number of looks in the mean.
    pub(super) fn looks(&self) -> u32 {
        self.looks
    }

    /// The mean of the looks that have a vote; `None` before the first.
    pub(super) fn mean(&self) -> Option<&Embedding> {
        self.mean.as_ref()
    }

    /// The probes to search for: the mean, followed by each look if `each`. The only look is not searched twice.
    pub(super) fn probes(&self, each: bool, live_from: Option<f32>) -> Vec<Embedding> {
        let votes = |single: &Single| !self.living || rules::is_living(live_from, single.liveness);
        let counts = |single: &&Single| each && self.looks > 1 && votes(single);
        let alone = self.alone.iter().filter(counts).map(|single| &single.embedding);
        self.mean.iter().chain(alone).cloned().collect()
    }

    /// Whether every look that counts alone is living, and there is one.
    pub(super) fn all_living(&self, live_from: Option<f32>) -> bool {
        !self.alone.is_empty() && self.alone.iter().all(|single| rules::is_living(live_from, single.liveness))
    }

    /// Starts a new decision of the same visit; the mean goes on.
    pub(super) fn decided(&mut self) {
        self.alone.clear();
    }

    fn drop_poorest(&mut self) {
        if self.alone.len() > MOST {
            let poorest = self.alone.iter().enumerate().min_by_key(|(_, single)| single.quality);
            poorest.map(|(index, _)| index).map(|index| self.alone.remove(index));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::{Attributes, Detection, ModelId, Quality};

    fn look(vector: [f32; 2], overall: u8) -> Face {
        let quality = Quality { overall, ..Quality::default() };
        let detection = Detection { face_box: Default::default(), landmarks: Default::default(), score: 0.9, quality };
        let embedding = Embedding::normalised(ModelId("m".into()), vector.to_vec()).unwrap();
        Face { detection, attributes: Attributes::default(), liveness: None, clarity: None, embedding }
    }

    fn vote(looks: &[Face]) -> Vote {
        let mut vote = Vote::default();
        looks.iter().for_each(|look| vote.add(look, true, None));
        vote
    }

    /// As [`vote`], where a living face is demanded.
    fn demanding<const N: usize>(looks: [&Face; N]) -> Vote {
        let mut vote = Vote::default();
        looks.into_iter().for_each(|look| vote.add(look, true, Some(0.5)));
        vote
    }

    fn vectors(probes: &[Embedding]) -> Vec<&[f32]> {
        probes.iter().map(Embedding::vector).collect()
    }

    #[test]
    fn two_looks_are_searched_for_beside_their_mean_and_a_single_one_once() {
        let (right, up) = (look([1.0, 0.0], 50), look([0.0, 1.0], 50));
        assert_eq!(vectors(&vote(std::slice::from_ref(&right)).probes(true, None)), [[1.0, 0.0]]);
        let both = vote(&[right, up]);
        let probes = both.probes(true, None);
        assert_eq!(vectors(&probes)[1..], [[1.0, 0.0], [0.0, 1.0]]);
        assert!((probes[0].vector()[0] - probes[0].vector()[1]).abs() < 1e-6, "the mean lies between them");
        assert_eq!(both.probes(false, None), probes[..1], "without the looks");
    }

    #[test]
    fn a_better_look_has_more_weight_in_the_mean() {
        let mean = vote(&[look([1.0, 0.0], 90), look([0.0, 1.0], 30)]).mean().unwrap().vector().to_vec();
        assert!((mean[0] / mean[1] - 3.0).abs() < 1e-5);
    }

    #[test]
    fn a_look_that_may_show_another_face_counts_only_in_the_mean() {
        let mut vote = vote(&[look([1.0, 0.0], 50)]);
        vote.add(&look([0.0, 1.0], 50), false, None);
        assert_eq!(vectors(&vote.probes(true, None))[1..], [[1.0, 0.0]]);
    }

    #[test]
    fn a_picture_of_somebody_has_no_vote_beside_a_living_look() {
        let living = Face { liveness: Some(0.9), ..look([1.0, 0.0], 50) };
        let picture = Face { liveness: Some(0.1), ..look([0.0, 1.0], 90) };
        for looks in [[&living, &picture, &living], [&picture, &living, &picture], [&picture, &picture, &living]] {
            let vote = demanding(looks);
            let probes = vote.probes(true, Some(0.5));
            assert!(probes.iter().all(|probe| probe.vector() == [1.0, 0.0]), "{probes:?}");
            assert!(!vote.all_living(Some(0.5)));
        }
        assert!(demanding([&living, &living]).all_living(Some(0.5)));
        let pictures = demanding([&picture, &picture]).probes(true, Some(0.5));
        assert_eq!(vectors(&pictures), [[0.0, 1.0]; 3], "an operator sees whose picture it was");
        assert_eq!(vote(&[living, picture]).probes(true, None).len(), 3, "liveness is not demanded");
    }

    #[test]
    fn a_visit_that_is_joined_again_and_again_keeps_its_best_looks() {
        let mut vote = vote(&(0..20).map(|n| look([1.0, f32::from(n)], 80 - n)).collect::<Vec<_>>());
        let probes = vote.probes(true, None);
        assert_eq!(probes.len(), 1 + MOST);
        assert_eq!(probes[1].vector(), [1.0, 0.0]);
        vote.decided();
        assert_eq!(vote.probes(true, None).len(), 1, "the next decision counts its own looks");
    }
}
