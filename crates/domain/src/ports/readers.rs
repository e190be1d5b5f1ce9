//! Readers of codes, cards and documents.

use async_trait::async_trait;

use crate::Scan;

/// A reader of codes, cards or documents.
#[async_trait]
pub trait Reader: Send + Sync {
    /// What it is called, in logs, on the health board and in the audit log.
    fn name(&self) -> &str;

    /// Connects to it; until then, and after a failure, what is shown to it is lost.
    async fn open(&self) -> Result<Box<dyn Scans>, ReaderError>;
}

/// A reader that is connected.
#[async_trait]
pub trait Scans: Send {
    /// The next thing that is read; what cannot be understood is passed over. Waits as long as nobody shows anything.
    /// Safe to drop at any await.
    async fn next(&mut self) -> Result<Scan, ReaderError>;
}

/// Why a reader reads nothing; the text is for a human.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReaderError {
    /// It is not there, or may not be used.
    #[error("it cannot be opened: {0}")]
    Unreachable(String),
    /// It was there.
    #[error("it is gone: {0}")]
    Lost(String),
}
