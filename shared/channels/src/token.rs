//! Access tokens that a vendor grants to an account.

use std::time::Duration;

use alerting::base::secret::Secret;

/// A granted access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub token: Secret,
    /// How long it is valid, as the vendor says.
    pub lasts: Duration,
}
