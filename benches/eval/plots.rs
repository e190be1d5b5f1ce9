//! The pictures of the one-to-one comparison.

use std::path::Path;

use plotters::prelude::*;

use crate::verification::Pairs;

const SIZE: (u32, u32) = (760, 420);
const BINS: i32 = 70;
/// Cosines drawn, from and to.
const RANGE: (f64, f64) = (-0.4, 1.0);
const GENUINE: RGBColor = RGBColor(31, 119, 80);
const IMPOSTOR: RGBColor = RGBColor(190, 70, 50);
const FONT: (&str, u32) = ("sans-serif", 14);

/// How often each cosine occurs among pairs of one person and of two people.
pub(crate) fn histogram(pairs: &Pairs, file: &Path) {
    let (genuine, impostor) = (shares(&pairs.genuine), shares(&pairs.impostor));
    let highest = genuine.iter().chain(&impostor).map(|(_, share)| *share).fold(0.0, f64::max);
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE).unwrap();
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(50)
        .build_cartesian_2d(RANGE.0..RANGE.1, 0.0..highest * 1.05)
        .unwrap();
    let mut mesh = chart.configure_mesh();
    mesh.x_desc("cosine").y_desc("share of the pairs, %").label_style(FONT).light_line_style(WHITE).draw().unwrap();
    for (name, bars, colour) in [("two people", impostor, IMPOSTOR), ("one person", genuine, GENUINE)] {
        let width = (RANGE.1 - RANGE.0) / f64::from(BINS);
        let bar =
            |(left, share): (f64, f64)| Rectangle::new([(left, 0.0), (left + width, share)], colour.mix(0.7).filled());
        let legend = move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], colour.filled());
        chart.draw_series(bars.into_iter().map(bar)).unwrap().label(name).legend(legend);
    }
    chart.configure_series_labels().label_font(FONT).border_style(BLACK.mix(0.3)).draw().unwrap();
    area.present().unwrap();
}

/// Both errors for every threshold, as far as the number of pairs resolves them.
pub(crate) fn trade_off(pairs: &Pairs, file: &Path) {
    let (finest_match, finest_miss) = (0.5 / pairs.impostor.len() as f64, 0.5 / pairs.genuine.len() as f64);
    let point = |step: i32| {
        let cosine = f64::from(step) / 1_000.0;
        let (matched, missed) = (pairs.false_match_rate(cosine), pairs.false_non_match_rate(cosine));
        (matched.max(finest_match) * 100.0, missed.max(finest_miss) * 100.0)
    };
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE).unwrap();
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d((0.005..100.0).log_scale(), (0.1..100.0).log_scale())
        .unwrap();
    let mut mesh = chart.configure_mesh();
    mesh.x_desc("false matches, %").y_desc("false non-matches, %").label_style(FONT).draw().unwrap();
    chart.draw_series(LineSeries::new((-400..=1_000).map(point), GENUINE.stroke_width(2))).unwrap();
    area.present().unwrap();
}

/// The share of looks that are not recognised when the least clear are discarded, by the share discarded; percent.
pub(crate) fn discard(curve: &[(usize, f64)], file: &Path) {
    let points: Vec<_> = curve.iter().map(|(share, missed)| (*share as f64, *missed)).collect();
    let highest = points.iter().map(|point| point.1).fold(1.0, f64::max);
    let last = points.last().map_or(1.0, |point| point.0);
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE).unwrap();
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(50)
        .build_cartesian_2d(0.0..last, 0.0..highest * 1.05)
        .unwrap();
    let mut mesh = chart.configure_mesh();
    mesh.x_desc("least clear looks discarded, %").y_desc("known people not recognised, %").label_style(FONT);
    mesh.light_line_style(WHITE).draw().unwrap();
    chart.draw_series(LineSeries::new(points, GENUINE.stroke_width(2))).unwrap();
    area.present().unwrap();
}

/// For each bin its left edge and the share of the values in it, percent.
fn shares(values: &[f64]) -> Vec<(f64, f64)> {
    let width = (RANGE.1 - RANGE.0) / f64::from(BINS);
    let bin = |index: i32| {
        let left = RANGE.0 + f64::from(index) * width;
        let inside = values.iter().filter(|value| (left..left + width).contains(*value)).count();
        (left, inside as f64 / values.len() as f64 * 100.0)
    };
    (0..BINS).map(bin).collect()
}
