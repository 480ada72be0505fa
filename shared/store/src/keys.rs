//! Every key format. Nothing else in the project builds a key.
//!
//! | table | pk | sk | item |
//! |---|---|---|---|
//! | config | `SPACE`, `DESTINATION`, `INTEGRATION`, `MAPPING` | id | the document, `version`, `created_at` |
//! | config | `MEMBER`, `TEAM`, `SCHEDULE` | id | the document, `version`, `created_at` |
//! | config | `PROVIDER` | channel | the document, `version`, `created_at` |
//! | config | `APP` | account of an app | the document, `version`, `created_at` |
//! | config | `DELETED_INTEGRATION` | id | its message log is still counted by the ledger |
//! | config | `INTAKE_KEY` | SHA-256 of the key | `integration`, `until`, `last4` |
//! | config | `API_KEY` | SHA-256 of the key | the document |
//! | config | `SESSION` | SHA-256 of the token | the document |
//! | config | `CODE` | `{member}#{email or phone}` | a one-time code, hashed; `version` |
//! | config | `CODES_SENT` | `member#{id}` or `address#{hash128}` | when codes were sent; `version` |
//! | config | `ACCOUNT` | member | the document, `version` |
//! | config | `INVITATION` | member, or `-` for the first administrator | `hash` of the link's token, `until` |
//! | config | `EMAIL#{hash128 of the address}`, `SUBJECT#{hash128 of the subject}`, `LINK#{account}#{hash128 of the chat user}` | member | nothing: a pointer, perhaps outdated |
//! | config | `TRIES#{hash128 of address or source}` | `-` | `count`, `until` |
//! | config | `LINK_CODE` | SHA-256 of a code | the document: which member links a user of which account, and until when |
//! | config | `OIDC` | `-` | the document, `version` |
//! | alerts | `STATE#{integration}#{hash128 of the alert key}` | `-` | the hot state, `version` |
//! | alerts | `ALERT#{integration}` | stamp that opened it | the detail, `shown`, `status` |
//! | alerts | `INCIDENT#{space}` | stamp that opened it | the document, `n`; or `joined`, the incident that the alert joined; or `dropped`, the silence that took it |
//! | alerts | `TIMELINE#{incident}` | `{n, 10 digits}` | an entry for which the document has no room |
//! | alerts | `GROUP#{space}#{hash128 of what is grouped by}` | `-` | `incident` that the next alert may join, `version` |
//! | alerts | `MUTE#{space}#{integration}#{hash128 of the alert key}` | `-` | `until`, `stamp` that began it |
//! | alerts | `DELIVERY#{incident}` | destination | `sent`, `owner`, `lease_until`, `attempts`, `told`, `cards` |
//! | alerts | `PERSONAL_LINK` | SHA-256 of the token | the document: until when, and whether it was used |
//! | alerts | `SEEN#{account}` | hash128 of a callback's id | `finished`: 0 while it is carried out, then 1 |
//! | alerts | `BUCKET#{destination}` | `-` | rate bucket, `version` |
//! | alerts | `BUCKET#{account}#{scope}` | `-` | the same, of an account at a vendor |
//! | alerts | `BUCKET#callee#{channel}#{hash128 of the number}` | `-` | the same, of one person who is called |
//! | alerts | `TOKEN#{account}` | `-` | `sealed`, `until`, `renew_at`, `version`; `lease_until` and `owner` while it is renewed |
//! | alerts | `DEAD` | `{made ms, 15 digits}-{name}` | the document without its body; `packed`, the body |
//! | alerts | `DIGEST#{destination}` | `{incident}#{n, 10 digits}` | one waiting line |
//! | alerts | `TIMER#{shard 0..7}` | `{due ms, 15 digits}#{id}` | due work |
//! | alerts | `LOG#{integration}#{yyyymmdd}` | stamp | one message, compressed; `outcome`, `notices` |
//! | alerts | `LOG#actions#{yyyymmdd}` | `{at ms, 15 digits}#{incident}#{n}` | notices that no message made |
//! | alerts | `RECEIVED#{hour ms}` | intake process | `count`, the greatest seen |
//! | alerts | `OPEN#{integration}` | `-` | `open`, how many alerts are |
//! | alerts | `LEDGER#{hour ms}` | `-` | a final hour |
//!
//! Stamps and padded numbers sort as text in the order of time. There is no index, because each change of an indexed
//! attribute costs a second write.

use std::collections::HashMap;
use std::fmt;

use alerting::base::ids::{
    AccountId, AlertId, DestinationId, IncidentId, IntegrationId, MemberId, SpaceId, Stamp, hash128,
};
use alerting::base::moment::Moment;
use alerting::people::AddressedBy;
use aws_sdk_dynamodb::types::AttributeValue;
use sha2::{Digest, Sha256};

/// The sort key of a partition that holds one item.
const ALONE: &str = "-";
/// Partitions of the timers. There are several, so that a minute with very many timers is spread over them.
pub(crate) const TIMER_SHARDS: u8 = 8;

