//! The face box API with the session in the body: one path per call, POST, JSON, errors as HTTP 200 with a code.

mod call;
pub mod codes;
mod convert;
mod core;
mod ops;
mod session;
mod wire;

use std::sync::Arc;

use adapter::Adapter;
use async_trait::async_trait;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{any, get};
use domain::Appliance;
use tokio_util::sync::CancellationToken;

use crate::core::Core;

/// The adapter.
pub struct FaceBox {
    core: Arc<Core>,
}

impl FaceBox {
    /// The adapter over an appliance.
    pub fn new(appliance: Appliance) -> Self {
        Self { core: Arc::new(Core::new(appliance)) }
    }
}

#[async_trait]
impl Adapter for FaceBox {
    fn name(&self) -> &'static str {
        core::NAME
    }

    fn routes(&self) -> Option<Router> {
        let mut router = Router::new();
        for operation in ops::OPERATIONS {
            // The method is not looked at (quirk "methods").
            router = router.route(operation.path, any(move |state, request| call::answer(operation, state, request)));
        }
        router = router.route("/UploadPersonPicture", any(ops::upload_person_picture));
        router = router.route("/picture/{*path}", get(ops::show_picture));
        // The bodies are bounded where they are read.
        Some(router.layer(DefaultBodyLimit::disable()).with_state(Arc::clone(&self.core)))
    }

    fn unknown_path(&self) -> StatusCode {
        StatusCode::NOT_IMPLEMENTED
    }

    async fn run(&self, _: Appliance, cancel: CancellationToken) {
        cancel.cancelled().await;
    }
}
