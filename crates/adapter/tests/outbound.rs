//! Calls to servers that do as they like, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter::{Form, FormLimits, Limits, Outbound, OutboundError, OutboundPart, Policy, serve};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::{get, post};
use futures_util::stream;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

const NEAR: Policy = Policy { allow_private: true, allow_loopback: true };
const SECOND: Duration = Duration::from_secs(1);

/// A platform that notes what is posted to it; ends with the test.
struct Platform {
    port: u16,
    forms: Forms,
    _tasks: JoinSet<()>,
}

type Forms = Arc<Mutex<Vec<Form>>>;

impl Platform {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let forms = Forms::default();
        let routes = Router::new()
            .route("/picture", get(async || vec![7u8; 1000]))
            .route(
                "/chunked",
                get(async || {
                    Body::from_stream(stream::iter(vec![Ok::<_, Infallible>(Bytes::from_static(&[7; 500])); 3]))
                }),
            )
            .route("/redirect", get(async || Redirect::to("/picture")).post(async || Redirect::to("/picture")))
            .route("/slow", post(async || sleep(SECOND * 60).await))
            .route("/push", post(take))
            .route("/echo", post(echo))
            .with_state(forms.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, routes, Limits::default(), CancellationToken::new()));
        Self { port, forms, _tasks: tasks }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

async fn take(State(forms): State<Forms>, request: Request) -> StatusCode {
    let form = Form::read(request, FormLimits::default()).await.unwrap();
    forms.lock().unwrap().push(form);
    StatusCode::ACCEPTED
}

/// Answers with the login and what was posted.
async fn echo(request: Request) -> (StatusCode, String) {
    let login = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let body = axum::body::to_bytes(request.into_body(), 10_000).await.unwrap();
    (StatusCode::CREATED, format!("{} {}", login.unwrap_or_default(), String::from_utf8(body.to_vec()).unwrap()))
}

fn text(name: &'static str, text: &str) -> OutboundPart {
    OutboundPart::Text { name, text: text.into() }
}

#[tokio::test]
async fn a_form_arrives_with_its_parts_in_order() {
    let platform = Platform::open().await;
    let outbound = Outbound::new(NEAR).unwrap();
    let picture = Bytes::from_static(&[0xff, 0xd8, 0xff]);
    let file = OutboundPart::File {
        name: "snap",
        file_name: "snap.jpg".into(),
        content_type: "image/jpeg",
        bytes: picture.clone(),
    };
    let parts = vec![text("key", "k"), text("json", "{\"a\":\"张\"}"), file];
    let status = outbound.post_multipart(&platform.url("/push?token=1"), parts, SECOND * 5).await.unwrap();
    assert_eq!(status, StatusCode::ACCEPTED);
    let form = platform.forms.lock().unwrap().remove(0);
    let names: Vec<_> = form.parts().iter().map(|part| (part.name.as_str(), part.file_name.clone())).collect();
    assert_eq!(names, [("key", None), ("json", None), ("snap", Some(Ok("snap.jpg".into())))]);
    assert_eq!(form.text("json"), Ok("{\"a\":\"张\"}".into()));
    assert_eq!(form.file("snap"), Ok(picture));
}

#[tokio::test]
async fn a_download_is_bounded_whether_its_length_is_announced_or_not() {
    let platform = Platform::open().await;
    let outbound = Outbound::new(NEAR).unwrap();
    for (path, size) in [("/picture", 1000), ("/chunked", 1500)] {
        let url = platform.url(path);
        assert_eq!(outbound.fetch_picture(&url, size).await.unwrap().len(), size);
        assert!(matches!(outbound.fetch_picture(&url, size - 1).await, Err(OutboundError::TooLarge)), "{path}");
    }
    let missing = outbound.fetch_picture(&platform.url("/nothing"), 10).await;
    assert!(matches!(missing, Err(OutboundError::Status(StatusCode::NOT_FOUND))));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let platform = Platform::open().await;
    let outbound = Outbound::new(NEAR).unwrap();
    let url = platform.url("/redirect");
    let fetched = outbound.fetch_picture(&url, 10_000).await;
    assert!(matches!(fetched, Err(OutboundError::Status(StatusCode::SEE_OTHER))));
    let posted = outbound.post_multipart(&url, vec![text("key", "k")], SECOND * 5).await.unwrap();
    assert_eq!(posted, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn names_are_refused_by_the_addresses_they_stand_for() {
    let platform = Platform::open().await;
    let url = format!("http://localhost:{}/picture", platform.port);
    let far = Outbound::new(Policy { allow_loopback: false, ..NEAR }).unwrap();
    assert!(matches!(far.fetch_picture(&url, 10_000).await, Err(OutboundError::NotAllowed)));
    assert!(matches!(far.fetch_picture(&platform.url("/picture"), 10_000).await, Err(OutboundError::NotAllowed)));
    assert_eq!(Outbound::new(NEAR).unwrap().fetch_picture(&url, 10_000).await.unwrap().len(), 1000);
}

#[tokio::test]
async fn failures_are_told_apart_without_telling_the_url() {
    let platform = Platform::open().await;
    let outbound = Outbound::new(NEAR).unwrap();
    let late = outbound.post_multipart(&platform.url("/slow?key=secret"), vec![], SECOND / 5).await.unwrap_err();
    assert!(matches!(late, OutboundError::TimedOut));
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/push?key=secret", listener.local_addr().unwrap())
    };
    let refused = outbound.post_json(&closed, &serde_json::json!({}), SECOND).await.unwrap_err();
    assert!(matches!(refused, OutboundError::Unreachable { .. }), "{refused:?}");
    let unknown = outbound.fetch_picture("http://nobody.invalid/secret", 10).await.unwrap_err();
    assert!(matches!(unknown, OutboundError::UnknownHost | OutboundError::TimedOut), "{unknown:?}");
    for error in [late, refused, unknown] {
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
}

#[tokio::test]
async fn the_answer_to_a_document_comes_back_and_a_login_goes_along() {
    let platform = Platform::open().await;
    let outbound = Outbound::new(NEAR).unwrap();
    let (url, document) = (platform.url("/echo"), serde_json::json!({"a": 1}));
    let (status, answer) = outbound.exchange_json(&url, &document, Some(("admin", "secret")), SECOND).await.unwrap();
    assert_eq!((status, &answer[..]), (StatusCode::CREATED, &b"Basic YWRtaW46c2VjcmV0 {\"a\":1}"[..]));
    let (_, answer) = outbound.exchange_json(&url, &document, None, SECOND).await.unwrap();
    assert_eq!(&answer[..], b" {\"a\":1}");
}

#[tokio::test]
async fn a_file_is_downloaded_whole_or_not_at_all() {
    let platform = Platform::open().await;
    let (outbound, folder) = (Outbound::new(NEAR).unwrap(), tempfile::tempdir().unwrap());
    let file = folder.path().join("package");
    for (path, size) in [("/picture", 1000), ("/chunked", 1500)] {
        outbound.download(&platform.url(path), &file, size).await.unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().len(), size);
        let refused = outbound.download(&platform.url(path), &file, size - 1).await;
        assert!(matches!(refused, Err(OutboundError::TooLarge)), "{path}");
        std::fs::remove_file(&file).unwrap_or_default();
    }
    let missing = outbound.download(&platform.url("/nothing"), &file, 10).await;
    assert!(matches!(missing, Err(OutboundError::Status(StatusCode::NOT_FOUND))));
    let nowhere = outbound.download(&platform.url("/picture"), &folder.path().join("a/b"), 1000).await;
    assert!(matches!(nowhere, Err(OutboundError::Disk(_))));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
