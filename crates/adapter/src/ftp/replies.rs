//! Replies that more than one command gives.

/// The end of each reply.
pub(super) const END: &str = "\r\n";

pub(super) const TOO_MANY: &str = "421 too many connections\r\n";
pub(super) const TOO_LONG: &str = "500 the command is too long";
pub(super) const UNKNOWN: &str = "502 not supported";
pub(super) const BAD_ARGUMENT: &str = "501 bad argument";
pub(super) const NO_OTHER: &str = "504 no other value is supported";
pub(super) const OK: &str = "200 ok";
pub(super) const LOG_IN: &str = "530 log in first";
pub(super) const WRONG_LOGIN: &str = "530 wrong user or password, or locked after failed logins";
pub(super) const ONLY_UPLOADS: &str = "550 only uploads are allowed";
pub(super) const NO_DATA: &str = "425 no data connection";
pub(super) const STOPPING: &str = "421 the device stops";
