//! Header fields as real clients write them.

mod authorization;
mod disposition;
mod encoded_word;
mod folding;
mod media_type;
mod parameters;
mod percent;

pub use authorization::Authorization;
pub(crate) use disposition::Disposition;
pub use disposition::UnreadableName;
pub(crate) use folding::unfolded;
pub use media_type::is_multipart;
pub(crate) use media_type::{FormType, charset};
