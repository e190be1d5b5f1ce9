//! Opens sources and reads them, as the core would without looking at the pictures; prints what arrives and what it
//! costs: `cargo run --release -p video --example watch -- SECONDS URL...`

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use domain::ports::{Clock, FrameSource};
use domain::{Source, Timestamp};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use video::{Options, VideoSource};

struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        jiff::Timestamp::now().into()
    }
}

/// Clock ticks of this process so far, of which there are 100 in a second.
fn processor_ticks() -> anyhow::Result<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().context("no process status")?;
    let times = after_name.split_whitespace().skip(11).take(2);
    times.map(|ticks| ticks.parse::<u64>().map_err(Into::into)).sum()
}

fn memory() -> anyhow::Result<String> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line.context("no memory status")?.trim().to_owned())
}

async fn watch(source: Arc<VideoSource>, number: usize, url: String, until: Instant) -> anyhow::Result<()> {
    let wanted = if url.starts_with("file:") { Source::File { url } } else { Source::Rtsp { url } };
    let mut stream = source.open(&wanted).await?;
    let (mut frames, mut size) = (0u32, (0, 0));
    while let Ok(next) = timeout_at(until, stream.next()).await {
        let Some(frame) = next? else { break };
        frames += 1;
        size = (frame.width(), frame.height());
    }
    println!("source {number}: {frames} frames of {} x {}", size.0, size.1);
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(seconds) = arguments.next().and_then(|seconds| seconds.parse::<u64>().ok()) else {
        bail!("usage: watch SECONDS URL...");
    };
    let source = Arc::new(VideoSource::new(Arc::new(WallClock), Options::default())?);
    let (start, ticks) = (Instant::now(), processor_ticks()?);
    let until = start + Duration::from_secs(seconds);
    let mut watching = JoinSet::new();
    for (number, url) in arguments.enumerate() {
        watching.spawn(watch(Arc::clone(&source), number + 1, url, until));
    }
    tokio::time::sleep_until(until).await;
    let share = (processor_ticks()? - ticks) as f64 / start.elapsed().as_secs_f64();
    println!("{share:.1} % of one core, {} resident, {:?}", memory()?, source.counters());
    while let Some(watched) = watching.join_next().await {
        watched??;
    }
    source.close().await;
    Ok(())
}
