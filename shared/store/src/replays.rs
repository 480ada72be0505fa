//! Callbacks of a vendor that were seen before, so that one that comes again changes nothing.
//!
//! A callback is noted before it is carried out, and finished after. One that was finished is not carried out again. One
//! that was only noted is: its process may have died, and the action itself takes effect once.
//!
//! Only verified callbacks come here, so unverified requests write nothing.

use std::time::Duration;

use alerting::base::ids::AccountId;
use alerting::base::moment::Moment;

use crate::connection::Store;
use crate::errors::WriteError;
use crate::item::{Reader, expiry, item, number};
use crate::keys;
use crate::table::{Condition, Table, Write};

/// How long a callback is remembered: longer than a vendor sends it again, and than its signature is accepted.
pub const REMEMBERED: Duration = Duration::from_secs(3600);

/// Whether a callback was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    New,
    /// It was noted, and its process has not finished, or died.
    Begun,
    Finished,
}

impl Store {
    /// Notes a callback of the account. `replay` is the same each time the vendor sends it.
    pub async fn begin_callback(&self, account: &AccountId, replay: &str, now: Moment) -> Result<Seen, WriteError> {
        let key = keys::callback(account, replay);
        let attributes = [("finished", number(0)), ("expires_at", expiry(now + REMEMBERED))];
        match self.put(Table::Alerts, &key, item(&key, attributes), Some(Condition::absent())).await? {
            Write::Done(_) => Ok(Seen::New),
            Write::Refused(Some(stored)) if Reader::new(&stored).optional_number("finished") == Some(1) => {
                Ok(Seen::Finished)
            }
            Write::Refused(_) => Ok(Seen::Begun),
        }
    }

    pub async fn finish_callback(&self, account: &AccountId, replay: &str, now: Moment) -> Result<(), WriteError> {
        let key = keys::callback(account, replay);
        let attributes = [("finished", number(1)), ("expires_at", expiry(now + REMEMBERED))];
        self.put(Table::Alerts, &key, item(&key, attributes), None).await?;
        Ok(())
    }
}
