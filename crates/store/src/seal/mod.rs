//! Sealed values: what lies on the medium only under a key.
//!
//! A sealed value is the number of its key (1 byte), a random nonce (24), and the ciphertext with its tag (16):
//! XChaCha20-Poly1305. The additional data names the table, the row and the part of the row, so that a value cannot be
//! moved to another place. Values that are looked up exactly have a keyed hash (HMAC-SHA-256) beside them.
//!
//! Values are sealed with data keys, which are random and lie in the storage directory, each wrapped by the store key
//! (`ring.rs`). The store key comes from outside. So data keys can be replaced while the store key stays, and the store
//! key without touching any value.

mod fields;
mod reseal;
mod ring;
mod sql;
mod tables;
mod verify;

use std::fmt;

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use rand::RngExt;
use rand::rngs::SysRng;
use rusqlite::types::Value;
use sha2::Sha256;
use zeroize::Zeroizing;

pub(crate) use fields::{Fields, pack};
pub(crate) use reseal::{finish, is_unfinished};
pub(crate) use ring::{
    FILE as RING_FILE, content as ring_content, destroy, open_ring, rewrap, start_turn, wrapped_anew,
};
pub(crate) use sql::add_functions;
pub(crate) use verify::verify;

use crate::error::Fault;

/// Length of a key, bytes.
pub(crate) const KEY: usize = 32;
const NONCE: usize = 24;
const TAG: usize = 16;
/// Bytes that a sealed value has more than its content.
pub(crate) const OVERHEAD: usize = 1 + NONCE + TAG;

/// The key from outside that the storage directory is opened with.
#[derive(Clone)]
pub struct StoreKey(Zeroizing<[u8; KEY]>);

impl StoreKey {
    /// A key of these bytes.
    pub fn new(bytes: [u8; KEY]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A random key from the system's source.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn random() -> std::io::Result<Self> {
        random_key().map(Self::new)
    }

    /// Reads a key as it is kept: 32 bytes, or 64 hexadecimal digits with white space around them.
    pub fn parse(content: &[u8]) -> Option<Self> {
        if let Ok(bytes) = <[u8; KEY]>::try_from(content) {
            return Some(Self::new(bytes));
        }
        let mut bytes = [0; KEY];
        hex::decode_to_slice(content.trim_ascii(), &mut bytes).ok()?;
        Some(Self::new(bytes))
    }

    /// The key as 64 hexadecimal digits.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(*self.0))
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreKey")
    }
}

fn random_key() -> std::io::Result<[u8; KEY]> {
    use rand::TryRng;
    let mut bytes = [0; KEY];
    SysRng.try_fill_bytes(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes)
}

/// The place of a sealed value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    table: &'a str,
    row: i64,
    part: &'a str,
}

impl<'a> Place<'a> {
    pub(crate) fn new(table: &'a str, row: i64) -> Self {
        Self { table, row, part: "" }
    }

    /// A part of the row, where it has several values, or what names the row besides its number.
    pub(crate) fn part(self, part: &'a str) -> Self {
        Self { part, ..self }
    }

    /// Table names have no zero, so that no two places are the same bytes.
    fn bytes(self) -> Vec<u8> {
        [self.table.as_bytes(), &[0], &self.row.to_le_bytes(), self.part.as_bytes()].concat()
    }
}

/// A data key: two keys derived from it, one for values, one for hashes.
struct DataKey {
    number: u8,
    cipher: XChaCha20Poly1305,
    search: Zeroizing<[u8; KEY]>,
}

impl DataKey {
    fn new(number: u8, secret: &[u8; KEY]) -> Self {
        let value = derived(secret, b"polyface value");
        Self { number, cipher: cipher(&value), search: derived(secret, b"polyface search") }
    }

    fn seal(&self, place: Place<'_>, content: &[u8]) -> Vec<u8> {
        seal_with(&self.cipher, self.number, &place.bytes(), content)
    }
}

/// The keys that values are sealed with. The one with the highest number seals; the others open what is still to be
/// resealed.
pub(crate) struct Keys {
    current: DataKey,
    former: Vec<DataKey>,
}

impl Keys {
    /// Keys that open nothing.
    pub(crate) fn none() -> Self {
        Self { current: DataKey::new(0, &[0; KEY]), former: Vec::new() }
    }

    /// Seals a value for this place.
    pub(crate) fn seal(&self, place: Place<'_>, content: &[u8]) -> Vec<u8> {
        self.current.seal(place, content)
    }

    /// The column of a sealed text.
    pub(crate) fn sealed(&self, place: Place<'_>, content: &str) -> Value {
        Value::Blob(self.seal(place, content.as_bytes()))
    }

