//! Detected and described faces.

use std::fmt;
use std::sync::Arc;

use crate::geometry::{Point, Rect};
use crate::{Error, Result};

/// Number of independent sums, so that the compiler can use vector registers: a single sum must be added in order.
const LANES: usize = 16;
/// Size of a crop relative to the face box.
pub(crate) const CROP_SCALE: f32 = 1.6;

/// The name and version of an embedding model; embeddings of different models cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModelId(pub Arc<str>);

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The dot product of two vectors; the longer one's tail is ignored.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (a_lanes, b_lanes) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let tail: f32 = a_lanes.remainder().iter().zip(b_lanes.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_lanes.zip(b_lanes) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f32>() + tail
}

/// A unit vector that represents a face.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    model: ModelId,
    vector: Arc<[f32]>,
}

impl Embedding {
    /// Normalises `vector`. `Invalid` when it is empty, not finite or zero.
    pub fn normalised(model: ModelId, mut vector: Vec<f32>) -> Result<Self> {
        let norm = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
        if !norm.is_finite() || norm < 1e-6 {
            return Err(Error::invalid("embedding", "has no direction"));
        }
        vector.iter_mut().for_each(|v| *v /= norm);
        Ok(Self { model, vector: vector.into() })
    }

    /// Restores an embedding from its [`vector`](Self::vector), bit for bit. `Invalid` when its length is not 1.
    pub fn restored(model: ModelId, vector: Vec<f32>) -> Result<Self> {
        let square = dot(&vector, &vector);
        if !(0.99..=1.01).contains(&square) {
            return Err(Error::invalid("embedding", "is not of length 1"));
        }
        Ok(Self { model, vector: vector.into() })
    }

    /// The model that computed it.
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// The components, of Euclidean length 1.
    pub fn vector(&self) -> &[f32] {
        &self.vector
    }

    /// The cosine of the angle to `other`, -1..=1; `None` for an embedding of another model.
    pub fn cosine(&self, other: &Self) -> Option<f32> {
        let comparable = self.model == other.model && self.vector.len() == other.vector.len();
        comparable.then(|| dot(&self.vector, &other.vector))
    }
}

/// Left eye, right eye, nose tip, left and right mouth corner, as seen in the picture.
pub type Landmarks = [Point; 5];

/// Quality of a face, by the components of ISO/IEC 29794-5; each 0..=100, higher is better.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quality {
    /// All components combined.
    pub overall: u8,
    /// Size of the face in the picture.
    pub size: u8,
    /// Focus and absence of motion blur.
    pub sharpness: u8,
    /// Neither too dark nor too bright.
    pub brightness: u8,
    /// Frontal pose.
    pub pose: u8,
    /// Turned to the side, degrees, positive towards the picture's right.
    pub yaw: f32,
    /// Turned up or down, degrees, positive up.
    pub pitch: f32,
    /// Tilted in the picture plane, degrees, positive clockwise.
    pub roll: f32,
}

/// A detected face.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// Bounding box of the face, pixels of the picture.
    pub face_box: Rect,
    /// Landmarks, pixels of the picture.
    pub landmarks: Landmarks,
    /// The detector's confidence, 0..=1.
    pub score: f32,
    /// Estimated from pixels and landmarks.
    pub quality: Quality,
}

/// Sex as stated or estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gender {
    /// Female.
    Female,
    /// Male.
    Male,
}

/// The facial expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expression {
    /// Angry.
    Angry,
    /// Disgusted.
    Disgusted,
    /// Scared.
    Scared,
    /// Happy.
    Happy,
    /// Sad.
    Sad,
    /// Surprised.
    Surprised,
    /// Calm.
    Neutral,
}

/// Estimated attributes; `None` without a model for them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Attributes {
    /// Estimated sex.
    pub gender: Option<Gender>,
    /// Estimated age in years.
    pub age: Option<f32>,
    /// Estimated expression.
    pub expression: Option<Expression>,
}

/// A described face.
#[derive(Debug, Clone, PartialEq)]
pub struct Face {
    /// The detection, its pose refined by the pose model when there is one.
    pub detection: Detection,
    /// Estimated attributes.
    pub attributes: Attributes,
    /// Liveness score, 0..=1, higher is more likely living; `None` when liveness is off.
    pub liveness: Option<f32>,
    /// Probability that an enrolled person is recognised in this shot, 0..=1; `None` when the model does not judge it.
    pub clarity: Option<f32>,
    /// The embedding.
    pub embedding: Embedding,
}
