//! Readers on a serial line.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use domain::Scan;
use domain::ports::{ReaderError, Scans};
use serial2_tokio::{CharSize, FlowControl, Parity, SerialPort, Settings, StopBits};
use tokio::time::Instant;

use super::line::{Completed, Line};
use super::{Desk, lost};

/// A longer gap within a line means that the first part belongs to an earlier line that was cut off.
const PAUSE: Duration = Duration::from_secs(2);

/// A serial line to a reader.
pub(super) struct Serial {
    port: SerialPort,
    desk: Desk,
    line: Line,
    /// Receive buffer, its used length, and the next byte to process.
    received: [u8; 512],
    length: usize,
    next: usize,
    last: Instant,
}

impl Serial {
    pub(super) fn open(device: &Path, baud: u32, desk: Desk) -> Result<Self, ReaderError> {
        let port = SerialPort::open(device, |settings| at(settings, baud));
        let port = port.map_err(|error| ReaderError::Unreachable(error.to_string()))?;
        // Discard scans from before opening: the person may no longer be there.
        port.discard_input_buffer().map_err(|error| ReaderError::Unreachable(error.to_string()))?;
        let line = Line::new(desk.reads.longest());
        Ok(Self { port, desk, line, received: [0; 512], length: 0, next: 0, last: Instant::now() })
    }

    /// Processes received bytes until they complete a scan.
    fn complete(&mut self) -> Option<Scan> {
        while self.next < self.length {
            let byte = self.received[self.next];
            self.next += 1;
            match self.line.push(byte) {
                None => {}
                Some(Completed::Void) => self.desk.refuse("the line is too long"),
                Some(Completed::Line(line)) => match self.desk.take(&line) {
                    None => {}
                    scan => return scan,
                },
            }
        }
        None
    }

    async fn receive(&mut self) -> std::io::Result<()> {
        let length = self.port.read(&mut self.received).await?;
        if length == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if self.last.elapsed() > PAUSE && self.line.forget() {
            self.desk.refuse("the line was cut off");
        }
        (self.length, self.next, self.last) = (length, 0, Instant::now());
        Ok(())
    }
}

fn at(mut settings: Settings, baud: u32) -> std::io::Result<Settings> {
    settings.set_raw();
    settings.set_baud_rate(baud)?;
    settings.set_char_size(CharSize::Bits8);
    settings.set_parity(Parity::None);
    settings.set_stop_bits(StopBits::One);
    settings.set_flow_control(FlowControl::None);
    Ok(settings)
}

#[async_trait]
impl Scans for Serial {
    async fn next(&mut self) -> Result<Scan, ReaderError> {
        loop {
            if let Some(scan) = self.complete() {
                return Ok(scan);
            }
            self.receive().await.map_err(|error| lost(&error))?;
        }
    }
}
