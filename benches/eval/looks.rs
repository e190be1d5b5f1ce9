//! What it gains to search each look of a visit beside their mean, and what the moving thresholds cost: four poor looks
//! at each person, judged as the device judges a visit.

use domain::ports::{FaceAnalyzer, Lane};
use domain::{Calibration, Chances, Embedding, Face, Matching, Similarity};
use polyface_tests::Report;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use vision::Analyzer;

use crate::clarity::{large_enough, middle_face, nearest};
use crate::degrade::{self, Condition};
use crate::faces::{PhotoFace, pixels};

/// Looks at a visitor.
const LOOKS: usize = 4;
/// How much sizes and blurs of the looks differ.
const SIZES: f32 = 0.16;
const SMEARS: f32 = 0.4;

/// What is looked at.
const CONDITIONS: [Condition; 5] = [
    Condition::new("24 px", 24.0, false),
    Condition::smeared("60 px, blur 5 to 11", 60.0, 8.0, false),
    Condition::smeared("120 px, blur 10 to 24", 120.0, 17.0, false),
    Condition::dim("60 px, dim", 60.0, 0.22, 4.0),
    Condition { jpeg: Some(30), ..Condition::new("60 px, JPEG 30", 60.0, true) },
];

/// How a visit is judged.
const WAYS: [(&str, Matching); 3] = [
    ("mean, threshold as set", Matching { thresholds_rise: false, thresholds_fall: false, each_look: false }),
    ("mean, moving threshold", Matching { thresholds_rise: true, thresholds_fall: true, each_look: false }),
    ("each look, moving threshold", Matching { thresholds_rise: true, thresholds_fall: true, each_look: true }),
];

/// Adds for each condition the share of known people who are recognised, and of strangers who are taken for one.
pub(crate) async fn measure(analyzer: &Analyzer, faces: &[PhotoFace], calibration: &Calibration, report: &mut Report) {
    let mut random = SmallRng::seed_from_u64(9);
    for condition in CONDITIONS {
        let mut visits = Vec::new();
        for face in faces.iter().filter(|face| large_enough(face, &condition)) {
            let probes = visit(analyzer, face, &condition, &mut random).await;
            visits.extend(probes.map(|(mean, looks)| (face, mean, looks)));
        }
        for (way, matching) in WAYS {
            tell(&visits, faces, calibration, (&condition, way, matching), report);
        }
    }
}

/// The mean of the looks at a face, weighted by quality, and each; `None` when it is not found twice.
async fn visit(
    analyzer: &Analyzer,
    face: &PhotoFace,
    by: &Condition,
    random: &mut SmallRng,
) -> Option<(Embedding, Vec<Embedding>)> {
    let photo = pixels(&face.photo);
    let mut looks: Vec<Face> = Vec::new();
    for _ in 0..LOOKS {
        let size = by.face * random.random_range(1.0 - SIZES..1.0 + SIZES);
        let smear = by.smear * random.random_range(1.0 - SMEARS..1.0 + SMEARS);
        let look = Condition { face: size, smear, ..*by };
        let picture = degrade::degraded(&photo, face.face_box, &look, random);
        let Some((frame, found)) = middle_face(analyzer, &picture, by).await else { continue };
        looks.extend(analyzer.describe(frame, vec![found], Lane::Photo).await.unwrap());
    }
    let weight = |look: &Face| f32::from(look.detection.quality.overall.max(1));
    let mut sum = vec![0.0; looks.first()?.embedding.vector().len()];
    for look in &looks {
        sum.iter_mut().zip(look.embedding.vector()).for_each(|(sum, part)| *sum += weight(look) * part);
    }
    let mean = Embedding::normalised(looks[0].embedding.model().clone(), sum).ok()?;
    (looks.len() > 1).then(|| (mean, looks.into_iter().map(|look| look.embedding).collect()))
}

fn tell(
    visits: &[(&PhotoFace, Embedding, Vec<Embedding>)],
    faces: &[PhotoFace],
    calibration: &Calibration,
    (condition, way, matching): (&Condition, &str, Matching),
    report: &mut Report,
) {
    let people = faces.iter().map(|face| &face.who).collect::<std::collections::HashSet<_>>().len() as u64;
    let (mut known, mut recognised, mut alarms) = (0, 0, 0);
    for (face, mean, looks) in visits {
        let probes: Vec<_> = [mean].into_iter().chain(looks.iter().filter(|_| matching.each_look)).collect();
        let chances = Chances { people, tries: probes.len() };
        let threshold = calibration.threshold(Similarity::DEFAULT_THRESHOLD, chances, matching);
        let best = |same| probes.iter().filter_map(|probe| nearest(faces, face, probe, same)).reduce(f32::max);
        let reached = |cosine: f32| calibration.similarity(cosine) >= threshold;
        let (own, other) = (best(true), best(false));
        known += usize::from(own.is_some());
        // As the device does, by the most similar person.
        recognised += usize::from(own.is_some_and(|own| reached(own) && other.is_none_or(|other| own > other)));
        alarms += usize::from(other.is_some_and(reached));
    }
    let of = |what: &str| format!("looks, {}, {way}: {what}, %", condition.name);
    let share = |part: usize, all: usize| part as f64 / all.max(1) as f64 * 100.0;
    report.row_at_least(&of("known recognised"), share(recognised, known), None, None);
    report.row(&of("strangers taken for known"), share(alarms, visits.len()), None, None);
}
