//! Decodes the output of CenterNet: a map of centres per class, and the edges of the object at each cell.

use domain::geometry::Rect;
use domain::{DetectedObject, ObjectClass};

use crate::manifest::CenternetOutput;
use crate::session::Answer;

/// Candidates of these classes in one picture, in pixels of the network's input.
pub(super) fn read(
    answer: &Answer<'_>,
    output: &CenternetOutput,
    wanted: &[ObjectClass],
) -> Result<Vec<DetectedObject>, String> {
    let (shape, classes) = answer.tensor(&output.classes)?;
    let &[maps, height, width] = shape else { return Err(format!("shape {shape:?} of the classes")) };
    if usize::try_from(maps) != Ok(output.labels.len()) {
        return Err(format!("{maps} classes for {} labels", output.labels.len()));
    }
    let size = [width, height].map(|side| usize::try_from(side).unwrap_or(0));
    let edges = answer.values(&output.edges, 4 * size[0] * size[1])?;
    let maps = output.labels.iter().zip(classes.chunks_exact((size[0] * size[1]).max(1)));
    let maps = maps.map(|(label, map)| (ObjectClass::from(*label), map)).filter(|(class, _)| wanted.contains(class));
    let found = maps.flat_map(|(class, map)| candidates((class, map), edges, size[0], output));
    Ok(found.collect())
}

/// The peaks of one class's map.
fn candidates<'a>(
    (class, map): (ObjectClass, &'a [f32]),
    edges: &'a [f32],
    width: usize,
    output: &'a CenternetOutput,
) -> impl Iterator<Item = DetectedObject> + 'a {
    let cells = map.iter().enumerate().filter(|(_, score)| **score >= output.score_min);
    cells.filter(move |(cell, _)| is_peak(map, *cell, width)).filter_map(move |(cell, score)| {
        let [left, top, right, bottom] = [0, 1, 2, 3].map(|edge| edges[edge * map.len() + cell]);
        let (x, y) = ((cell % width) as f32, (cell / width) as f32);
        let (x, y) = (x * output.stride as f32, y * output.stride as f32);
        let place = Rect::new(x - left, y - top, x + right, y + bottom);
        let is_box = place.left < place.right && place.top < place.bottom && place.area().is_finite();
        is_box.then_some(DetectedObject { class, place, score: score.min(1.0) })
    })
}

/// Whether no cell around has a higher score.
fn is_peak(map: &[f32], cell: usize, width: usize) -> bool {
    let (x, y) = (cell % width, cell / width);
    let rows = y.saturating_sub(1)..=y + 1;
    let columns = x.saturating_sub(1)..=(x + 1).min(width - 1);
    rows.flat_map(|row| columns.clone().map(move |column| row * width + column))
        .all(|near| map.get(near).is_none_or(|score| *score <= map[cell]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::ObjectLabel;

    fn output() -> CenternetOutput {
        CenternetOutput {
            classes: "classes".into(),
            edges: "edges".into(),
            stride: 4,
            side: 512,
            score_min: 0.3,
            nms_iou: 0.5,
            labels: vec![ObjectLabel::Person],
        }
    }

    fn found(map: &[f32], edges: &[f32], width: usize) -> Vec<DetectedObject> {
        candidates((ObjectClass::Person, map), edges, width, &output()).collect()
    }

    #[test]
    fn the_peaks_of_a_map_become_boxes() {
        let mut map = vec![0.0; 5 * 4];
        // A peak at (1, 2) with neighbours, and one at the lower right corner.
        (map[11], map[6], map[12], map[19]) = (0.8, 0.5, 0.4, 0.6);
        let edges: Vec<f32> = [2.0, 10.0, 3.0, 20.0].into_iter().flat_map(|edge| [edge; 20]).collect();
        let boxes = found(&map, &edges, 5);
        let person = |place, score| DetectedObject { class: ObjectClass::Person, place, score };
        let first = person(Rect::new(2.0, -2.0, 7.0, 28.0), 0.8);
        let second = person(Rect::new(14.0, 2.0, 19.0, 32.0), 0.6);
        assert_eq!(boxes, [first, second]);
    }

    #[test]
    fn nothing_comes_of_a_low_score_or_of_edges_that_are_no_box() {
        let edges = |value: f32| vec![value; 4];
        assert_eq!(found(&[0.29], &edges(5.0), 1), []);
        for broken in [0.0, -3.0, f32::NAN, f32::INFINITY] {
            assert_eq!(found(&[0.9], &edges(broken), 1), [], "{broken}");
        }
        assert_eq!(found(&[f32::NAN], &edges(5.0), 1), []);
    }
}
