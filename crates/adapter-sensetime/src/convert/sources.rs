//! The sources of cameras.

use std::net::IpAddr;

use domain::{DeviceAddress, Source};

use super::bounded;
use super::cameras::{CameraKind, missing};
use crate::codes::Fault;
use crate::wire::cameras::CameraFields;
use crate::wire::{Int, Text};

/// Vendors of capture cameras; the first is the default, also for an unknown one.
const MAKERS: [&str; 6] = ["dahua", "hikvision", "sensedlc11", "sensedlct", "sensedlcd", "sensedlcaa"];
/// The default password of cameras that log in at the device as their SIP server; the document prints it.
pub const SIP_PASSWORD: &str = "sensetime";
/// The longest SIP id.
const MAX_SIP_ID: usize = 20;

/// The device as a SIP server.
#[derive(Debug, Clone)]
pub(crate) struct OwnServer {
    /// Its SIP id.
    pub(crate) id: String,
    /// Whether cameras may log in with the document's password.
    pub(crate) default_password: bool,
}

impl OwnServer {
    /// Checks that a camera that logs in here has a password that the owner has chosen.
    pub(crate) fn check(&self, source: &Source) -> Result<(), Fault> {
        match source {
            Source::Gb28181 { server, server_sip_id, .. }
                if *server_sip_id == self.id
                    && !self.default_password
                    && matches!(server.password.as_str(), "" | SIP_PASSWORD) =>
            {
                Err(Fault::parameter("camera_pwd: the document's password keeps nobody out, choose another"))
            }
            _ => Ok(()),
        }
    }
}

/// The source of a new camera.
pub(crate) fn new_source(kind: CameraKind, fields: &CameraFields, own: &OwnServer) -> Result<Source, Fault> {
    for (field, there) in required(kind, fields) {
        if !there {
            return Err(missing(field));
        }
    }
    let device = DeviceAddress::default;
    let empty = match kind {
        CameraKind::Rtsp => Source::Rtsp { url: String::new() },
        CameraKind::Onvif => Source::Onvif(device()),
        CameraKind::Gb28181 => {
            Source::Gb28181 { server: device(), server_sip_id: String::new(), camera_sip_id: String::new() }
        }
        CameraKind::Image => Source::Capture { device: device(), vendor: MAKERS[0].to_owned(), product: String::new() },
    };
    let mut source = changed_source(empty, fields)?;
    if let Source::Gb28181 { server, server_sip_id, .. } = &mut source
        && server.password.is_empty()
        && own.default_password
        && *server_sip_id == own.id
    {
        SIP_PASSWORD.clone_into(&mut server.password);
    }
    own.check(&source)?;
    Ok(source)
}

/// The fields that a new camera of this kind must have, and whether they were sent.
fn required(kind: CameraKind, fields: &CameraFields) -> Vec<(&'static str, bool)> {
    let address = [("ip", fields.ip.is_some()), ("port", fields.port.is_some())];
    let login = [("camera_user", fields.camera_user.is_some()), ("camera_pwd", fields.camera_pwd.is_some())];
    match kind {
        CameraKind::Rtsp => vec![("url", fields.url.is_some())],
        CameraKind::Onvif | CameraKind::Image => [address, login].concat(),
        CameraKind::Gb28181 => {
            let (server, camera) = (fields.server_sip_id.is_some(), fields.camera_sip_id.is_some());
            [address, [("server_sip_id", server), ("camera_sip_id", camera)]].concat()
        }
    }
}

