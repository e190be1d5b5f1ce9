//! How well the clarity of a shot tells that an enrolled person will not be recognised in it: the fit of the manifest's
//! `[output.clarity]` to poor looks, and what the verdict *unclear* makes of them.

use std::path::Path;
use std::{fs, io};

use domain::frame::Frame;
use domain::geometry::Point;
use domain::ports::{FaceAnalyzer, Lane, Search};
use domain::{Calibration, Detection, Embedding, Similarity};
use image::RgbImage;
use polyface_tests::Report;
use polyface_tests::logistic::{Logistic, area, left_out};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use toml_edit::{DocumentMut, Table, value};
use vision::{Analyzer, Measures};

use crate::degrade::{self, ALL, Condition};
use crate::faces::{PhotoFace, pixels};
use crate::plots;

/// A shot is clear from this probability of being recognised.
const CLEAR_FROM: f32 = 0.8;
/// How strongly the weights are held near 0.
const RIDGE: f64 = 3.0;
/// Shares of the least clear looks that are discarded, percent.
const DISCARDED: [usize; 6] = [0, 10, 20, 30, 40, 50];
/// Photos whose face is narrower than this share of the wanted width show nothing that could be lost.
const ENLARGED: f32 = 0.75;
/// A face found farther from the middle is another one, face widths.
const NEAR: f32 = 0.6;

/// One degraded look.
struct Look {
    condition: usize,
    measures: Vec<f64>,
    /// Cosine to the nearest other photo of the same person; `None` when there is no other.
    own: Option<f32>,
    /// Cosine to the nearest other person.
    other: f32,
}

impl Look {
    fn recognised(&self, calibration: &Calibration) -> Option<bool> {
        Some(calibration.similarity(self.own?) >= Similarity::DEFAULT_THRESHOLD)
    }

    /// The cosine to the nearest person enrolled.
    fn nearest(&self, enrolled: bool) -> f32 {
        self.own.filter(|_| enrolled).map_or(self.other, |own| own.max(self.other))
    }
}

/// Measures, reports and draws; returns the fit to all looks.
pub(crate) async fn measure(
    analyzer: &Analyzer,
    faces: &[PhotoFace],
    calibration: &Calibration,
    report: &mut Report,
    pictures: &Path,
) -> Fit {
    let looks = looks(analyzer, faces, report).await;
    let known: Vec<&Look> = looks.iter().filter(|look| look.own.is_some()).collect();
    let rows: Vec<_> = known.iter().map(|look| look.measures.clone()).collect();
    let recognised: Vec<_> = known.iter().filter_map(|look| look.recognised(calibration)).collect();
    let groups: Vec<_> = known.iter().map(|look| look.condition).collect();
    // Judged by fits that have not seen the condition: a fit to all would know the drawing.
    let honest = left_out(&rows, &recognised, &groups, RIDGE);
    report.row("clarity: looks of known people, looks", known.len() as f64, None, None);
    report.row_at_least(
        "clarity: area under the ROC curve, conditions left out",
        area(&honest, &recognised),
        None,
        Some(0.8),
    );
    let curve = discard(&honest, &recognised);
    for (share, missed) in &curve {
        report.row(&format!("clarity: not recognised without the {share} % least clear, %"), *missed, None, None);
    }
    plots::discard(&curve, &pictures.join("discard.svg"));
    tell_verdicts(&looks, faces.len() as u64, calibration, report);
    let fit = Logistic::fit(&rows, &recognised, RIDGE);
    println!("clarity: {fit:?}");
    Fit { fit, looks: known.len(), area: area(&honest, &recognised) }
}

/// Every face in every condition that it is large enough for, as far as the detector finds it.
async fn looks(analyzer: &Analyzer, faces: &[PhotoFace], report: &mut Report) -> Vec<Look> {
    let mut random = SmallRng::seed_from_u64(8);
    let mut looks = Vec::new();
    for (index, condition) in ALL.iter().enumerate() {
        let (mut shown, before) = (0, looks.len());
        for face in faces.iter().filter(|face| large_enough(face, condition)) {
            shown += 1;
            let picture = degrade::degraded(&pixels(&face.photo), face.face_box, condition, &mut random);
            let Some((frame, found)) = middle_face(analyzer, &picture, condition).await else { continue };
            let Some((embedding, measures)) = analyzer.measure(frame, vec![found]).await.unwrap().pop() else {
                continue;
            };
            let measures = measures.values().map(f64::from).to_vec();
            let (own, other) = (nearest(faces, face, &embedding, true), nearest(faces, face, &embedding, false));
            looks.push(Look { condition: index, measures, own, other: other.unwrap_or_default() });
        }
        let found = (looks.len() - before) as f64 / f64::from(shown) * 100.0;
        report.row(&format!("clarity, {}: faces found, %", condition.name), found, None, None);
    }
    looks
}

/// Whether the photo shows more of the face than the condition leaves of it.
pub(crate) fn large_enough(face: &PhotoFace, by: &Condition) -> bool {
    face.face_box.width() >= ENLARGED * by.face
}

