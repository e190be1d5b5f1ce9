//! Readers of codes, cards and documents, on a serial line or as USB keyboards.

mod keys;
mod line;
mod serial;
mod understanding;
mod wedge;

use std::path::PathBuf;

use async_trait::async_trait;
use domain::Scan;
use domain::ports::{Reader, ReaderError, Scans};

use serial::Serial;
pub use understanding::Reads;
use wedge::Wedge;

/// A configured reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderLine {
    /// Its name.
    pub name: String,
    /// Its connection.
    pub connection: ReaderConnection,
    /// What it reads.
    pub reads: Reads,
}

/// How a reader is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderConnection {
    /// A serial line with eight data bits, no parity and one stop bit.
    Serial {
        /// For example `/dev/serial/by-id/…`.
        device: PathBuf,
        /// Bits per second.
        baud: u32,
    },
    /// A USB keyboard, which the process grabs exclusively.
    Keyboard {
        /// For example `/dev/input/by-id/…-event-kbd`.
        device: PathBuf,
    },
}

#[async_trait]
impl Reader for ReaderLine {
    fn name(&self) -> &str {
        &self.name
    }

    async fn open(&self) -> Result<Box<dyn Scans>, ReaderError> {
        let desk = Desk { reader: self.name.clone(), reads: self.reads };
        Ok(match &self.connection {
            ReaderConnection::Serial { device, baud } => Box::new(Serial::open(device, *baud, desk)?),
            ReaderConnection::Keyboard { device } => Box::new(Wedge::open(device, desk)?),
        })
    }
}

/// Interprets the lines of a reader.
struct Desk {
    reader: String,
    reads: Reads,
}

impl Desk {
    /// Parses a line. An invalid one is counted and logged without its content.
    fn take(&self, line: &[u8]) -> Option<Scan> {
        let scan = std::str::from_utf8(line).ok().and_then(|line| self.reads.understand(line));
        if scan.is_none() {
            self.refuse("the line does not match the configured format");
        }
        scan
    }

    fn refuse(&self, why: &'static str) {
        metrics::counter!("polyface_scans_refused_total", "reader" => self.reader.clone()).increment(1);
        tracing::warn!(reader.name = self.reader, reader.why = why, "scan rejected");
    }
}

/// The error for a device that fails after it was opened.
fn lost(error: &std::io::Error) -> ReaderError {
    ReaderError::Lost(error.to_string())
}