/// The source with the fields that were sent; those of other kinds are ignored. A password is for the host that it was
/// given for: with another host and no password there is none.
pub(crate) fn changed_source(source: Source, fields: &CameraFields) -> Result<Source, Fault> {
    Ok(match source {
        Source::Rtsp { .. } | Source::File { .. } => match &fields.url {
            Some(url) => stream(&url.0)?,
            None => source,
        },
        Source::Onvif(device) => Source::Onvif(changed_device(device, fields, true)?),
        Source::Gb28181 { server, server_sip_id, camera_sip_id } => Source::Gb28181 {
            server: changed_device(server, fields, false)?,
            server_sip_id: sip_id("server_sip_id", fields.server_sip_id.as_ref(), server_sip_id)?,
            camera_sip_id: sip_id("camera_sip_id", fields.camera_sip_id.as_ref(), camera_sip_id)?,
        },
        Source::Capture { device, vendor, product } => Source::Capture {
            device: changed_device(device, fields, true)?,
            vendor: fields.vendor.as_ref().map_or(vendor, maker),
            product: sent("product", fields.product.as_ref(), product)?,
        },
        Source::Pushed { host } => Source::Pushed { host: fields.ip.as_ref().map_or(Ok(host), address)? },
    })
}

/// The source of an RTSP URL or of a video file.
fn stream(url: &str) -> Result<Source, Fault> {
    Source::of_url(url).map_err(|why| Fault::parameter(format!("url: {why}")))
}

fn changed_device(device: DeviceAddress, fields: &CameraFields, has_user: bool) -> Result<DeviceAddress, Fault> {
    let user = fields.camera_user.as_ref().filter(|_| has_user);
    let host = fields.ip.as_ref().map_or_else(|| Ok(device.host.clone()), host)?;
    let device = device.moved_to(host);
    Ok(DeviceAddress {
        host: device.host,
        port: fields.port.map_or(Ok(device.port), port)?,
        user: sent("camera_user", user, device.user)?,
        password: sent("camera_pwd", fields.camera_pwd.as_ref(), device.password)?,
    })
}

fn host(text: &Text) -> Result<String, Fault> {
    let host = text.0.trim();
    let usable = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
    match host.len() {
        1..=253 if host.chars().all(usable) => Ok(host.to_owned()),
        _ => Err(Fault::parameter("ip is not an address")),
    }
}

fn address(text: &Text) -> Result<IpAddr, Fault> {
    text.0.trim().parse().map_err(|_| Fault::parameter("ip is not an address"))
}

fn port(number: Int) -> Result<u16, Fault> {
    let port = u16::try_from(number.0).ok().filter(|port| *port > 0);
    port.ok_or_else(|| Fault::parameter("port is not 1 to 65535"))
}

fn sent(field: &str, sent: Option<&Text>, now: String) -> Result<String, Fault> {
    sent.map_or(Ok(now), |text| bounded(field, text.clone()))
}

fn sip_id(field: &str, sent: Option<&Text>, now: String) -> Result<String, Fault> {
    let Some(Text(id)) = sent else { return Ok(now) };
    match id.len() {
        1..=MAX_SIP_ID if id.bytes().all(|byte| byte.is_ascii_alphanumeric()) => Ok(id.clone()),
        _ => Err(Fault::parameter(format!("{field} is not 1 to {MAX_SIP_ID} digits or letters"))),
    }
}

