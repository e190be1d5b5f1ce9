//! Cameras that speak ONVIF: where their streams are, and which there are in the network.
//!
//! Of what a camera answers only paths, and the port of its stream, are used: the host is always the one that the
//! operator named. So a camera cannot send the device elsewhere, and one behind a router that translates addresses
//! is reached although it names its inner one.

mod search;
mod soap;

use domain::ports::{Clock, SourceError};
use domain::{CameraStream, DeviceAddress};
use jiff::civil::date;
use roxmltree::Node;
use url::Url;

use self::soap::{Ask, Peer, below, child, escaped, text};
use crate::address::CameraAddress;
use crate::http::{self, Http};
use crate::session::plain;

pub(crate) use search::{EVERYBODY, search};

const DEVICE: &str = "http://www.onvif.org/ver10/device/wsdl";
const MEDIA: &str = "http://www.onvif.org/ver10/media/wsdl";

/// Profiles looked at; the rest is left out.
const MOST_PROFILES: usize = 32;

/// A set of streams that a camera has configured.
struct Profile {
    token: String,
    name: String,
    codec: String,
    size: (u32, u32),
}

impl Profile {
    /// Coded as we can decode it, or not saying how.
    fn is_decodable(&self) -> bool {
        !["JPEG", "MPEG4"].contains(&self.codec.as_str())
    }
}

/// A camera whose media service was found.
struct Media<'a> {
    peer: Peer<'a>,
    url: Url,
}

/// The main stream of a camera, with its login.
pub(crate) async fn resolve(
    device: &DeviceAddress,
    http: &Http,
    clock: &dyn Clock,
) -> Result<CameraAddress, SourceError> {
    let media = Media::of(device, http, clock).await?;
    let profiles = media.profiles().await?;
    let main = profiles.iter().find(|profile| profile.is_decodable());
    let Some(main) = main else {
        let codec = profiles.first().map(|profile| plain(&profile.codec)).unwrap_or_default();
        return Err(SourceError::Undecodable(format!("the camera sends {codec}, only H.264 and H.265 are understood")));
    };
    CameraAddress::of_device(media.stream(main).await?, device)
}

/// All streams of a camera.
pub(crate) async fn streams(
    device: &DeviceAddress,
    http: &Http,
    clock: &dyn Clock,
) -> Result<Vec<CameraStream>, SourceError> {
    let media = Media::of(device, http, clock).await?;
    let mut profiles = media.profiles().await?;
    profiles.sort_by_key(|profile| !profile.is_decodable());
    let mut streams = Vec::with_capacity(profiles.len());
    for profile in profiles {
        let url = media.stream(&profile).await?.to_string();
        let Profile { name, codec, size: (width, height), .. } = profile;
        streams.push(CameraStream { name, url, width, height, codec });
    }
    Ok(streams)
}

impl<'a> Media<'a> {
    async fn of(device: &'a DeviceAddress, http: &'a Http, clock: &'a dyn Clock) -> Result<Self, SourceError> {
        let url = service(device, "/onvif/device_service")?;
        let mut peer = Peer { http, clock, device, ahead: 0 };
        peer.ahead = ahead(&peer, &url).await?;
        let media = match capabilities(&peer, &url).await {
            Ok(path) => path,
            Err(SourceError::Broken(why)) => {
                tracing::debug!(why, "the camera does not tell its capabilities");
                None
            }
            Err(other) => return Err(other),
        };
        let path = match media {
            Some(path) => path,
            None => services(&peer, &url).await?,
        };
        Ok(Self { url: service(device, &path)?, peer })
    }

    /// At least one.
    async fn profiles(&self) -> Result<Vec<Profile>, SourceError> {
        let ask = Ask { name: "GetProfiles", service: MEDIA, content: "", signed: true };
        let profiles =
            self.peer.ask(&self.url, &ask, |body| Some(profiles(child(body, "GetProfilesResponse")?))).await?;
        if profiles.is_empty() {
            return Err(SourceError::NoStream("the camera has no profile".to_owned()));
        }
        Ok(profiles)
    }

