//! Readers of codes, cards and documents, on a serial line or as a USB keyboard.

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

/// A reader, and how it is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderLine {
    /// What it is called.
    pub name: String,
    /// How it is connected.
    pub connection: ReaderConnection,
    /// What it reads.
    pub reads: Reads,
}

/// How a reader is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderConnection {
    /// By a serial line, with eight data bits, no parity and one stop bit.
    Serial {
        /// As `/dev/serial/by-id/…`.
        device: PathBuf,
        /// Bits a second.
        baud: u32,
    },
    /// By USB as a keyboard, which is nobody else's then.
    Keyboard {
        /// As `/dev/input/by-id/…-event-kbd`.
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

/// Where the lines of a reader are understood.
struct Desk {
    reader: String,
    reads: Reads,
}

impl Desk {
    /// What a line says; one that cannot be understood is counted, and its content told to nobody.
    fn take(&self, line: &[u8]) -> Option<Scan> {
        let scan = std::str::from_utf8(line).ok().and_then(|line| self.reads.understand(line));
        if scan.is_none() {
            self.refuse("it is not what this reader is to read");
        }
        scan
    }

    fn refuse(&self, why: &'static str) {
        metrics::counter!("polyface_scans_refused_total", "reader" => self.reader.clone()).increment(1);
        tracing::warn!(reader.name = self.reader, reader.why = why, "a scan was refused");
    }
}

/// The failure of a device that was open.
fn lost(error: &std::io::Error) -> ReaderError {
    ReaderError::Lost(error.to_string())
}
