//! Model manifests: the input a network expects and how its output is read. `models/README.md` documents every key.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

mod output;

#[cfg(test)]
pub(crate) use output::ObjectLabel;
pub(crate) use output::{
    Angle, AnglesOutput, CenterfaceOutput, CenternetOutput, ClarityOutput, ClassesOutput, EmbeddingOutput,
    ExpectationOutput, Output, UltrafaceOutput,
};

/// Maximum side of a network's input, pixels; bounds the allocation of tensors.
const MAX_INPUT_SIDE: u32 = 4096;
/// Maximum size of a crop relative to the face.
const MAX_CROP_SCALE: f32 = 16.0;

/// What a model is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Finds faces.
    Detector,
    /// Finds the landmarks of a face, for detectors that output none.
    Landmarks,
    /// Computes the embedding of a face.
    Embedder,
    /// Estimates the age.
    Age,
    /// Estimates the sex.
    Gender,
    /// Estimates the head pose.
    HeadPose,
    /// Estimates the expression.
    Expression,
    /// Distinguishes a live face from a picture of one.
    Liveness,
    /// Finds people, vehicles and animals.
    Objects,
}

/// The models of one set, by role.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetEntry {
    pub(crate) detector: String,
    pub(crate) live_detector: Option<String>,
    pub(crate) landmarks: Option<String>,
    pub(crate) embedder: String,
    pub(crate) age: Option<String>,
    pub(crate) gender: Option<String>,
    pub(crate) head_pose: Option<String>,
    pub(crate) expression: Option<String>,
    pub(crate) liveness: Option<String>,
    pub(crate) objects: Option<String>,
}

/// `sets.toml`: the sets by name.
pub(crate) type Sets = BTreeMap<String, SetEntry>;

/// One model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) schema: u32,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) revision: u32,
    pub(crate) summary: String,
    pub(crate) file: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    /// SHA-256 of an earlier file of this network that gives the same results: templates made with it stay valid.
    pub(crate) same_as: Option<String>,
    /// The file for these processor architectures, where it differs.
    #[serde(default)]
    pub(crate) architecture: BTreeMap<String, File>,
    /// Used only by the script that downloads the file.
    #[serde(rename = "source")]
    _source: IgnoredAny,
    pub(crate) licence: Licence,
    pub(crate) input: Input,
    pub(crate) crop: Crop,
    pub(crate) output: Output,
    pub(crate) self_test: Vec<Question>,
}

/// A network's file for a processor architecture.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) file: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    /// Used only by the script that downloads the file.
    #[serde(rename = "conversion")]
    _conversion: IgnoredAny,
}

/// Licence of the weights.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Licence {
    pub(crate) stated: String,
    pub(crate) unknown: String,
}

/// How a picture becomes the input tensor.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    pub(crate) tensor: String,
    pub(crate) layout: Layout,
    pub(crate) colour: Colour,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) multiple_of: u32,
    pub(crate) batch: bool,
    pub(crate) mean: Vec<f32>,
    pub(crate) scale: Vec<f32>,
}

/// Order of the tensor's dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Layout {
    Nchw,
    Nhwc,
    /// Bytes of pixels, in cells of 2 × 2: u8 [N, H/2, W/2, 12].
    Squares,
}

/// Order of the tensor's channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Colour {
    Rgb,
    Bgr,
    Grey,
}

impl Colour {
    pub(crate) fn channels(self) -> usize {
        match self {
            Self::Rgb | Self::Bgr => 3,
            Self::Grey => 1,
        }
    }
}

/// The part of the picture given to the network.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Crop {
    Frame {},
    StretchedFrame {},
    Template {
        points: [[f32; 2]; 5],
    },
    Box {
        scale: f32,
        aspect: Aspect,
        /// Further scales at which a liveness network judges the face; the mean counts.
        #[serde(default)]
        more_scales: Vec<f32>,
    },
}

/// Aspect of a cropped box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Aspect {
    Square,
    Keep,
}

/// A self-test input with its expected result.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    pub(crate) seed: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) tensor: String,
    pub(crate) first: usize,
    pub(crate) values: Vec<f32>,
    pub(crate) tolerance: f32,
}

