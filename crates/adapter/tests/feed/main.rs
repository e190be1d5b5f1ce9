//! Feeds: at least once, in order, across failures and restarts.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

mod orders;
#[path = "../passage/mod.rs"]
mod passage;

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter::{Deliver, Delivery, Feed, Start};
use async_trait::async_trait;
use domain::ports::{AdapterState, LogStore};
use domain::{Appliance, Door, Entry, EntryKind, Limits, Means, NewEntry, Opening, Seq, Timestamp, What};
use metrics_exporter_prometheus::PrometheusBuilder;
use testkit::Handles;
use testkit::store_suite::samples;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(600);

/// An appliance with so many records in its log.
fn appliance_with_records(records: i64) -> (Appliance, Handles) {
    let (_, handles) = testkit::appliance().unwrap();
    append(&handles, records);
    (handles.restart(Limits::default()).unwrap(), handles)
}

fn append(handles: &Handles, records: i64) {
    for second in 0..records {
        handles.store.append_record(&samples::stranger(&*handles.store, 1, second)).unwrap();
    }
}

/// Answers as told, acknowledges ever after, and tells of every attempt.
struct Platform {
    answers: VecDeque<Delivery>,
    takes: Duration,
    attempts: mpsc::UnboundedSender<(Seq, Instant)>,
}

#[async_trait]
impl Deliver for Platform {
    async fn deliver(&mut self, entry: &Entry) -> Delivery {
        self.attempts.send((entry.seq, Instant::now())).unwrap();
        tokio::time::sleep(self.takes).await;
        self.answers.pop_front().unwrap_or(Delivery::Acknowledged)
    }
}

fn refusal() -> Delivery {
    Delivery::retry("no")
}

/// A feed at work.
struct Run {
    attempts: mpsc::UnboundedReceiver<(Seq, Instant)>,
    cancel: CancellationToken,
    tasks: JoinSet<()>,
}

impl Run {
    fn start(appliance: &Appliance, start: Start, refusals: usize) -> Self {
        Self::start_with(appliance, start, vec![refusal(); refusals], Duration::ZERO)
    }

    fn start_with(appliance: &Appliance, start: Start, answers: Vec<Delivery>, takes: Duration) -> Self {
        Self::start_feed(
            appliance,
            Feed::new(appliance.state("vendor"), "push", &[EntryKind::Record], start),
            answers,
            takes,
        )
    }

    fn start_feed(appliance: &Appliance, feed: Feed, answers: Vec<Delivery>, takes: Duration) -> Self {
        let (sender, attempts) = mpsc::unbounded_channel();
        let platform = Platform { answers: answers.into(), takes, attempts: sender };
        let cancel = CancellationToken::new();
        let (appliance, token) = (appliance.clone(), cancel.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            feed.run(appliance.clone(), token, platform).await;
        });
        Self { attempts, cancel, tasks }
    }

    async fn attempts(&mut self, count: usize) -> Vec<(i64, Instant)> {
        let mut attempts = Vec::new();
        for _ in 0..count {
            let (seq, at) = timeout(DEADLINE, self.attempts.recv()).await.expect("nothing delivered").unwrap();
            attempts.push((seq.0, at));
        }
        attempts
    }

    async fn seqs(&mut self, count: usize) -> Vec<i64> {
        self.attempts(count).await.into_iter().map(|(seq, _)| seq).collect()
    }

    /// Ends the feed; answers what was delivered beyond what the test has seen.
    async fn stop(mut self) -> Vec<i64> {
        self.cancel.cancel();
        timeout(DEADLINE, self.tasks.join_next()).await.unwrap().unwrap().unwrap();
        let mut more = Vec::new();
        while let Ok((seq, _)) = self.attempts.try_recv() {
            more.push(seq.0);
        }
        more
    }
}

