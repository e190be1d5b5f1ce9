//! Progress of re-embedding.

/// Progress of re-embedding: describing stored photos with the model in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reembedding {
    /// People whose photos had to be described at the last start.
    pub total: u64,
    /// Of these, people whose photos are described.
    pub done: u64,
    /// Of these, people without a usable face in their photo: they need another photo.
    pub unusable: u64,
    /// Of these, people that failed for another reason or were removed meanwhile; retried after five minutes.
    pub postponed: u64,
}

impl Reembedding {
    /// People still to be described.
    pub fn left(&self) -> u64 {
        self.total.saturating_sub(self.done + self.unusable + self.postponed)
    }
}