impl Manifest {
    /// Parses and checks a manifest; the error is meant for the operator.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut manifest: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if let Some(own) = manifest.architecture.remove(std::env::consts::ARCH) {
            (manifest.file, manifest.bytes, manifest.sha256) = (own.file, own.bytes, own.sha256);
        }
        manifest.check().map(|()| manifest).map_err(str::to_owned)
    }

    /// SHA-256 that stands for the network's results.
    pub(crate) fn identity(&self) -> &str {
        self.same_as.as_ref().unwrap_or(&self.sha256)
    }

    fn check(&self) -> Result<(), &'static str> {
        let demand = |met: bool, why| if met { Ok(()) } else { Err(why) };
        demand(self.schema == 1, "only schema 1 is supported")?;
        demand(is_plain(&self.name) && is_plain(&self.file), "name and file must be plain names")?;
        demand(self.sha256.len() == 64 && self.sha256.is_ascii(), "sha256 must have 64 digits")?;
        demand(self.output.suits(self.role), "this role has no such output")?;
        demand(self.crop_suits(), "this role has no such crop")?;
        demand(self.scales_suit(), "scales are more than 0 and at most 16; more_scales belongs to liveness models")?;
        demand(
            self.live_from_suits(),
            "live_from, more than 0 and at most 1, belongs to liveness models and to no other",
        )?;
        demand(self.output.is_sound(), "clarity needs finite weights, and clear_from more than 0 and less than 1")?;
        demand(self.objects_suit(), "side must be 1 to 4096, stride at least 1, and labels are required")?;
        demand(!self.self_test.is_empty(), "a [[self_test]] is required")?;
        self.input.check()?;
        demand(self.self_test.iter().all(|question| self.input.takes(question)), "a self test has an impossible size")
    }

    /// Minimum probability at which a face counts as live.
    pub(crate) fn live_from(&self) -> Option<f32> {
        match &self.output {
            Output::Classes(output) => output.live_from,
            _ => None,
        }
    }

    fn live_from_suits(&self) -> bool {
        match self.live_from() {
            Some(live_from) => self.role == Role::Liveness && live_from > 0.0 && live_from <= 1.0,
            None => self.role != Role::Liveness,
        }
    }

    fn objects_suit(&self) -> bool {
        match &self.output {
            Output::Centernet(output) => {
                (1..=MAX_INPUT_SIDE).contains(&output.side) && output.stride > 0 && !output.labels.is_empty()
            }
            _ => true,
        }
    }

    fn scales_suit(&self) -> bool {
        let Crop::Box { scale, more_scales, .. } = &self.crop else { return true };
        let plausible = |scale: &f32| *scale > 0.0 && *scale <= MAX_CROP_SCALE;
        let has_more = more_scales.is_empty() || self.role == Role::Liveness;
        has_more && plausible(scale) && more_scales.iter().all(plausible)
    }

    fn crop_suits(&self) -> bool {
        let frame = matches!(self.crop, Crop::Frame {} | Crop::StretchedFrame {});
        frame == matches!(self.role, Role::Detector | Role::Objects)
    }
}

impl Input {
    fn check(&self) -> Result<(), &'static str> {
        let demand = |met: bool, why| if met { Ok(()) } else { Err(why) };
        let channels = self.colour.channels();
        demand(
            self.mean.len() == channels && self.scale.len() == channels,
            "mean and scale need one number per channel",
        )?;
        demand((self.width == 0) == (self.height == 0), "width and height are both 0 or neither")?;
        demand(self.width.max(self.height) <= MAX_INPUT_SIDE, "the input is too large")?;
        demand((1..=MAX_INPUT_SIDE).contains(&self.multiple_of), "multiple_of must be at least 1")?;
        demand(
            self.layout != Layout::Squares || self.takes_squares(),
            "squares are rgb with even sides, mean 0, scale 1",
        )
    }

    fn takes_squares(&self) -> bool {
        let even = if self.is_free() { [self.multiple_of; 2] } else { [self.width, self.height] };
        let plain = self.mean.iter().all(|mean| *mean == 0.0) && self.scale.iter().all(|scale| *scale == 1.0);
        self.colour == Colour::Rgb && plain && even.iter().all(|side| side.is_multiple_of(2))
    }

    /// Whether the network accepts pictures of any size.
    pub(crate) fn is_free(&self) -> bool {
        self.width == 0
    }

    fn takes(&self, question: &Question) -> bool {
        let (width, height) = (question.width, question.height);
        if self.is_free() {
            let fits = |side: u32| (1..=MAX_INPUT_SIDE).contains(&side) && side.is_multiple_of(self.multiple_of);
            return fits(width) && fits(height);
        }
        (width, height) == (self.width, self.height)
    }
}

