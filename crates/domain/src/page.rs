//! Pages of long lists.

/// Which rows of a list are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Rows to pass over.
    pub skip: u64,
    /// Rows at most, 1..=1000.
    pub limit: u32,
}

/// Some rows of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The rows of the window.
    pub rows: Vec<T>,
    /// How many rows there are in all.
    pub total: u64,
}