    async fn stream(&self, profile: &Profile) -> Result<Url, SourceError> {
        let token = escaped(&profile.token);
        let content = format!(
            "<StreamSetup><Stream xmlns=\"http://www.onvif.org/ver10/schema\">RTP-Unicast</Stream>\
             <Transport xmlns=\"http://www.onvif.org/ver10/schema\"><Protocol>RTSP</Protocol></Transport></StreamSetup>\
             <ProfileToken>{token}</ProfileToken>"
        );
        let ask = Ask { name: "GetStreamUri", service: MEDIA, content: &content, signed: true };
        let read = |body: Node<'_, '_>| text(body, &["GetStreamUriResponse", "MediaUri", "Uri"]).map(str::to_owned);
        let uri = self.peer.ask(&self.url, &ask, read).await?;
        stream_url(&uri, self.peer.device)
    }
}

/// The camera's stream at the host that was asked, without credentials.
fn stream_url(uri: &str, device: &DeviceAddress) -> Result<Url, SourceError> {
    let senseless = || SourceError::NoStream("the camera names a stream that cannot be played".to_owned());
    let mut url = Url::parse(uri).ok().filter(|url| url.scheme() == "rtsp").ok_or_else(senseless)?;
    url.set_fragment(None);
    let host = http::host(device)?.to_string();
    url.set_host(Some(&host)).map_err(|_| senseless())?;
    let cleared = url.set_username("").and_then(|()| url.set_password(None));
    cleared.map_err(|()| senseless())?;
    Ok(url)
}

/// A service of the device; of an absolute address only the path counts.
fn service(device: &DeviceAddress, address: &str) -> Result<Url, SourceError> {
    let root = http::root(device)?;
    let mut url = root.join(address).map_err(|_| SourceError::Broken("the camera names no address".to_owned()))?;
    let moved = url.set_scheme("http").and_then(|()| url.set_username("")).and_then(|()| url.set_password(None));
    let host = http::host(device)?.to_string();
    let moved = moved.is_ok() && url.set_host(Some(&host)).is_ok() && url.set_port(Some(device.port)).is_ok();
    if moved { Ok(url) } else { Err(SourceError::Broken("the camera names no address".to_owned())) }
}

/// How far the camera's clock is ahead, milliseconds; 0 when it does not say in words we understand.
async fn ahead(peer: &Peer<'_>, url: &Url) -> Result<i64, SourceError> {
    let ask = Ask { name: "GetSystemDateAndTime", service: DEVICE, content: "", signed: false };
    match peer.ask(url, &ask, camera_millis).await {
        Ok(camera) => Ok(camera - peer.clock.now().as_millis()),
        Err(SourceError::Broken(_) | SourceError::Unauthorised) => Ok(0),
        Err(other) => Err(other),
    }
}

fn camera_millis(body: Node<'_, '_>) -> Option<i64> {
    let utc = below(body, &["GetSystemDateAndTimeResponse", "SystemDateAndTime", "UTCDateTime"])?;
    let number = |path: &[&str]| text(utc, path)?.parse::<i16>().ok();
    let small = |path: &[&str]| text(utc, path)?.parse::<i8>().ok();
    // Checked first: the calendar panics at what is no day.
    let year = number(&["Date", "Year"]).filter(|year| (1970..=9000).contains(year))?;
    let day = date(year, 1, 1).with().month(small(&["Date", "Month"])?).day(small(&["Date", "Day"])?).build().ok()?;
    let (hour, minute) = (small(&["Time", "Hour"])?, small(&["Time", "Minute"])?);
    let time = jiff::civil::Time::new(hour, minute, small(&["Time", "Second"])?, 0).ok()?;
    day.to_datetime(time).to_zoned(jiff::tz::TimeZone::UTC).ok().map(|at| at.timestamp().as_millisecond())
}

async fn capabilities(peer: &Peer<'_>, url: &Url) -> Result<Option<String>, SourceError> {
    let content = "<Category>Media</Category>";
    let ask = Ask { name: "GetCapabilities", service: DEVICE, content, signed: true };
    let read = |body: Node<'_, '_>| {
        let answer = child(body, "GetCapabilitiesResponse")?;
        Some(text(answer, &["Capabilities", "Media", "XAddr"]).map(str::to_owned))
    };
    peer.ask(url, &ask, read).await
}

