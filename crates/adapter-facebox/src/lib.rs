//! The face box API with the session in the body: one path per call, POST, JSON, errors as HTTP 200 with a code.

pub mod codes;
mod convert;
mod device;
mod ops;
mod request;
mod serve;
mod wire;

use std::sync::Arc;

use adapter::Adapter;
use async_trait::async_trait;
use axum::Router;
use axum::http::StatusCode;
use domain::Appliance;
use tokio_util::sync::CancellationToken;

use crate::device::Device;

/// The adapter.
pub struct FaceBox {
    device: Arc<Device>,
}

impl FaceBox {
    /// The adapter over an appliance.
    pub fn new(appliance: Appliance) -> Self {
        Self { device: Arc::new(Device::new(appliance)) }
    }
}

#[async_trait]
impl Adapter for FaceBox {
    fn name(&self) -> &'static str {
        device::NAME
    }

    fn routes(&self) -> Option<Router> {
        Some(serve::routes(Arc::clone(&self.device)))
    }

    fn unknown_path(&self) -> StatusCode {
        StatusCode::NOT_IMPLEMENTED
    }

    async fn run(&self, _: Appliance, cancel: CancellationToken) {
        cancel.cancelled().await;
    }
}
