//! Outbound HTTP calls.

mod client;
mod policy;

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use bytes::Bytes;
use domain::ConnectError;
use reqwest::multipart::{self, Form};
use serde::Serialize;
use tokio::net::TcpStream;

pub use policy::Policy;

/// Timeout of a download.
const FETCH_TIMEOUT: Duration = Duration::from_secs(20);
/// Maximum size of a push's response that is read, bytes.
const ANSWER_BYTES: usize = 64 << 10;

/// A client for pushes and downloads that connects only where the [`Policy`] allows. Cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    client: reqwest::Client,
    policy: Policy,
}

/// Why an outbound call failed. The text contains neither credentials nor path and query of the URL.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// Not an absolute http or https URL, or it contains credentials.
    #[error("the URL is not usable: {why}")]
    BadUrl {
        /// What is wrong with it.
        why: &'static str,
    },
    /// The policy does not allow this address.
    #[error("the address is not allowed")]
    NotAllowed,
    /// The server's name has no address.
    #[error("the server's name is unknown")]
    UnknownHost,
    /// The connection failed or broke, or the certificate is not trusted.
    #[error("the server cannot be reached: {why}")]
    Unreachable {
        /// The cause.
        why: String,
    },
    /// No complete response within the timeout.
    #[error("the server does not answer in time")]
    TimedOut,
    /// The status is not that of a successful download; includes redirects.
    #[error("the server answers {0}")]
    Status(StatusCode),
    /// More bytes than allowed.
    #[error("the download is too large")]
    TooLarge,
    /// The download cannot be written to disk.
    #[error("the download cannot be kept: {0}")]
    Disk(std::io::ErrorKind),
    /// The client could not be set up.
    #[error("the HTTP client cannot be set up: {why}")]
    Setup {
        /// The cause.
        why: String,
    },
}

/// A part of an outgoing multipart form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboundPart {
    /// A field without a file name.
    Text {
        /// The field's name.
        name: &'static str,
        /// The content.
        text: String,
    },
    /// A file.
    File {
        /// The field's name.
        name: &'static str,
        /// File name shown to the receiver.
        file_name: String,
        /// The media type.
        content_type: &'static str,
        /// The content.
        bytes: Bytes,
    },
}

impl Outbound {
    /// Creates the client. Without trusted certificates on the machine, only plain HTTP works.
    ///
    /// # Errors
    /// `Setup`.
    pub fn new(policy: Policy) -> Result<Self, OutboundError> {
        Ok(Self { client: client::build(policy)?, policy })
    }

    /// Whether the device may connect to this address.
    pub fn allows(&self, address: IpAddr) -> bool {
        self.policy.allows(address)
    }

    /// Connects over TCP to a server by its name or address, within `timeout`. Every address of the name is checked.
    ///
    /// # Errors
    /// `NotAllowed`, `UnknownHost`, `Unreachable`, `TimedOut`.
    pub async fn connect(&self, host: &str, port: u16, timeout: Duration) -> Result<TcpStream, OutboundError> {
        self.policy.connect(host, port, timeout).await.map_err(OutboundError::from)
    }

    /// Checks whether a URL may be called, so that an invalid one is rejected when it is set. Names are resolved later.
    ///
    /// # Errors
    /// `BadUrl`, `NotAllowed`.
    pub fn check(&self, url: &str) -> Result<(), OutboundError> {
        policy::check(self.policy, url).map(drop)
    }

    /// Downloads a picture of at most `max_bytes` within 20 s. The content is not validated.
    ///
    /// # Errors
    /// Every variant but `Setup`.
    pub async fn fetch_picture(&self, url: &str, max_bytes: usize) -> Result<Bytes, OutboundError> {
        let request = self.client.get(policy::check(self.policy, url)?).timeout(FETCH_TIMEOUT);
        let mut answer = request.send().await.map_err(|error| OutboundError::of(&error))?;
        if answer.status() != StatusCode::OK {
            return Err(OutboundError::Status(answer.status()));
        }
        client::read(&mut answer, max_bytes).await
    }

    /// Posts a multipart form with its parts in this order; returns the response status. Redirects are not followed.
    ///
    /// # Errors
    /// `BadUrl`, `NotAllowed`, `Unreachable`, `TimedOut`.
    pub async fn post_multipart(
        &self,
        url: &str,
        parts: Vec<OutboundPart>,
        timeout: Duration,
    ) -> Result<StatusCode, OutboundError> {
        let form = parts.into_iter().fold(Form::new(), OutboundPart::add_to);
        self.send(self.client.post(policy::check(self.policy, url)?).multipart(form).timeout(timeout)).await
    }

