//! URLs with passwords, as they are shown to those who may not set them.

use domain::{Error, MASK, Result};
use url::Url;

/// The URL of a receiver of pushes, or of another HTTP server, with a masked password.
pub fn masked_url(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else { return MASK.to_owned() };
    if parsed.password().is_none() {
        return url.to_owned();
    }
    match parsed.set_password(Some(MASK)) {
        Ok(()) => parsed.into(),
        Err(()) => MASK.to_owned(),
    }
}

/// The URL that was sent, with the password of the one in force where it has the mask in its place.
///
/// # Errors
/// `Invalid("password")` when that password was given for another host or port.
pub fn unmasked_url(sent: &str, before: Option<&str>) -> Result<String> {
    let Ok(mut parsed) = Url::parse(sent) else { return Ok(sent.to_owned()) };
    if parsed.password() != Some(MASK) {
        return Ok(sent.to_owned());
    }
    let own = before.and_then(|before| Url::parse(before).ok());
    let own = own.filter(|own| own.origin() == parsed.origin()).ok_or_else(lost)?;
    parsed.set_password(own.password()).map_err(|()| lost())?;
    Ok(parsed.into())
}

fn lost() -> Error {
    Error::invalid("password", "has to be given again for another address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_url_keeps_its_password_only_for_the_same_server() {
        let own = "https://box:secret@192.0.2.1/push?x=1";
        let masked = masked_url(own);
        assert_eq!(masked, "https://box:******@192.0.2.1/push?x=1");
        assert_eq!(unmasked_url(&masked, Some(own)).unwrap(), own);
        assert_eq!(masked_url("http://192.0.2.1/"), "http://192.0.2.1/");
        assert!(unmasked_url("https://box:******@192.0.2.2/", Some(own)).is_err());
        assert!(unmasked_url(&masked, None).is_err());
    }
}
