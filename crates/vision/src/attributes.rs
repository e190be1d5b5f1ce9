//! Age, sex and expression.

use domain::{Expression, Gender};

use crate::face_network::{Classes, Reading};
use crate::manifest::{ExpectationOutput, Manifest, Output};
use crate::probability::{expectation, likeliest, probabilities};
use crate::session::Answer;

/// Reads the age in years.
pub(crate) struct AgeReading(ExpectationOutput);

impl Reading for AgeReading {
    type Value = f32;

    fn new(manifest: &Manifest) -> Result<Self, String> {
        match &manifest.output {
            Output::Expectation(output) => Ok(Self(output.clone())),
            _ => Err("its output is not an expectation".to_owned()),
        }
    }

    fn read(&self, answer: &Answer<'_>) -> Result<f32, String> {
        let values = answer.tensor(&self.0.tensor)?.1;
        Ok(expectation(&probabilities(values, self.0.softmax), self.0.first, self.0.step))
    }
}

/// Reads the most probable class as a value of the domain.
pub(crate) struct ClassReading<T> {
    classes: Classes,
    values: Vec<T>,
}

/// A value that manifests refer to by label.
pub(crate) trait Labelled: Sized {
    /// The value for a label.
    fn labelled(label: &str) -> Option<Self>;
}

impl Labelled for Gender {
    fn labelled(label: &str) -> Option<Self> {
        match label {
            "female" => Some(Self::Female),
            "male" => Some(Self::Male),
            _ => None,
        }
    }
}

impl Labelled for Expression {
    fn labelled(label: &str) -> Option<Self> {
        match label {
            "angry" => Some(Self::Angry),
            "disgust" => Some(Self::Disgusted),
            "fear" => Some(Self::Scared),
            "happy" => Some(Self::Happy),
            "sad" => Some(Self::Sad),
            "surprise" => Some(Self::Surprised),
            "neutral" => Some(Self::Neutral),
            _ => None,
        }
    }
}

impl<T: Labelled + Copy> Reading for ClassReading<T> {
    type Value = Option<T>;

    fn new(manifest: &Manifest) -> Result<Self, String> {
        let classes = Classes::new(manifest)?;
        let value = |label: &String| T::labelled(label).ok_or_else(|| format!("its label {label:?} is unknown"));
        let values = classes.labels().iter().map(value).collect::<Result<_, _>>()?;
        Ok(Self { classes, values })
    }

    fn read(&self, answer: &Answer<'_>) -> Result<Option<T>, String> {
        Ok(likeliest(&self.classes.read(answer)?).map(|class| self.values[class]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<R: Reading>(manifest: &str) -> String {
        R::new(&Manifest::parse(manifest).unwrap()).err().unwrap_or_default()
    }

    #[test]
    fn the_labels_of_the_product_are_known() {
        let gender = include_str!("../../../models/gender.toml");
        let emotion = include_str!("../../../models/emotion.toml");
        assert_eq!(refused::<ClassReading<Gender>>(gender), "");
        assert_eq!(refused::<ClassReading<Expression>>(emotion), "");
        assert_eq!(refused::<ClassReading<Gender>>(emotion), "its label \"angry\" is unknown");
    }
}
