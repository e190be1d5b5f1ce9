//! Progress of describing stored photos for another model.

/// How far describing the stored photos anew has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reembedding {
    /// People whose photos had to be described when it last began.
    pub total: u64,
    /// Of these, the described.
    pub done: u64,
    /// Of these, those in whose photo the model finds no usable face: they need another photo to be recognised.
    pub unusable: u64,
    /// Of these, those that failed for another reason or were removed meanwhile; they are tried again after five minutes.
    pub postponed: u64,
}

impl Reembedding {
    /// People still to be described.
    pub fn left(&self) -> u64 {
        self.total.saturating_sub(self.done + self.unusable + self.postponed)
    }
}