pub(crate) const SPACE: &str = "SPACE";
pub(crate) const DESTINATION: &str = "DESTINATION";
pub(crate) const PROVIDER: &str = "PROVIDER";
pub(crate) const APP_ACCOUNT: &str = "APP";
pub(crate) const MEMBER: &str = "MEMBER";
pub(crate) const TEAM: &str = "TEAM";
pub(crate) const SCHEDULE: &str = "SCHEDULE";
pub(crate) const INTEGRATION: &str = "INTEGRATION";
pub(crate) const MAPPING: &str = "MAPPING";
pub(crate) const DELETED_INTEGRATION: &str = "DELETED_INTEGRATION";
pub(crate) const API_KEY: &str = "API_KEY";
pub(crate) const DEAD_LETTER: &str = "DEAD";
pub(crate) const SESSION: &str = "SESSION";
pub(crate) const ACCOUNT: &str = "ACCOUNT";
const INVITATION: &str = "INVITATION";
const OIDC: &str = "OIDC";
const INTAKE_KEY: &str = "INTAKE_KEY";
const PERSONAL_LINK: &str = "PERSONAL_LINK";
const CODE: &str = "CODE";
const CODES_SENT: &str = "CODES_SENT";
const LINK_CODE: &str = "LINK_CODE";

/// The address of one item. Shown in errors, without the hashes of keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl Key {
    pub(crate) fn new(pk: impl Into<String>, sk: impl fmt::Display) -> Self {
        Self { pk: pk.into(), sk: sk.to_string() }
    }

    pub(crate) fn attributes(&self) -> HashMap<String, AttributeValue> {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(self.pk.clone())),
            ("sk".to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pk.as_str() {
            INTAKE_KEY | API_KEY | SESSION | PERSONAL_LINK | LINK_CODE => f.write_str(&self.pk),
            _ if self.sk == ALONE => f.write_str(&self.pk),
            _ => write!(f, "{} {}", self.pk, self.sk),
        }
    }
}

/// The stored form of an alert key: 128 bits of a hash, so that a key of any length costs the same.
pub fn alert_key_hash(alert_key: &str) -> String {
    hash128(&[alert_key])
}

/// The stored form of an intake key or API key. The keys are long and random, so a plain hash does not reveal them.
pub fn secret_hash(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        use fmt::Write as _;
        write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
        hex
    })
}

/// A code by which a member links a chat user.
pub(crate) fn link_code(hash: &str) -> Key {
    Key::new(LINK_CODE, hash)
}

/// A callback that was seen.
pub(crate) fn callback(account: &AccountId, replay: &str) -> Key {
    Key::new(format!("SEEN#{account}"), hash128(&[replay]))
}

pub(crate) fn intake_key(hash: &str) -> Key {
    Key::new(INTAKE_KEY, hash)
}

/// The code that was sent to a member's address last.
pub(crate) fn code(member: &MemberId, by: AddressedBy) -> Key {
    Key::new(CODE, format_args!("{member}#{}", by.as_str()))
}

pub(crate) fn codes_sent_to_member(member: &MemberId) -> Key {
    Key::new(CODES_SENT, format_args!("member#{member}"))
}

/// Named by the hash of the address, because errors show keys.
pub(crate) fn codes_sent_to_address(address: &str) -> Key {
    Key::new(CODES_SENT, format_args!("address#{}", hash128(&[&address.to_lowercase()])))
}

/// Members who have, or had, an email address, in any case.
pub(crate) fn members_with_email(email: &str) -> String {
    format!("EMAIL#{}", hash128(&[&email.to_lowercase()]))
}

/// Members who are, or were, this subject at the sign-in provider.
pub(crate) fn members_with_subject(subject: &str) -> String {
    format!("SUBJECT#{}", hash128(&[subject]))
}

/// Members who are, or were, this user of a chat app.
pub(crate) fn members_with_link(account: &AccountId, user: &str) -> String {
    format!("LINK#{account}#{}", hash128(&[user]))
}

/// `None`: the invitation of the first administrator.
pub(crate) fn invitation(member: Option<&MemberId>) -> Key {
    Key::new(INVITATION, member.map_or(ALONE, MemberId::as_str))
}

pub(crate) fn tries(whose: &str) -> Key {
    Key::new(format!("TRIES#{}", hash128(&[whose])), ALONE)
}

pub(crate) fn oidc() -> Key {
    Key::new(OIDC, ALONE)
}

pub(crate) fn alert_state(integration: &IntegrationId, key_hash: &str) -> Key {
    Key::new(format!("STATE#{integration}#{key_hash}"), ALONE)
}

pub(crate) fn alerts_of(integration: &IntegrationId) -> String {
    format!("ALERT#{integration}")
}

/// `None` for an id that no message can have made.
pub(crate) fn alert(id: &AlertId) -> Option<Key> {
    id.parts().map(|(integration, opened_by)| Key::new(alerts_of(&integration), opened_by))
}

pub(crate) fn incidents_of(space: &SpaceId) -> String {
    format!("INCIDENT#{space}")
}

