//! OpenVINO finds and recognises what the CPU's own kernels do.

use domain::Face;
use domain::geometry::Point;
use domain::ports::{FaceAnalyzer, Lane};
use vision::{Analyzer, Options, Provider};

use crate::support::{detect, photos_of, read};
use crate::{open, options, runtime};

/// Both compute in 32-bit floats and differ in the order of sums only. Measured on 75 faces: 0.0003 pixels, 3e-6 of a
/// score, a cosine of 0.999995. The margin is for processors with other instructions.
const PIXELS: f32 = 0.01;
const SCORE: f32 = 1e-4;
const COSINE: f32 = 0.9999;

#[tokio::test]
async fn auto_selects_openvino_and_all_networks_give_the_known_results() {
    for (set, liveness) in [("default", true), ("small", false), ("clean", false)] {
        let analyzer = Analyzer::open(Options { set: set.to_owned(), liveness, ..options(&runtime()) }).unwrap();
        assert_eq!((analyzer.provider(), analyzer.fallen_back()), (Provider::OpenVino, None));
        assert_eq!(analyzer.self_test().await, Ok(()), "{set}");
    }
}

#[tokio::test]
async fn faces_and_embeddings_agree_with_those_of_the_processor() {
    let (accelerated, processor) = (open(Provider::OpenVino), open(Provider::Cpu));
    let mut compared = 0;
    for path in ["Barack_Obama", "Eileen_Collins", "John_Salley", "_groups"].into_iter().flat_map(photos_of) {
        let frame = read(&processor, &path).await;
        let [found, known] = [&accelerated, &processor].map(async |analyzer| {
            let detections = detect(analyzer, &frame).await;
            analyzer.describe(frame.clone(), detections, Lane::Photo).await.unwrap()
        });
        let (found, known) = (found.await, known.await);
        assert_eq!(found.len(), known.len(), "{}", path.display());
        found.iter().zip(&known).for_each(|(found, known)| assert_alike(found, known));
        compared += found.len();
    }
    assert!(compared >= 20, "{compared} faces");
}

fn assert_alike(found: &Face, known: &Face) {
    let (one, other) = (&found.detection, &known.detection);
    let away = |a: Point, b: Point| (a.x - b.x).hypot(a.y - b.y);
    let pixels = one.landmarks.iter().zip(&other.landmarks).map(|(a, b)| away(*a, *b)).fold(0.0, f32::max);
    let cosine = found.embedding.cosine(&known.embedding).unwrap();
    let liveness = (found.liveness.unwrap() - known.liveness.unwrap()).abs();
    assert!(pixels <= PIXELS, "landmarks are {pixels} pixels apart");
    assert!((one.score - other.score).abs() <= SCORE && liveness <= SCORE, "{one:?} {other:?}");
    assert!(cosine >= COSINE, "the cosine is {cosine}");
    assert_eq!(found.attributes.gender, known.attributes.gender);
    assert_eq!(found.attributes.expression, known.attributes.expression);
}
