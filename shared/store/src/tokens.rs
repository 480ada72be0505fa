//! Access tokens of accounts: one process requests a token from the vendor, and all processes use it.
//!
//! A token is renewed when less than `RENEW_BEFORE` of it is left. The process that gets the lease requests the new
//! one. The others use the old token, or wait for the new one if no valid token is left. So a vendor that counts token
//! requests gets one, however many processes need a token at once.
//!
//! How it fails: a process that ends during its request leaves its lease, and another takes over after `LEASE`. A
//! request that fails keeps its lease too, so a vendor that is down gets one request per lease and not one from every
//! process.
//!
//! The caller seals the token before it is stored and unseals it after it is read. The caller also makes the request to
//! the vendor.

pub mod cached;

use std::future::Future;
use std::time::Duration;

use alerting::base::ids::AccountId;
use alerting::base::moment::Moment;
use alerting::base::secret::Sealed;

use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Item, Reader, expiry, nonce, number, text};
use crate::keys;
use crate::table::{Reading, Table, Terms, Update, Write};
use crate::tokens::cached::AccessToken;

/// A token is renewed when less than this is left, or less than half of what the vendor gave.
const RENEW_BEFORE: Duration = Duration::from_secs(300);
/// How long one process alone may request a token. It is longer than a request may take.
const LEASE: Duration = Duration::from_secs(10);
/// How often a process without a token checks whether another one got it, and the time between two checks.
const LOOKS: usize = 10;
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long a token is stored after it has expired. Its version must not be given twice while a process remembers it.
const AFTERLIFE: Duration = Duration::from_secs(24 * 3600);

