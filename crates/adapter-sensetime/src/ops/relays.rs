//! Relays switched by cameras.

use domain::RelayId;

use crate::codes::{Code, Fault};
use crate::convert::relays;
use crate::request::Call;
use crate::wire::Nothing;
use crate::wire::relays::{AddRelay, DeleteRelay, ListedRelay, RelayRow};

/// Lists all relays, and whether they are online (1537, section 10.1).
pub(crate) async fn list_relays(call: Call) -> Result<Vec<ListedRelay>, Fault> {
    let (relays, cameras) = (call.reading()?.relays().await?, call.reading()?.cameras().await?);
    let listed = relays
        .into_iter()
        .map(|(relay, online)| ListedRelay { row: relays::row(relay, &cameras), work_status: online.into() });
    Ok(listed.collect())
}

/// Binds a relay to a camera (1538, section 10.2).
pub(crate) async fn add_relay(call: Call) -> Result<RelayRow, Fault> {
    let wanted: AddRelay = call.read()?;
    let relay = relays::relay(wanted, call.device.config.channels)?;
    if !call.device.outbound.allows(relay.address.ip()) {
        return Err(Fault::with_detail(Code::Parameter, "dev_ip is where the device may not call"));
    }
    let bound = call.acts()?.bind_relay(relay).await?;
    Ok(relays::row(bound, &call.reading()?.cameras().await?))
}

/// Releases a relay from its camera (1539, section 10.3).
pub(crate) async fn delete_relay(call: Call) -> Result<Nothing, Fault> {
    let DeleteRelay { id } = call.read()?;
    call.acts()?.release_relay(RelayId(id.0)).await?;
    Ok(Nothing::NOTHING)
}
