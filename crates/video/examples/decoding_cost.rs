//! Compares decoding in this process with decoding in a process of its own: processor time of both processes for each
//! decoded picture, the two ways by turns. `cargo run --release -p video --example decoding_cost -- ROUNDS SECONDS
//! PICTURES_PER_SECOND URL...`; this program is its own decoder process.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use domain::ports::{Clock, FrameSource};
use domain::{Source, Timestamp};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};
use video::{Options, VideoSource};

struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        jiff::Timestamp::now().into()
    }
}

/// Processor time of this process and of its children that have ended, seconds.
fn processor_time() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().context("no process status")?;
    let ticks: Result<Vec<u64>, _> = after_name.split_whitespace().skip(11).take(4).map(str::parse).collect();
    Ok(ticks?.iter().sum::<u64>() as f64 / 100.0)
}

struct Plan {
    duration: Duration,
    every: Duration,
    urls: Vec<String>,
}

/// Milliseconds for each decoded picture, and pictures read.
async fn measure(plan: &Plan, apart: bool) -> anyhow::Result<(f64, u64)> {
    let program = apart.then(std::env::current_exe).transpose()?;
    let options = Options { decoder_process: program, ..Options::default() };
    let source = Arc::new(VideoSource::new(Arc::new(WallClock), options)?);
    let before = processor_time()?;
    let mut reading = JoinSet::new();
    for url in &plan.urls {
        let (source, url, duration, every) = (Arc::clone(&source), url.clone(), plan.duration, plan.every);
        reading.spawn(async move {
            let mut stream = source.open(&Source::Rtsp { url }).await?;
            let (end, mut turns, mut read) = (Instant::now() + duration, interval(every), 0);
            turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
            while Instant::now() < end {
                turns.tick().await;
                read += u64::from(stream.next().await?.is_some());
            }
            anyhow::Ok(read)
        });
    }
    let mut read = 0;
    while let Some(one) = reading.join_next().await {
        read += one??;
    }
    let pictures = source.counters().pictures;
    // Waits until the processes are reaped, whose time counts from then on.
    source.close().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(((processor_time()? - before) * 1000.0 / pictures as f64, read))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, rest @ ..] = &arguments[..]
        && first == "decode"
    {
        return video::decode(rest).map_err(|why| anyhow!(why));
    }
    let [rounds, seconds, rate, urls @ ..] = &arguments[..] else {
        bail!("usage: decoding_cost ROUNDS SECONDS PICTURES_PER_SECOND URL...");
    };
    let every = Duration::from_secs_f64(1.0 / rate.parse::<f64>()?);
    let plan = Plan { duration: Duration::from_secs(seconds.parse()?), every, urls: urls.to_vec() };
    let (mut here, mut apart) = (Vec::new(), Vec::new());
    for _ in 0..rounds.parse::<u32>()? {
        for (way, costs) in [(false, &mut here), (true, &mut apart)] {
            let (cost, read) = measure(&plan, way).await?;
            println!("{}: {cost:.3} ms for each decoded picture, {read} read", if way { "apart" } else { "here" });
            costs.push(cost);
        }
    }
    let median = |costs: &mut Vec<f64>| {
        costs.sort_by(f64::total_cmp);
        costs.get(costs.len() / 2).copied().context("no rounds")
    };
    let (here, apart) = (median(&mut here)?, median(&mut apart)?);
    println!("medians: here {here:.3} ms, apart {apart:.3} ms, {:+.1} %", (apart / here - 1.0) * 100.0);
    Ok(())
}
