//! Parsing of source URLs.

use std::path::PathBuf;

use domain::ports::SourceError;
use domain::{DeviceAddress, StreamAddress, StreamTransport};
use retina::client::Credentials;
use url::Url;

/// Maximum length of a URL, bytes.
const LONGEST: usize = 2048;

/// An RTSP stream, with its credentials separated from the URL.
#[derive(Clone)]
pub(crate) struct CameraAddress {
    /// Without credentials or fragment.
    pub(crate) url: Url,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) transport: StreamTransport,
}

/// A video file on this device.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FileAddress {
    pub(crate) path: PathBuf,
    /// Whether playback restarts at the end, indefinitely.
    pub(crate) again: bool,
}

pub(crate) fn bad(why: impl Into<String>) -> SourceError {
    SourceError::BadAddress(why.into())
}

fn parse(text: &str) -> Result<Url, SourceError> {
    if text.len() > LONGEST {
        return Err(bad(format!("longer than {LONGEST} characters")));
    }
    // The parser's error never repeats the text, which may contain a password.
    Url::parse(text.trim()).map_err(|e| bad(e.to_string()))
}

impl CameraAddress {
    /// Parses the URL as [`StreamAddress`] does. The fragment concerns this device only and is never sent.
    pub(crate) fn parse(text: &str) -> Result<Self, SourceError> {
        let read = StreamAddress::parse(text).map_err(|why| bad(why.to_string()))?;
        if read.encrypted {
            return Err(bad("rtsps is not supported"));
        }
        let port = read.port.map(|port| format!(":{port}")).unwrap_or_default();
        let url = parse(&format!("rtsp://{}{port}{}", read.host, read.path))?;
        let credentials = checked(read.user, read.password)?;
        Ok(Self { url, credentials, transport: read.transport })
    }

    /// A stream URL that a device returned, with the device's login.
    pub(crate) fn of_device(url: Url, device: &DeviceAddress) -> Result<Self, SourceError> {
        let credentials = checked(device.user.clone(), device.password.clone())?;
        Ok(Self { url, credentials, transport: StreamTransport::Any })
    }
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
            return Err(bad("the URL does not start with file://"));
        }
        if url.host_str().is_some() {
            return Err(bad("the file must be on this device: file:///path"));
        }
        if url.fragment().is_some() {
            return Err(bad("# in a path must be written as %23"));
        }
        let path = url.to_file_path().map_err(|()| bad("the URL contains no file path"))?;
        // gstreamer accepts file names in UTF-8 without a NUL.
        match path.to_str() {
            Some(text) if !text.contains('\0') => {}
            _ => return Err(bad("the path is not valid UTF-8, or contains a NUL")),
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
            _ => return Err(bad("only loop=0 or loop=1 may follow the ?")),
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
        assert_eq!(camera("rtsp://cam/live").transport, StreamTransport::Any);
        assert_eq!(camera("rtsp://cam/live#transport=tcp").transport, StreamTransport::Tcp);
        let address = camera("rtsp://cam/live?a=b#transport=udp");
        assert_eq!((address.transport, address.url.as_str()), (StreamTransport::Udp, "rtsp://cam/live?a=b"));
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
            "rtsp://user:secret/1",
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