/// The picture as a frame, and what the device finds in its middle.
pub(crate) async fn middle_face(analyzer: &Analyzer, picture: &RgbImage, by: &Condition) -> Option<(Frame, Detection)> {
    let frame = degrade::frame(picture);
    // As a camera set for faces of this size is searched.
    let search = Search { min_face_px: (by.face * 0.75) as u32, ..Search::ANYWHERE };
    let found = analyzer.detect(frame.clone(), search, Lane::Live).await.unwrap();
    let middle = Point { x: picture.width() as f32 / 2.0, y: picture.height() as f32 / 2.0 };
    let away = |face: &Detection| (face.face_box.center().x - middle.x).hypot(face.face_box.center().y - middle.y);
    let nearest = found.into_iter().min_by(|a, b| away(a).total_cmp(&away(b)))?;
    (away(&nearest) <= NEAR * by.face).then_some((frame, nearest))
}

/// The cosine to the nearest photo of the same person other than this one, or of another person.
pub(crate) fn nearest(faces: &[PhotoFace], shown: &PhotoFace, probe: &Embedding, same: bool) -> Option<f32> {
    let wanted = |face: &&PhotoFace| {
        let itself = std::ptr::eq(*face, shown);
        !itself && (face.who == shown.who) == same && (same || shown.comparable(face))
    };
    faces.iter().filter(wanted).filter_map(|face| probe.cosine(&face.embedding)).reduce(f32::max)
}

/// The share of the looks that are not recognised when the least clear are discarded, by the share discarded; percent.
fn discard(clarity: &[f64], recognised: &[bool]) -> Vec<(usize, f64)> {
    let mut order: Vec<usize> = (0..clarity.len()).collect();
    order.sort_by(|a, b| clarity[*a].total_cmp(&clarity[*b]));
    let missed = |share: usize| {
        let kept = &order[order.len() * share / 100..];
        kept.iter().filter(|index| !recognised[**index]).count() as f64 / kept.len() as f64 * 100.0
    };
    DISCARDED.iter().map(|share| (*share, missed(*share))).collect()
}

/// What becomes of looks in which nobody is recognised, by the nearness zone alone and with the clarity too. Each look
/// is judged by a fit that has not seen its condition.
fn tell_verdicts(looks: &[Look], people: u64, calibration: &Calibration, report: &mut Report) {
    let known: Vec<_> = looks.iter().filter(|look| look.own.is_some()).collect();
    let fits: Vec<Logistic> = (0..ALL.len())
        .map(|condition| {
            let others = known.iter().filter(|look| look.condition != condition);
            let seen = others.filter_map(|look| Some((look.measures.clone(), look.recognised(calibration)?)));
            let (rows, outcomes): (Vec<_>, Vec<_>) = seen.unzip();
            Logistic::fit(&rows, &outcomes, RIDGE)
        })
        .collect();
    let calibration = calibration.clone().with_clear_from(CLEAR_FROM);
    for (name, judged) in [("by the zone", false), ("by zone and clarity", true)] {
        let strange = |look: &Look, enrolled: bool| {
            let nearest = calibration.similarity(look.nearest(enrolled));
            let clarity = judged.then(|| fits[look.condition].probability(&look.measures) as f32);
            let recognised = nearest >= Similarity::DEFAULT_THRESHOLD;
            !recognised && calibration.is_stranger(clarity, nearest, people)
        };
        let share = |of: usize, all: usize| of as f64 / all.max(1) as f64 * 100.0;
        let called = known.iter().filter(|look| strange(look, true)).count();
        report.row(&format!("unclear {name}: known called strangers, %"), share(called, known.len()), None, None);
        for (kind, good) in [("good", true), ("poor", false)] {
            let of_kind: Vec<_> = looks.iter().filter(|look| ALL[look.condition].good == good).collect();
            let unclear = of_kind.iter().filter(|look| !strange(look, false)).count();
            let what = format!("unclear {name}: {kind} looks at strangers not called so, %");
            report.row(&what, share(unclear, of_kind.len()), None, None);
        }
    }
}

/// What the manifest is to say.
pub(crate) struct Fit {
    fit: Logistic,
    looks: usize,
    area: f64,
}

impl Fit {
    /// Writes the fit into the manifest; the rest of the file stays as it is.
    pub(crate) fn write(&self, manifest: &Path) -> io::Result<()> {
        let mut document: DocumentMut = fs::read_to_string(manifest)?.parse().map_err(io::Error::other)?;
        let output = document["output"].as_table_mut().ok_or_else(|| io::Error::other("no [output]"))?;
        let mut table = Table::new();
        table.insert("clear_from", value(round(f64::from(CLEAR_FROM))));
        table.insert("constant", value(round(self.fit.constant)));
        for (name, weight) in Measures::NAMES.iter().zip(&self.fit.weights) {
            table.insert(name, value(round(*weight)));
        }
        table.decor_mut().set_prefix(format!(
            "\n# Written by `make eval WRITE=1` from {} drawn looks of known people; area under the ROC curve {:.3} with\n\
             # whole conditions left out. What is drawn is not what a camera sees: docs/quality.md.\n",
            self.looks, self.area,
        ));
        output.insert("clarity", table.into());
        fs::write(manifest, document.to_string())
    }
}

/// Rounded to what the number of looks can bear.
fn round(number: f64) -> f64 {
    (number * 10_000.0).round() / 10_000.0
}