/// Waits until the feed has kept this place.
async fn kept(handles: &Handles, seq: i64) {
    let wait = async {
        while handles.store.cursor("vendor", "push").unwrap() != Some(Seq(seq)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(DEADLINE, wait).await.expect("the place is not kept");
}

#[tokio::test(start_paused = true)]
async fn every_record_comes_once_and_in_order_across_a_restart() {
    let (appliance, handles) = appliance_with_records(40);
    let mut run = Run::start(&appliance, Start::FromOldest, 0);
    assert_eq!(run.seqs(40).await, (1..=40).collect::<Vec<_>>());
    kept(&handles, 40).await;
    assert!(run.stop().await.is_empty());
    append(&handles, 3);
    let mut again = Run::start(&handles.restart(Limits::default()).unwrap(), Start::FromOldest, 0);
    assert_eq!(again.seqs(3).await, [41, 42, 43]);
    assert!(again.stop().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_new_feed_begins_at_the_newest_record_and_stays_there() {
    let (appliance, handles) = appliance_with_records(5);
    let run = Run::start(&appliance, Start::FromNewest, 0);
    kept(&handles, 5).await;
    assert!(run.stop().await.is_empty());
    append(&handles, 1);
    let mut again = Run::start(&handles.restart(Limits::default()).unwrap(), Start::FromNewest, 0);
    assert_eq!(again.seqs(1).await, [6]);
}

#[tokio::test(start_paused = true)]
async fn a_new_record_wakes_the_feed() {
    let (appliance, handles) = testkit::appliance().unwrap();
    let mut run = Run::start(&appliance, Start::FromNewest, 0);
    kept(&handles, 0).await;
    passage::somebody_passes(&appliance, &handles, "rtsp://gate").await;
    assert_eq!(run.seqs(1).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_record_is_tried_again_ever_more_rarely_and_holds_back_the_next() {
    let (appliance, _handles) = appliance_with_records(2);
    let log = Log::start();
    let mut run = Run::start(&appliance, Start::FromOldest, 9);
    let attempts = run.attempts(11).await;
    assert_eq!(attempts.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2]);
    let waits: Vec<f32> = attempts.windows(2).map(|pair| (pair[1].1 - pair[0].1).as_secs_f32()).collect();
    for (wait, least) in waits.iter().zip([0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]) {
        assert!((least..=least * 2.0 + 0.1).contains(wait), "{waits:?}");
    }
    assert!(waits[9] < 0.1, "{waits:?}");
    run.stop().await;
    assert_eq!((log.count("delivery failed"), log.count("delivery recovered")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn after_a_success_the_waits_are_short_again() {
    let (appliance, _handles) = appliance_with_records(2);
    let answers = [vec![refusal(); 6], vec![Delivery::Acknowledged, refusal()]].concat();
    let mut run = Run::start_with(&appliance, Start::FromOldest, answers, Duration::ZERO);
    let attempts = run.attempts(9).await;
    assert_eq!(attempts.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [1, 1, 1, 1, 1, 1, 1, 2, 2]);
    assert!(attempts[6].1 - attempts[5].1 >= Duration::from_secs(16));
    assert!(attempts[8].1 - attempts[7].1 < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn removed_records_are_told_once() {
    let (appliance, handles) = appliance_with_records(9);
    handles.store.set_cursor("vendor", "push", Seq(-4)).unwrap();
    let (recorder, log) = (PrometheusBuilder::new().build_recorder(), Log::start());
    let _recording = metrics::set_default_local_recorder(&recorder);
    let mut run = Run::start(&appliance, Start::FromNewest, 2);
    assert_eq!(run.seqs(11).await, [1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    kept(&handles, 9).await;
    run.stop().await;
    assert_eq!(log.count("entries were removed before they were sent"), 1);
    let figures = recorder.handle().render();
    for line in ["lost_total{#} 4", "delivered_total{#} 9", "retries_total{#} 2", "lag_records{#} 0"] {
        let line = line.replace('#', "adapter=\"vendor\",feed=\"push\"");
        assert!(figures.contains(&format!("polyface_feed_{line}\n")), "{line} is not in {figures}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delivery_under_way_may_finish_and_its_place_is_kept() {
    let (appliance, handles) = appliance_with_records(2);
    let mut run = Run::start_with(&appliance, Start::FromOldest, vec![], Duration::from_secs(3));
    assert_eq!(run.seqs(1).await, [1]);
    assert!(run.stop().await.is_empty());
    assert_eq!(handles.store.cursor("vendor", "push").unwrap(), Some(Seq(1)));
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_does_not_finish_comes_again_after_the_restart() {
    let (appliance, handles) = appliance_with_records(2);
    let mut run = Run::start_with(&appliance, Start::FromOldest, vec![], DEADLINE * 2);
    assert_eq!(run.seqs(1).await, [1]);
    assert!(run.stop().await.is_empty());
    assert_eq!(handles.store.cursor("vendor", "push").unwrap(), Some(Seq(0)));
    let mut again = Run::start(&appliance, Start::FromNewest, 0);
    assert_eq!(again.seqs(2).await, [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_takes_nothing_stops_no_delivery() {
    let (appliance, handles) = appliance_with_records(3);
    handles.store.set_cursor("vendor", "push", Seq(0)).unwrap();
    handles.store.fill_up(true);
    let mut run = Run::start(&appliance, Start::FromOldest, 0);
    assert_eq!(run.seqs(3).await, [1, 2, 3]);
    assert!(run.stop().await.is_empty());
}

/// What is logged on this thread while it lives.
struct Log {
    lines: Arc<Mutex<Vec<u8>>>,
    _guard: tracing::subscriber::DefaultGuard,
}

#[derive(Clone)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn start() -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let writer = Lines(lines.clone());
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        Self { lines, _guard: tracing::subscriber::set_default(subscriber) }
    }

    fn count(&self, text: &str) -> usize {
        String::from_utf8_lossy(&self.lines.lock().unwrap()).matches(text).count()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A command opened the door.
fn open_by_command(handles: &Handles) {
    let opening = Opening {
        door: Door::Own,
        opened: true,
        person: None,
        by: Means::Command,
        actor: "platform".into(),
        why: String::new(),
    };
    let at = Timestamp::from_millis(0);
    handles.store.append(&NewEntry { at, camera: None, what: What::Opening(opening) }).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_feed_takes_entries_of_its_kinds_in_order() {
    let (_, handles) = appliance_with_records(1);
    open_by_command(&handles);
    append(&handles, 1);
    let appliance = handles.restart(Limits::default()).unwrap();
    let feed =
        Feed::new(appliance.state("vendor"), "push", &[EntryKind::Opening, EntryKind::Record], Start::FromOldest);
    let mut run = Run::start_feed(&appliance, feed, Vec::new(), Duration::ZERO);
    assert_eq!(run.seqs(3).await, [1, 2, 3]);
    run.stop().await;
}

#[tokio::test(start_paused = true)]
async fn entries_of_other_kinds_are_passed_over_and_none_of_them_is_lost() {
    let (_, handles) = appliance_with_records(2);
    (0..100).for_each(|_| open_by_command(&handles));
    let (recorder, log) = (PrometheusBuilder::new().build_recorder(), Log::start());
    let _recording = metrics::set_default_local_recorder(&recorder);
    let mut run = Run::start(&handles.restart(Limits::default()).unwrap(), Start::FromOldest, 0);
    assert_eq!(run.seqs(2).await, [1, 2]);
    kept(&handles, 102).await;
    assert!(run.stop().await.is_empty());
    handles.store.remove_entries(domain::Removal::Oldest, 1000).unwrap();
    append(&handles, 1);
    let mut again = Run::start(&handles.restart(Limits::default()).unwrap(), Start::FromOldest, 0);
    assert_eq!(again.seqs(1).await, [103]);
    kept(&handles, 103).await;
    again.stop().await;
    assert_eq!(log.count("entries were removed"), 0);
    let figures = recorder.handle().render();
    assert!(figures.contains("polyface_feed_lag_records{adapter=\"vendor\",feed=\"push\"} 0\n"), "{figures}");
}
