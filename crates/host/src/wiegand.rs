//! The line to the controller of a door: two lines of a GPIO chip, on which numbers are sent as Wiegand does.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::{Error, Result, WiegandFrame};
use gpiocdev::Request;
use gpiocdev::line::{Offset, Value};

/// How long a line is low for a bit; controllers take 20 to 200 µs.
const PULSE: Duration = Duration::from_micros(50);
/// From the end of a pulse to the next.
const PAUSE: Duration = Duration::from_millis(2);
/// After a number; controllers take a longer pause than between bits for its end.
const GAP: Duration = Duration::from_millis(100);

/// Which lines lead to the controller; they are high, and low for a bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberLine {
    /// The chip, e.g. `/dev/gpiochip0`.
    pub chip: PathBuf,
    /// The number of the line D0 on it.
    pub d0: Offset,
    /// The number of the line D1 on it.
    pub d1: Offset,
}

/// The lines to the controller, the device's alone while it runs.
#[derive(Debug, Clone)]
pub struct Numbers {
    /// Held while a number is sent.
    lines: Arc<Mutex<Lines>>,
}

#[derive(Debug)]
struct Lines {
    request: Request,
    wanted: NumberLine,
}

impl Numbers {
    /// Takes the lines. `Unavailable` when there are none, they are in use, or the process may not have them; the log
    /// says which.
    pub fn open(wanted: &NumberLine) -> Result<Self> {
        let mut request = Request::builder();
        request.on_chip(&wanted.chip).with_consumer("polyface").with_lines(&[wanted.d0, wanted.d1]);
        let request = request.as_output(Value::Inactive).as_active_low().request().map_err(|error| {
            tracing::error!(host.chip = %wanted.chip.display(), %error, "no line to the controller of the door");
            Error::Unavailable { what: "the line to the controller of the door" }
        })?;
        Ok(Self { lines: Arc::new(Mutex::new(Lines { request, wanted: wanted.clone() })) })
    }

    /// Sends a number, after those that are being sent.
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

/// Pulls the line of each bit low for a moment.
fn send(number: &WiegandFrame, mut set: impl FnMut(bool, bool) -> Result<()>) -> Result<()> {
    for bit in number.bits() {
        set(*bit, true)?;
        // A sleep would last longer than a pulse may.
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
