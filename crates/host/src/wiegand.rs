//! The door controller line: two GPIO lines on which card numbers are sent by the Wiegand protocol.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::{Error, Result, WiegandFrame};
use gpiocdev::Request;
use gpiocdev::line::{Offset, Value};

/// Length of a pulse; controllers accept 20 to 200 µs.
const PULSE: Duration = Duration::from_micros(50);
/// Pause between pulses.
const PAUSE: Duration = Duration::from_millis(2);
/// Pause after a number, longer than between bits, by which controllers recognise its end.
const GAP: Duration = Duration::from_millis(100);

/// The GPIO lines to the controller; they idle high and are pulled low for a bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberLine {
    /// The chip, e.g. `/dev/gpiochip0`.
    pub chip: PathBuf,
    /// Number of line D0 on the chip.
    pub d0: Offset,
    /// Number of line D1 on the chip.
    pub d1: Offset,
}

/// The lines to the controller, requested exclusively.
#[derive(Debug, Clone)]
pub struct Numbers {
    /// Locked while a number is sent.
    lines: Arc<Mutex<Lines>>,
}

#[derive(Debug)]
struct Lines {
    request: Request,
    wanted: NumberLine,
}

impl Numbers {
    /// Requests the lines. Fails with `Unavailable` when they do not exist, are in use, or access is denied; the log
    /// says which.
    pub fn open(wanted: &NumberLine) -> Result<Self> {
        let mut request = Request::builder();
        request.on_chip(&wanted.chip).with_consumer("polyface").with_lines(&[wanted.d0, wanted.d1]);
        let request = request.as_output(Value::Inactive).as_active_low().request().map_err(|error| {
            tracing::error!(host.chip = %wanted.chip.display(), %error, "failed to open the door controller line");
            Error::Unavailable { what: "the line to the controller of the door" }
        })?;
        Ok(Self { lines: Arc::new(Mutex::new(Lines { request, wanted: wanted.clone() })) })
    }

    /// Sends a number, after any that is being sent.
    pub(crate) async fn send(&self, number: WiegandFrame) -> Result<()> {
        let lines = Arc::clone(&self.lines);
        let sent = tokio::task::spawn_blocking(move || {
            let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            send(&number, |bit, low| lines.set(bit, low))
        });
        sent.await.map_err(Error::internal("sending a number"))?
    }
}

impl Lines {
    fn set(&self, bit: bool, low: bool) -> Result<()> {
        let line = if bit { self.wanted.d1 } else { self.wanted.d0 };
        let value = if low { Value::Active } else { Value::Inactive };
        self.request.set_value(line, value).map(drop).map_err(Error::internal("sending a number"))
    }
}

/// Sends one pulse per bit on its line.
fn send(number: &WiegandFrame, mut set: impl FnMut(bool, bool) -> Result<()>) -> Result<()> {
    for bit in number.bits() {
        set(*bit, true)?;
        // A sleep would exceed the maximum pulse length.
        let end = Instant::now() + PULSE;
        while Instant::now() < end {
            std::hint::spin_loop();
        }
        set(*bit, false)?;
        std::thread::sleep(PAUSE);
    }
    std::thread::sleep(GAP);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::WiegandFormat;

    #[test]
    fn every_bit_is_a_pulse_on_its_own_line() {
        let number = WiegandFrame::new(WiegandFormat::Bits26, 0x12_3456).unwrap();
        let mut pulses: Vec<(bool, bool, Instant)> = Vec::new();
        send(&number, |bit, low| {
            pulses.push((bit, low, Instant::now()));
            Ok(())
        })
        .unwrap();
        let (down, up): (Vec<_>, Vec<_>) = pulses.chunks(2).map(|pair| (pair[0], pair[1])).unzip();
        assert!(down.iter().all(|pulse| pulse.1) && up.iter().all(|pulse| !pulse.1));
        let bits: Vec<bool> = down.iter().map(|pulse| pulse.0).collect();
        assert_eq!(bits, number.bits());
        assert_eq!(bits, up.iter().map(|pulse| pulse.0).collect::<Vec<_>>());
        assert!(down.iter().zip(&up).all(|(down, up)| up.2 - down.2 >= PULSE));
        assert!(up.iter().zip(&down[1..]).all(|(up, down)| down.2 - up.2 >= PAUSE));
    }

    #[test]
    fn a_line_that_fails_ends_the_number() {
        let number = WiegandFrame::new(WiegandFormat::Bits34, 7).unwrap();
        let mut calls = 0;
        let sent = send(&number, |_, _| {
            calls += 1;
            Err(Error::Unavailable { what: "the line" })
        });
        assert!(sent.is_err());
        assert_eq!(calls, 1);
    }

    #[test]
    fn a_chip_that_is_not_there_is_unavailable() {
        let wanted = NumberLine { chip: "/dev/gpiochip999".into(), d0: 5, d1: 6 };
        assert!(matches!(Numbers::open(&wanted), Err(Error::Unavailable { .. })));
    }
}
