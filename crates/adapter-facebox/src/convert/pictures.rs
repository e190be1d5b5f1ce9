//! Addresses of pictures: opaque paths below `/picture/`.

use domain::PictureId;

/// The beginning of all addresses.
pub(crate) const ROOT: &str = "/picture/";

/// The address of a picture that was uploaded or belongs to a person; empty for that of a removed one.
pub(crate) fn person_address(id: &PictureId) -> String {
    if id.is_kept() { format!("{ROOT}person/{id}.jpg") } else { String::new() }
}

/// The address of a captured picture; empty for one that was not kept.
pub(crate) fn capture_address(id: &PictureId) -> String {
    if id.is_kept() { format!("{ROOT}capture/{id}.jpg") } else { String::new() }
}

/// The picture of an address: the path, or a whole URL with it (quirk "2.1 pic_url").
pub(crate) fn picture(address: &str) -> Option<PictureId> {
    let path = match address.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => address,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let (folder, file) = path.strip_prefix(ROOT)?.split_once('/')?;
    let known = matches!(folder, "person" | "capture");
    file.strip_suffix(".jpg").filter(|_| known)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back() {
        let id: PictureId = "0a".repeat(32).parse().unwrap();
        let (person, capture) = (person_address(&id), capture_address(&id));
        let url = format!("http://192.0.2.1:8080{person}?session=1");
        for address in [person.as_str(), &capture, &url] {
            assert_eq!(picture(address).as_ref(), Some(&id), "{address}");
        }
    }

    #[test]
    fn a_picture_that_is_not_kept_has_no_address() {
        let none = PictureId::not_kept();
        assert_eq!((person_address(&none).as_str(), capture_address(&none).as_str()), ("", ""));
    }

    #[test]
    fn any_other_text_is_no_address() {
        let id = "0a".repeat(32);
        let strange = [
            String::new(),
            id.clone(),
            format!("/picture/{id}.jpg"),
            format!("/picture/other/{id}.jpg"),
            format!("/picture/person/{id}"),
            "/picture/person/../../etc/passwd.jpg".into(),
            "http://host".into(),
        ];
        assert!(strange.iter().all(|address| picture(address).is_none()));
    }
}
