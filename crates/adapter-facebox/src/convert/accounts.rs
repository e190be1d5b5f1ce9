//! Passwords as they come.

use domain::Secret;

/// The MD5 in lower case, from 32 hexadecimal digits in either case with or without the prefix `md5-`
/// (quirk "1.1 password").
pub(crate) fn md5_text(text: &str) -> Option<String> {
    let digits = text.strip_prefix("md5-").unwrap_or(text);
    let fits = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    fits.then(|| digits.to_ascii_lowercase())
}

/// A password that may come as its MD5 or in clear (quirk "1.2 password").
pub(crate) fn secret(text: String) -> Secret {
    match md5_text(&text) {
        Some(md5) => Secret::Md5(md5),
        None => Secret::Password(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_md5_has_32_digits_in_either_case_and_may_say_what_it_is() {
        let expected = Some("5f4dcc3b5aa765d61d8327deb882cf99".to_owned());
        for text in ["5f4dcc3b5aa765d61d8327deb882cf99", "md5-5F4DCC3B5AA765D61D8327DEB882CF99"] {
            assert_eq!(md5_text(text), expected);
        }
        for text in ["password", "", "md5-xxxx", "5f4dcc3b5aa765d61d8327deb882cf9g"] {
            assert_eq!(md5_text(text), None);
        }
    }
}
