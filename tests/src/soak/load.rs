//! What goes on around the daemon.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::json;
use testkit::clip::Film;
use testkit::rtsp::{RtspOptions, RtspServer};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Plan;
use super::platform::Platform;
use crate::{Device, SenseTime, Subscription, cast};

/// People enrolled by the load at a time.
const ENROLLED: usize = 8;
/// A pause between two calls of one caller.
const PAUSE: Duration = Duration::from_millis(150);

/// What was done so far.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Tally {
    /// People enrolled.
    pub enrolled: u64,
    /// People removed.
    pub removed: u64,
    /// Searches by photo, each of somebody enrolled.
    pub searches: u64,
    /// Other questions.
    pub queries: u64,
    /// Captures the platform acknowledged.
    pub pushed: u64,
    /// Times the platform went away.
    pub platform_outages: u64,
    /// Times the camera went away.
    pub camera_outages: u64,
    /// Times a subscriber came and went.
    pub subscriptions: u64,
}

#[derive(Default)]
struct Book {
    tally: Mutex<Tally>,
}

impl Book {
    fn note(&self, change: impl FnOnce(&mut Tally)) {
        change(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The running load.
pub(super) struct Load {
    tasks: JoinSet<()>,
    book: Arc<Book>,
    pub(super) channels: Vec<i64>,
}

impl Load {
    /// Starts the callers, the platform and the camera that come and go.
    pub(super) async fn start(
        device: &Device,
        client: &SenseTime,
        library: i64,
        plan: Plan,
        film: &Film,
        cancel: &CancellationToken,
    ) -> Self {
        let (book, mut tasks) = (Arc::new(Book::default()), JoinSet::new());
        let first = Platform::start(SocketAddr::from(([127, 0, 0, 1], 0))).await;
        client.call(json!({"msg_id": "1298", "url": first.receiver().url(), "key": "k"})).await.ok();
        let server = RtspServer::start(&[&film.file], &RtspOptions::default()).expect("an RTSP server");
        let channels = vec![client.add_camera("gate 4", &server.url(), library).await];
        let address = device.listener("sensetime");
        let console = device.listener("console");
        tasks.spawn(come_and_go(first, plan, Arc::clone(&book), cancel.clone()));
        tasks.spawn(switch_camera(server, film.clone(), plan, Arc::clone(&book), cancel.clone()));
        tasks.spawn(enrol_and_remove(client.clone(), library, Arc::clone(&book), cancel.clone()));
        tasks.spawn(ask(client.clone(), library, console, Arc::clone(&book), cancel.clone()));
        tasks.spawn(subscribe(client.clone(), address, plan, Arc::clone(&book), cancel.clone()));
        Self { tasks, book, channels }
    }

    pub(super) fn tally(&self) -> Tally {
        self.book.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for everybody (the load is cancelled) and takes the cameras and the receiver away. Answers what was
    /// done, and what went wrong.
    pub(super) async fn end(mut self, client: &SenseTime) -> (Tally, Vec<String>) {
        let mut faults = Vec::new();
        while let Some(ended) = self.tasks.join_next().await {
            faults.extend(ended.err().map(|error| format!("a part of the load failed: {error}")));
        }
        for channel in &self.channels {
            client.call(json!({"msg_id": "514", "channel": channel})).await.ok();
        }
        client.call(json!({"msg_id": "1298", "url": "", "key": ""})).await;
        (self.tally(), faults)
    }
}

/// The platform takes pushes, refuses them, is gone, and is there again.
async fn come_and_go(first: Platform, plan: Plan, book: Arc<Book>, cancel: CancellationToken) {
    let address = first.receiver().address();
    let mut platform = first;
    loop {
        let over = cancel.run_until_cancelled(sleep(plan.phase)).await.is_none();
        let captures = platform.receiver().captures().len() as u64;
        book.note(|tally| tally.pushed += captures);
        if over {
            return;
        }
        platform.receiver().answer_with(StatusCode::SERVICE_UNAVAILABLE);
        let _ = cancel.run_until_cancelled(sleep(plan.phase / 2)).await;
        drop(platform);
        book.note(|tally| tally.platform_outages += 1);
        let _ = cancel.run_until_cancelled(sleep(plan.phase / 2)).await;
        platform = Platform::start(address).await;
    }
}

async fn switch_camera(first: RtspServer, film: Film, plan: Plan, book: Arc<Book>, cancel: CancellationToken) {
    let options = RtspOptions { port: Some(first.port()), ..RtspOptions::default() };
    let mut server = first;
    while cancel.run_until_cancelled(sleep(plan.phase * 2)).await.is_some() {
        drop(server);
        book.note(|tally| tally.camera_outages += 1);
        let _ = cancel.run_until_cancelled(sleep(plan.phase / 2)).await;
        server = RtspServer::start(&[&film.file], &options).expect("an RTSP server");
    }
}

async fn enrol_and_remove(client: SenseTime, library: i64, book: Arc<Book>, cancel: CancellationToken) {
    let photos: Vec<_> = cast().iter().map(|actor| std::fs::read(&actor.enrolled).expect("a photo")).collect();
    let mut enrolled = VecDeque::new();
    for (number, photo) in photos.iter().cycle().enumerate() {
        let code = format!("visitor-{number}");
        client.enrol(library, &code, &code, photo).await.ok();
        enrolled.push_back(code);
        let found = client.search(library, photo).await;
        assert!(!found.is_empty(), "somebody enrolled is not found");
        book.note(|tally| {
            tally.enrolled += 1;
            tally.searches += 1;
        });
        let oldest = if enrolled.len() > ENROLLED { enrolled.pop_front() } else { None };
        if let Some(code) = oldest {
            client.call(json!({"msg_id": "1031", "lib_id": library, "img_id": code})).await.ok();
            book.note(|tally| tally.removed += 1);
        }
        if cancel.run_until_cancelled(sleep(PAUSE)).await.is_none() {
            return;
        }
    }
}

async fn ask(client: SenseTime, library: i64, console: SocketAddr, book: Arc<Book>, cancel: CancellationToken) {
    let questions = [
        json!({"msg_id": "1036", "qry_len": 50}),
        json!({"msg_id": "1037", "qry_len": 50}),
        json!({"msg_id": "1035", "lib_id": library, "qry_len": 50}),
        json!({"msg_id": "516"}),
        json!({"msg_id": "1028"}),
    ];
    for question in questions.iter().cycle() {
        client.call(question.clone()).await.ok();
        if let Some(capture) = client.captures().await.first() {
            // Retention may take it away between the two calls.
            client.download(capture["snap_path"].as_str().expect("a path")).await.bytes().await.expect("a body");
        }
        for page in ["healthz", "metrics"] {
            let answer = crate::client::http().get(format!("http://{console}/{page}")).send().await.expect("an answer");
            assert!(answer.status().is_success(), "{page}: {}", answer.status());
        }
        book.note(|tally| tally.queries += 5);
        if cancel.run_until_cancelled(sleep(PAUSE)).await.is_none() {
            return;
        }
    }
}

async fn subscribe(client: SenseTime, address: SocketAddr, plan: Plan, book: Arc<Book>, cancel: CancellationToken) {
    while !cancel.is_cancelled() {
        let subscription = Subscription::open(&client, address).await;
        book.note(|tally| tally.subscriptions += 1);
        let _ = cancel.run_until_cancelled(sleep(plan.phase / 3)).await;
        drop(subscription);
    }
}
