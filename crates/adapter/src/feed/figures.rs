//! Metrics of a feed.

use domain::Timestamp;
use metrics::{Counter, Gauge, counter, gauge};

use super::Feed;

pub(super) struct Figures {
    pub(super) lag: Gauge,
    pub(super) delivered: Counter,
    pub(super) retries: Counter,
    pub(super) dropped: Counter,
    pub(super) skipped: Counter,
    pub(super) lost: Counter,
    stuck: Gauge,
    paused: Gauge,
    last_delivery: Gauge,
}

impl Figures {
    pub(super) fn of(feed: &Feed) -> Self {
        let labels = [("adapter", feed.state.adapter().to_owned()), ("feed", feed.name.clone())];
        Self {
            lag: gauge!("polyface_feed_lag_records", &labels),
            delivered: counter!("polyface_feed_delivered_total", &labels),
            retries: counter!("polyface_feed_retries_total", &labels),
            dropped: counter!("polyface_feed_dropped_total", &labels),
            skipped: counter!("polyface_feed_skipped_total", &labels),
            lost: counter!("polyface_feed_lost_total", &labels),
            stuck: gauge!("polyface_feed_stuck", &labels),
            paused: gauge!("polyface_feed_paused", &labels),
            last_delivery: gauge!("polyface_feed_last_delivery_timestamp_seconds", &labels),
        }
    }

    pub(super) fn set_stuck(&self, stuck: bool) {
        self.stuck.set(u8::from(stuck));
    }

    pub(super) fn set_paused(&self, paused: bool) {
        self.paused.set(u8::from(paused));
    }

    pub(super) fn delivered_at(&self, at: Timestamp) {
        self.delivered.increment(1);
        self.last_delivery.set(at.as_millis() as f64 / 1e3);
    }
}