/// Whether this is a file name rather than a path.
pub(crate) fn is_plain(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    !name.is_empty() && !name.starts_with('.') && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMBEDDER: &str = include_str!("../../../models/face_embed_512.toml");

    #[test]
    fn every_manifest_of_the_product_is_understood() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
        let sets: Sets = toml::from_str(&std::fs::read_to_string(folder.join("sets.toml")).unwrap()).unwrap();
        for set in sets.values() {
            let faces = [&set.landmarks, &set.age, &set.gender, &set.head_pose, &set.expression, &set.liveness];
            let optional = faces.into_iter().chain([&set.objects]);
            let names = optional.chain([&set.live_detector]).flatten().chain([&set.detector, &set.embedder]);
            for name in names {
                let text = std::fs::read_to_string(folder.join(format!("{name}.toml"))).unwrap();
                assert_eq!(Manifest::parse(&text).unwrap().name, *name);
            }
        }
    }

    #[test]
    fn an_unknown_key_is_an_error_wherever_it_stands() {
        for (table, key) in [("[input]", "typo = 1"), ("[crop]", "typo = 1"), ("[output]", "typo = 1")] {
            let text = EMBEDDER.replace(table, &format!("{table}\n{key}"));
            assert!(Manifest::parse(&text).unwrap_err().contains("typo"), "{table}");
        }
        assert!(Manifest::parse(&format!("typo = 1\n{EMBEDDER}")).unwrap_err().contains("typo"));
    }

    /// The manifest without its measured clarity.
    fn without_clarity() -> String {
        let (before, clarity) = EMBEDDER.split_once("[output.clarity]").unwrap();
        let (_, after) = clarity.split_once("[[self_test]]").unwrap();
        format!("{before}[[self_test]]{after}")
    }

    #[test]
    fn a_manifest_that_contradicts_itself_is_refused() {
        let broken = |from: &str, to: &str| Manifest::parse(&EMBEDDER.replace(from, to)).unwrap_err();
        assert!(broken("schema = 1", "schema = 2").contains("schema"));
        assert!(broken("file = \"", "file = \"../").contains("plain"));
        assert!(broken("role = \"embedder\"", "role = \"age\"").contains("output"));
        assert!(broken("mean = [127.0, ", "mean = [").contains("channel"));
        assert!(broken("width = 112", "width = 100000").contains("large"));
        let weights = "constant = 0.0, norm = 1.0, mingrad = 0.0, band = 0.0, lap = 0.0, tenengrad = 0.0, sd = 0.0";
        for (clear_from, eye) in [("0.0", "0.0"), ("1.0", "0.0"), ("nan", "0.0"), ("0.7", "inf")] {
            let clarity = format!("clarity = {{ clear_from = {clear_from}, {weights}, mean = 0.0, eye = {eye} }}");
            let text = without_clarity().replace("length = 512", &format!("length = 512\n{clarity}"));
            assert!(Manifest::parse(&text).unwrap_err().contains("clear_from"), "{clear_from} {eye}");
        }
        let liveness = include_str!("../../../models/liveness_minifasnet.toml");
        for wrong in ["0.0", "-1.3", "17.0", "nan"] {
            let text = liveness.replace("more_scales = [1.3]", &format!("more_scales = [{wrong}]"));
            assert!(Manifest::parse(&text).unwrap_err().contains("scales"), "{wrong}");
        }
        let age = include_str!("../../../models/age.toml").replace("[crop]\n", "[crop]\nmore_scales = [1.3]\n");
        assert!(Manifest::parse(&age).unwrap_err().contains("more_scales"));
        for wrong in ["", "live_from = 0.0", "live_from = 1.01", "live_from = nan"] {
            let line = |line: &str| if line.starts_with("live_from") { wrong.to_owned() } else { line.to_owned() };
            let text: Vec<String> = liveness.lines().map(line).collect();
            assert!(Manifest::parse(&text.join("\n")).unwrap_err().contains("live_from"), "{wrong}");
        }
    }
}
