//! Users of the device.

use crate::{AccountId, Timestamp};

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Read.
    Viewer,
    /// Read and change people, libraries, cameras.
    Operator,
    /// Everything.
    Admin,
}

/// A user of the device.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Never reused.
    pub id: AccountId,
    /// Login name, unique, 1..=49 characters of letters, digits and `@ . - _`.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// Rises with every change of the password or the role, which ends the account's sessions.
    pub revision: u64,
}

/// What is kept of a password: nothing it could be read from.
#[derive(Clone, PartialEq)]
pub struct PasswordHashes {
    /// argon2id of the password (PHC text); empty when only its MD5 is known.
    pub password: String,
    /// MD5(user:realm:password) in lower-case hexadecimal, for digest authentication; `None` when no adapter needs it,
    /// when the password was set before one did, or when only its MD5 is known.
    pub digest_ha1: Option<String>,
    /// argon2id of the lower-case hexadecimal MD5 of the password (PHC text), for callers that send the MD5.
    pub md5: String,
}

/// Never shows a hash.
impl std::fmt::Debug for PasswordHashes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHashes(..)")
    }
}

/// An account to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAccount {
    /// Login name, unique.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// The hashed password.
    pub hashes: PasswordHashes,
    /// When it is made.
    pub at: Timestamp,
}

/// What to change of an account; `None` keeps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AccountChange {
    /// A new unique login name.
    pub name: Option<String>,
    /// What is kept of a new password.
    pub hashes: Option<PasswordHashes>,
}
