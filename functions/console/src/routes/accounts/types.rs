//! Accounts of apps. Their settings are the channel's business
//! ([`channels::registry::Destination::check_account`]).

use std::collections::BTreeMap;

use alerting::base::ids::{AccountId, MemberId};
use alerting::people::destination::AppAccount;
use operations::access::Scope;
use operations::chat_links::{self, Begun};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::auth::{Actor, Caller};
use crate::dto::{Name, Time};
use crate::error::ApiError;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountBody {
    pub(crate) name: Name,
    /// `slack_app`.
    #[schema(example = "slack_app")]
    pub(crate) channel: String,
    /// By channel: `slack_app` {`team_id`, `app_id`, `signing_secret`, token}. In a `PUT` a secret that is left out is kept.
    #[schema(value_type = Object, example = json!({"team_id": "T0123456789", "app_id": "A0123456789",
        "signing_secret": "…", "token": "xoxb-…"}))]
    pub(crate) settings: Map<String, Value>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub(crate) struct AccountView {
    id: AccountId,
    name: String,
    #[schema(example = "slack_app")]
    channel: String,
    /// Secrets as `…last4`.
    #[schema(value_type = Object)]
    settings: BTreeMap<String, Value>,
    created_at: Time,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkCodeBody {
    /// With an administrator's key: the member who gets the code. A member who is signed in leaves it out.
    #[serde(default)]
    member: Option<MemberId>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LinkCode)]
pub(crate) struct LinkCodeView {
    /// What the member sends to the app in a private chat. It is shown once.
    #[schema(example = "linkUser 4fJk2LmNpQ")]
    command: String,
    expires_at: Time,
}

impl LinkCodeBody {
    /// The member whom the code links: the caller, or one whom an administrator names.
    pub(crate) fn member_of(&self, actor: &Actor) -> Result<MemberId, ApiError> {
        match (&self.member, &actor.caller) {
            (None, Caller::Member(own)) => Ok(own.clone()),
            (None, Caller::Key(_)) => Err(ApiError::invalid("member", "name the member who gets the code")),
            (Some(named), Caller::Member(own)) if named == own => Ok(named.clone()),
            (Some(named), _) if actor.scope == Scope::Admin => Ok(named.clone()),
            (Some(_), _) => Err(ApiError::invalid("member", "only an administrator makes codes for others")),
        }
    }
}

impl From<AppAccount> for AccountView {
    fn from(account: AppAccount) -> Self {
        let AppAccount { id, version: _, name, channel, settings: _, shown, created_at } = account;
        Self { id, name, channel, settings: shown, created_at: Time(created_at) }
    }
}

impl From<Begun> for LinkCodeView {
    fn from(begun: Begun) -> Self {
        Self { command: chat_links::command(&begun.code), expires_at: Time(begun.until) }
    }
}
