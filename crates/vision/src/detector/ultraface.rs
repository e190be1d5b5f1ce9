//! Decodes the output of UltraFace: a score and a box for each anchor.

use domain::geometry::Rect;

use super::Candidate;
use crate::manifest::UltrafaceOutput;
use crate::session::Answer;

/// Face candidates in one picture of size `canvas`, pixels.
pub(super) fn read(
    answer: &Answer<'_>,
    output: &UltrafaceOutput,
    canvas: (f32, f32),
) -> Result<Vec<Candidate>, String> {
    let scores = answer.tensor(&output.scores)?.1;
    let boxes = answer.values(&output.boxes, scores.len() * 2)?;
    Ok(candidates(scores, boxes, output.score_min, canvas))
}

fn candidates(scores: &[f32], boxes: &[f32], score_min: f32, (width, height): (f32, f32)) -> Vec<Candidate> {
    let anchors = scores.chunks_exact(2).zip(boxes.chunks_exact(4));
    let sure = anchors.filter(|(score, edges)| score[1] >= score_min && edges.iter().all(|edge| edge.is_finite()));
    let face = |(score, edges): (&[f32], &[f32])| Candidate {
        face_box: Rect::new(edges[0] * width, edges[1] * height, edges[2] * width, edges[3] * height),
        landmarks: None,
        score: score[1],
    };
    sure.map(face).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sure_anchors_become_boxes_in_pixels() {
        let boxes = [0.0, 0.0, 1.0, 1.0, 0.25, 0.5, 0.5, 0.75, f32::NAN, 0.0, 1.0, 1.0];
        let faces = candidates(&[0.9, 0.1, 0.2, 0.8, 0.2, 0.8], &boxes, 0.6, (320.0, 240.0));
        let face_box = Rect::new(80.0, 120.0, 160.0, 180.0);
        assert_eq!(faces, [Candidate { face_box, landmarks: None, score: 0.8 }]);
    }
}
