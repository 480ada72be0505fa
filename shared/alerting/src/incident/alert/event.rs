//! The content of a message about one alert.

use std::collections::BTreeMap;

use crate::base::ids::{SpaceId, Stamp, hash128};
use crate::base::severity::Severity;

/// A trigger or a close, as the integration's rules decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertEvent {
    pub stamp: Stamp,
    pub kind: EventKind,
    pub key: AlertKey,
    pub title: String,
    pub description: String,
    pub severity: Severity,
    pub labels: BTreeMap<String, String>,
    /// The spaces to which a trigger is routed.
    pub spaces: Vec<SpaceId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    // The order matters: of two events with equal stamps the trigger is applied last, so the alert stays open.
    Close,
    Trigger,
}

/// The key that connects messages with one open alert of one integration.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AlertKey {
    /// The alert is its own key: push mode "each message".
    Unique,
    Named(String),
}

impl AlertEvent {
    /// A hash of what the alert would show, so that an update without a visible change writes nothing.
    pub fn content_hash(&self) -> String {
        let labels: Vec<&str> = self.labels.iter().flat_map(|(k, v)| [k.as_str(), v.as_str()]).collect();
        let mut parts = vec![self.title.as_str(), &self.description, self.severity.as_str()];
        parts.extend(labels);
        hash128(&parts)[..12].to_owned()
    }
}
