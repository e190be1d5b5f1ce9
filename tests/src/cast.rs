//! The people in the clips.

use std::path::PathBuf;

use testkit::clip::{Codec, Shape};

/// Somebody with one photo to be enrolled and another to be seen by the camera.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Name and code.
    pub name: &'static str,
    /// The photo to enrol.
    pub enrolled: PathBuf,
    /// The photo in the clip.
    pub seen: PathBuf,
}

/// Where models and photos are fetched to.
pub fn cache() -> PathBuf {
    let default = || std::env::home_dir().expect("a home directory").join(".cache/polyface");
    std::env::var_os("POLYFACE_CACHE").map_or_else(default, PathBuf::from)
}

/// The folder of models that devices are started with.
pub fn models() -> PathBuf {
    cache().join("models")
}

/// A fetched photo.
pub fn photo(file: &str) -> PathBuf {
    let path = cache().join("photos").join(file);
    assert!(path.exists(), "{} is missing: run `models/fetch.sh --photos` first", path.display());
    path
}

/// People with two good photos each.
pub fn cast() -> Vec<Actor> {
    let actor = |name, enrolled: &str, seen: &str| Actor { name, enrolled: photo(enrolled), seen: photo(seen) };
    vec![
        actor("Obama", "Barack_Obama/obama3.jpg", "Barack_Obama/obama.jpg"),
        actor("Salley", "John_Salley/000183_02159543.jpg", "John_Salley/000179_02159509.jpg"),
        actor("Savage", "John_Savage/000274_01099061.jpg", "John_Savage/000264_01099001.jpg"),
        actor("Schneider", "John_Schneider/000302_00925785.jpg", "John_Schneider/000288_00925786.jpg"),
        actor("Shimkus", "John_Shimkus/000375_03227651.jpg", "John_Shimkus/000373_03228153.jpg"),
        actor("Simm", "John_Simm/000297_00470170.jpg", "John_Simm/000288_00470387.jpg"),
    ]
}

/// A camera of 1280 x 720 pixels: the faces of whole photographs are large enough in it.
pub fn hd(codec: Codec) -> Shape {
    Shape { width: 1280, height: 720, fps: 25, codec }
}
