//! What operators see of a feed, and order.

use domain::Error;
use domain::feeds::{FeedOrder, FeedStatus};
use testkit::actor;
use tokio::sync::watch;

use super::*;

/// What the board shows of the one feed.
fn status(appliance: &Appliance) -> FeedStatus {
    let feeds = appliance.feeds();
    assert_eq!(feeds.len(), 1, "{feeds:?}");
    feeds.into_iter().next().unwrap()
}

/// Waits until the board shows this.
async fn shown(appliance: &Appliance, what: impl Fn(&FeedStatus) -> bool) -> FeedStatus {
    let wait = async {
        while !appliance.feeds().first().is_some_and(&what) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(DEADLINE, wait).await.expect("not shown");
    status(appliance)
}

async fn order(appliance: &Appliance, order: FeedOrder) {
    appliance.by(&actor("admin")).order_feed("vendor", "push", order).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_may_be_dropped_is_counted_and_left_behind() {
    let (appliance, handles) = appliance_with_records(2);
    let (recorder, log) = (PrometheusBuilder::new().build_recorder(), Log::start());
    let _recording = metrics::set_default_local_recorder(&recorder);
    let answers = vec![Delivery::Dropped { why: "nobody listens".into() }];
    let mut run = Run::start_with(&appliance, Start::FromOldest, answers, Duration::ZERO);
    assert_eq!(run.seqs(2).await, [1, 2]);
    kept(&handles, 2).await;
    run.stop().await;
    assert_eq!(log.count("entry dropped"), 1);
    let figures = recorder.handle().render();
    assert!(figures.contains("polyface_feed_dropped_total{adapter=\"vendor\",feed=\"push\"} 1\n"), "{figures}");
    assert!(figures.contains("polyface_feed_delivered_total{adapter=\"vendor\",feed=\"push\"} 1\n"), "{figures}");
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_stuck_until_an_operator_skips_it() {
    let (appliance, handles) = appliance_with_records(3);
    let answers = vec![Delivery::Refused { why: "it is too large".into() }; 4];
    let mut run = Run::start_with(&appliance, Start::FromOldest, answers, Duration::ZERO);
    let attempts = run.attempts(3).await;
    assert!(attempts.windows(2).all(|pair| pair[1].1 - pair[0].1 >= Duration::from_secs(30)), "at the slowest pace");
    let stuck = shown(&appliance, |status| status.stuck.is_some()).await;
    assert_eq!((stuck.stuck, stuck.place), (Some(Seq(1)), Seq(0)));
    assert_eq!(stuck.failure.unwrap().0, "it is too large");
    order(&appliance, FeedOrder::SkipOne).await;
    assert_eq!(handles.store.cursor("vendor", "push").unwrap(), Some(Seq(1)));
    assert_eq!(run.seqs(1).await, [2], "refused too");
    assert_eq!(shown(&appliance, |status| status.stuck == Some(Seq(2))).await.place, Seq(1));
    assert_eq!(run.seqs(2).await, [2, 3]);
    assert_eq!(shown(&appliance, |status| status.stuck.is_none()).await.failure, None);
}

#[tokio::test(start_paused = true)]
async fn there_is_nothing_to_skip_at_the_end() {
    let (appliance, _handles) = appliance_with_records(1);
    let mut run = Run::start(&appliance, Start::FromOldest, 0);
    assert_eq!(run.seqs(1).await, [1]);
    shown(&appliance, |status| status.place == Seq(1)).await;
    let skipped = appliance.by(&actor("admin")).order_feed("vendor", "push", FeedOrder::SkipOne).await;
    assert!(matches!(skipped, Err(Error::NotFound { .. })), "{skipped:?}");
    let unknown = appliance.by(&actor("admin")).order_feed("vendor", "other", FeedOrder::Pause).await;
    assert!(matches!(unknown, Err(Error::NotFound { .. })), "{unknown:?}");
    run.stop().await;
    assert!(appliance.feeds().is_empty(), "a feed that ended is not shown");
}

#[tokio::test(start_paused = true)]
async fn a_pause_outlasts_a_restart() {
    let (appliance, handles) = appliance_with_records(0);
    let run = Run::start(&appliance, Start::FromOldest, 0);
    shown(&appliance, |_| true).await;
    order(&appliance, FeedOrder::Pause).await;
    append(&handles, 2);
    assert!(run.stop().await.is_empty());
    let appliance = handles.restart(Limits::default()).unwrap();
    let mut again = Run::start(&appliance, Start::FromOldest, 0);
    assert!(shown(&appliance, |status| status.paused).await.paused);
    order(&appliance, FeedOrder::GoOn).await;
    assert_eq!(again.seqs(2).await, [1, 2]);
    assert!(!status(&appliance).paused);
}

#[tokio::test(start_paused = true)]
async fn a_feed_goes_back_to_a_time() {
    let (appliance, _handles) = appliance_with_records(4);
    let mut run = Run::start(&appliance, Start::FromOldest, 0);
    assert_eq!(run.seqs(4).await, [1, 2, 3, 4]);
    let third = appliance.records_after(Seq(2), 1).await.unwrap().remove(0);
    let place = appliance.place_before(third.capture.at).await.unwrap();
    order(&appliance, FeedOrder::GoTo(place)).await;
    assert_eq!(run.seqs(2).await, [3, 4]);
}

#[tokio::test(start_paused = true)]
async fn an_order_ends_a_delivery_that_hangs_and_a_wait() {
    let (appliance, _handles) = appliance_with_records(2);
    let mut run = Run::start_with(&appliance, Start::FromOldest, vec![], DEADLINE * 2);
    assert_eq!(run.seqs(1).await, [1]);
    order(&appliance, FeedOrder::SkipOne).await;
    assert_eq!(run.seqs(1).await, [2]);
    run.tasks.abort_all();

    let (appliance, _handles) = appliance_with_records(1);
    let answers = vec![Delivery::Retry { why: "closed for today".into(), after: Some(DEADLINE * 2) }];
    let mut run = Run::start_with(&appliance, Start::FromOldest, answers, Duration::ZERO);
    assert_eq!(run.seqs(1).await, [1]);
    shown(&appliance, |status| status.failure.is_some()).await;
    order(&appliance, FeedOrder::TryNow).await;
    assert_eq!(run.seqs(1).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn the_receiver_may_say_when_to_come_again() {
    let (appliance, _handles) = appliance_with_records(1);
    let after = Duration::from_secs(90);
    let answers = vec![Delivery::Retry { why: "busy".into(), after: Some(after) }];
    let mut run = Run::start_with(&appliance, Start::FromOldest, answers, Duration::ZERO);
    let attempts = run.attempts(2).await;
    let waited = attempts[1].1 - attempts[0].1;
    assert!((after..after * 2).contains(&waited), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn changed_settings_begin_again_from_the_place_kept_without_the_old_wait() {
    let (appliance, handles) = appliance_with_records(3);
    let settings = watch::Sender::new(0);
    let feed = Feed::new(appliance.state("vendor"), "push", &[EntryKind::Record], Start::FromOldest)
        .restarting_with(settings.subscribe());
    let mut run = Run::start_feed(&appliance, feed, vec![refusal(); 5], Duration::ZERO);
    let before = run.attempts(5).await;
    assert!(before.iter().all(|(seq, _)| *seq == 1));
    handles.store.set_cursor("vendor", "push", Seq(2)).unwrap();
    settings.send_modify(|version| *version += 1);
    let after = run.attempts(1).await;
    assert_eq!(after[0].0, 3);
    assert!(after[0].1 - before[4].1 < Duration::from_secs(1));
}
