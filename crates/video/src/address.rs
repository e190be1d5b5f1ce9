//! What the URL of a source says.

use std::path::PathBuf;

use domain::DeviceAddress;
use domain::ports::SourceError;
use percent_encoding::percent_decode_str;
use retina::client::Credentials;
use url::Url;

/// Longest URL taken, bytes.
const LONGEST: usize = 2048;

/// How the pictures travel from an RTSP camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// Within the RTSP connection; by datagram when the camera refuses that.
    Any,
    /// Within the RTSP connection.
    Tcp,
    /// By datagram.
    Udp,
}

/// An RTSP stream, its credentials apart.
#[derive(Clone)]
pub(crate) struct CameraAddress {
    /// Without credentials and fragment.
    pub(crate) url: Url,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) transport: Transport,
}

/// A video file of this device.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FileAddress {
    pub(crate) path: PathBuf,
    /// Start again at the end, for ever.
    pub(crate) again: bool,
}

pub(crate) fn bad(why: impl Into<String>) -> SourceError {
    SourceError::BadAddress(why.into())
}

fn parse(text: &str) -> Result<Url, SourceError> {
    if text.len() > LONGEST {
        return Err(bad(format!("longer than {LONGEST} characters")));
    }
    // The reason given by the parser never repeats the text, which may hold a password.
    Url::parse(text.trim()).map_err(|e| bad(e.to_string()))
}

impl CameraAddress {
    /// `rtsp://[user[:password]@]host[:port]/path[#transport=udp|tcp]`; user and password percent-encoded.
    /// The fragment is for this device only and never goes on the wire.
    pub(crate) fn parse(text: &str) -> Result<Self, SourceError> {
        let mut url = parse(text)?;
        match url.scheme() {
            "rtsp" => {}
            "rtsps" => return Err(bad("rtsps is not supported")),
            _ => return Err(bad("it does not start with rtsp://")),
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(bad("it names no host"));
        }
        let transport = transport(url.fragment())?;
        let credentials = credentials(&url)?;
        // Cannot fail for a URL with a host.
        let cleared = url.set_username("").and_then(|()| url.set_password(None));
        cleared.map_err(|()| bad("user and password cannot be separated from it"))?;
        url.set_fragment(None);
        Ok(Self { url, credentials, transport })
    }

    /// A stream that a device has named, with the device's login.
    pub(crate) fn of_device(url: Url, device: &DeviceAddress) -> Result<Self, SourceError> {
        let credentials = checked(device.user.clone(), device.password.clone())?;
        Ok(Self { url, credentials, transport: Transport::Any })
    }
}

fn transport(fragment: Option<&str>) -> Result<Transport, SourceError> {
    match fragment {
        None => Ok(Transport::Any),
        Some("transport=tcp") => Ok(Transport::Tcp),
        Some("transport=udp") => Ok(Transport::Udp),
        Some(_) => Err(bad("after # only transport=tcp or transport=udp may follow; in a password # is written %23")),
    }
}

fn credentials(url: &Url) -> Result<Option<Credentials>, SourceError> {
    let decode = |text: &str| {
        let text = percent_decode_str(text).decode_utf8().map_err(|_| bad("user or password is not UTF-8"))?;
        Ok::<_, SourceError>(text.into_owned())
    };
    checked(decode(url.username())?, decode(url.password().unwrap_or_default())?)
}

fn checked(username: String, password: String) -> Result<Option<Credentials>, SourceError> {
    if username.chars().chain(password.chars()).any(char::is_control) {
        return Err(bad("user or password holds control characters"));
    }
    let given = !username.is_empty() || !password.is_empty();
    Ok(given.then_some(Credentials { username, password }))
}

impl FileAddress {
    /// `file:///path[?loop=0|1]`, the path percent-encoded.
    pub(crate) fn parse(text: &str) -> Result<Self, SourceError> {
        let url = parse(text)?;
        if url.scheme() != "file" {
            return Err(bad("it does not start with file://"));
        }
        if url.host_str().is_some() {
            return Err(bad("a file lies on this device: file:///path"));
        }
        if url.fragment().is_some() {
            return Err(bad("in a path # is written %23"));
        }
        let path = url.to_file_path().map_err(|()| bad("it names no file"))?;
        // What gstreamer takes as a file name is UTF-8 without a NUL.
        match path.to_str() {
            Some(text) if !text.contains('\0') => {}
            _ => return Err(bad("the path is not plain text")),
        }
        Ok(Self { path, again: again(&url)? })
    }
}

