//! Relays.

use std::net::{IpAddr, SocketAddr};

use domain::{Camera, NewRelay, Relay};

use super::records::channel;
use super::{bounded, within};
use crate::codes::Fault;
use crate::wire::Text;
use crate::wire::relays::{AddRelay, RelayRow};

/// The relay to bind. Port 0, which the document allows, is refused.
pub(crate) fn relay(wanted: AddRelay, channels: u32) -> Result<NewRelay, Fault> {
    let address: IpAddr =
        wanted.dev_ip.0.trim().parse().map_err(|_| Fault::parameter("dev_ip is not an IP address"))?;
    let port = within("dev_port", wanted.dev_port.0, 0, u16::MAX.into())? as u16;
    let text = |name, text: Option<Text>| text.map_or_else(|| Ok(String::new()), |text| bounded(name, text));
    Ok(NewRelay {
        camera: channel(wanted.camera_channel.0, channels)?,
        address: SocketAddr::new(address, port),
        name: text("dev_name", wanted.dev_name)?,
        tag: text("dev_tag", wanted.dev_tag)?,
    })
}

/// A relay in the answers to 1537 and 1538.
pub(crate) fn row(relay: Relay, cameras: &[Camera]) -> RelayRow {
    let camera = cameras.iter().find(|camera| camera.id == relay.camera);
    RelayRow {
        id: relay.id.0,
        camera_channel: relay.camera.0,
        camera_name: camera.map_or_else(String::new, |camera| camera.settings.name.clone()),
        dev_ip: relay.address.ip().to_string(),
        dev_port: relay.address.port(),
        dev_name: relay.name,
        dev_tag: relay.tag,
        dev_type: "relay",
    }
}
