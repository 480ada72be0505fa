//! What one vendor does with one request. A platform reads requests and words the answers; the order of checks, rates,
//! scripted faults and storage are the same for all and are in `fakes`.

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::base::rate::Rate;
use http::HeaderMap;

use crate::group::Rules;
use crate::reply::Reply;
use crate::seen::Seen;
use crate::vendor::Vendor;

/// Used as `dyn`: the registry is a list of platforms.
pub(crate) trait Platform: Sync {
    fn vendor(&self) -> Vendor;

    /// The names of the vendor's servers.
    fn hosts(&self) -> &'static [&'static str];

    /// The requests that it accepts per group, in any window.
    fn rates(&self) -> &'static [Rate];

    /// How long it accepts nothing after a rate was exceeded.
    fn block(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether the vendor has this path.
    fn has_path(&self, path: &str) -> bool;

    /// The name of the group that the request is for, or the answer to an address that no group can have.
    fn group(&self, request: &Request<'_>) -> Result<String, Reply>;

    /// The message as the group's members see it, or the answer that refuses it.
    fn read(&self, request: &Request<'_>, rules: &Rules) -> Result<Seen, Reply>;

    /// The answer to the group's `n`th message.
    fn accepted(&self, group: &str, n: u64) -> Reply;

    /// The number of the message that the request changes. `None`: it sends a new one.
    fn changes(&self, _request: &Request<'_>) -> Option<u64> {
        None
    }

    /// The answer to a change of a message that does not exist.
    fn gone(&self) -> Reply {
        self.unknown()
    }

    fn throttled(&self, wait: Duration) -> Reply;

    /// The answer to an address that does not exist.
    fn unknown(&self) -> Reply;
}

/// One request to a platform.
pub(crate) struct Request<'a> {
    pub(crate) now: Moment,
    pub(crate) path: &'a str,
    pub(crate) query: &'a BTreeMap<String, String>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

impl Request<'_> {
    /// A parameter of the query; empty if there is none.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The last part of the path.
    pub(crate) fn last_part(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// Whether `path` is `prefix` and one more part that is not empty.
pub(crate) fn is_one_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
}
