//! What readers read: told once, for nobody confirms it, and lost where nobody listens.

use domain::{Appliance, Document, Event, Gender, Result, Scan, Timestamp};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::http::TIMEOUT;
use crate::convert::{cards, data_uri, doors, nations, time};
use crate::core::Core;
use crate::ops::doors::verify_mode;
use crate::ops::http::Subscriber;
use crate::ops::settings::{DOOR, Mqtt, Values};

/// Tells broker and subscriber until cancelled; neither waits for the other.
pub(super) async fn run(core: &Core, appliance: &Appliance, cancel: &CancellationToken) {
    tokio::join!(tell(core, appliance, To::Broker, cancel), tell(core, appliance, To::Subscriber, cancel));
}

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    Broker,
    Subscriber,
}

async fn tell(core: &Core, appliance: &Appliance, to: To, cancel: &CancellationToken) {
    let mut events = appliance.events();
    while let Some(event) = cancel.run_until_cancelled(events.recv()).await {
        let told = match event {
            Ok(Event::Scanned { at, scan, .. }) => match to {
                To::Broker => tell_broker(core, at, &scan).await,
                To::Subscriber => tell_subscriber(core, at, &scan).await,
            },
            Ok(_) => Ok(()),
            Err(RecvError::Lagged(events)) => {
                tracing::warn!(events.lost = events, "what was read may not be told");
                Ok(())
            }
            Err(RecvError::Closed) => return,
        };
        if let Err(error) = told {
            tracing::warn!(error = error.chain(), "what was read cannot be told");
        }
    }
}

/// The kind of a scan, as settings and topics name it.
fn name(scan: &Scan) -> &'static str {
    match scan {
        Scan::Code(_) => "QRCode",
        Scan::Card(_) => "Card",
        Scan::Document(_) => "IDCard",
    }
}

async fn tell_broker(core: &Core, at: Timestamp, scan: &Scan) -> Result<()> {
    let mode = verify_mode(core).await?;
    let demanded = match scan {
        Scan::Code(_) => true,
        Scan::Card(_) => doors::demands_card(mode),
        Scan::Document(_) => doors::demands_document(mode),
    };
    let set = Mqtt::load(core).await?;
    if !demanded || !set.reports(name(scan)) {
        return Ok(());
    }
    let message = message(core, at, scan).await?;
    if let Err(error) = core.link.publish(&core.below(name(scan)), message.to_string().into_bytes()).await {
        tracing::warn!(%error, scan.kind = scan.kind(), "what was read was not told");
    }
    Ok(())
}

async fn tell_subscriber(core: &Core, at: Timestamp, scan: &Scan) -> Result<()> {
    let set = Subscriber::load(core).await?;
    // There is no subscription of cards.
    if matches!(scan, Scan::Card(_)) || !set.is_on() || !set.reports(name(scan)) {
        return Ok(());
    }
    let message = message(core, at, scan).await?;
    // The answer does not matter.
    let _ = core.outbound.exchange_json(&set.url(name(scan)), &message, set.login(), TIMEOUT).await;
    Ok(())
}

async fn message(core: &Core, at: Timestamp, scan: &Scan) -> Result<Value> {
    let mut info = json!({
        "facesluiceId": core.id,
        "facesluiceName": core.appliance.options().name,
        "time": time::text(at, &core.zone()),
    });
    let (key, value) = match scan {
        Scan::Code(text) => ("QRCodeInfo", json!(text)),
        Scan::Card(number) => ("CardInfo", card(core, *number).await?),
        Scan::Document(document) => ("IDCardInfo", id_card(document)),
    };
    info[key] = value;
    Ok(json!({ "operator": format!("{}Push", name(scan)), "info": info }))
}

async fn card(core: &Core, number: u64) -> Result<Value> {
    let set = Values::load(core, &DOOR).await?;
    let hexadecimal = set.number("CardMode") == 1;
    Ok(json!({
        "Endian": set.text("Endian"),
        "CardMode": set.text("CardMode"),
        "CardNum": cards::text(number, hexadecimal),
    }))
}

fn id_card(document: &Document) -> Value {
    let Document { number, name, gender, ethnic_group, birth_date, address, issuer, valid, photo } = document;
    json!({
        "IDCard_Idno": number,
        "IDCard_Name": name,
        "IDCard_Gender": u8::from(*gender == Some(Gender::Female)),
        "IDCard_Nation": nations::code_or_other(ethnic_group),
        "IDCard_Birthday": birth_date.map_or_else(|| "0000-00-00".to_owned(), |date| date.to_string()),
        "IDCard_Address": address,
        "IDCard_Idissue": issuer,
        "IDCard_Idperiod": valid,
        "IDCard_photo": if photo.is_empty() { String::new() } else { data_uri(photo) },
    })
}
