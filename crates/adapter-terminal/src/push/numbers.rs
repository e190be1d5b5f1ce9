//! Numbers for the controller of the door, of those who enter.

use domain::{Appliance, Event, PersonId, Record, Result, Seq, Verdict, WiegandFormat, WiegandFrame};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::messages;
use crate::convert::{doors, people};
use crate::core::Core;
use crate::ops::settings::{DOOR, Values};

/// Whoever entered longer ago is gone, milliseconds.
const LATEST_MS: i64 = 2_000;

/// A stranger's record is not written before the visit is decided, milliseconds.
const LATEST_STRANGER_MS: i64 = 10_000;
/// Strangers told of at a time.
const STRANGERS: u32 = 16;
/// `ControlType`: contact and number.
const BOTH: i64 = 2;

/// Sends them until cancelled.
pub(super) async fn run(core: &Core, appliance: &Appliance, cancel: &CancellationToken) {
    tokio::join!(send_entries(core, appliance, cancel), send_strangers(core, cancel));
}

async fn send_entries(core: &Core, appliance: &Appliance, cancel: &CancellationToken) {
    let mut events = appliance.events();
    while let Some(event) = cancel.run_until_cancelled(events.recv()).await {
        match event {
            Ok(Event::Entered { person, at, .. }) => {
                let late = !(0..=LATEST_MS).contains(&core.appliance.now().millis_since(at));
                if late {
                    tracing::warn!("a number was not sent: its holder entered too long ago");
                } else if let Err(error) = send(core, person).await {
                    tracing::warn!(error = error.chain(), "a number was not sent");
                }
            }
            Ok(_) => {}
            Err(RecvError::Lagged(events)) => tracing::warn!(events.lost = events, "numbers may not have been sent"),
            Err(RecvError::Closed) => return,
        }
    }
}

/// Sends nothing but ones for every stranger, where a platform wants that.
async fn send_strangers(core: &Core, cancel: &CancellationToken) {
    let mut newest = core.appliance.newest_entry();
    let mut seen = *newest.borrow_and_update();
    while let Some(Ok(())) = cancel.run_until_cancelled(newest.changed()).await {
        let last = *newest.borrow_and_update();
        if let Err(error) = tell_strangers(core, seen).await {
            tracing::warn!(error = error.chain(), "a stranger was not told to the controller");
        }
        seen = last;
    }
}

async fn tell_strangers(core: &Core, after: Seq) -> Result<()> {
    let set = Values::load(core, &DOOR).await?;
    if set.number("IsOutFF") != 1 || !doors::sends_numbers(set.number("ControlType")) {
        return Ok(());
    }
    let stranger = |record: &Record| {
        let age = core.appliance.now().millis_since(record.capture.at);
        record.verdict == Verdict::Stranger && (0..=LATEST_STRANGER_MS).contains(&age)
    };
    let ones = WiegandFrame::new(format(&set), doors::ones(set.number("Wiegand")))?;
    for _ in core.appliance.records_after(after, STRANGERS).await?.iter().filter(|record| stranger(record)) {
        core.acts().send_number(None, &ones).await?;
    }
    Ok(())
}

async fn send(core: &Core, person: PersonId) -> Result<()> {
    let set = Values::load(core, &DOOR).await?;
    if !doors::sends_numbers(set.number("ControlType")) {
        return Ok(());
    }
    let (Some(holder), own) = messages::holder(core, person).await? else { return Ok(()) };
    let Some(number) = people::wiegand_number(&holder.profile, &own, public(&set)) else { return Ok(()) };
    core.acts().send_number(Some(person), &WiegandFrame::new(format(&set), number)?).await
}

/// Sends the public number, because a platform has opened the door; nothing where no numbers are sent.
pub(crate) async fn send_public(core: &Core) -> Result<()> {
    let set = Values::load(core, &DOOR).await?;
    if !doors::sends_numbers(set.number("ControlType")) {
        return Ok(());
    }
    let sent = async { core.acts().send_number(None, &WiegandFrame::new(format(&set), public(&set))?).await };
    match sent.await {
        // The contact has opened the door all the same.
        Err(error) if set.number("ControlType") == BOTH => {
            tracing::warn!(error = error.chain(), "the public number was not sent");
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