async fn services(peer: &Peer<'_>, url: &Url) -> Result<String, SourceError> {
    let content = "<IncludeCapability>false</IncludeCapability>";
    let ask = Ask { name: "GetServices", service: DEVICE, content, signed: true };
    let read = |body: Node<'_, '_>| {
        let answer = child(body, "GetServicesResponse")?;
        let media = answer.children().find(|service| text(*service, &["Namespace"]) == Some(MEDIA));
        Some(media.and_then(|service| text(service, &["XAddr"])).map(str::to_owned))
    };
    let found = peer.ask(url, &ask, read).await?;
    found.ok_or_else(|| SourceError::NoStream("the camera has no media service".to_owned()))
}

fn profiles(answer: Node<'_, '_>) -> Vec<Profile> {
    let all = answer.children().filter(|node| node.tag_name().name() == "Profiles");
    all.filter_map(profile).take(MOST_PROFILES).collect()
}

fn profile(node: Node<'_, '_>) -> Option<Profile> {
    let encoder = child(node, "VideoEncoderConfiguration");
    let of = |path: &[&str]| encoder.and_then(|encoder| text(encoder, path));
    let size = |side: &str| of(&["Resolution", side]).and_then(|side| side.parse().ok()).unwrap_or_default();
    Some(Profile {
        token: node.attribute("token").filter(|token| token.len() <= 256)?.to_owned(),
        name: plain(text(node, &["Name"]).unwrap_or_default()),
        codec: plain(of(&["Encoding"]).unwrap_or_default()).to_ascii_uppercase(),
        size: (size("Width"), size("Height")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(host: &str) -> DeviceAddress {
        DeviceAddress { host: host.into(), port: 8080, user: "admin".into(), password: "a:b@c".into() }
    }

    #[test]
    fn a_camera_sends_the_device_nowhere_else() {
        let of = |address: &str| service(&device("cam.local"), address).unwrap().to_string();
        assert_eq!(of("http://10.0.0.1/onvif/media?x=1"), "http://cam.local:8080/onvif/media?x=1");
        assert_eq!(of("https://user:pw@evil.example:99/m"), "http://cam.local:8080/m");
        assert_eq!(of("/onvif/Media"), "http://cam.local:8080/onvif/Media");
        let stream = |uri: &str, host: &str| stream_url(uri, &device(host)).map(|url| url.to_string());
        assert_eq!(stream("rtsp://u:p@10.0.0.1:5554/a?b=c#d", "cam"), Ok("rtsp://cam:5554/a?b=c".into()));
        assert_eq!(stream("rtsp://10.0.0.1/a", "2001:db8::1"), Ok("rtsp://[2001:db8::1]/a".into()));
        for bad in ["", "http://10.0.0.1/a", "file:///etc/passwd", "/live"] {
            assert!(matches!(stream(bad, "cam"), Err(SourceError::NoStream(_))), "{bad}");
        }
    }

    #[test]
    fn an_unusable_address_is_refused() {
        for host in ["", "a b", "a/b", "user@cam", "cam:80"] {
            assert!(matches!(service(&device(host), "/"), Err(SourceError::BadAddress(_))), "{host}");
        }
        let no_port = DeviceAddress { port: 0, ..device("cam") };
        assert!(matches!(service(&no_port, "/"), Err(SourceError::BadAddress(_))));
    }

    #[test]
    fn the_cameras_clock_is_read_or_left_alone() {
        let time = |date: &str| {
            let text = format!(
                "<Body><GetSystemDateAndTimeResponse><SystemDateAndTime><UTCDateTime><Time><Hour>1</Hour>\
                 <Minute>2</Minute><Second>3</Second></Time><Date>{date}</Date></UTCDateTime></SystemDateAndTime>\
                 </GetSystemDateAndTimeResponse></Body>"
            );
            camera_millis(soap::parse(&text).unwrap().root_element())
        };
        assert_eq!(time("<Year>1970</Year><Month>1</Month><Day>2</Day>"), Some(86_400_000 + 3_723_000));
        for bad in
            ["", "<Year>2026</Year><Month>13</Month><Day>1</Day>", "<Year>99999</Year><Month>1</Month><Day>1</Day>"]
        {
            assert_eq!(time(bad), None, "{bad}");
        }
    }
}
