//! A cache of the sign-in provider's metadata and keys: opening `/sign-in/oidc` alone makes no request to the provider.
//!
//! One request at a time goes to the provider; the others wait for its result. After a failure, the provider is not
//! asked again for a few seconds, so that a slow provider delays each visitor by one time-out at most.

use std::time::Duration;

use alerting::base::moment::Moment;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use lambda_kit::clock::Clock;
use openidconnect::core::CoreProviderMetadata;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, IssuerUrl};
use post::deliver::Deliverer;
use post::fetch::FetchError;
use tokio::sync::Mutex;

use super::error::{OidcError, in_full, invalid};

/// How long metadata is used. Providers announce new keys well before they sign with them.
const LIFE: Duration = Duration::from_secs(10 * 60);
/// How long a failure is remembered, during which the provider is not asked again.
const FAILURE_LIFE: Duration = Duration::from_secs(5);
/// The least age of the keys before they are read again for a token that none of them signed.
pub(super) const REFRESH: Duration = Duration::from_secs(60);

/// The cached metadata of the deployment's provider. A deployment has at most one.
#[derive(Debug, Default)]
pub struct ProviderCache {
    kept: Mutex<Option<Kept>>,
}

impl ProviderCache {
    /// The provider's metadata, not older than `oldest`.
    pub(super) async fn metadata(
        &self,
        deliverer: &Deliverer,
        clock: &Clock,
        issuer: &str,
        oldest: Duration,
    ) -> Result<CoreProviderMetadata, OidcError> {
        let mut kept = self.kept.lock().await;
        let now = clock.now();
        if let Some(kept) = kept.as_ref().filter(|kept| kept.counts(issuer, oldest, now)) {
            return result(kept);
        }
        let url = IssuerUrl::new(issuer.to_owned()).map_err(|_| invalid("the issuer is no URL"))?;
        let http = Http(deliverer.clone());
        let found = CoreProviderMetadata::discover_async(url, &http).boxed().await;
        let found = found.map(Box::new).map_err(|error| in_full(&error));
        let fresh = Kept { issuer: issuer.to_owned(), at: clock.now(), result: found };
        result(kept.insert(fresh))
    }
}

#[derive(Debug)]
struct Kept {
    issuer: String,
    at: Moment,
    result: Result<Box<CoreProviderMetadata>, String>,
}

impl Kept {
    fn counts(&self, issuer: &str, oldest: Duration, now: Moment) -> bool {
        let life = if self.result.is_ok() { oldest.min(LIFE) } else { FAILURE_LIFE };
        self.issuer == issuer && now.since(self.at) < life
    }
}

fn result(kept: &Kept) -> Result<CoreProviderMetadata, OidcError> {
    kept.result.as_ref().map(|found| (**found).clone()).map_err(|error| OidcError::Unreachable(error.clone()))
}

/// An HTTP client for the library that sends through `Deliverer`, with its checks of addresses.
pub(super) struct Http(pub(super) Deliverer);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = FetchError;
    type Future = BoxFuture<'c, Result<HttpResponse, FetchError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.0.fetch(request).boxed()
    }
}
