//! Scans by readers: pushed once, without confirmation; lost when the receiver is not reachable.

use domain::{Appliance, Document, Event, Gender, Result, Scan, Timestamp};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::subscriber::TIMEOUT;
use crate::convert::{cards, data_uri, doors, nations, time};
use crate::device::Device;
use crate::settings::{DOOR, Reports, Subscription};
use crate::wire::push::{CardInfo, IdCardInfo, Message, ScanContent, Scanned};

/// Pushes scans to the broker and to the subscriber until cancelled; neither waits for the other.
pub(super) async fn run(device: &Device, appliance: &Appliance, cancel: &CancellationToken) {
    tokio::join!(push(device, appliance, To::Broker, cancel), push(device, appliance, To::Subscriber, cancel));
}

/// The receiver of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    Broker,
    Subscriber,
}

async fn push(device: &Device, appliance: &Appliance, to: To, cancel: &CancellationToken) {
    let mut events = appliance.events();
    while let Some(event) = cancel.run_until_cancelled(events.recv()).await {
        let pushed = match event {
            Ok(Event::Scanned { at, scan, .. }) => match to {
                To::Broker => to_broker(device, at, &scan).await,
                To::Subscriber => to_subscriber(device, at, &scan).await,
            },
            Ok(_) => Ok(()),
            Err(RecvError::Lagged(events)) => {
                tracing::warn!(events.lost = events, "events lost: scans may not have been pushed");
                Ok(())
            }
            Err(RecvError::Closed) => return,
        };
        if let Err(error) = pushed {
            tracing::warn!(error = error.chain(), "failed to push a scan");
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

async fn to_broker(device: &Device, at: Timestamp, scan: &Scan) -> Result<()> {
    let mode = device.verify_mode().await?;
    let demanded = match scan {
        Scan::Code(_) => true,
        Scan::Card(_) => doors::involves_cards(mode),
        Scan::Document(_) => doors::involves_documents(mode),
    };
    let set = Reports::load(&device.state()).await?;
    if !demanded || !set.reports(name(scan)) {
        return Ok(());
    }
    let message = message(device, at, scan).await?;
    if let Err(error) = device.link.publish(&device.below(name(scan)), message.bytes()).await {
        tracing::warn!(%error, scan.kind = scan.kind(), "scan not pushed");
    }
    Ok(())
}

async fn to_subscriber(device: &Device, at: Timestamp, scan: &Scan) -> Result<()> {
    let set = Subscription::load(&device.state()).await?;
    // There is no subscription of cards.
    if matches!(scan, Scan::Card(_)) || !set.is_on() || !set.reports(name(scan)) {
        return Ok(());
    }
    let message = message(device, at, scan).await?;
    // The answer does not matter.
    let _ = device.outbound.exchange_json(&set.url(name(scan)), &message, set.login(), TIMEOUT).await;
    Ok(())
}

async fn message(device: &Device, at: Timestamp, scan: &Scan) -> Result<Message<Scanned>> {
    let (operator, content) = match scan {
        Scan::Code(text) => ("QRCodePush", ScanContent::Code(text.clone())),
        Scan::Card(number) => ("CardPush", ScanContent::Card(card(device, *number).await?)),
        Scan::Document(document) => ("IDCardPush", ScanContent::Document(Box::new(id_card(document)))),
    };
    let info = Scanned {
        device: device.id.clone(),
        device_name: device.appliance.options().name.clone(),
        time: time::text(at, &device.zone()),
        content,
    };
    Ok(Message { operator, info })
}

async fn card(device: &Device, number: u64) -> Result<CardInfo> {
    let set = device.values(&DOOR).await?;
    let hexadecimal = set.number("CardMode") == 1;
    Ok(CardInfo {
        endian: set.text("Endian").to_owned(),
        card_mode: set.text("CardMode").to_owned(),
        card_num: cards::text(number, hexadecimal),
    })
}

fn id_card(document: &Document) -> IdCardInfo {
    let Document { number, name, gender, ethnic_group, birth_date, address, issuer, valid, photo } = document;
    IdCardInfo {
        number: number.clone(),
        name: name.clone(),
        gender: u8::from(*gender == Some(Gender::Female)),
        nation: nations::code_or_other(ethnic_group),
        birthday: birth_date.map_or_else(|| "0000-00-00".to_owned(), |date| date.to_string()),
        address: address.clone(),
        issuer: issuer.clone(),
        valid: valid.clone(),
        photo: if photo.is_empty() { String::new() } else { data_uri(photo) },
    }
}
