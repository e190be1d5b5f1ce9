//! What an operator reads when something is missing, and what works then.

use std::path::Path;

use domain::Similarity;
use domain::ports::FaceAnalyzer;
use tempfile::TempDir;
use vision::{Analyzer, OpenError, Options, Provider, Role, SelfTestError};

use crate::support::{analyzer, face, models, photo};

fn refusal(options: Options) -> OpenError {
    Analyzer::open(options).err().expect("a refusal")
}

/// A folder with links to all models, so that one can be changed.
pub(crate) fn linked() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(models()).unwrap() {
        let entry = entry.unwrap();
        std::os::unix::fs::symlink(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

pub(crate) fn replace(folder: &Path, file: &str, from: &str, to: &str) {
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    assert!(text.contains(from));
    std::fs::remove_file(folder.join(file)).unwrap();
    std::fs::write(folder.join(file), text.replacen(from, to, 1)).unwrap();
}

#[tokio::test]
async fn the_models_work_as_they_did_where_they_were_made() {
    let analyzer = analyzer();
    assert_eq!(analyzer.self_test().await, Ok(()));
    assert_eq!(analyzer.provider(), Provider::Cpu);
    assert!(analyzer.models().iter().any(|model| model.role == Role::Embedder && model.name == "face_embed_512"));
    assert!(analyzer.model().0.starts_with("face_embed_512/1/"));
}

#[tokio::test]
async fn a_model_that_answers_otherwise_fails_the_self_test() {
    let folder = linked();
    replace(folder.path(), "gender.toml", "values = [0.9", "values = [0.7");
    let analyzer = Analyzer::open(Options::new(folder.path())).unwrap();
    let Err(SelfTestError::WrongAnswer { model, .. }) = analyzer.self_test().await else { panic!("a wrong answer") };
    assert_eq!(model, "gender");
}

#[tokio::test]
async fn an_absent_accelerator_is_replaced_by_the_processor() {
    let options = Options { provider: Provider::Cuda, ..Options::new(models()) };
    let analyzer = Analyzer::open(options).unwrap();
    assert_eq!(analyzer.provider(), Provider::Cpu);
    assert_eq!(analyzer.self_test().await, Ok(()));
}

#[tokio::test]
async fn the_small_set_finds_landmarks_with_a_model_of_its_own() {
    let analyzer = Analyzer::open(Options { set: "small".to_owned(), ..Options::new(models()) }).unwrap();
    assert_eq!(analyzer.self_test().await, Ok(()));
    let mut embeddings = Vec::new();
    for name in ["Barack_Obama/obama.jpg", "Barack_Obama/obama2.jpg", "Joe_Biden/biden.jpg"] {
        let face = face(&analyzer, &photo(&analyzer, name).await).await;
        assert_eq!((face.attributes.age, face.liveness), (None, None), "no model says");
        embeddings.push(face.embedding);
    }
    let cosine = |a: usize, b: usize| embeddings[a].cosine(&embeddings[b]).unwrap();
    assert!(cosine(0, 1) > 0.6 && cosine(0, 2) < 0.3 && cosine(1, 2) < 0.3);
}

#[tokio::test]
async fn the_clean_set_tells_people_apart_by_its_own_calibration() {
    let analyzer = Analyzer::open(Options { set: "clean".to_owned(), ..Options::new(models()) }).unwrap();
    assert_eq!(analyzer.self_test().await, Ok(()));
    assert!(analyzer.model().0.starts_with("dlib_resnet_128/1/"));
    let mut embeddings = Vec::new();
    for name in ["Barack_Obama/obama.jpg", "Barack_Obama/obama2.jpg", "Joe_Biden/biden.jpg"] {
        let face = face(&analyzer, &photo(&analyzer, name).await).await;
        assert!(face.attributes.age.is_some() && face.attributes.gender.is_some());
        assert_eq!((face.attributes.expression, face.liveness), (None, None), "no model says");
        embeddings.push(face.embedding);
    }
    let similarity =
        |a: usize, b: usize| analyzer.calibration().similarity(embeddings[a].cosine(&embeddings[b]).unwrap());
    assert!(similarity(0, 1) >= Similarity::DEFAULT_THRESHOLD, "{:?}", similarity(0, 1));
    assert!(similarity(0, 2) < Similarity::DEFAULT_THRESHOLD && similarity(1, 2) < Similarity::DEFAULT_THRESHOLD);
}

#[tokio::test]
async fn embeddings_that_are_all_alike_fail_the_self_test() {
    // What a broken accelerator does: every question gets the same answer. One golden answer still fits.
    let folder = linked();
    let text = std::fs::read_to_string(models().join("face_embed_512.toml")).unwrap();
    let blind = text.replace("scale = [0.0078125, 0.0078125, 0.0078125]", "scale = [0.0, 0.0, 0.0]");
    let (head, _) = blind.split_once("[[self_test]]").unwrap();
    let known = "[[self_test]]\nseed = 1\nwidth = 112\nheight = 112\ntensor = \"embedding\"\nfirst = 0\n\
        values = [0.0]\ntolerance = 9.0\n";
    std::fs::remove_file(folder.path().join("face_embed_512.toml")).unwrap();
    std::fs::write(folder.path().join("face_embed_512.toml"), format!("{head}{known}")).unwrap();
    let analyzer = Analyzer::open(Options::new(folder.path())).unwrap();
    let error = analyzer.self_test().await.unwrap_err().to_string();
    assert!(error.contains("different pictures have embeddings with a cosine of"), "{error}");
}

#[tokio::test]
async fn a_set_without_a_liveness_model_cannot_judge_liveness() {
    for set in ["small", "clean"] {
        let error = refusal(Options { set: set.to_owned(), liveness: true, ..Options::new(models()) });
        assert!(matches!(error, OpenError::NoLiveness { .. }), "{error}");
    }
    assert_eq!(analyzer().live_from(), Some(0.53));
    assert_eq!(Analyzer::open(Options::new(models())).unwrap().live_from(), None);
}

#[test]
fn what_is_missing_is_named() {
    let error = refusal(Options { set: "huge".to_owned(), ..Options::new(models()) });
    assert!(error.to_string().contains("has no set \"huge\"; it has"), "{error}");
    let error = refusal(Options::new("/nowhere"));
    assert_eq!(error.to_string(), "cannot read /nowhere/sets.toml");
    let library = Some("/nowhere/libonnxruntime.so".into());
    let error = refusal(Options { runtime_library: library, ..Options::new(models()) });
    assert!(error.to_string().contains("there is no such file"), "{error}");
}

#[test]
fn a_changed_network_is_refused() {
    let folder = linked();
    replace(folder.path(), "age.toml", "sha256 = \"", "sha256 = \"0");
    assert!(matches!(refusal(Options::new(folder.path())), OpenError::BadManifest { .. }));
    let mut bytes = std::fs::read(folder.path().join("gender.onnx")).unwrap();
    bytes[1000] ^= 1;
    std::fs::remove_file(folder.path().join("gender.onnx")).unwrap();
    std::fs::write(folder.path().join("gender.onnx"), bytes).unwrap();
    std::fs::remove_file(folder.path().join("age.toml")).unwrap();
    std::fs::copy(models().join("age.toml"), folder.path().join("age.toml")).unwrap();
    let error = refusal(Options::new(folder.path()));
    assert!(matches!(error, OpenError::WrongFile { what: "SHA-256", .. }), "{error}");
}

#[test]
fn a_network_with_other_tensors_than_its_manifest_says_is_refused() {
    for (from, to, why) in [
        ("tensor = \"images\"", "tensor = \"pictures\"", "its input is \"images\", not \"pictures\""),
        ("width = 32\nheight = 32", "width = 48\nheight = 48", "shape"),
        ("tensor = \"probabilities\"", "tensor = \"chances\"", "it has no output \"chances\""),
    ] {
        let folder = linked();
        replace(folder.path(), "gender.toml", from, to);
        if to.contains("48") {
            let text = std::fs::read_to_string(folder.path().join("gender.toml")).unwrap();
            let text = text.replace("width = 32\nheight = 32", "width = 48\nheight = 48");
            std::fs::write(folder.path().join("gender.toml"), text).unwrap();
        }
        let error = refusal(Options::new(folder.path()));
        assert!(error.to_string().contains(why), "{error}");
    }
}