    /// Opens a value.
    ///
    /// # Errors
    /// `Sealed` when it is not what was sealed for this place.
    pub(crate) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        let number = sealed.first().copied().unwrap_or_default();
        let key = std::iter::once(&self.current).chain(&self.former).find(|key| key.number == number);
        let opened = key.and_then(|key| open_with(&key.cipher, &place.bytes(), sealed));
        opened.ok_or_else(|| Fault::Sealed(place.table.to_owned()))
    }

    /// Opens a text.
    ///
    /// # Errors
    /// As [`Keys::open`].
    pub(crate) fn open_text(&self, place: Place<'_>, sealed: &[u8]) -> Result<String, Fault> {
        String::from_utf8(self.open(place, sealed)?).map_err(|_| Fault::Corrupt("sealed text"))
    }

    /// The keyed hash of a value that is looked up exactly. `what`: the kind of value, so that equal values of
    /// different kinds have different hashes.
    pub(crate) fn hash(&self, what: &str, value: &[u8]) -> [u8; 32] {
        hash_with(&self.current.search, what, value)
    }

    /// The column of a keyed hash.
    pub(crate) fn key_of(&self, what: &str, value: &str) -> Value {
        Value::Blob(self.hash(what, value.as_bytes()).to_vec())
    }

    /// The number of the key that seals.
    pub(crate) fn current(&self) -> u8 {
        self.current.number
    }

    /// Whether there are values to be resealed.
    pub(crate) fn is_turning(&self) -> bool {
        !self.former.is_empty()
    }
}

fn derived(secret: &[u8; KEY], purpose: &[u8]) -> Zeroizing<[u8; KEY]> {
    let mut out = Zeroizing::new([0; KEY]);
    let expanded = Hkdf::<Sha256>::new(None, secret).expand(purpose, out.as_mut());
    debug_assert!(expanded.is_ok(), "one block of output is always possible");
    out
}

fn cipher(key: &[u8; KEY]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&(*key).into())
}

#[expect(clippy::expect_used, reason = "encryption fails only beyond 256 GiB")]
fn seal_with(cipher: &XChaCha20Poly1305, number: u8, place: &[u8], content: &[u8]) -> Vec<u8> {
    let nonce: [u8; NONCE] = rand::rng().random();
    let mut sealed = Vec::with_capacity(OVERHEAD + content.len());
    sealed.push(number);
    sealed.extend(nonce);
    sealed.extend(content);
    let tag = cipher.encrypt_inout_detached(&XNonce::from(nonce), place, (&mut sealed[1 + NONCE..]).into());
    sealed.extend(tag.expect("no value is that long"));
    sealed
}

fn open_with(cipher: &XChaCha20Poly1305, place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, rest) = sealed.get(1..)?.split_first_chunk::<NONCE>()?;
    let (content, tag) = rest.split_last_chunk::<TAG>()?;
    let mut content = content.to_vec();
    cipher.decrypt_inout_detached(&(*nonce).into(), place, content.as_mut_slice().into(), &(*tag).into()).ok()?;
    Some(content)
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn hash_with(key: &[u8; KEY], what: &str, value: &[u8]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("any length is possible");
    mac.update(what.as_bytes());
    mac.update(&[0]);
    mac.update(value);
    mac.finalize().into_bytes().into()
}

/// Keys of tests within this crate.
#[cfg(test)]
pub(crate) fn test_keys() -> Keys {
    Keys { current: DataKey::new(1, &[7; KEY]), former: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turned() -> Keys {
        Keys { current: DataKey::new(2, &[8; KEY]), former: vec![DataKey::new(1, &[7; KEY])] }
    }

    #[test]
    fn a_value_is_opened_only_where_it_was_sealed() {
        let keys = test_keys();
        let place = Place::new("person", 7);
        let sealed = keys.seal(place, b"Ada");
        assert_eq!(sealed.len(), 3 + OVERHEAD);
        assert_eq!(keys.open(place, &sealed).unwrap(), b"Ada");
        for other in [Place::new("person", 8), Place::new("note", 7), place.part("model")] {
            assert!(matches!(keys.open(other, &sealed), Err(Fault::Sealed(_))), "{other:?}");
        }
    }

    #[test]
    fn a_changed_or_shortened_value_is_refused() {
        let keys = test_keys();
        let place = Place::new("person", 7);
        let sealed = keys.seal(place, b"Ada");
        for byte in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[byte] ^= 1;
            assert!(keys.open(place, &changed).is_err(), "byte {byte}");
            assert!(keys.open(place, &sealed[..byte]).is_err(), "{byte} bytes");
        }
    }

    #[test]
    fn a_former_key_opens_and_the_current_one_seals() {
        let place = Place::new("person", 7);
        let sealed = test_keys().seal(place, b"Ada");
        assert_eq!(turned().open(place, &sealed).unwrap(), b"Ada");
        assert!(test_keys().open(place, &turned().seal(place, b"Ada")).is_err());
        assert_ne!(test_keys().seal(place, b"Ada"), sealed, "another nonce each time");
    }

    #[test]
    fn equal_values_of_different_kinds_have_different_hashes() {
        let keys = test_keys();
        assert_eq!(keys.hash("card", b"1"), keys.hash("card", b"1"));
        assert_ne!(keys.hash("card", b"1"), keys.hash("document", b"1"));
        assert_ne!(keys.hash("card", b"1"), turned().hash("card", b"1"));
    }

    #[test]
    fn a_store_key_is_read_as_bytes_or_digits() {
        let key = StoreKey::parse(&[0x5a; 32]).unwrap();
        assert_eq!(StoreKey::parse(format!(" {}\n", *key.to_hex()).as_bytes()).unwrap().0, key.0);
        assert!(StoreKey::parse(b"5a5a").is_none() && StoreKey::parse(&[0; 31]).is_none());
        assert_eq!(format!("{key:?}"), "StoreKey");
    }
}
