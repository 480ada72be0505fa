//! The sign-in provider, as the API reads and shows it.

use alerting::base::secret::Secret;
use serde::{Deserialize, Serialize};
use store::oidc::OidcProvider;
use utoipa::ToSchema;

use crate::dto::{Name, Time};
use crate::extract::Patch;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OidcBody)]
pub(crate) struct OidcBody {
    /// The name on the button of the sign-in page.
    pub(crate) name: Name,
    /// The issuer of the provider's tokens. The provider's metadata is below this URL, at
    /// `/.well-known/openid-configuration`.
    #[schema(max_length = 512, example = "https://accounts.example.com")]
    pub(crate) issuer: String,
    /// The id under which the provider has registered this deployment, with the redirect URL `…/sign-in/oidc/callback`.
    #[schema(max_length = 512, example = "larkspur")]
    pub(crate) client_id: String,
    /// The client secret. Left out, it is kept as long as the issuer stays the same; `null`: a public client.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 512)]
    pub(crate) client_secret: Patch<Secret>,
    /// Whether to accept an address if the provider does not state that it is verified. Only for a provider where nobody can
    /// claim another person's address. An address that the provider calls unverified is never accepted.
    #[serde(default)]
    pub(crate) trust_email: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OidcProvider)]
pub(crate) struct OidcView {
    name: String,
    issuer: String,
    client_id: String,
    /// As `…last4`.
    #[schema(required)]
    client_secret: Option<String>,
    trust_email: bool,
    created_at: Time,
}

impl From<OidcProvider> for OidcView {
    fn from(provider: OidcProvider) -> Self {
        let OidcProvider { name, issuer, client_id, secret_hint, trust_email, created_at, .. } = provider;
        Self { name, issuer, client_id, client_secret: secret_hint, trust_email, created_at: Time(created_at) }
    }
}
