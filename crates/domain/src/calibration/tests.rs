//! The law of thresholds, by examples and by simulation.

use super::*;

const BOTH: Matching = Matching { thresholds_rise: true, thresholds_fall: true, each_look: true };

/// Points of a real model; different people have a cosine of 0 on average, with a deviation of 0.1.
fn line() -> Calibration {
    let points = vec![(0.0, 0.0), (0.44, 0.70), (0.50, 0.80), (0.60, 0.88), (0.80, 0.96), (1.0, 1.0)];
    Calibration::new(points).unwrap()
}

fn measured() -> Calibration {
    line().with_unlike(0.0, 0.1).unwrap()
}

fn one_try(people: u64) -> Chances {
    Chances { people, tries: 1 }
}

fn near(similarity: Similarity, expected: f32) -> bool {
    (similarity.value() - expected).abs() < 0.002
}

#[test]
fn similarity_lies_on_the_line_between_two_points() {
    let line = Calibration::new(vec![(0.0, 0.0), (0.5, 0.8), (1.0, 1.0)]).unwrap();
    assert_eq!(line.similarity(-0.3), Similarity::ZERO);
    assert!((line.similarity(0.25).value() - 0.4).abs() < 1e-6);
    assert!((line.similarity(0.75).value() - 0.9).abs() < 1e-6);
    assert_eq!(line.similarity(1.0).percent(), 100);
}

#[test]
fn a_threshold_rises_with_the_library() {
    let set = Similarity::new(0.8);
    assert_eq!(line().threshold(set, one_try(1_000_000), BOTH), set, "the model was not measured");
    let threshold = |people| measured().threshold(set, one_try(people), BOTH);
    assert_eq!(threshold(1_000), set);
    // 5 deviations out: sqrt(25 + 2 ln 100) = 5.85, a cosine of 0.585.
    assert!(near(threshold(100_000), 0.868), "{:?}", threshold(100_000));
    assert!(threshold(10_000) < threshold(100_000) && threshold(100_000) < threshold(1_000_000));
    assert!(line().with_unlike(0.0, 0.0).is_err());
}

#[test]
fn a_threshold_falls_in_a_small_library_down_to_the_floor() {
    let set = Similarity::new(0.8);
    assert_eq!(measured().threshold(set, one_try(100), BOTH), set, "the model has no floor");
    let line = measured().with_floor(0.44).unwrap();
    let threshold = |people| line.threshold(set, one_try(people), BOTH);
    // sqrt(25 + 2 ln 0.1) = 4.516, a cosine of 0.4516.
    assert!(near(threshold(100), 0.7194), "{:?}", threshold(100));
    assert!(threshold(100) < threshold(300) && threshold(300) < set);
    assert_eq!((threshold(10), threshold(1)), (threshold(30), threshold(30)), "the floor");
    assert_eq!(threshold(0), set, "there is no one to be taken for");
    assert!(near(threshold(30), 0.70));
    let low = Similarity::new(0.5);
    assert_eq!(line.threshold(low, one_try(10), BOTH), low, "set below the floor, it stays as set");
}

#[test]
fn each_further_try_raises_the_threshold() {
    let line = measured().with_floor(0.44).unwrap();
    let threshold = |people, tries| line.threshold(Similarity::new(0.8), Chances { people, tries }, BOTH);
    // sqrt(25 + 2 ln 5) = 5.312, a cosine of 0.5312.
    assert!(near(threshold(1_000, 5), 0.825), "{:?}", threshold(1_000, 5));
    assert!(threshold(1_000, 1) < threshold(1_000, 3) && threshold(1_000, 3) < threshold(1_000, 5));
    assert_eq!(threshold(1_000, 0), threshold(1_000, 1));
    // The floor is that of one try: sqrt(4.4² + 2 ln 5) = 4.751.
    assert!(near(threshold(1, 5), 0.7585), "{:?}", threshold(1, 5));
}

#[test]
fn a_threshold_moves_only_as_configured() {
    let line = measured().with_floor(0.44).unwrap();
    let set = Similarity::new(0.8);
    let threshold = |thresholds_rise, thresholds_fall, people, tries| {
        let matching = Matching { thresholds_rise, thresholds_fall, each_look: true };
        line.threshold(set, Chances { people, tries }, matching)
    };
    assert_eq!(threshold(false, true, 100_000, 5), set, "it does not rise");
    assert_eq!(threshold(true, false, 10, 1), set, "it does not fall");
    assert!(threshold(true, false, 10, 5) > set, "several tries raise it nevertheless");
    assert_eq!(threshold(false, true, 10, 5), threshold(true, true, 10, 1));
}

