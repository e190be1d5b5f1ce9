//! How the output of a network is read.

use domain::ObjectClass;
use serde::Deserialize;

use super::Role;

/// How the output is read.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Output {
    Centerface(CenterfaceOutput),
    Ultraface(UltrafaceOutput),
    Points68(Points68Output),
    Embedding(EmbeddingOutput),
    Expectation(ExpectationOutput),
    Angles(AnglesOutput),
    Classes(ClassesOutput),
    Centernet(CenternetOutput),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CenterfaceOutput {
    pub(crate) heatmap: String,
    pub(crate) scale: String,
    pub(crate) offset: String,
    pub(crate) landmarks: String,
    pub(crate) stride: u32,
    pub(crate) score_min: f32,
    pub(crate) nms_iou: f32,
    pub(crate) min_side: f32,
    /// Side above which landmarks are not trusted, pixels of the input; absent: any.
    pub(crate) max_side: Option<f32>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UltrafaceOutput {
    pub(crate) scores: String,
    pub(crate) boxes: String,
    pub(crate) score_min: f32,
    pub(crate) nms_iou: f32,
    pub(crate) min_side: f32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Points68Output {
    pub(crate) tensor: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmbeddingOutput {
    pub(crate) tensor: String,
    pub(crate) length: usize,
    pub(crate) calibration: Vec<(f32, f32)>,
    /// Mean and standard deviation of the cosines between faces of different people, where measured.
    pub(crate) unlike: Option<(f32, f32)>,
    /// Lowest cosine to which a threshold falls in a small library; absent: thresholds do not fall.
    pub(crate) threshold_floor: Option<f32>,
    /// How likely an enrolled person is to be recognised in a shot, where measured.
    pub(crate) clarity: Option<ClarityOutput>,
}

/// Log odds that an enrolled person is recognised in a shot: the constant plus the weighted measures of the shot.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClarityOutput {
    /// Lowest probability of a shot from which somebody who is not recognised is a stranger.
    pub(crate) clear_from: f32,
    pub(crate) constant: f32,
    pub(crate) norm: f32,
    pub(crate) mingrad: f32,
    pub(crate) band: f32,
    pub(crate) lap: f32,
    pub(crate) tenengrad: f32,
    pub(crate) sd: f32,
    pub(crate) mean: f32,
    pub(crate) eye: f32,
}

impl ClarityOutput {
    /// In the order of [`Measures::NAMES`](crate::Measures::NAMES).
    pub(crate) fn weights(&self) -> [f32; 8] {
        [self.norm, self.mingrad, self.band, self.lap, self.tenengrad, self.sd, self.mean, self.eye]
    }

    fn is_sound(&self) -> bool {
        let finite = self.weights().iter().chain([&self.constant]).all(|number| number.is_finite());
        finite && self.clear_from > 0.0 && self.clear_from < 1.0
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectationOutput {
    pub(crate) tensor: String,
    pub(crate) softmax: bool,
    pub(crate) first: f32,
    pub(crate) step: f32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnglesOutput {
    pub(crate) softmax: bool,
    pub(crate) yaw: Angle,
    pub(crate) pitch: Angle,
    pub(crate) roll: Angle,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Angle {
    pub(crate) tensor: String,
    pub(crate) first: f32,
    pub(crate) step: f32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClassesOutput {
    pub(crate) tensor: String,
    pub(crate) softmax: bool,
    pub(crate) labels: Vec<String>,
    /// Only for liveness models: minimum probability at which a face counts as live.
    pub(crate) live_from: Option<f32>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CenternetOutput {
    pub(crate) classes: String,
    pub(crate) edges: String,
    pub(crate) stride: u32,
    /// Longer side of the network's input, pixels.
    pub(crate) side: u32,
    pub(crate) score_min: f32,
    pub(crate) nms_iou: f32,
    /// What each map of `classes` finds.
    pub(crate) labels: Vec<ObjectLabel>,
}

/// A class of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ObjectLabel {
    Person,
    Vehicle,
    Cycle,
    Dog,
}

impl From<ObjectLabel> for ObjectClass {
    fn from(label: ObjectLabel) -> Self {
        match label {
            ObjectLabel::Person => Self::Person,
            ObjectLabel::Vehicle => Self::Vehicle,
            ObjectLabel::Cycle => Self::Cycle,
            ObjectLabel::Dog => Self::Dog,
        }
    }
}

impl Output {
    /// Names of the output tensors that are read.
    pub(crate) fn tensors(&self) -> Vec<&str> {
        match self {
            Self::Centerface(o) => vec![&o.heatmap, &o.scale, &o.offset, &o.landmarks],
            Self::Ultraface(o) => vec![&o.scores, &o.boxes],
            Self::Points68(o) => vec![&o.tensor],
            Self::Embedding(o) => vec![&o.tensor],
            Self::Expectation(o) => vec![&o.tensor],
            Self::Angles(o) => vec![&o.yaw.tensor, &o.pitch.tensor, &o.roll.tensor],
            Self::Classes(o) => vec![&o.tensor],
            Self::Centernet(o) => vec![&o.classes, &o.edges],
        }
    }

    /// Whether the numbers of an embedding's output make sense.
    pub(super) fn is_sound(&self) -> bool {
        match self {
            Self::Embedding(output) => output.clarity.as_ref().is_none_or(ClarityOutput::is_sound),
            _ => true,
        }
    }

    /// Whether a model of this role may have this output.
    pub(super) fn suits(&self, role: Role) -> bool {
        match self {
            Self::Centerface(_) | Self::Ultraface(_) => role == Role::Detector,
            Self::Points68(_) => role == Role::Landmarks,
            Self::Embedding(_) => role == Role::Embedder,
            Self::Expectation(_) => role == Role::Age,
            Self::Angles(_) => role == Role::HeadPose,
            Self::Classes(_) => matches!(role, Role::Gender | Role::Expression | Role::Liveness),
            Self::Centernet(_) => role == Role::Objects,
        }
    }
}
