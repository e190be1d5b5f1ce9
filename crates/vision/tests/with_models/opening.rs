//! What an operator reads when something is missing, and what works then.

use std::path::Path;

use domain::ports::FaceAnalyzer;
use tempfile::TempDir;
use vision::{Analyzer, OpenError, Options, Provider, Role, SelfTestError};

use crate::support::{analyzer, face, models, photo};

fn refusal(options: Options) -> OpenError {
    Analyzer::open(options).err().expect("a refusal")
}

/// A folder with links to all models, so that one can be changed.
fn linked() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(models()).unwrap() {
        let entry = entry.unwrap();
        std::os::unix::fs::symlink(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

fn replace(folder: &Path, file: &str, from: &str, to: &str) {
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