#[test]
fn a_threshold_that_accepts_everyone_or_no_one_stays() {
    let line = measured().with_floor(0.44).unwrap();
    for set in [0.0, 1.0] {
        for people in [1, 1_000_000] {
            let chances = Chances { people, tries: 5 };
            assert_eq!(line.threshold(Similarity::new(set), chances, BOTH), Similarity::new(set), "{set} {people}");
        }
    }
}

#[test]
fn a_single_look_is_sure_where_strangers_come_fifty_times_less_often() {
    // sqrt(25 + 2 ln 50) = 5.729, a cosine of 0.5729.
    let sure = measured().sure_from(Similarity::new(0.8));
    assert!(near(sure, 0.858), "{sure:?}");
    assert!(near(line().sure_from(Similarity::new(0.8)), 0.85), "without a distribution of different people");
    assert_eq!(line().sure_from(Similarity::new(0.99)), Similarity::new(1.0));
}

/// A reproducible, nearly normal number: the sum of twelve uniform ones.
fn normal(state: &mut u64) -> f32 {
    let mut uniform = || {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 40) as f32 / (1u64 << 24) as f32
    };
    (0..12).map(|_| uniform()).sum::<f32>() - 6.0
}

/// The number of `strangers` whom one of four looks, or their mean, is accepted as the one person enrolled. The looks at
/// a stranger have this correlation.
fn accepted(strangers: u32, correlation: f32, one_look: f32, five_tries: f32) -> (u32, u32) {
    let mut state = 7;
    let (mut by_one, mut by_five) = (0, 0);
    for _ in 0..strangers {
        let common = normal(&mut state);
        let mut look = || correlation.sqrt() * common + (1.0 - correlation).sqrt() * normal(&mut state);
        let looks = [look(), look(), look(), look()];
        // The mean of unit vectors with this correlation is shorter; normalised, its cosine is as widely spread.
        let mean = looks.iter().sum::<f32>() / 4.0 / ((1.0 + 3.0 * correlation) / 4.0).sqrt();
        let nearest = looks.iter().copied().fold(mean, f32::max);
        by_one += u32::from(looks[0] >= one_look);
        by_five += u32::from(nearest >= five_tries);
    }
    (by_one, by_five)
}

#[test]
fn five_tries_at_the_raised_threshold_accept_no_more_strangers_than_one_at_that_set() {
    let (set, moved) = (2.5, moved(Unlike { mean: 0.0, deviation: 1.0 }, 2.5, 5.0f32.ln()));
    for correlation in [0.0, 0.5, 0.8, 0.95] {
        let (by_one, by_five) = accepted(200_000, correlation, set, moved);
        let (uncorrected, _) = accepted(200_000, correlation, set, set);
        assert!(by_five <= by_one, "correlation {correlation}: {by_five} instead of {by_one}");
        assert!(uncorrected > 800, "the simulation has enough of them: {uncorrected}");
    }
}

#[test]
fn a_face_more_similar_to_a_person_than_usual_for_strangers_is_not_a_strangers() {
    let line = Calibration::new(vec![(0.0, 0.0), (1.0, 1.0)]).unwrap();
    assert!(line.is_stranger(None, Similarity::new(0.4), 10), "without a distribution of different people");
    let line = line.with_unlike(0.0, 0.1).unwrap();
    // The nearest of ten lies beyond 2.9 deviations for one stranger in fifty, the nearest of 1000 beyond 4.1.
    let stranger = |nearest, people| line.is_stranger(None, Similarity::new(nearest), people);
    assert_eq!((stranger(0.28, 10), stranger(0.30, 10)), (true, false));
    assert_eq!((stranger(0.40, 1_000), stranger(0.42, 1_000)), (true, false));
    let judged = |clarity| line.clone().with_clear_from(0.7).is_stranger(clarity, Similarity::ZERO, 10);
    assert_eq!((judged(Some(0.69)), judged(Some(0.71)), judged(None)), (false, true, true));
}

#[test]
fn a_tail_of_the_normal_distribution_begins_where_tables_say() {
    for (share, deviations) in [(0.02, 2.054), (1e-3, 3.090), (1e-5, 4.265)] {
        assert!((deviations_of_tail(share) - deviations).abs() < 0.07, "{share}: {}", deviations_of_tail(share));
    }
}

#[test]
fn falling_points_are_refused() {
    assert!(Calibration::new(vec![(0.0, 0.5), (0.5, 0.4)]).is_err());
    assert!(Calibration::new(vec![(0.0, 0.5)]).is_err());
}
