//! Addresses of a camera's services and streams: always at the host that the operator configured.

use domain::DeviceAddress;
use domain::ports::SourceError;
use url::Url;

use crate::http;

/// URL of a service of the device; only the path of an absolute address is used.
pub(super) fn service(device: &DeviceAddress, address: &str) -> Result<Url, SourceError> {
    let (url, _) = located(device, address)?;
    Ok(url)
}

/// Possible URLs of a service: at the configured port first, because the camera may be behind NAT, then at the port
/// that the camera reports.
pub(super) fn places(device: &DeviceAddress, address: &str) -> Vec<Url> {
    let Ok((url, port)) = located(device, address) else { return Vec::new() };
    let mut other = url.clone();
    let named = port.filter(|port| *port != device.port && other.set_port(Some(*port)).is_ok());
    [url].into_iter().chain(named.map(|_| other)).collect()
}

/// The URL at the device, and the port in the reported address.
fn located(device: &DeviceAddress, address: &str) -> Result<(Url, Option<u16>), SourceError> {
    let nowhere = || SourceError::Broken("the camera reports a service without a valid address".to_owned());
    let root = http::root(device)?;
    let address = address.trim();
    // Some cameras omit the scheme.
    let bare = !address.contains("://") && address.split('/').next().is_some_and(|host| host.contains(['.', ':']));
    let address = if bare { format!("http://{address}") } else { address.to_owned() };
    let mut url = root.join(&address).map_err(|_| nowhere())?;
    let port = url.port_or_known_default().filter(|_| url.scheme() == "http" && url.host() != root.host());
    let moved = url.set_scheme("http").and_then(|()| url.set_username("")).and_then(|()| url.set_password(None));
    let host = http::host(device)?.to_string();
    let moved = moved.is_ok() && url.set_host(Some(&host)).is_ok() && url.set_port(Some(device.port)).is_ok();
    if moved { Ok((url, port)) } else { Err(nowhere()) }
}

/// URL of the camera's stream at the configured host, without credentials.
pub(super) fn stream_url(uri: &str, device: &DeviceAddress) -> Result<Url, SourceError> {
    let unusable = |why: &str| SourceError::NoStream(format!("the camera answers GetStreamUri with {why}"));
    let mut url = Url::parse(uri.trim()).map_err(|_| unusable("an invalid address"))?;
    if url.scheme() != "rtsp" {
        return Err(unusable(&format!("an address with the scheme {}, not rtsp", url.scheme())));
    }
    url.set_fragment(None);
    let host = http::host(device)?.to_string();
    url.set_host(Some(&host)).map_err(|_| unusable("an address without a host"))?;
    let cleared = url.set_username("").and_then(|()| url.set_password(None));
    cleared.map_err(|()| unusable("an address whose login cannot be separated"))?;
    Ok(url)
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
    fn a_service_may_be_at_the_named_port_or_at_that_of_the_router() {
        let of = |address: &str| places(&device("cam"), address).iter().map(Url::to_string).collect::<Vec<_>>();
        assert_eq!(of("http://10.0.0.1:8899/m"), ["http://cam:8080/m", "http://cam:8899/m"]);
        assert_eq!(of(" http://10.0.0.1/m\n"), ["http://cam:8080/m", "http://cam/m"]);
        assert_eq!(of("10.0.0.1:8080/onvif/media"), ["http://cam:8080/onvif/media"]);
        assert_eq!(of("/m"), ["http://cam:8080/m"]);
        assert_eq!(of("onvif/media"), ["http://cam:8080/onvif/media"]);
        assert_eq!(of("https://10.0.0.1/m"), ["http://cam:8080/m"]);
        assert_eq!(of("http://[bad/m"), [""; 0]);
    }
}
