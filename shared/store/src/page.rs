//! A page of a list.

/// A part of a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page begins, to be passed as `after`. It may be set although this page is not full, or is empty,
    /// because the items read did not match.
    pub next: Option<String>,
}
