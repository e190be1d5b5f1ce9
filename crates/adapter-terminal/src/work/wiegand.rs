//! Wiegand numbers for the door controller, of people who enter.

use domain::{Appliance, Error, Event, PersonId, Record, Result, Seq, Verdict, WiegandFormat, WiegandFrame};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::convert::{doors, people};
use crate::device::Device;
use crate::settings::{self, DOOR, Values};

/// The number of a person who entered longer ago is not sent, milliseconds.
const LATEST_MS: i64 = 2_000;
/// The same for strangers, milliseconds: their records are written only when the visit is decided.
const LATEST_STRANGER_MS: i64 = 10_000;
/// Number of new records read together.
const AT_ONCE: u32 = 16;
/// `ControlType`: contact and number.
const BOTH: i64 = 2;

/// Sends numbers until cancelled.
pub(crate) async fn run(device: &Device, appliance: &Appliance, cancel: &CancellationToken) {
    tokio::join!(send_entries(device, appliance, cancel), send_strangers(device, cancel));
}

async fn send_entries(device: &Device, appliance: &Appliance, cancel: &CancellationToken) {
    let mut events = appliance.events();
    while let Some(event) = cancel.run_until_cancelled(events.recv()).await {
        match event {
            Ok(Event::Entered { person, at, .. }) => {
                let late = !(0..=LATEST_MS).contains(&device.appliance.now().millis_since(at));
                if late {
                    tracing::warn!("Wiegand number not sent: the person entered too long ago");
                } else if let Err(error) = send(device, person).await {
                    tracing::warn!(error = error.chain(), "failed to send a Wiegand number");
                }
            }
            Ok(_) => {}
            Err(RecvError::Lagged(events)) => {
                tracing::warn!(events.lost = events, "events lost: Wiegand numbers may not have been sent");
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// Sends a number of ones for every stranger, where a platform has set that.
async fn send_strangers(device: &Device, cancel: &CancellationToken) {
    let mut newest = device.appliance.newest_entry();
    let mut seen = *newest.borrow_and_update();
    while let Some(Ok(())) = cancel.run_until_cancelled(newest.changed()).await {
        let last = *newest.borrow_and_update();
        if let Err(error) = send_ones(device, seen).await {
            tracing::warn!(error = error.chain(), "failed to send the number of a stranger");
        }
        seen = last;
    }
}

async fn send_ones(device: &Device, after: Seq) -> Result<()> {
    let set = device.values(&DOOR).await?;
    if set.number("IsOutFF") != 1 || !doors::sends_numbers(set.number("ControlType")) {
        return Ok(());
    }
    let stranger = |record: &Record| {
        let age = device.appliance.now().millis_since(record.capture.at);
        record.verdict == Verdict::Stranger && (0..=LATEST_STRANGER_MS).contains(&age)
    };
    let ones = WiegandFrame::new(format(&set), doors::ones(set.number("Wiegand")))?;
    for _ in device.appliance.records_after(after, AT_ONCE).await?.iter().filter(|record| stranger(record)) {
        device.acts().send_number(None, &ones).await?;
    }
    Ok(())
}

async fn send(device: &Device, person: PersonId) -> Result<()> {
    let set = device.values(&DOOR).await?;
    if !doors::sends_numbers(set.number("ControlType")) {
        return Ok(());
    }
    let holder = match device.appliance.person(person).await {
        Ok(holder) => holder,
        Err(Error::NotFound { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    let own = settings::own_fields(&device.state(), person).await?;
    let Some(number) = people::wiegand_number(&holder.profile, &own, public(&set)) else { return Ok(()) };
    device.acts().send_number(Some(person), &WiegandFrame::new(format(&set), number)?).await
}

/// Sends the public number, because a platform has opened the door; does nothing where no numbers are sent.
pub(crate) async fn send_public(device: &Device) -> Result<()> {
    let set = device.values(&DOOR).await?;
    if !doors::sends_numbers(set.number("ControlType")) {
        return Ok(());
    }
    let sent = async { device.acts().send_number(None, &WiegandFrame::new(format(&set), public(&set))?).await };
    match sent.await {
        // The contact has opened the door, so the command succeeds.
        Err(error) if set.number("ControlType") == BOTH => {
            tracing::warn!(error = error.chain(), "failed to send the public number");
            Ok(())
        }
        sent => sent,
    }
}

fn public(set: &Values) -> u64 {
    set.number("PublicMjCardNo").unsigned_abs()
}

fn format(set: &Values) -> WiegandFormat {
    doors::format(set.number("Wiegand"))
}
