//! Secrets that were given to the device, as they are shown to those who may not set them.

use crate::{DeviceAddress, Error, Result, Source, StreamAddress};

/// Stands for a secret that is not shown. Sent back with a change, it keeps the secret.
pub const MASK: &str = "******";

impl Source {
    /// The source with its password masked, also where the password is part of a URL.
    #[must_use]
    pub fn masked(&self) -> Self {
        let device = |device: &DeviceAddress| {
            let password = if device.password.is_empty() { String::new() } else { MASK.to_owned() };
            DeviceAddress { password, ..device.clone() }
        };
        match self.clone() {
            Self::Rtsp { url } => Self::Rtsp { url: masked_stream(&url) },
            Self::File { url } => Self::File { url },
            Self::Onvif(address) => Self::Onvif(device(&address)),
            Self::Gb28181 { server, server_sip_id, camera_sip_id } => {
                Self::Gb28181 { server: device(&server), server_sip_id, camera_sip_id }
            }
            Self::Capture { device: address, vendor, product } => {
                Self::Capture { device: device(&address), vendor, product }
            }
            Self::Pushed { host } => Self::Pushed { host },
        }
    }

    /// The source with the password of `before` where it has the mask in its place.
    ///
    /// # Errors
    /// `Invalid("password")` when there is no such password, or it was given for another host or port.
    pub(crate) fn unmasked(self, before: Option<&Self>) -> Result<Self> {
        match self {
            Self::Rtsp { url } => match StreamAddress::parse(&url) {
                Ok(address) if address.password == MASK => {
                    let password = before.and_then(|before| before.password_of_stream(&address)).ok_or_else(lost)?;
                    Ok(Self::Rtsp { url: StreamAddress { password, ..address }.to_url() })
                }
                _ => Ok(Self::Rtsp { url }),
            },
            Self::File { url } => Ok(Self::File { url }),
            Self::Onvif(device) => Ok(Self::Onvif(unmasked_device(device, before)?)),
            Self::Gb28181 { server, server_sip_id, camera_sip_id } => {
                Ok(Self::Gb28181 { server: unmasked_device(server, before)?, server_sip_id, camera_sip_id })
            }
            Self::Capture { device, vendor, product } => {
                Ok(Self::Capture { device: unmasked_device(device, before)?, vendor, product })
            }
            Self::Pushed { host } => Ok(Self::Pushed { host }),
        }
    }

    fn password_of_stream(&self, wanted: &StreamAddress) -> Option<String> {
        let Self::Rtsp { url } = self else { return None };
        let own = StreamAddress::parse(url).ok()?;
        (own.host == wanted.host && own.port == wanted.port).then_some(own.password)
    }

    fn device(&self) -> Option<&DeviceAddress> {
        match self {
            Self::Rtsp { .. } | Self::File { .. } | Self::Pushed { .. } => None,
            Self::Onvif(device) | Self::Gb28181 { server: device, .. } | Self::Capture { device, .. } => Some(device),
        }
    }
}

fn unmasked_device(device: DeviceAddress, before: Option<&Source>) -> Result<DeviceAddress> {
    if device.password != MASK {
        return Ok(device);
    }
    let same = |own: &&DeviceAddress| own.host == device.host && own.port == device.port;
    let own = before.and_then(Source::device).filter(same).ok_or_else(lost)?;
    Ok(DeviceAddress { password: own.password.clone(), ..device })
}

fn lost() -> Error {
    Error::invalid("password", "has to be given again for another address")
}

fn masked_stream(url: &str) -> String {
    match StreamAddress::parse(url) {
        Ok(address) if !address.password.is_empty() => {
            let bare = StreamAddress { password: String::new(), ..address };
            // Not percent-encoded, so that readers recognise the mask.
            bare.to_url_with_login(Some(MASK))
        }
        Ok(_) => url.to_owned(),
        // Nobody can tell where its password is.
        Err(_) => url.split_once("://").map_or(MASK.to_owned(), |(scheme, _)| format!("{scheme}://{MASK}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rtsp(url: &str) -> Source {
        Source::Rtsp { url: url.into() }
    }

    fn device(host: &str, password: &str) -> Source {
        let user = "root".to_owned();
        Source::Onvif(DeviceAddress { host: host.into(), port: 80, user, password: password.into() })
    }

    #[test]
    fn a_masked_source_shows_no_password_and_keeps_it_when_sent_back() {
        for (source, shown) in [
            (rtsp("rtsp://root:p%40ss@192.0.2.1:554/a?x=1"), Some("rtsp://root:******@192.0.2.1:554/a?x=1")),
            (rtsp("rtsp://root:a#b@192.0.2.1/a"), Some("rtsp://root:******@192.0.2.1/a")),
            (rtsp("rtsp://192.0.2.1/a"), Some("rtsp://192.0.2.1/a")),
            (device("192.0.2.1", "secret"), None),
            (device("192.0.2.1", ""), None),
        ] {
            let masked = source.masked();
            match (&masked, shown) {
                (Source::Rtsp { url }, Some(shown)) => assert_eq!(url, shown),
                (Source::Onvif(address), None) => assert!(["", MASK].contains(&&*address.password)),
                _ => panic!("the kind stays"),
            }
            let kept = masked.unmasked(Some(&source)).unwrap();
            let same = |one: &Source, other: &Source| match (one, other) {
                (Source::Rtsp { url: one }, Source::Rtsp { url: other }) => {
                    StreamAddress::parse(one) == StreamAddress::parse(other)
                }
                (one, other) => one == other,
            };
            assert!(same(&kept, &source));
        }
    }

    #[test]
    fn a_kept_password_never_goes_to_another_address() {
        for (sent, before) in [
            (rtsp("rtsp://root:******@192.0.2.2/a"), rtsp("rtsp://root:x@192.0.2.1/a")),
            (rtsp("rtsp://root:******@192.0.2.1:5554/a"), rtsp("rtsp://root:x@192.0.2.1/a")),
            (device("192.0.2.2", MASK), device("192.0.2.1", "x")),
            (rtsp("rtsp://root:******@192.0.2.1/a"), device("192.0.2.1", "x")),
        ] {
            assert!(sent.clone().unmasked(Some(&before)).is_err());
            assert!(sent.unmasked(None).is_err());
        }
    }
}
