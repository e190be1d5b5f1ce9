//! Permission groups.

/// A permission group: people who may pass the cameras that are reserved for it. A person may be in several; a camera
/// may be reserved for several, and one of them is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionGroup {
    /// Unique, 1 to 64 characters; platforms choose it.
    pub id: String,
    /// Display name, unique, 1 to 64 characters.
    pub name: String,
    /// Free text.
    pub description: String,
    /// What the adapter that created it keeps with it; opaque to the core.
    pub note: Option<String>,
}
