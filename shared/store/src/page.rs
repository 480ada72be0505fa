//! A page of a list.

/// A part of a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page begins: to be handed back as `after`. There may be one although this page is not full, or is
    /// empty: what it looked at did not match.
    pub next: Option<String>,
}