/// `None` for an id that no alert can have made.
pub(crate) fn incident(id: &IncidentId) -> Option<Key> {
    id.parts().map(|(space, opened_by)| Key::new(incidents_of(&space), opened_by))
}

pub(crate) fn personal_link(hash: &str) -> Key {
    Key::new(PERSONAL_LINK, hash)
}

pub(crate) fn timeline_of(incident: &IncidentId) -> String {
    format!("TIMELINE#{incident}")
}

pub(crate) fn timeline_entry(incident: &IncidentId, n: u64) -> Key {
    Key::new(timeline_of(incident), format_args!("{n:010}"))
}

pub(crate) fn group(space: &SpaceId, hash: &str) -> Key {
    Key::new(format!("GROUP#{space}#{hash}"), ALONE)
}

pub(crate) fn mute(space: &SpaceId, integration: &IntegrationId, key_hash: &str) -> Key {
    Key::new(format!("MUTE#{space}#{integration}#{key_hash}"), ALONE)
}

pub(crate) fn deliveries_of(incident: &IncidentId) -> String {
    format!("DELIVERY#{incident}")
}

pub(crate) fn delivery(incident: &IncidentId, destination: &DestinationId) -> Key {
    Key::new(deliveries_of(incident), destination)
}

/// `of`: what the rate applies to.
pub(crate) fn bucket(of: impl fmt::Display) -> Key {
    Key::new(format!("BUCKET#{of}"), ALONE)
}

pub(crate) fn token(account: &AccountId) -> Key {
    Key::new(format!("TOKEN#{account}"), ALONE)
}

pub(crate) fn digest_of(destination: &DestinationId) -> String {
    format!("DIGEST#{destination}")
}

pub(crate) fn digest_line(destination: &DestinationId, incident: &IncidentId, n: u64) -> Key {
    Key::new(digest_of(destination), format_args!("{incident}#{n:010}"))
}

pub(crate) fn dead_letter(id: &str) -> Key {
    Key::new(DEAD_LETTER, id)
}

pub(crate) fn timers_of(shard: u8) -> String {
    format!("TIMER#{shard}")
}

pub(crate) fn timer(due: Moment, id: &str) -> Key {
    let shard = Sha256::digest(id.as_bytes())[0] % TIMER_SHARDS;
    Key::new(timers_of(shard), format_args!("{}#{id}", sortable(due)))
}

/// A sort key greater than that of every timer due at `until`, and not greater than that of any later one.
pub(crate) fn timers_until(until: Moment) -> String {
    format!("{}$", sortable(until)) // `$` follows `#`
}

pub(crate) fn log_of(integration: &IntegrationId, at: Moment) -> String {
    format!("LOG#{integration}#{}", day(at))
}

pub(crate) fn logged(integration: &IntegrationId, stamp: Stamp) -> Key {
    Key::new(log_of(integration, stamp.received_at()), stamp)
}

pub(crate) fn actions_of(at: Moment) -> String {
    format!("LOG#actions#{}", day(at))
}

pub(crate) fn action(at: Moment, incident: &IncidentId, n: u64) -> Key {
    Key::new(actions_of(at), format_args!("{}#{incident}#{n}", sortable(at)))
}

pub(crate) fn received_in(hour: Moment) -> String {
    format!("RECEIVED#{}", hour.millis())
}

pub(crate) fn received(hour: Moment, process: &str) -> Key {
    Key::new(received_in(hour), process)
}

pub(crate) fn open_alerts(integration: &IntegrationId) -> Key {
    Key::new(format!("OPEN#{integration}"), ALONE)
}

pub(crate) fn ledger(hour: Moment) -> Key {
    Key::new(format!("LEDGER#{}", hour.millis()), ALONE)
}

/// A moment as text that sorts in the order of time.
pub(crate) fn sortable(at: Moment) -> String {
    format!("{:015}", at.millis().max(0))
}

/// `20261122`, in UTC.
fn day(at: Moment) -> String {
    at.rfc3339().chars().take(10).filter(|c| *c != '-').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Proves: fault 107
    #[test]
    fn no_error_text_shows_the_hash_of_a_key() {
        assert_eq!(intake_key(&secret_hash("wonderland")).to_string(), "INTAKE_KEY");
        assert_eq!(Key::new(API_KEY, secret_hash("wonderland")).to_string(), "API_KEY");
    }

    #[test]
    fn a_timer_that_is_due_sorts_before_the_bound_and_a_later_one_behind_it() {
        let due = Moment::from_millis(1_767_607_200_000);
        let later = Moment::from_millis(1_767_607_200_001);
        assert!(timer(due, "zzz").sk < timers_until(due));
        assert!(timer(later, "").sk > timers_until(due));
    }

    #[test]
    fn a_log_partition_is_a_day_in_utc() {
        let integration: IntegrationId = "int_a".parse().expect("valid");
        let at = Moment::parse_rfc3339("2026-11-22T23:59:59Z").expect("valid");
        assert_eq!(log_of(&integration, at), "LOG#int_a#20261122");
    }
}
