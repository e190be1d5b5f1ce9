//! Reads the models of a set and checks them against their manifests.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::error::OpenError;
use crate::manifest::{Manifest, Role, Sets, is_plain};

/// Maximum size of a manifest, bytes.
const MAX_MANIFEST_BYTES: u64 = 256 * 1024;
/// Maximum size of a network, bytes.
const MAX_MODEL_BYTES: u64 = 1024 * 1024 * 1024;

/// A network's bytes and its manifest.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) manifest: Manifest,
    pub(crate) bytes: Vec<u8>,
}

/// One model per role.
#[derive(Debug)]
pub(crate) struct ModelSet {
    pub(crate) detector: Model,
    /// Finds faces in camera frames, faster than the detector and only where that holds on this device.
    pub(crate) live_detector: Option<Model>,
    pub(crate) landmarks: Option<Model>,
    pub(crate) embedder: Model,
    pub(crate) age: Option<Model>,
    pub(crate) gender: Option<Model>,
    pub(crate) head_pose: Option<Model>,
    pub(crate) expression: Option<Model>,
    pub(crate) liveness: Option<Model>,
    pub(crate) objects: Option<Model>,
}

impl ModelSet {
    /// Reads the set with this name; the liveness model is read, and required, only if `liveness` is set.
    pub(crate) fn load(folder: &Path, name: &str, liveness: bool) -> Result<Self, OpenError> {
        let path = folder.join("sets.toml");
        let mut sets: Sets = parse(&path)?;
        let Some(set) = sets.remove(name) else {
            let known = sets.into_keys().collect::<Vec<_>>().join(", ");
            return Err(OpenError::UnknownSet { path, set: name.to_owned(), known });
        };
        if liveness && set.liveness.is_none() {
            return Err(OpenError::NoLiveness { path, set: name.to_owned() });
        }
        let some = |name: &Option<String>, role| name.as_ref().map(|name| model(folder, name, role)).transpose();
        Ok(Self {
            detector: model(folder, &set.detector, Role::Detector)?,
            live_detector: some(&set.live_detector, Role::Detector)?,
            landmarks: some(&set.landmarks, Role::Landmarks)?,
            embedder: model(folder, &set.embedder, Role::Embedder)?,
            age: some(&set.age, Role::Age)?,
            gender: some(&set.gender, Role::Gender)?,
            head_pose: some(&set.head_pose, Role::HeadPose)?,
            expression: some(&set.expression, Role::Expression)?,
            liveness: if liveness { some(&set.liveness, Role::Liveness)? } else { None },
            objects: some(&set.objects, Role::Objects)?,
        })
    }

    /// All models of the set.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Model> {
        let faces = [&self.landmarks, &self.age, &self.gender, &self.head_pose, &self.expression, &self.liveness];
        let optional = faces.into_iter().chain([&self.objects, &self.live_detector]);
        [&self.detector, &self.embedder].into_iter().chain(optional.flatten())
    }

    /// The models that describe a face.
    pub(crate) fn describing(&self) -> impl Iterator<Item = &Model> {
        let optional = [&self.age, &self.gender, &self.head_pose, &self.expression, &self.liveness];
        [&self.embedder].into_iter().chain(optional.into_iter().flatten())
    }
}

fn model(folder: &Path, name: &str, role: Role) -> Result<Model, OpenError> {
    let path = folder.join(format!("{name}.toml"));
    let bad = |why: String| OpenError::BadManifest { path: path.clone(), why };
    if !is_plain(name) {
        return Err(bad("the name in sets.toml is not a plain name".to_owned()));
    }
    let manifest = Manifest::parse(&text(&path)?).map_err(bad)?;
    if manifest.name != name {
        return Err(bad(format!("its name is {:?}, not that of the file", manifest.name)));
    }
    if manifest.role != role {
        return Err(bad(format!("it is used as {role:?} but made for {:?}", manifest.role)));
    }
    let bytes = network(&folder.join(&manifest.file), &manifest)?;
    Ok(Model { manifest, bytes })
}

fn network(path: &Path, manifest: &Manifest) -> Result<Vec<u8>, OpenError> {
    let wrong =
        |what, expected: String, found: String| OpenError::WrongFile { path: path.to_owned(), what, expected, found };
    let size = size(path)?;
    if size != manifest.bytes || size > MAX_MODEL_BYTES {
        return Err(wrong("the number of bytes", manifest.bytes.to_string(), size.to_string()));
    }
    let bytes = read(path, size)?;
    let found = hex(&Sha256::digest(&bytes));
    if found != manifest.sha256 {
        return Err(wrong("SHA-256", manifest.sha256.clone(), found));
    }
    Ok(bytes)
}

