//! Cameras.

use domain::{CameraId, DeviceAddress, Source, StreamAddress, StreamTransport, same_host};

use super::{bounded, within};
use crate::codes::Fault;
use crate::wire::channels::Place;
use crate::wire::{Int, Text};

/// Maximum length of the address of a stream, characters.
const MAX_RTSP: usize = 256;
/// Maximum length of a host, characters.
const MAX_HOST: usize = 253;
/// Maximum length of user and password, characters.
const MAX_LOGIN: usize = 64;

/// `type` of an ONVIF camera.
pub(crate) const ONVIF: i64 = 1;
/// `type` of a stream.
pub(crate) const RTSP: i64 = 2;

/// How a stream of an ONVIF camera is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The main stream.
    Main,
    /// The stream of this number.
    Custom(i64),
}

/// What is sent of where a camera is, checked; `None` where it was left out or is empty.
#[derive(Default)]
pub(crate) struct Where {
    pub(crate) rtsp: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) transport: Option<StreamTransport>,
    pub(crate) choice: Option<Choice>,
}

impl Where {
    /// Checks what was sent; `password` is the decrypted one, `stored` the number of the stream chosen before.
    pub(crate) fn new(place: &Place, password: Option<String>, stored: Option<i64>) -> Result<Self, Fault> {
        let text = |field, text: &Option<Text>, most| {
            text.clone().and_then(Text::filled).map(|text| bounded(field, text, most)).transpose()
        };
        Ok(Self {
            rtsp: text("rtsp", &place.rtsp, MAX_RTSP)?,
            host: text("ip", &place.ip, MAX_HOST)?.map(host).transpose()?,
            port: place.port.map(|port| within("port", port, 1..=u16::MAX)).transpose()?,
            user: text("username", &place.username, MAX_LOGIN)?,
            password: password.map(|password| bounded("pwd", password, MAX_LOGIN)).transpose()?,
            transport: place.transport_type.map(transport).transpose()?,
            choice: choice(place.video_type, place.video_id, stored)?,
        })
    }

    /// The stream that was sent, or else the former one, with what else was sent of it put in.
    pub(crate) fn stream(&self, former: Option<&str>) -> Result<Source, Fault> {
        let url = self.rtsp.as_deref().or(former).ok_or_else(|| Fault::argument("rtsp is missing"))?;
        let source = Source::of_url(url).map_err(|why| Fault::argument(format!("rtsp: {why}")))?;
        let Source::Rtsp { url } = source else { return Ok(source) };
        let former = former.and_then(|url| StreamAddress::parse(url).ok());
        let mut address = StreamAddress::parse(&url).map_err(|why| Fault::argument(format!("rtsp: {why}")))?;
        // What was shown had no login, so an address without one is the same camera; but a password is for one host.
        let kept = former.filter(|former| address.user.is_empty() && same_host(&former.host, &address.host));
        if let Some(former) = &kept {
            (address.user, address.password) = (former.user.clone(), former.password.clone());
        }
        address.user = self.user.clone().unwrap_or(address.user);
        address.password = self.password.clone().unwrap_or(address.password);
        match (self.transport, kept) {
            (Some(transport), _) => address.transport = transport,
            (None, Some(former)) if address.transport == StreamTransport::Any => address.transport = former.transport,
            (None, _) => {}
        }
        Ok(Source::Rtsp { url: address.to_url() })
    }

    /// The device that was sent, with what was left out as before.
    pub(crate) fn device(&self, former: Option<&DeviceAddress>) -> Result<DeviceAddress, Fault> {
        let missing = |field| move || Fault::argument(format!("{field} is missing"));
        let host = self.host.clone().or_else(|| former.map(|device| device.host.clone())).ok_or_else(missing("ip"))?;
        let former = former.map(|device| device.clone().moved_to(host.clone()));
        let of = |part: fn(DeviceAddress) -> String| former.clone().map(part);
        Ok(DeviceAddress {
            host,
            port: self.port.or_else(|| former.as_ref().map(|device| device.port)).ok_or_else(missing("port"))?,
            user: self.user.clone().or_else(|| of(|device| device.user)).unwrap_or_default(),
            password: self.password.clone().or_else(|| of(|device| device.password)).unwrap_or_default(),
        })
    }

    /// Whether anything of it was sent.
    pub(crate) fn is_sent(&self) -> bool {
        let texts = [&self.rtsp, &self.host, &self.user, &self.password];
        texts.into_iter().any(Option::is_some)
            || self.port.is_some()
            || self.transport.is_some()
            || self.choice.is_some()
    }
}

/// A name or address of a host.
pub(crate) fn host(text: String) -> Result<String, Fault> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
    let fits = !text.is_empty() && text.len() <= MAX_HOST && text.chars().all(allowed);
    if fits { Ok(text) } else { Err(Fault::argument("ip is no address of a host")) }
}

fn transport(Int(number): Int) -> Result<StreamTransport, Fault> {
    match number {
        1 => Ok(StreamTransport::Tcp),
        2 => Ok(StreamTransport::Udp),
        _ => Err(Fault::argument("transport_type is neither 1 nor 2")),
    }
}

