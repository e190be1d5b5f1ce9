//! Session descriptions (SDP, RFC 4566), parsed line by line: faults in lines that are not needed are ignored.

use domain::ports::SourceError;

use crate::decoder::Codec;
use crate::session::plain;

/// Maximum number of lines read.
const MOST_LINES: usize = 1024;
/// Static payload types (RFC 3551) that cameras use for video.
const STATIC: [(u8, &str); 3] = [(26, "jpeg"), (32, "mpv"), (33, "mp2t")];

/// The first supported video stream of a description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) codec: Codec,
    pub(super) payload_type: u8,
    /// Coding parameters from `a=fmtp`, without the payload type.
    pub(super) parameters: Option<String>,
    /// Control URL for SETUP.
    pub(super) control: Option<String>,
    /// Control URL for PLAY.
    pub(super) aggregate: Option<String>,
}

/// A media section.
#[derive(Default)]
struct Media<'a> {
    kind: &'a str,
    payload_types: Vec<u8>,
    names: Vec<(u8, &'a str)>,
    parameters: Vec<(u8, &'a str)>,
    control: Option<&'a str>,
}

impl Offer {
    /// # Errors
    /// There is no video, or none in a supported coding.
    pub(super) fn read(description: &[u8]) -> Result<Self, SourceError> {
        let text = String::from_utf8_lossy(description);
        let (aggregate, all) = sections(&text);
        let videos = || all.iter().filter(|media| media.kind.eq_ignore_ascii_case("video"));
        if let Some(offer) = videos().find_map(|media| media.offer(aggregate)) {
            return Ok(offer);
        }
        Err(match videos().find_map(Media::name) {
            Some(name) => {
                let name = plain(name).to_ascii_lowercase();
                SourceError::Undecodable(format!("the camera sends {name}, only H.264 and H.265 are supported"))
            }
            None => SourceError::NoStream("the camera offers no video at this URL".to_owned()),
        })
    }
}

impl<'a> Media<'a> {
    fn new(line: &'a str) -> Self {
        let mut words = line.split_ascii_whitespace();
        let kind = words.next().unwrap_or_default();
        let payload_types = words.skip(2).filter_map(payload_type).collect();
        Self { kind, payload_types, ..Self::default() }
    }

    fn attribute(&mut self, line: &'a str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let of_type = || {
            let (number, rest) = value.trim().split_once([' ', '\t'])?;
            Some((payload_type(number)?, rest.trim()))
        };
        match name.trim() {
            "rtpmap" => self.names.extend(of_type()),
            "fmtp" => self.parameters.extend(of_type()),
            "control" => self.control = Some(value.trim()).filter(|value| !value.is_empty()),
            _ => {}
        }
    }

    fn name_of(&self, number: u8) -> Option<&'a str> {
        let named = self.names.iter().find(|(other, _)| *other == number).map(|(_, name)| *name);
        let named = named.and_then(|name| name.split('/').next()).map(str::trim);
        named.or_else(|| STATIC.iter().find(|(other, _)| *other == number).map(|(_, name)| *name))
    }

    /// Name of the coding, for errors.
    fn name(&self) -> Option<&'a str> {
        self.payload_types.iter().find_map(|number| self.name_of(*number))
    }

    fn offer(&self, aggregate: Option<&str>) -> Option<Offer> {
        let (payload_type, codec) = self.payload_types.iter().find_map(|number| {
            let name = self.name_of(*number)?.to_ascii_lowercase();
            Some((*number, Codec::named(&name)?))
        })?;
        let parameters = self.parameters.iter().find(|(number, _)| *number == payload_type);
        Some(Offer {
            codec,
            payload_type,
            parameters: parameters.map(|(_, text)| (*text).to_owned()),
            control: self.control.map(str::to_owned),
            aggregate: aggregate.map(str::to_owned),
        })
    }
}

fn payload_type(text: &str) -> Option<u8> {
    text.parse().ok().filter(|number| *number < 128)
}

/// The aggregate control URL, and the media sections.
fn sections(text: &str) -> (Option<&str>, Vec<Media<'_>>) {
    let (mut aggregate, mut all) = (None, Vec::<Media<'_>>::new());
    let lines = text.split(['\r', '\n', '\0']).map(str::trim).filter(|line| !line.is_empty());
    for (key, value) in lines.take(MOST_LINES).filter_map(|line| line.split_once('=')) {
        match (key.trim(), all.last_mut()) {
            ("m", _) => all.push(Media::new(value)),
            ("a", Some(media)) => media.attribute(value),
            ("a", None) => {
                aggregate = value.strip_prefix("control:").map(str::trim).or(aggregate);
            }
            _ => {}
        }
    }
    (aggregate, all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(text: &str) -> Offer {
        Offer::read(text.as_bytes()).unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    #[test]
    fn the_first_video_that_is_decoded_is_taken() {
        let text = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=x\r\nt=0 0\r\na=control:*\r\n\
            m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:trackID=3\r\n\
            m=video 0 RTP/AVP 26\r\na=control:trackID=0\r\n\
            m=video 0 RTP/AVP 97 98\r\na=rtpmap:97 VP8/90000\r\na=rtpmap:98 H265/90000 \r\n\
            a=fmtp:98 sprop-vps=a; sprop-sps=b\r\na=control:trackID=1\r\n";
        let wanted = Offer {
            codec: Codec::H265,
            payload_type: 98,
            parameters: Some("sprop-vps=a; sprop-sps=b".into()),
            control: Some("trackID=1".into()),
            aggregate: Some("*".into()),
        };
        assert_eq!(offer(text), wanted);
    }

    #[test]
    fn lines_that_are_not_needed_may_be_missing_or_odd() {
        let texts = [
            "m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
            "v=9\r\ns=\r\no=nonsense\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 h264/90000 \r\na=framerate:0S\r\na=x-dimensions:1,\r\n\r\n\0",
            "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 mpeg4-generic/\r\na=fmtp:97\r\nm=video x RTP/AVP 96\r\nb=AS:none\r\na=rtpmap:96\tH264\r\na=fmtp:96\r\n",
            "\u{feff}v=0\r\n\r\nm=video 0 TCP/RTP/AVP 500 96\r\na = rtpmap: 96 H264/90000\r\na=control:\r\n",
        ];
        for text in texts {
            let offer = offer(text);
            assert_eq!((offer.codec, offer.payload_type, offer.control), (Codec::H264, 96, None), "{text}");
        }
    }

    #[test]
    fn what_is_not_decoded_is_named() {
        let refusal = |text: &str| Offer::read(text.as_bytes()).unwrap_err();
        let jpeg = refusal("m=video 0 RTP/AVP 26\r\n");
        assert!(matches!(&jpeg, SourceError::Undecodable(why) if why.contains("jpeg")), "{jpeg}");
        for none in
            ["", "<html>not found</html>", "m=audio 0 RTP/AVP 0\r\n", "m=video 0 RTP/AVP 96\r\n", "m=", "m=video"]
        {
            assert!(matches!(refusal(none), SourceError::NoStream(_)), "{none}");
        }
    }
}