    /// Posts a multipart form with its parts in this order; returns the response status and at most 64 KiB of its body.
    /// Redirects are not followed.
    ///
    /// # Errors
    /// `BadUrl`, `NotAllowed`, `UnknownHost`, `Unreachable`, `TimedOut`, `TooLarge`.
    pub async fn exchange_multipart(
        &self,
        url: &str,
        parts: Vec<OutboundPart>,
        timeout: Duration,
    ) -> Result<(StatusCode, Bytes), OutboundError> {
        let form = parts.into_iter().fold(Form::new(), OutboundPart::add_to);
        let request = self.client.post(policy::check(self.policy, url)?).multipart(form).timeout(timeout);
        let mut answer = request.send().await.map_err(|error| OutboundError::of(&error))?;
        let body = client::read(&mut answer, ANSWER_BYTES).await?;
        Ok((answer.status(), body))
    }

    /// Posts a JSON document; returns the response status. Redirects are not followed.
    ///
    /// # Errors
    /// `BadUrl`, `NotAllowed`, `Unreachable`, `TimedOut`.
    pub async fn post_json(
        &self,
        url: &str,
        document: &serde_json::Value,
        timeout: Duration,
    ) -> Result<StatusCode, OutboundError> {
        self.send(self.client.post(policy::check(self.policy, url)?).json(document).timeout(timeout)).await
    }

    /// Posts a JSON document, with basic authentication if a login is given; returns the response status and at most 64
    /// KiB of its body. Redirects are not followed.
    ///
    /// # Errors
    /// `BadUrl`, `NotAllowed`, `UnknownHost`, `Unreachable`, `TimedOut`, `TooLarge`.
    pub async fn exchange_json(
        &self,
        url: &str,
        document: &(impl Serialize + Sync),
        login: Option<(&str, &str)>,
        timeout: Duration,
    ) -> Result<(StatusCode, Bytes), OutboundError> {
        let request = self.client.post(policy::check(self.policy, url)?).json(document).timeout(timeout);
        let request = match login {
            Some((name, password)) => request.basic_auth(name, Some(password)),
            None => request,
        };
        let mut answer = request.send().await.map_err(|error| OutboundError::of(&error))?;
        let body = client::read(&mut answer, ANSWER_BYTES).await?;
        Ok((answer.status(), body))
    }

    /// Posts a JSON document that asks for much; returns the response status and at most `max_bytes` of its body.
    /// Redirects are not followed.
    ///
    /// # Errors
    /// As [`exchange_json`](Self::exchange_json).
    pub async fn ask_json(
        &self,
        url: &str,
        document: &(impl Serialize + Sync),
        max_bytes: usize,
        timeout: Duration,
    ) -> Result<(StatusCode, Bytes), OutboundError> {
        let request = self.client.post(policy::check(self.policy, url)?).json(document).timeout(timeout);
        let mut answer = request.send().await.map_err(|error| OutboundError::of(&error))?;
        let body = client::read(&mut answer, max_bytes).await?;
        Ok((answer.status(), body))
    }

    /// Downloads a file of at most `max_bytes`, replacing an existing one; an incomplete download is removed. Fails
    /// when the server is silent for 20 s.
    ///
    /// # Errors
    /// Every variant but `Setup`.
    pub async fn download(&self, url: &str, to: &Path, max_bytes: u64) -> Result<(), OutboundError> {
        let request = self.client.get(policy::check(self.policy, url)?);
        let sent = tokio::time::timeout(FETCH_TIMEOUT, request.send()).await.map_err(|_| OutboundError::TimedOut)?;
        let mut answer = sent.map_err(|error| OutboundError::of(&error))?;
        if answer.status() != StatusCode::OK {
            return Err(OutboundError::Status(answer.status()));
        }
        let written = client::write(&mut answer, to, max_bytes, FETCH_TIMEOUT).await;
        if written.is_err() {
            // Best effort: the incomplete file is useless.
            let _ = tokio::fs::remove_file(to).await;
        }
        written
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<StatusCode, OutboundError> {
        let mut answer = request.send().await.map_err(|error| OutboundError::of(&error))?;
        // Read to the end, so that the connection can be reused; the content does not matter.
        let _ = client::read(&mut answer, ANSWER_BYTES).await;
        Ok(answer.status())
    }
}

impl From<ConnectError> for OutboundError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::UnknownHost => Self::UnknownHost,
            ConnectError::NotAllowed => Self::NotAllowed,
            ConnectError::TimedOut => Self::TimedOut,
            ConnectError::Failed(error) => Self::Unreachable { why: error.to_string() },
        }
    }
}

impl OutboundPart {
    fn add_to(form: Form, part: Self) -> Form {
        match part {
            Self::Text { name, text } => form.text(name, text),
            Self::File { name, file_name, content_type, bytes } => {
                let mut headers = HeaderMap::new();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
                let length = bytes.len() as u64;
                form.part(
                    name,
                    multipart::Part::stream_with_length(bytes, length).file_name(file_name).headers(headers),
                )
            }
        }
    }
}
