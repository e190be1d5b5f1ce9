//! Decodes the output of CenterFace: a heatmap of face centres, with size, offset and landmarks at each.

use domain::geometry::{Point, Rect};

use super::Candidate;
use crate::manifest::CenterfaceOutput;
use crate::session::Answer;

/// The four output maps; `width` is the number of cells in a row.
struct Maps<'a> {
    heatmap: &'a [f32],
    scale: &'a [f32],
    offset: &'a [f32],
    landmarks: &'a [f32],
    width: usize,
}

/// Face candidates in one picture.
pub(super) fn read(answer: &Answer<'_>, output: &CenterfaceOutput) -> Result<Vec<Candidate>, String> {
    let (shape, heatmap) = answer.tensor(&output.heatmap)?;
    let [1, _, width] = *shape else { return Err(format!("shape {shape:?} of {:?}", output.heatmap)) };
    let cells = heatmap.len();
    let maps = Maps {
        heatmap,
        scale: answer.values(&output.scale, 2 * cells)?,
        offset: answer.values(&output.offset, 2 * cells)?,
        landmarks: answer.values(&output.landmarks, 10 * cells)?,
        width: width as usize,
    };
    Ok(maps.candidates(output.score_min, output.stride as f32))
}

impl Maps<'_> {
    fn candidates(&self, score_min: f32, stride: f32) -> Vec<Candidate> {
        let sure = self.heatmap.iter().enumerate().filter(|(_, score)| **score >= score_min);
        sure.filter_map(|(cell, score)| self.candidate(cell, *score, stride)).collect()
    }

    fn candidate(&self, cell: usize, score: f32, stride: f32) -> Option<Candidate> {
        let cells = self.heatmap.len();
        let (x, y) = ((cell % self.width) as f32, (cell / self.width) as f32);
        let height = self.scale[cell].exp() * stride;
        let width = self.scale[cells + cell].exp() * stride;
        let left = (x + self.offset[cells + cell] + 0.5) * stride - width / 2.0;
        let top = (y + self.offset[cell] + 0.5) * stride - height / 2.0;
        let landmark = |j: usize| Point {
            x: left + self.landmarks[(2 * j + 1) * cells + cell] * width,
            y: top + self.landmarks[2 * j * cells + cell] * height,
        };
        let face_box = Rect::new(left, top, left + width, top + height);
        let usable = face_box.area().is_finite() && left.is_finite() && top.is_finite();
        usable.then(|| Candidate { face_box, landmarks: Some([0, 1, 2, 3, 4].map(landmark)), score })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Maps of 4 × 3 cells with one face at cell (2, 1).
    fn faces(score: f32, log_height: f32) -> Vec<Candidate> {
        let (cells, cell) = (12, 6);
        let mut heatmap = vec![0.0; cells];
        heatmap[cell] = score;
        let (mut scale, mut offset) = (vec![0.0; 2 * cells], vec![0.0; 2 * cells]);
        scale[cell] = log_height;
        scale[cells + cell] = 2f32.ln();
        offset[cell] = 0.25;
        offset[cells + cell] = -0.5;
        let mut landmarks = vec![0.5; 10 * cells];
        landmarks[cell] = 0.25;
        let maps = Maps { heatmap: &heatmap, scale: &scale, offset: &offset, landmarks: &landmarks, width: 4 };
        maps.candidates(0.5, 4.0)
    }

    #[test]
    fn a_peak_becomes_a_box_with_landmarks() {
        let [face] = faces(0.9, 3f32.ln())[..] else { panic!("one face") };
        // The centre is ((2 - 0.5 + 0.5) * 4, (1 + 0.25 + 0.5) * 4) = (8, 7); the size 8 × 12.
        let near = |a: f32, b: f32| (a - b).abs() < 1e-4;
        assert!(near(face.face_box.left, 4.0) && near(face.face_box.right, 12.0));
        assert!(near(face.face_box.top, 1.0) && near(face.face_box.bottom, 13.0));
        let landmarks = face.landmarks.unwrap();
        assert!(near(landmarks[0].x, 8.0) && near(landmarks[0].y, 4.0));
        assert!(near(landmarks[1].x, 8.0) && near(landmarks[1].y, 7.0));
    }

    #[test]
    fn an_unsure_peak_is_no_face() {
        assert!(faces(0.49, 1.0).is_empty());
    }

    #[test]
    fn a_size_beyond_all_measure_is_no_face() {
        assert!(faces(0.9, 500.0).is_empty());
        assert!(faces(0.9, f32::NAN).is_empty());
    }
}
