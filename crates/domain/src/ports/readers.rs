//! The port to readers of codes, cards and documents.

use async_trait::async_trait;

use crate::Scan;

/// A reader of codes, cards or documents.
#[async_trait]
pub trait Reader: Send + Sync {
    /// Name in logs, on the health page and in the audit log.
    fn name(&self) -> &str;

    /// Connects. What is shown to the reader while it is not connected is lost.
    async fn open(&self) -> Result<Box<dyn Scans>, ReaderError>;
}

/// A connected reader.
#[async_trait]
pub trait Scans: Send {
    /// Waits, without a time-out, for the next scan; unreadable ones are skipped. Cancel safe.
    async fn next(&mut self) -> Result<Scan, ReaderError>;
}

/// Why a reader does not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReaderError {
    /// The reader does not exist, or may not be used.
    #[error("it cannot be opened: {0}")]
    Unreachable(String),
    /// The reader has disappeared.
    #[error("it is gone: {0}")]
    Lost(String),
}
