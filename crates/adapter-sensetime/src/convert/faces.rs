//! Faces in answers and pushes: attributes, position, features.

use std::fmt::Write;

use domain::geometry::Rect;
use domain::{Attributes, Embedding, Expression, Gender, PhotoFace};

use crate::wire::compare::{DetectedFace, Position};
use crate::wire::records::FaceAttr;

/// The youngest adult, years.
const ADULT_FROM: f32 = 18.0;
/// The youngest age that counts as old, years.
const OLD_FROM: f32 = 60.0;
/// The factor between a component of the unit vector and a library feature, which is a whole number.
const FEATURE_SCALE: f32 = 10_000.0;

/// The attributes of appendix B. An attribute that no model detects has its value for "none", or is empty where there
/// is no such value.
pub(crate) fn attributes(attributes: &Attributes) -> FaceAttr {
    FaceAttr {
        cap_style: "hat_style_type_none",
        gender_code: attributes.gender.map_or("", gender_code),
        glass_style: "glasses_style_type_none",
        mustache_style: "mustache_style_type_none",
        respirator_color: "color_type_none",
        st_age: attributes.age.map_or("", age_group),
        st_age_value: attributes.age.map_or_else(String::new, |age| format!("{age:.6}")),
        st_expression: attributes.expression.map_or("st_calm", expression),
    }
}

fn gender_code(gender: Gender) -> &'static str {
    match gender {
        Gender::Female => "female",
        Gender::Male => "male",
    }
}

fn age_group(years: f32) -> &'static str {
    match years {
        years if years < ADULT_FROM => "st_child",
        years if years < OLD_FROM => "st_adult",
        _ => "st_old",
    }
}

fn expression(expression: Expression) -> &'static str {
    match expression {
        Expression::Angry => "st_angry",
        Expression::Disgusted => "st_disgust",
        Expression::Scared => "st_scared",
        Expression::Happy => "st_happy",
        Expression::Sad => "st_sorrow",
        Expression::Surprised => "st_surprised",
        Expression::Neutral => "st_calm",
    }
}

/// The edges in whole pixels; edges left of and above the picture become 0.
pub(crate) fn position(face: &Rect) -> Position {
    let pixel = |edge: f32| edge.max(0.0).round() as i64;
    Position {
        pos_top: pixel(face.top),
        pos_bottom: pixel(face.bottom),
        pos_left: pixel(face.left),
        pos_right: pixel(face.right),
    }
}

/// A face of 769, 779 and 782.
pub(crate) fn detected(face: &PhotoFace) -> DetectedFace {
    let Position { pos_top, pos_bottom, pos_left, pos_right } = position(&face.detection.face_box);
    DetectedFace {
        attribute: attributes(&face.attributes),
        quality: face.detection.quality.overall,
        coordinate: format!("{pos_left},{pos_top},{pos_right},{pos_bottom}"),
    }
}

/// The feature of an enrolled face: the components times 10000, as whole numbers.
pub(crate) fn library_feature(embedding: &Embedding) -> String {
    let whole = |v: &f32| ((v * FEATURE_SCALE).round() as i32).to_string();
    embedding.vector().iter().map(whole).collect::<Vec<_>>().join(",")
}

/// The feature of a capture: the components with six decimals, each followed by a comma.
pub(crate) fn capture_feature(embedding: &Embedding) -> String {
    embedding.vector().iter().fold(String::new(), |mut text, component| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{component:.6},");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ModelId;

    #[test]
    fn all_eight_attributes_are_reported() {
        let known = Attributes { gender: Some(Gender::Male), age: Some(26.0), expression: Some(Expression::Happy) };
        let reported = serde_json::to_value(attributes(&known)).unwrap();
        let expected = serde_json::json!({
            "cap_style": "hat_style_type_none", "gender_code": "male", "glass_style": "glasses_style_type_none",
            "mustache_style": "mustache_style_type_none", "respirator_color": "color_type_none",
            "st_age": "st_adult", "st_age_value": "26.000000", "st_expression": "st_happy",
        });
        assert_eq!(reported, expected);
    }

    #[test]
    fn attributes_that_no_model_detects_are_empty_or_none() {
        let reported = attributes(&Attributes::default());
        assert_eq!(
            [reported.gender_code, reported.st_age, &reported.st_age_value, reported.st_expression],
            ["", "", "", "st_calm"]
        );
    }

    #[test]
    fn age_groups_begin_at_18_and_60() {
        for (years, group) in [(17.9, "st_child"), (18.0, "st_adult"), (59.9, "st_adult"), (60.0, "st_old")] {
            assert_eq!(age_group(years), group, "{years}");
        }
    }

    #[test]
    fn features_have_the_forms_of_the_document() {
        let embedding = Embedding::normalised(ModelId("m".into()), vec![0.6, -0.8]).unwrap();
        assert_eq!(library_feature(&embedding), "6000,-8000");
        assert_eq!(capture_feature(&embedding), "0.600000,-0.800000,");
    }

    #[test]
    fn a_face_at_the_edge_has_no_negative_pixels() {
        let place = position(&Rect::new(-3.0, 10.4, 50.6, 60.0));
        assert_eq!([place.pos_left, place.pos_top, place.pos_right, place.pos_bottom], [0, 10, 51, 60]);
    }
}