fn again(url: &Url) -> Result<bool, SourceError> {
    let mut again = false;
    for (key, value) in url.query_pairs() {
        again = match (key.as_ref(), value.as_ref()) {
            ("loop", "1") => true,
            ("loop", "0") => false,
            _ => return Err(bad("after ? only loop=0 or loop=1 may follow")),
        };
    }
    Ok(again)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(text: &str) -> CameraAddress {
        CameraAddress::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    fn refusal(result: Result<impl Sized, SourceError>) -> String {
        match result {
            Err(SourceError::BadAddress(why)) => why,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("accepted"),
        }
    }

    #[test]
    fn credentials_are_decoded_and_leave_the_url() {
        let address = camera("rtsp://ad%40min:p%23%3A%2Fss@cam.local:8554/h264?channel=1&sub=0");
        assert_eq!(address.url.as_str(), "rtsp://cam.local:8554/h264?channel=1&sub=0");
        let wanted = Credentials { username: "ad@min".into(), password: "p#:/ss".into() };
        assert_eq!(address.credentials, Some(wanted));
        assert_eq!(camera("rtsp://192.0.2.7/").credentials, None);
        assert_eq!(camera("rtsp://[2001:db8::1]/live").url.as_str(), "rtsp://[2001:db8::1]/live");
    }

    #[test]
    fn the_fragment_chooses_the_transport_and_never_goes_on_the_wire() {
        assert_eq!(camera("rtsp://cam/live").transport, Transport::Any);
        assert_eq!(camera("rtsp://cam/live#transport=tcp").transport, Transport::Tcp);
        let address = camera("rtsp://cam/live?a=b#transport=udp");
        assert_eq!((address.transport, address.url.as_str()), (Transport::Udp, "rtsp://cam/live?a=b"));
    }

    #[test]
    fn an_unusable_camera_url_is_refused_without_repeating_it() {
        let long = format!("rtsp://cam/{}", "x".repeat(LONGEST));
        let urls = [
            "",
            "cam/live",
            "http://user:secret@cam/",
            "rtsps://user:secret@cam/",
            "rtsp:///live",
            "rtsp:live",
            "rtsp://user:secret#1@cam/",
            "rtsp://user:secret@cam/live#udp",
            "rtsp://user:secret@cam:port/",
            "rtsp://user:secret%00@cam/",
            "rtsp://%ff:secret@cam/",
            &long,
        ];
        for url in urls {
            let why = refusal(CameraAddress::parse(url));
            assert!(!why.contains("secret") && !why.contains("user:"), "{why}");
        }
        assert_eq!(refusal(CameraAddress::parse("rtsps://cam/")), "rtsps is not supported");
    }

    #[test]
    fn a_file_is_named_by_an_absolute_percent_encoded_path() {
        let file = FileAddress::parse("file:///srv/my%20clips/a%23b.mp4?loop=1").expect("usable");
        assert_eq!(file, FileAddress { path: "/srv/my clips/a#b.mp4".into(), again: true });
        for once in ["file:///a.mp4", "file:///a.mp4?loop=0", "file://localhost/a.mp4"] {
            assert_eq!(FileAddress::parse(once).expect(once), FileAddress { path: "/a.mp4".into(), again: false });
        }
    }

    #[test]
    fn an_unusable_file_url_is_refused() {
        let urls = [
            "/a.mp4",
            "file://server/a.mp4",
            "file:///a.mp4?loop=yes",
            "file:///a.mp4?speed=2",
            "file:///a#b.mp4",
            "file:///a%00.mp4",
            "file:///a%ff.mp4",
            "rtsp://cam/",
        ];
        for url in urls {
            refusal(FileAddress::parse(url));
        }
    }
}
