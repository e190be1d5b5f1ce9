//! A platform's server of pictures.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A server of pictures by name; it ends when dropped.
pub struct PictureServer {
    address: SocketAddr,
    _server: JoinSet<()>,
}

type Pictures = Arc<BTreeMap<String, Bytes>>;

impl PictureServer {
    /// Serves these on a free port.
    pub async fn start(pictures: BTreeMap<String, Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let pictures: Pictures = Arc::new(pictures.into_iter().map(|(name, bytes)| (name, bytes.into())).collect());
        let routes = Router::new().route("/{name}", get(serve)).with_state(pictures);
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, routes).await.expect("served") });
        Self { address, _server: server }
    }

    /// Where a picture is.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }
}

async fn serve(State(pictures): State<Pictures>, Path(name): Path<String>) -> Result<Bytes, StatusCode> {
    pictures.get(&name).cloned().ok_or(StatusCode::NOT_FOUND)
}
