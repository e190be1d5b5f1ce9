//! Decoding in a process of its own: a camera's stream is untrusted, and the codec libraries that parse it are written
//! in C. A defect in them reaches only a process that can do nothing but decode.
//!
//! The daemon starts its own program as `polyfaced decode` for each open camera. The two share a socket (the helper's
//! standard input) for [messages](wire), and a file in memory (its standard output) into which the helper copies a
//! picture when it is asked for one. The daemon trusts nothing that the helper says: see [`conversation`].

mod child;
mod conversation;
mod pool;
mod process;
mod rights;
mod system_calls;
mod wire;

pub use child::decode;

pub(crate) use conversation::{Inlet, Outlet};
pub(crate) use process::{Helper, start};
