//! The access tokens that a process uses.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alerting::base::ids::AccountId;
use alerting::base::moment::Moment;
use alerting::base::secret::Sealed;

/// How long a process uses a token without checking for a newer one.
const CACHED: Duration = Duration::from_secs(600);
/// A token as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    pub sealed: Sealed,
    /// When the vendor stops accepting it.
    pub until: Moment,
    /// From when on a newer one is requested.
    pub renew_at: Moment,
    /// Grows with every token of the account.
    pub version: u64,
}

/// The tokens that this process uses.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    cached: Mutex<HashMap<AccountId, Cached>>,
}

#[derive(Debug, Clone)]
struct Cached {
    token: AccessToken,
    until: Moment,
}

impl Tokens {
    pub(crate) fn get(&self, account: &AccountId, after: u64, now: Moment) -> Option<AccessToken> {
        let cached = self.lock().get(account).cloned()?;
        (cached.token.version > after && now < cached.until).then_some(cached.token)
    }

    pub(crate) fn set(&self, account: &AccountId, token: &AccessToken, now: Moment) {
        let until = token.renew_at.min(now + CACHED);
        self.lock().insert(account.clone(), Cached { token: token.clone(), until });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AccountId, Cached>> {
        // No code that can panic runs under the lock.
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
