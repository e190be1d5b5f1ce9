//! The media services of a camera, and the streams they offer.

use domain::ports::SourceError;
use roxmltree::Node;
use url::Url;

use super::place::stream_url;
use super::soap::{Ask, Peer, below, child, escaped, text};
use crate::session::plain;

pub(super) const MEDIA: &str = "http://www.onvif.org/ver10/media/wsdl";
/// The newer media service; some cameras list H.265 streams only there.
pub(super) const MEDIA_2: &str = "http://www.onvif.org/ver20/media/wsdl";

/// Maximum number of profiles read.
const MOST_PROFILES: usize = 32;

/// A media profile of a camera.
pub(super) struct Profile {
    token: String,
    pub(super) name: String,
    /// `H264`, `H265`, `JPEG`, …; empty when the camera does not state it.
    pub(super) codec: String,
    pub(super) size: (u32, u32),
}

impl Profile {
    /// Whether the coding is supported or unknown.
    pub(super) fn is_decodable(&self) -> bool {
        !["JPEG", "MPEG4"].contains(&self.codec.as_str())
    }

    /// Sort key, best first: supported coding, unknown coding, the rest.
    pub(super) fn rank(&self) -> u8 {
        match self.codec.as_str() {
            "H264" | "H265" => 0,
            _ if self.is_decodable() => 1,
            _ => 2,
        }
    }
}

/// A possible media service of a camera.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Media {
    pub(super) url: Url,
    /// Its namespace.
    pub(super) version: &'static str,
}

impl Media {
    /// The profiles of this service, at least one, best first.
    pub(super) async fn profiles(&self, peer: &Peer<'_>) -> Result<Vec<Profile>, SourceError> {
        let content = if self.version == MEDIA_2 { "<Type>All</Type>" } else { "" };
        let ask = Ask { name: "GetProfiles", service: self.version, content, signed: true, wanted: "profiles" };
        let mut found = peer.ask(&self.url, &ask, |body| Some(profiles(child(body, "GetProfilesResponse")?))).await?;
        if found.is_empty() {
            return Err(SourceError::NoStream("the camera answers GetProfiles with no profile".to_owned()));
        }
        found.sort_by_key(Profile::rank);
        Ok(found)
    }

    pub(super) async fn stream(&self, peer: &Peer<'_>, profile: &Profile) -> Result<Url, SourceError> {
        let token = escaped(&profile.token);
        let content = match self.version {
            MEDIA_2 => format!("<Protocol>RTSP</Protocol><ProfileToken>{token}</ProfileToken>"),
            _ => format!(
                "<StreamSetup><Stream xmlns=\"http://www.onvif.org/ver10/schema\">RTP-Unicast</Stream>\
                 <Transport xmlns=\"http://www.onvif.org/ver10/schema\"><Protocol>RTSP</Protocol></Transport></StreamSetup>\
                 <ProfileToken>{token}</ProfileToken>"
            ),
        };
        let ask =
            Ask { name: "GetStreamUri", service: self.version, content: &content, signed: true, wanted: "an address" };
        let uri = peer.ask(&self.url, &ask, |body| uri(child(body, "GetStreamUriResponse")?)).await?;
        stream_url(&uri, peer.device)
    }
}

/// The stream address in a response, at any depth.
pub(super) fn uri(answer: Node<'_, '_>) -> Option<String> {
    let mut named = answer.descendants().filter(|node| node.tag_name().name().eq_ignore_ascii_case("Uri"));
    named.find_map(|node| node.text().map(str::trim).filter(|text| !text.is_empty())).map(str::to_owned)
}

pub(super) fn profiles(answer: Node<'_, '_>) -> Vec<Profile> {
    let all = answer.children().filter(|node| node.tag_name().name().eq_ignore_ascii_case("Profiles"));
    all.filter_map(profile).take(MOST_PROFILES).collect()
}

