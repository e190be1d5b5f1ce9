//! The foundation of all adapters: an HTTP server hardened against hostile callers, login sessions, durable delivery of
//! log entries, outbound calls. It contains nothing specific to a vendor.

mod back_off;
mod body;
mod charset;
mod codes;
mod encryption;
mod exports;
mod feed;
mod form;
mod ftp;
mod header;
mod health;
mod json;
mod live;
mod local_time;
mod outbound;
mod page;
mod picture;
mod queue;
mod secrets;
mod serve;
mod sessions;
mod short_lived;
mod trust;
mod unproven;

use async_trait::async_trait;
use axum::http::StatusCode;
use domain::Appliance;
use tokio_util::sync::CancellationToken;

pub use back_off::BackOff;
pub use body::{BodyError, discard_body, read_body};
pub use charset::parse_request;
pub use encryption::{CredentialError, Encryption, HttpsPlace, OwnCertificate, Piece, Served, own_certificate};
pub use exports::{Archive, Cell, ExportFile, ExportLimits, Exports, Table};
pub use feed::{Deliver, Delivery, Feed, Start};
pub use form::{Form, FormError, FormLimits, Part, Spool, Upload};
pub use ftp::{FtpLimits, Refused, Uploads, serve_ftp};
pub use header::{Authorization, UnreadableName, is_multipart};
pub use health::{Component, Health, Report};
pub use json::lenient;
pub use json::{JsonError, lenient_json, parse_object};
pub use live::{Live, LiveEnd, Subscriber};
pub use local_time::{WrongEnd, local_range, local_text, read_local};
pub use outbound::{Outbound, OutboundError, OutboundPart, Policy};
pub use page::Sender;
pub use picture::{PictureTextError, content_type, data_uri, decode_picture, picture_answer};
pub use queue::{Queue, Worker};
pub use secrets::{masked_url, unmasked_url};
pub use serve::{
    LOGIN_REFUSED, Limits, Standing, Transport, TrustedProxies, caller_address, noting_arrivals, refusing_clear_logins,
    serve, serve_encrypted,
};
pub use sessions::{Caller, Sessions, decimal_id, hex_id, platform_terms, uuid_id};
pub use short_lived::{ShortLived, Transient};
pub use trust::{TrustError, server_trust};
pub use unproven::UnprovenBodies;

/// One vendor's interface, or the console: it serves requests through its routes and sends pushes from its task.
#[async_trait]
pub trait Adapter: Send + Sync {
    /// Name in the configuration, logs and metrics, and key of its durable state. Never changes.
    fn name(&self) -> &'static str;

    /// Its HTTP routes; `None` when it only makes outbound calls. Adapters on the same listener have disjoint paths.
    /// The daemon serves them with [`serve`].
    fn routes(&self) -> Option<axum::Router>;

    /// The status for unknown paths, where no other adapter is on its listener.
    fn unknown_path(&self) -> StatusCode {
        StatusCode::NOT_FOUND
    }

    /// Pushes, heartbeats and other background work. Returns when `cancel` is cancelled and everything it started has
    /// ended; an adapter without background work waits for that.
    async fn run(&self, appliance: Appliance, cancel: CancellationToken);
}