fn choice(kind: Option<Int>, id: Option<Int>, stored: Option<i64>) -> Result<Option<Choice>, Fault> {
    match (kind.map(|Int(kind)| kind), id.map(|Int(id)| id).or(stored)) {
        (None, _) => Ok(None),
        (Some(1), _) => Ok(Some(Choice::Main)),
        (Some(2), Some(id)) => Ok(Some(Choice::Custom(id))),
        (Some(2), None) => Err(Fault::argument("video_id is missing")),
        (Some(_), _) => Err(Fault::argument("video_type is neither 1 nor 2")),
    }
}

/// `type`: 1 ONVIF, 2 RTSP.
pub(crate) fn kind(Int(number): Int) -> Result<i64, Fault> {
    if matches!(number, ONVIF | RTSP) { Ok(number) } else { Err(Fault::argument("type is neither 1 nor 2")) }
}

/// The channel with this number; 0, which no camera has, for a number that cannot be one.
pub(crate) fn channel(Int(number): Int) -> CameraId {
    CameraId(u32::try_from(number).unwrap_or(0))
}

/// The transport of a stream; any of other cameras.
pub(crate) fn transport_of(source: &Source) -> StreamTransport {
    let Source::Rtsp { url } = source else { return StreamTransport::Any };
    StreamAddress::parse(url).map(|address| address.transport).unwrap_or_default()
}

/// 1 tcp, 2 udp.
pub(crate) fn transport_number(source: &Source) -> u8 {
    if transport_of(source) == StreamTransport::Udp { 2 } else { 1 }
}

/// The address of a stream without login and transport.
pub(crate) fn shown(url: &str) -> String {
    match StreamAddress::parse(url) {
        Ok(address) => {
            let bare = StreamAddress {
                user: String::new(),
                password: String::new(),
                transport: StreamTransport::Any,
                ..address
            };
            bare.to_url()
        }
        // A file.
        Err(_) => url.to_owned(),
    }
}

/// Address and login name of a stream's camera, as far as it has them.
pub(crate) fn camera_of(url: &str) -> (Option<String>, Option<u16>, Option<String>) {
    let Ok(address) = StreamAddress::parse(url) else { return (None, None, None) };
    (Some(address.host), address.port, Some(address.user).filter(|user| !user.is_empty()))
}

/// The address of a camera's stream with the login of the camera and this transport in it.
pub(crate) fn stream_of(url: &str, device: &DeviceAddress, transport: StreamTransport) -> Option<String> {
    let mut address = StreamAddress::parse(url).ok()?;
    if !device.user.is_empty() {
        (address.user, address.password) = (device.user.clone(), device.password.clone());
    }
    Some(StreamAddress { transport, ..address }.to_url())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(sent: &Where, former: Option<&str>) -> Option<String> {
        match sent.stream(former) {
            Ok(Source::Rtsp { url } | Source::File { url }) => Some(url),
            _ => None,
        }
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn the_login_of_a_stream_is_put_in_and_kept_and_never_shown() {
        let url = "rtsp://192.0.2.7:554/media/video1?x=1";
        let sent = Where { rtsp: text(url), user: text("admin"), password: text("p@ss/w"), ..Where::default() };
        let kept = stream(&sent, None).unwrap();
        assert_eq!(kept, "rtsp://admin:p%40ss%2Fw@192.0.2.7:554/media/video1?x=1");
        assert_eq!(shown(&kept), url);
        let again = Where { rtsp: text("rtsp://192.0.2.7/other"), ..Where::default() };
        assert_eq!(stream(&again, Some(&kept)).unwrap(), "rtsp://admin:p%40ss%2Fw@192.0.2.7/other");
        let elsewhere = Where { rtsp: text("rtsp://192.0.2.8/other"), ..Where::default() };
        assert_eq!(
            stream(&elsewhere, Some(&kept)).unwrap(),
            "rtsp://192.0.2.8/other",
            "the password was for another host"
        );
        let renamed = Where { user: text("viewer"), ..Where::default() };
        assert!(stream(&renamed, Some(&kept)).unwrap().starts_with("rtsp://viewer:p%40ss%2Fw@"));
        assert_eq!(camera_of(&kept), (text("192.0.2.7"), Some(554), text("admin")));
    }

    #[test]
    fn the_transport_is_part_of_the_address() {
        let udp = Where { rtsp: text("rtsp://192.0.2.7/a"), transport: Some(StreamTransport::Udp), ..Where::default() };
        let kept = stream(&udp, None).unwrap();
        assert_eq!(kept, "rtsp://192.0.2.7/a#transport=udp");
        assert_eq!(
            (transport_number(&Source::Rtsp { url: kept.clone() }), shown(&kept).as_str()),
            (2, "rtsp://192.0.2.7/a")
        );
        assert_eq!(stream(&Where::default(), Some(&kept)).unwrap(), kept);
        let tcp = Where { transport: Some(StreamTransport::Tcp), ..Where::default() };
        assert_eq!(stream(&tcp, Some(&kept)).unwrap(), "rtsp://192.0.2.7/a#transport=tcp");
    }

    #[test]
    fn files_are_cameras_and_other_schemes_are_not() {
        let sent = |url: &str| Where { rtsp: text(url), ..Where::default() };
        assert_eq!(stream(&sent("file:///clip.mp4"), None).unwrap(), "file:///clip.mp4");
        for bad in ["http://192.0.2.1/a", "192.0.2.1", "rtsp://"] {
            assert!(sent(bad).stream(None).is_err(), "{bad}");
        }
        assert!(Where::default().stream(None).is_err());
        assert!(host("a b".into()).is_err() && host("192.0.2.1".into()).is_ok());
    }
}