fn profile(node: Node<'_, '_>) -> Option<Profile> {
    let encoder = child(node, "VideoEncoderConfiguration").or_else(|| below(node, &["Configurations", "VideoEncoder"]));
    let of = |path: &[&str]| encoder.and_then(|encoder| text(encoder, path));
    let size = |side: &str| of(&["Resolution", side]).and_then(|side| side.parse().ok()).unwrap_or_default();
    let token = node.attributes().find(|attribute| attribute.name().eq_ignore_ascii_case("token"))?.value();
    Some(Profile {
        token: Some(token).filter(|token| token.len() <= 256)?.to_owned(),
        name: plain(text(node, &["Name"]).unwrap_or_default()),
        codec: codec(of(&["Encoding"]).unwrap_or_default()),
        size: (size("Width"), size("Height")),
    })
}

/// The usual name of a coding; cameras use several.
fn codec(name: &str) -> String {
    let name = plain(name).to_ascii_uppercase().replace(['.', '-', ' '], "");
    match name.as_str() {
        _ if name.starts_with("H264") || name == "AVC" => "H264".to_owned(),
        _ if name.starts_with("H265") || name == "HEVC" => "H265".to_owned(),
        "MJPEG" => "JPEG".to_owned(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::super::document;
    use super::*;

    fn read(content: &str) -> Vec<(String, String, (u32, u32))> {
        let text = document::envelope(format!("<Envelope>{content}</Envelope>").as_bytes(), None);
        let mut found = profiles(document::parse(&text).unwrap().root_element());
        found.sort_by_key(Profile::rank);
        found.into_iter().map(|profile| (profile.token, profile.codec, profile.size)).collect()
    }

    #[test]
    fn an_encoder_is_found_where_either_service_puts_it() {
        let encoder = |name: &str, coding: &str| {
            format!(
                "<{name} token=\"e\"><tt:Encoding> {coding} </tt:Encoding><tt:Resolution><tt:Width>640</tt:Width>\
                 <tt:Height>360</tt:Height></tt:Resolution></{name}>"
            )
        };
        let older = |coding: &str| encoder("tt:VideoEncoderConfiguration", coding);
        let newer = format!("<tr2:Configurations>{}</tr2:Configurations>", encoder("tr2:VideoEncoder", "H265"));
        let content = format!(
            "<trt:Profiles token=\"sound\"/><Profiles token=\"a\">{}</Profiles><x:profiles tt:Token=\"b\">{}</x:profiles>\
             <Profiles token=\"c\">{newer}</Profiles><Profiles>{}</Profiles><Profiles token=\"d\">{}</Profiles>",
            older("mjpeg"),
            older("H.264"),
            older("H264"),
            older("hevc")
        );
        let size = (640, 360);
        let wanted = [("b", "H264", size), ("c", "H265", size), ("d", "H265", size), ("sound", "", (0, 0))];
        let wanted = wanted.into_iter().chain([("a", "JPEG", size)]);
        let wanted: Vec<_> = wanted.map(|(token, codec, size)| (token.to_owned(), codec.to_owned(), size)).collect();
        assert_eq!(read(&content), wanted);
    }

    #[test]
    fn a_stream_address_is_found_wherever_it_stands() {
        for answer in [
            "<MediaUri><Uri>rtsp://a/b?c=1&d=2</Uri></MediaUri>",
            "<Uri>\n rtsp://a/b?c=1&amp;d=2 </Uri>",
            "<MediaUri><Other/><uri/><Uri><![CDATA[rtsp://a/b?c=1&d=2]]></Uri></MediaUri>",
        ] {
            let text = document::envelope(format!("<Envelope>{answer}</Envelope>").as_bytes(), None);
            let found = uri(document::parse(&text).unwrap().root_element());
            assert_eq!(found.as_deref(), Some("rtsp://a/b?c=1&d=2"), "{answer}");
        }
        assert_eq!(uri(document::parse("<MediaUri/>").unwrap().root_element()), None);
    }
}
