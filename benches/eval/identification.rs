//! One to many: the right person among a thousand and among a hundred thousand, and nobody where nobody is known.

use std::collections::BTreeMap;

use domain::gallery::{Gallery, Query, Scope};
use domain::{Calibration, Chances, Embedding, Matching, Membership, PersonId, Similarity, Template};
use polyface_tests::Report;

use crate::distractors::Distribution;
use crate::faces::PhotoFace;
use crate::verification::{Pairs, moments};

const SIZES: [(usize, &str); 4] = [(100, "100"), (1_000, "1k"), (10_000, "10k"), (100_000, "100k")];
/// Probes of people who are not enrolled; so many that a rate of 0.3 % stands for nine of them.
const UNKNOWN_PROBES: usize = 3_000;
/// The rate of false alarms at which misses are told.
const FPIR: f64 = 0.003;
/// Ids of those who may be found rightly; distractors come after.
const FIRST_DISTRACTOR: i64 = 1_000;

/// The people with several photos, by name.
type Known<'a> = BTreeMap<&'a str, Vec<&'a Embedding>>;

/// Who was found nearest, and how near, for each probe.
struct Searches {
    /// Probes of enrolled people: whether the nearest was the right one, and its cosine.
    mated: Vec<(bool, f32)>,
    /// Probes of others: the cosine of the nearest.
    unmated: Vec<f32>,
}

/// Adds the figures to the report.
pub(crate) fn tell(faces: &[PhotoFace], pairs: &Pairs, calibration: &Calibration, report: &mut Report) {
    let mut people: BTreeMap<&str, Vec<&Embedding>> = BTreeMap::new();
    faces.iter().for_each(|face| people.entry(&face.who).or_default().push(&face.embedding));
    let one_each: Vec<_> = people.values().map(|photos| photos[0]).collect();
    let distribution = Distribution::fitted(&one_each, moments(&pairs.impostor).1);
    report.row("identification: noise in the distractors, share", f64::from(distribution.noise), None, None);
    let strangers: Vec<_> = people.values().filter(|photos| photos.len() == 1).map(|photos| photos[0]).collect();
    let known: Known<'_> = people.iter().filter(|(_, p)| p.len() > 1).map(|(who, p)| (*who, p.clone())).collect();

    let crowd = distribution.draw(SIZES[SIZES.len() - 1].0, 1);
    let mut unknown = distribution.draw(UNKNOWN_PROBES - strangers.len(), 2);
    unknown.extend(strangers.into_iter().cloned());
    for (size, name) in SIZES {
        let searches = search(&known, &crowd[..size], &unknown);
        tell_size(&searches, (size, name), calibration, report);
    }
}

/// Every photo of a known person is enrolled in turn, and all the others are searched for.
fn search(known: &Known<'_>, crowd: &[Embedding], unknown: &[Embedding]) -> Searches {
    let gallery = Gallery::new(crowd[0].model().clone());
    let ids = FIRST_DISTRACTOR..;
    gallery.insert_all(ids.zip(crowd).map(|(id, embedding)| template(id, embedding)));
    let nearest = |probe: &Embedding| {
        let found = gallery.search(probe, &[Query { scope: Scope::ALL, limit: 1 }]);
        found[0].first().map_or((PersonId(0), -1.0), |near| (near.person, near.cosine))
    };
    let unmated = unknown.iter().map(|probe| nearest(probe).1).collect();
    let mut mated = Vec::new();
    let turns = known.values().map(Vec::len).max().unwrap_or_default();
    for turn in 0..turns {
        let enrolled = |photos: &[&Embedding]| turn % photos.len();
        gallery.insert_all((1..).zip(known.values()).map(|(id, photos)| template(id, photos[enrolled(photos)])));
        for (id, photos) in (1..).zip(known.values()).filter(|(_, photos)| turn < photos.len()) {
            let others = photos.iter().enumerate().filter(|(index, _)| *index != enrolled(photos));
            mated.extend(others.map(|(_, probe)| nearest(probe)).map(|(who, cosine)| (who == PersonId(id), cosine)));
        }
    }
    Searches { mated, unmated }
}

fn template(id: i64, embedding: &Embedding) -> Template {
    Template { person: PersonId(id), membership: Membership::default(), embedding: embedding.clone() }
}

fn tell_size(searches: &Searches, (size, name): (usize, &str), calibration: &Calibration, report: &mut Report) {
    let percent = |hits: usize, of: usize| hits as f64 / of as f64 * 100.0;
    let (mated, unmated) = (&searches.mated, &searches.unmated);
    let right = mated.iter().filter(|(right, _)| *right).count();
    report.row_at_least(&format!("identification among {name}: rank 1, %"), percent(right, mated.len()), None, None);

    let mut nearest = unmated.clone();
    nearest.sort_by(f32::total_cmp);
    let allowed = (FPIR * nearest.len() as f64) as usize;
    let threshold = nearest[nearest.len() - allowed];
    let missed = |from: f32| mated.iter().filter(|(right, cosine)| !right || *cosine < from).count();
    let at = |what: &str| format!("identification among {name}: {what}");
    report.row(&at("FNIR at FPIR 0.3 %, %"), percent(missed(threshold), mated.len()), None, None);
    report.row(&at("threshold at FPIR 0.3 %, similarity"), similarity(calibration, threshold), None, None);

    let fixed = Similarity::DEFAULT_THRESHOLD;
    let moved = calibration.threshold(fixed, Chances { people: size as u64, tries: 1 }, Matching::default());
    for (what, wanted) in [("fixed", fixed), ("moving", moved)] {
        let reached = |cosine: f32| calibration.similarity(cosine) >= wanted;
        let alarms = unmated.iter().filter(|cosine| reached(**cosine)).count();
        let missed = mated.iter().filter(|(right, cosine)| !right || !reached(*cosine)).count();
        report.row(&at(&format!("{what} threshold, similarity")), f64::from(wanted.value()), None, None);
        report.row(&at(&format!("FPIR at the {what} threshold, %")), percent(alarms, unmated.len()), None, None);
        report.row(&at(&format!("FNIR at the {what} threshold, %")), percent(missed, mated.len()), None, None);
    }
}

fn similarity(calibration: &Calibration, cosine: f32) -> f64 {
    f64::from(calibration.similarity(cosine).value())
}