fn parse<T: DeserializeOwned>(path: &Path) -> Result<T, OpenError> {
    let bad = |error: toml::de::Error| OpenError::BadManifest { path: path.to_owned(), why: error.to_string() };
    toml::from_str(&text(path)?).map_err(bad)
}

fn text(path: &Path) -> Result<String, OpenError> {
    let bad = |_| OpenError::BadManifest { path: path.to_owned(), why: "it is not UTF-8".to_owned() };
    String::from_utf8(read(path, size(path)?.min(MAX_MANIFEST_BYTES))?).map_err(bad)
}

fn size(path: &Path) -> Result<u64, OpenError> {
    fs::metadata(path).map(|data| data.len()).map_err(unreadable(path))
}

/// At most this many bytes, for which memory is taken at once: a growing buffer would be copied several times.
fn read(path: &Path, size: u64) -> Result<Vec<u8>, OpenError> {
    let mut bytes = Vec::with_capacity(size as usize);
    let file = fs::File::open(path).map_err(unreadable(path))?;
    file.take(size).read_to_end(&mut bytes).map_err(unreadable(path))?;
    Ok(bytes)
}

fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> OpenError {
    let path: PathBuf = path.to_owned();
    move |source| OpenError::Unreadable { path, source }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with one set whose networks are a few bytes long.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("sets.toml"),
            "[tiny]\ndetector = \"centerface\"\nembedder = \"face_embed_512\"\n",
        )
        .unwrap();
        for name in ["centerface", "face_embed_512"] {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../models/{name}.toml"));
            fs::write(folder.path().join(format!("{name}.toml")), pinned(&fs::read_to_string(source).unwrap()))
                .unwrap();
            fs::write(folder.path().join(format!("{name}.onnx")), b"network").unwrap();
        }
        folder
    }

    /// The manifest with the size and hash of the test file.
    fn pinned(manifest: &str) -> String {
        let manifest: Vec<String> = manifest.lines().map(str::to_owned).collect();
        let mut first = true;
        let line = |line: String| match line.split(" = ").next() {
            Some("bytes") => "bytes = 7".to_owned(),
            Some("sha256") if std::mem::take(&mut first) => format!("sha256 = {:?}", hex(&Sha256::digest(b"network"))),
            _ => line,
        };
        manifest.into_iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn refusal(folder: &tempfile::TempDir) -> String {
        ModelSet::load(folder.path(), "tiny", false).unwrap_err().to_string()
    }

    #[test]
    fn a_complete_set_is_read() {
        let set = ModelSet::load(folder().path(), "tiny", false).unwrap();
        assert_eq!(set.iter().count(), 2);
        assert_eq!(set.embedder.bytes, b"network");
    }

    #[test]
    fn a_changed_network_is_refused() {
        let folder = folder();
        fs::write(folder.path().join("centerface.onnx"), b"metwork").unwrap();
        assert!(refusal(&folder).contains("SHA-256"));
        fs::write(folder.path().join("centerface.onnx"), b"longer network").unwrap();
        assert!(refusal(&folder).contains("bytes is 14, not 7"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let folder = folder();
        assert!(ModelSet::load(folder.path(), "big", false).unwrap_err().to_string().contains("it has tiny"));
        fs::remove_file(folder.path().join("face_embed_512.onnx")).unwrap();
        assert!(refusal(&folder).contains("face_embed_512.onnx"));
    }

    #[test]
    fn liveness_asked_of_a_set_without_its_model_is_refused() {
        let folder = folder();
        let error = ModelSet::load(folder.path(), "tiny", true).unwrap_err().to_string();
        assert!(error.ends_with("the set \"tiny\" has no liveness model"), "{error}");
        assert!(ModelSet::load(folder.path(), "tiny", false).is_ok());
    }

    #[test]
    fn a_model_in_another_role_is_refused() {
        let folder = folder();
        let sets = "[tiny]\ndetector = \"face_embed_512\"\nembedder = \"face_embed_512\"\n";
        fs::write(folder.path().join("sets.toml"), sets).unwrap();
        assert!(refusal(&folder).contains("used as Detector"));
    }
}
