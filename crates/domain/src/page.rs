//! Pages of lists.

/// The rows of a list to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Number of rows to skip.
    pub skip: u64,
    /// Maximum number of rows, 1..=1000.
    pub limit: u32,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The rows of the window.
    pub rows: Vec<T>,
    /// Total number of rows in the list.
    pub total: u64,
}
