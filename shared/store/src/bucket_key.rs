//! What a rate bucket belongs to.

use std::fmt;

use alerting::base::ids::{AccountId, DestinationId, hash128};

/// What a rate applies to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum BucketKey {
    /// One group, or one address of a member.
    Destination(DestinationId),
    /// Everything that is sent from an account, or what is sent by one method: the scope is the channel's own name for it
    /// (`app`, `chat.update`).
    Account(AccountId, &'static str),
    /// One person who is called or sent an SMS, for all destinations together.
    Callee(Callee),
}

/// A person, named by the channel and the hash of the number, because errors show keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Callee {
    channel: &'static str,
    hash: String,
}

impl Callee {
    pub fn of(channel: &'static str, number: &str) -> Self {
        Self { channel, hash: hash128(&[number]) }
    }
}

/// The stored form, which follows `BUCKET#`.
impl fmt::Display for BucketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BucketKey::Destination(destination) => write!(f, "{destination}"),
            BucketKey::Account(account, scope) => write!(f, "{account}#{scope}"),
            BucketKey::Callee(Callee { channel, hash }) => write!(f, "callee#{channel}#{hash}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys;

    #[test]
    fn the_key_of_a_destination_is_as_it_always_was_and_no_key_shows_a_number() {
        let destination = BucketKey::Destination("dst_4fJk2LmNpQ".parse().expect("valid"));
        assert_eq!(keys::bucket(&destination).to_string(), "BUCKET#dst_4fJk2LmNpQ");
        let account = BucketKey::Account("app_4fJk2LmNpQ".parse().expect("valid"), "chat.update");
        assert_eq!(keys::bucket(&account).to_string(), "BUCKET#app_4fJk2LmNpQ#chat.update");
        let callee = BucketKey::Callee(Callee::of("sms_tencent", "+8613800000000"));
        let hash = hash128(&["+8613800000000"]);
        assert_eq!(keys::bucket(&callee).to_string(), format!("BUCKET#callee#sms_tencent#{hash}"));
    }
}
