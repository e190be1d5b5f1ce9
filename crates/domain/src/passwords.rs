//! Which passwords are accepted.

use std::collections::HashSet;
use std::sync::LazyLock;

use md5::{Digest, Md5};

use crate::{Error, Result, names};

/// The shortest password, in characters.
const MIN_CHARS: usize = 10;
/// The longest password, bytes.
const MAX_BYTES: usize = 128;

/// The passwords of at least ten characters that leaks contain most often, in lower case, one a line; comments begin
/// with `#`.
const COMMON: &str = include_str!("common_passwords.txt");

fn common() -> impl Iterator<Item = &'static str> {
    COMMON.lines().filter(|line| !line.starts_with('#'))
}

static COMMON_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| common().collect());
static COMMON_MD5: LazyLock<HashSet<[u8; 16]>> =
    LazyLock::new(|| common().map(|text| Md5::digest(text).into()).collect());

/// `Invalid("password")` for a password of fewer than 10 characters or more than 128 bytes, a common one, one of a
/// single repeated character or run of characters, and the name of its account, in any letter case.
pub(crate) fn check(name: &str, password: &str) -> Result<()> {
    if password.chars().count() < MIN_CHARS || password.len() > MAX_BYTES {
        return Err(Error::invalid("password", "not 10 characters to 128 bytes long"));
    }
    if COMMON_SET.contains(password.to_lowercase().as_str()) || is_run(password) || names::same(name, password) {
        return Err(Error::invalid("password", "too easy to guess"));
    }
    Ok(())
}

/// As [`check`], for a password of which only the MD5 is known, in lower-case hexadecimal: its length cannot be judged.
pub(crate) fn check_md5(name: &str, md5: &str) -> Result<()> {
    let digest = hex::decode(md5).ok().and_then(|digest| <[u8; 16]>::try_from(digest).ok());
    let is_weak = digest.is_some_and(|digest| {
        COMMON_MD5.contains(&digest) || digest == *Md5::digest(name) || digest == *Md5::digest("")
    });
    if is_weak { Err(Error::invalid("password", "too easy to guess")) } else { Ok(()) }
}

/// Whether each character follows the one before at the same small distance: `1111111111`, `abcdefghij`.
fn is_run(password: &str) -> bool {
    let codes: Vec<i64> = password.chars().map(|c| i64::from(u32::from(c))).collect();
    let step = |pair: &[i64]| pair[1] - pair[0];
    let Some(first) = codes.windows(2).map(step).next() else { return true };
    first.abs() <= 1 && codes.windows(2).all(|pair| step(pair) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_common_and_obvious_passwords_are_refused() {
        for weak in
            ["", "Short_123", "1234567890", "qwertyuiop", "Password123", "aaaaaaaaaaaa", "abcdefghijk", "9876543210"]
        {
            assert!(check("admin", weak).is_err(), "{weak}");
        }
        assert!(check("gatekeeper1", "GateKeeper1").is_err());
        assert!(check("admin", &"x1".repeat(65)).is_err());
        for good in ["Admin_1234", "correct horse", "密码密码密码密码密码", "kJ8-vv2-pq"] {
            assert!(check("admin", good).is_ok(), "{good}");
        }
    }

    #[test]
    fn of_an_md5_the_common_ones_are_known() {
        let md5 = |text: &str| hex::encode(Md5::digest(text));
        for weak in ["1234567890", "qwertyuiop", "rose", ""] {
            assert!(check_md5("rose", &md5(weak)).is_err(), "{weak}");
        }
        assert!(check_md5("rose", &md5("Admin_1234")).is_ok());
    }

    #[test]
    fn the_list_is_in_lower_case_and_long_enough() {
        assert!(common().count() > 500);
        assert!(common().all(|text| text == text.to_lowercase()));
    }
}
