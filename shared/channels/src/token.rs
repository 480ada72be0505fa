//! Access tokens of an account, as a vendor grants them.

use std::time::Duration;

use alerting::base::secret::Secret;

/// What a vendor granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub token: Secret,
    /// How long it is valid, by the vendor's own word.
    pub lasts: Duration,
}
