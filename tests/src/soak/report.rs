//! What is told of a run.

use std::fmt::Write;

use super::{Plan, Report, Sample, Tally, verdict};
use crate::Figures;

const MIB: f64 = 1024.0 * 1024.0;

/// Puts together what was found and says whether it is as it must be.
pub(super) fn judge(
    plan: &Plan,
    length_seconds: f64,
    samples: Vec<Sample>,
    before: Figures,
    after: Figures,
    done: Tally,
    mut faults: Vec<String>,
) -> Report {
    let trends = verdict::trends(&samples, plan.warm_up, &plan.limits).unwrap_or_default();
    if trends.is_empty() {
        faults.push("too few samples".into());
    }
    faults.extend(trends.iter().filter(|trend| !trend.ok).map(|trend| format!("{} is not flat", trend.name)));
    if done.pushed == 0 || done.removed == 0 {
        faults.push("nothing was pushed or nobody removed: the run proves nothing".into());
    }
    let used = samples.last().map_or(0.0, |last| last.figures.processor_seconds - before.processor_seconds);
    Report {
        ok: faults.is_empty(),
        faults,
        length_seconds,
        warm_up_seconds: plan.warm_up.as_secs_f64(),
        cores: used / length_seconds,
        trends,
        before,
        after,
        done,
        samples,
    }
}

/// A sample in one line.
pub(super) fn line(sample: &Sample, done: &Tally) -> String {
    let Sample { at_seconds, figures } = sample;
    format!(
        "{at_seconds:7.1} s  {:6.1} MiB  {:3} threads  {:3} descriptors  {:7.1} s processor  {} pushed  {} enrolled",
        figures.resident_bytes as f64 / MIB,
        figures.threads,
        figures.descriptors,
        figures.processor_seconds,
        done.pushed,
        done.enrolled
    )
}

pub(super) fn summary(report: &Report) -> String {
    let mut text = format!(
        "{} after {:.0} s (the first {:.0} s not counted), {:.2} cores\n",
        if report.ok { "flat" } else { "NOT FLAT" },
        report.length_seconds,
        report.warm_up_seconds,
        report.cores
    );
    for trend in &report.trends {
        let unit = if trend.name == "resident_bytes" { MIB } else { 1.0 };
        let [first, last, peak, per_hour, limit] =
            [trend.first, trend.last, trend.peak, trend.per_hour, trend.limit].map(|value| value / unit);
        let name = if unit > 1.0 { "resident MiB" } else { trend.name };
        let _ = writeln!(
            text,
            "  {name:12}  first third {first:7.1}  last third {last:7.1}  peak {peak:7.1}  \
             slope {per_hour:+7.2} in an hour  may grow {limit:.1}"
        );
    }
    let (before, after) = (&report.before, &report.after);
    let _ = writeln!(
        text,
        "  threads {} -> {} and descriptors {} -> {} over the whole load",
        before.threads, after.threads, before.descriptors, after.descriptors
    );
    let _ = writeln!(text, "  {:?}", report.done);
    for fault in &report.faults {
        let _ = writeln!(text, "  fault: {fault}");
    }
    text
}