/// The vendor; an unknown one counts as the first of the list (quirk vendor-list).
fn maker(sent: &Text) -> String {
    let known = MAKERS.iter().find(|maker| maker.eq_ignore_ascii_case(&sent.0));
    (*known.unwrap_or(&MAKERS[0])).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::read;
    use serde_json::{Value, json};

    fn fields(value: &Value) -> CameraFields {
        read(value.as_object().unwrap().clone()).unwrap()
    }

    fn own(id: &str) -> OwnServer {
        OwnServer { id: id.to_owned(), default_password: true }
    }

    fn device(source: &Source) -> DeviceAddress {
        match source {
            Source::Onvif(device) | Source::Gb28181 { server: device, .. } | Source::Capture { device, .. } => {
                device.clone()
            }
            Source::Rtsp { .. } | Source::File { .. } | Source::Pushed { .. } => DeviceAddress::default(),
        }
    }

    #[test]
    fn a_stream_is_rtsp_or_a_file() {
        assert!(matches!(stream("RTSP://a/b"), Ok(Source::Rtsp { .. })));
        assert!(matches!(stream("file:///a.mp4?loop=1"), Ok(Source::File { .. })));
        for bad in ["", "http://a", "/etc/passwd", "rtsp:/a", "rtsp://", "rtsp:///a"] {
            assert!(stream(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_camera_of_the_device_s_own_server_has_the_document_s_password_unless_another_is_sent() {
        let sent =
            json!({"ip": "10.0.0.1", "port": 5060, "server_sip_id": "34020000002000000001", "camera_sip_id": "1"});
        let password = |sent: &Value, own: &str| {
            new_source(CameraKind::Gb28181, &fields(sent), &self::own(own)).map(|source| device(&source).password).ok()
        };
        assert_eq!(password(&sent, "34020000002000000001").as_deref(), Some("sensetime"));
        assert_eq!(password(&sent, "34020000002000000002").as_deref(), Some(""));
        let mut own = sent.clone();
        own["camera_pwd"] = json!(12345);
        assert_eq!(password(&own, "34020000002000000001").as_deref(), Some("12345"));
        // Where the owner has not allowed it, the document's password is none.
        let strict = OwnServer { default_password: false, ..self::own("34020000002000000001") };
        for (sent, accepted) in [(&sent, false), (&own, true)] {
            assert_eq!(new_source(CameraKind::Gb28181, &fields(sent), &strict).is_ok(), accepted, "{sent}");
        }
        own["camera_pwd"] = json!(SIP_PASSWORD);
        assert!(new_source(CameraKind::Gb28181, &fields(&own), &strict).is_err());
        own["server_sip_id"] = json!("34020000002000000002");
        assert!(new_source(CameraKind::Gb28181, &fields(&own), &strict).is_ok(), "another server checks it");
    }

    #[test]
    fn a_password_stays_with_the_host_it_was_given_for() {
        let sent = json!({"ip": "cam.local", "port": 80, "camera_user": "admin", "camera_pwd": "secret"});
        let source = new_source(CameraKind::Onvif, &fields(&sent), &own("")).unwrap();
        let password = |change: Value| device(&changed_source(source.clone(), &fields(&change)).unwrap()).password;
        assert_eq!(password(json!({"port": 81, "camera_user": "viewer", "ip": "CAM.local"})), "secret");
        assert_eq!(password(json!({"ip": "10.0.0.9"})), "");
        assert_eq!(password(json!({"ip": "10.0.0.9", "camera_pwd": "new"})), "new");
    }

    #[test]
    fn fields_not_sent_stay_and_those_of_another_kind_are_ignored() {
        let sent = json!({"ip": "cam.local", "port": "80", "camera_user": "admin", "camera_pwd": 1, "vendor": "Acme"});
        let source = new_source(CameraKind::Image, &fields(&sent), &own("")).unwrap();
        assert!(matches!(&source, Source::Capture { vendor, .. } if vendor == "dahua"));
        let changes = json!({"port": 8080, "vendor": "HIKVISION", "url": "rtsp://a", "server_sip_id": "!"});
        let changed = changed_source(source, &fields(&changes)).unwrap();
        let address = device(&changed);
        assert_eq!((address.host.as_str(), address.port, address.password.as_str()), ("cam.local", 8080, "1"));
        assert!(matches!(&changed, Source::Capture { vendor, .. } if vendor == "hikvision"));
    }

    #[test]
    fn an_invalid_address_or_id_is_refused() {
        for bad in [
            json!({"ip": ""}),
            json!({"ip": "a b"}),
            json!({"ip": "a/b"}),
            json!({"port": 0}),
            json!({"port": 65536}),
            json!({"server_sip_id": ""}),
            json!({"camera_sip_id": "1\r\nX: y"}),
            json!({"camera_sip_id": "1".repeat(21)}),
        ] {
            let id = String::new;
            let source = Source::Gb28181 { server: DeviceAddress::default(), server_sip_id: id(), camera_sip_id: id() };
            assert!(changed_source(source, &fields(&bad)).is_err(), "{bad}");
        }
    }
}
