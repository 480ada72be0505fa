//! Sends one request to a vendor, after taking permits of the account and adding its access token.

use alerting::base::ids::AccountId;
use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use channels::channel::{Counted, Quota};
use channels::outcome::{Outcome, ProviderReply, Reason};
use channels::request::Request;
use operations::addresses::Address;
use post::deliver::Sent;
use store::bucket_key::BucketKey;
use store::rates::Permit;
use store::tokens::cached::AccessToken;
use store::tokens::{Granted, TokenError};

use crate::app::App;
use crate::error::NotifyError;

/// Whether a request makes a message or changes one: vendors count them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    New,
    Update,
}

/// Takes a permit of the account and one of the destination for one request, or returns how long to wait. If the
/// destination has to wait, the permit of the account is lost; accounts have many.
pub(crate) async fn take_permits(
    app: &App,
    address: &Address,
    change: Change,
    now: Moment,
) -> Result<Permit, NotifyError> {
    for (key, rates) in account_buckets(address, change) {
        if let Permit::Wait(wait) = app.parts.store.take_permit(&key, rates, now).await? {
            return Ok(Permit::Wait(wait));
        }
    }
    let key = BucketKey::Destination(address.id.clone());
    Ok(app.parts.store.take_permit(&key, address.channel.limits().rates, now).await?)
}

/// Counts an update that a notice makes. It does not wait for a permit, because a notice goes before the refreshes that
/// share this rate: they wait longer.
pub(crate) async fn count_update(app: &App, address: &Address, now: Moment) -> Result<(), NotifyError> {
    let updates = address.channel.quotas().iter().filter(|quota| quota.of == Counted::Updates);
    if let Some(account) = address.channel.account() {
        for quota in updates {
            app.parts.store.take_permit(&BucketKey::Account(account.clone(), quota.scope), quota.rates, now).await?;
        }
    }
    Ok(())
}

/// Blocks the destination, and its account if it has one, until `until`: the vendor reported too many requests.
pub(crate) async fn block(app: &App, address: &Address, change: Change, until: Moment) -> Result<(), NotifyError> {
    for (key, _) in account_buckets(address, change) {
        app.parts.store.block(&key, until).await?;
    }
    Ok(app.parts.store.block(&BucketKey::Destination(address.id.clone()), until).await?)
}

fn account_buckets(
    address: &Address,
    change: Change,
) -> impl Iterator<Item = (BucketKey, &'static [alerting::base::rate::Rate])> + use<> {
    let account = address.channel.account().cloned();
    let counts = move |quota: &&Quota| quota.of == Counted::All || change == Change::Update;
    let quotas = address.channel.quotas().iter().filter(counts);
    account.into_iter().flat_map(move |account| {
        quotas.clone().map(move |quota| (BucketKey::Account(account.clone(), quota.scope), quota.rates))
    })
}

/// Sends the request. If the vendor rejects the access token, fetches a newer token and sends once more.
pub(crate) async fn send(app: &App, address: &Address, request: Request) -> Result<Sent, NotifyError> {
    let Some(account) = address.channel.account().filter(|_| request.needs_token()) else {
        return Ok(app.parts.deliverer.send(&address.channel, request, None).await);
    };
    let mut rejected = 0;
    loop {
        let token = match token(app, address, account, rejected).await? {
            Ok(token) => token,
            Err(sent) => return Ok(sent),
        };
        let secret = app.parts.sealer.open(account.as_str(), &token.sealed).await?;
        let sent = app.parts.deliverer.send(&address.channel, request.clone(), Some(&secret)).await;
        if !sent.is_token_refused || rejected > 0 {
            return Ok(sent);
        }
        rejected = token.version;
    }
}

/// An access token that is newer than `rejected`, or the outcome of the request if there is no such token.
async fn token(
    app: &App,
    address: &Address,
    account: &AccountId,
    rejected: u64,
) -> Result<Result<AccessToken, Sent>, NotifyError> {
    let now = || app.parts.clock.now();
    let ask = || async {
        let grant = app.parts.deliverer.grant(&address.channel, now()).await.map_err(Refusal::ByVendor)?;
        let sealed = app.parts.sealer.seal(account.as_str(), Secret::expose(&grant.token)).await?;
        Ok(Granted { sealed, lasts: grant.lasts })
    };
    match app.parts.store.access_token_after(account, rejected, now, ask).await {
        Ok(token) => Ok(Ok(token)),
        Err(TokenError::Refused(Refusal::ByVendor(sent))) => Ok(Err(sent)),
        Err(TokenError::Refused(Refusal::Unsealed(error))) => Err(error.into()),
        Err(TokenError::Busy(_)) => {
            tracing::warn!(account.id = %account, "another process asks for the access token; retried");
            Ok(Err(Sent {
                outcome: Outcome::Retry { after: None, reason: Reason::ProviderDown },
                provider: ProviderReply::silent("there is no access token yet; nothing was sent"),
                duration: std::time::Duration::ZERO,
                moved: None,
                is_token_refused: false,
            }))
        }
        Err(TokenError::Read(error)) => Err(error.into()),
        Err(TokenError::Write(error)) => Err(error.into()),
    }
}

/// Why this process got no token.
enum Refusal {
    ByVendor(Sent),
    Unsealed(lambda_kit::secrets::SealError),
}

impl From<lambda_kit::secrets::SealError> for Refusal {
    fn from(error: lambda_kit::secrets::SealError) -> Self {
        Self::Unsealed(error)
    }
}