/// What the vendor granted, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    pub sealed: Sealed,
    pub lasts: Duration,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError<E> {
    /// This process asked the vendor, which gave no token.
    #[error("the vendor granted no access token")]
    Refused(E),
    /// Another process is asking, or failed less than a lease ago.
    #[error("another process asks for the access token of {0}")]
    Busy(AccountId),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// What is stored of an account: the last token, if there is one, and its version.
#[derive(Debug, Default)]
struct Stored {
    token: Option<AccessToken>,
    version: u64,
}

/// Who may ask the vendor.
enum Lease {
    Ours { owner: String },
    Anothers(Stored),
}

impl Store {
    /// The account's token. `ask` requests one from the vendor and is called at most once. `now` reads the clock.
    pub async fn access_token<E, F>(
        &self,
        account: &AccountId,
        now: impl Fn() -> Moment,
        ask: impl FnOnce() -> F,
    ) -> Result<AccessToken, TokenError<E>>
    where
        F: Future<Output = Result<Granted, E>>,
    {
        self.access_token_after(account, 0, now, ask).await
    }

    /// The same after the vendor said that the token of version `rejected` is invalid: a newer one that another process
    /// got, or one that `ask` gets now.
    pub async fn access_token_after<E, F>(
        &self,
        account: &AccountId,
        rejected: u64,
        now: impl Fn() -> Moment,
        ask: impl FnOnce() -> F,
    ) -> Result<AccessToken, TokenError<E>>
    where
        F: Future<Output = Result<Granted, E>>,
    {
        if let Some(token) = self.inner.tokens.get(account, rejected, now()) {
            return Ok(token);
        }
        for look in 0..=LOOKS {
            if look > 0 {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            let stored = self.stored_token(account).await?;
            let known = stored.version;
            if let Some(token) = stored.token.filter(|token| token.version > rejected && now() < token.renew_at) {
                self.inner.tokens.set(account, &token, now());
                return Ok(token);
            }
            match self.lease_token(account, known, now()).await? {
                Lease::Ours { owner } => {
                    let granted = ask().await.map_err(TokenError::Refused)?;
                    return Ok(self.save_token(account, &owner, known, granted, now()).await?);
                }
                Lease::Anothers(stored) => {
                    // While another process renews the token, the old one is used until it expires.
                    if let Some(token) = stored.token.filter(|token| token.version > rejected && now() < token.until) {
                        return Ok(token);
                    }
                }
            }
        }
        Err(TokenError::Busy(account.clone()))
    }

    async fn stored_token(&self, account: &AccountId) -> Result<Stored, ReadError> {
        let item = self.get(Table::Alerts, &keys::token(account), Reading::Latest).await?;
        item.as_ref().map_or_else(|| Ok(Stored::default()), decode)
    }

    /// Takes the lease unless another process has it, or has brought a newer token than `version` meanwhile.
    async fn lease_token(&self, account: &AccountId, version: u64, now: Moment) -> Result<Lease, WriteError> {
        let owner = nonce();
        let terms = named(&["lease_until", "owner", "expires_at", "version"])
            .value(":now", number(now.millis()))
            .value(":lease_until", number((now + LEASE).millis()))
            .value(":owner", text(&owner))
            .value(":expires_at", expiry(now + AFTERLIFE));
        let (is_known, terms) = match version {
            0 => ("attribute_not_exists(#version)", terms),
            version => ("#version = :version", terms.value(":version", number(version))),
        };
        let update = Update {
            key: keys::token(account),
            // A lease for the first token makes the item, which expires even if no token is ever stored.
            expression: "SET #lease_until = :lease_until, #owner = :owner, \
                         #expires_at = if_not_exists(#expires_at, :expires_at)"
                .to_owned(),
            condition: Some(format!("(attribute_not_exists(#lease_until) OR #lease_until <= :now) AND {is_known}")),
            terms,
        };
        Ok(match self.update(Table::Alerts, update).await? {
            Write::Done(_) => Lease::Ours { owner },
            // The answer to the first attempt was lost.
            Write::Refused(Some(item)) if Reader::new(&item).optional_text("owner") == Some(&owner) => {
                Lease::Ours { owner }
            }
            Write::Refused(stored) => Lease::Anothers(stored.as_ref().map(decode).transpose()?.unwrap_or_default()),
        })
    }

    /// Saves the granted token and releases the lease. If the lease was lost meanwhile and another process saved a
    /// token first, that token is used.
    async fn save_token(
        &self,
        account: &AccountId,
        owner: &str,
        before: u64,
        granted: Granted,
        now: Moment,
    ) -> Result<AccessToken, WriteError> {
        let until = now + granted.lasts;
        let renew_at = until - RENEW_BEFORE.min(granted.lasts / 2);
        let token = AccessToken { sealed: granted.sealed, until, renew_at, version: before + 1 };
        let update = Update {
            key: keys::token(account),
            expression: "SET #sealed = :sealed, #until = :until, #renew_at = :renew_at, #version = :version, \
                         #expires_at = :expires_at REMOVE #lease_until, #owner"
                .to_owned(),
            condition: Some("#owner = :owner".to_owned()),
            terms: named(&["sealed", "until", "renew_at", "version", "expires_at", "lease_until", "owner"])
                .value(":sealed", text(&token.sealed.0))
                .value(":until", number(until.millis()))
                .value(":renew_at", number(renew_at.millis()))
                .value(":version", number(token.version))
                .value(":expires_at", expiry(until + AFTERLIFE))
                .value(":owner", text(owner)),
        };
        let token = match self.update(Table::Alerts, update).await? {
            Write::Done(_) => token,
            Write::Refused(stored) => {
                let stored = stored.as_ref().map(decode).transpose()?.unwrap_or_default();
                stored.token.filter(|stored| stored.version >= token.version).unwrap_or(token)
            }
        };
        self.inner.tokens.set(account, &token, now);
        Ok(token)
    }
}

/// A placeholder for each attribute: `#owner` for `owner`.
fn named(attributes: &[&str]) -> Terms {
    attributes.iter().fold(Terms::default(), |terms, attribute| terms.name(&format!("#{attribute}"), attribute))
}

fn decode(item: &Item) -> Result<Stored, ReadError> {
    let reader = Reader::new(item);
    let Some(version) = reader.optional_number("version") else { return Ok(Stored::default()) };
    let token = AccessToken {
        sealed: Sealed(reader.text("sealed")?.to_owned()),
        until: Moment::from_millis(reader.number("until")?),
        renew_at: Moment::from_millis(reader.number("renew_at")?),
        version,
    };
    Ok(Stored { token: Some(token), version })
}
