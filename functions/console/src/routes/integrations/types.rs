//! Integrations: an inbound URL and its policy.

mod push_mode;
mod step;

use alerting::base::ids::{IntegrationId, SpaceId};
use alerting::base::moment::Moment;
use alerting::base::secret::{Sealed, Secret};
use alerting::rules::integration::{
    IntakeLimits, Integration, PushMode, Route, Routing, Security, Source, Step, TitleFrom,
};
use alerting::rules::message::MsgType;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::push_mode::PushModeBody;
use self::step::StepBody;
use crate::dto::{Name, Time, is_masked, masked};
use crate::error::ApiError;
use crate::extract::Patch;

/// Hours after which an alert of the mode "each message" closes by itself, unless the integration says otherwise.
const AUTO_CLOSE_HOURS: u32 = 24;
/// Characters of a signing secret; Feishu's own have 22.
const SECRET_CHARS: usize = 256;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntegrationBody {
    name: Name,
    /// The protocol that its URL speaks.
    #[serde(default)]
    #[schema(default = Source::default)]
    source: Source,
    /// Dedicated: the one space that its alerts go to. Excludes `routes` and `default_spaces`.
    #[serde(default)]
    space: Option<SpaceId>,
    /// Shared: tried in order.
    #[serde(default)]
    routes: Option<Vec<Route>>,
    /// Shared: the spaces of messages that no route matched.
    #[serde(default)]
    default_spaces: Option<Vec<SpaceId>>,
    #[serde(default = "default_message_types")]
    #[schema(default = default_message_types)]
    message_types: Vec<MsgType>,
    #[serde(default)]
    #[schema(default = TitleFrom::default)]
    title_from: TitleFrom,
    /// `{"type":"each_message"}` without it.
    #[serde(default)]
    push_mode: Option<PushModeBody>,
    #[serde(default)]
    security: SecurityBody,
    #[serde(default)]
    pipeline: Vec<StepBody>,
    #[serde(default)]
    limits: IntakeLimits,
    /// Mode "each message" only: hours after which an alert closes by itself.
    #[serde(default = "default_auto_close_hours")]
    #[schema(default = 24, minimum = 1, maximum = 8760)]
    auto_close_hours: u32,
}

/// Optional checks, as Feishu's own bots have them.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecurityBody)]
struct SecurityBody {
    /// The signing secret. In a `PUT` it is kept if it is left out, and removed by `null`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    secret: Patch<Secret>,
    /// A message has to contain one of them.
    #[serde(default)]
    keywords: Vec<String>,
    /// Addresses, `203.0.113.*` or CIDR.
    #[serde(default)]
    #[schema(example = json!(["203.0.113.0/24"]))]
    sources: Vec<String>,
}

fn default_message_types() -> Vec<MsgType> {
    vec![MsgType::Text, MsgType::Post]
}

fn default_auto_close_hours() -> u32 {
    AUTO_CLOSE_HOURS
}

/// An integration as the request wants it, its signing secret still in the open.
pub(crate) struct IntegrationDraft {
    pub(crate) integration: Integration,
    pub(crate) secret: Patch<Secret>,
}

impl IntegrationBody {
    /// The requested integration with this `id`. The caller seals its secret and validates its rules by
    /// [`alerting::rules::policy::Policy::new`].
    pub(crate) fn parse(
        self,
        id: IntegrationId,
        version: u64,
        created_at: Moment,
    ) -> Result<IntegrationDraft, ApiError> {
        let routing = routing(self.space, self.routes, self.default_spaces)?;
        let push_mode = self.push_mode.map_or(Ok(PushMode::default()), PushModeBody::parse);
        let (security, secret) = self.security.parse().map_err(|error| error.within("security"))?;
        let mut pipeline = Vec::with_capacity(self.pipeline.len());
        for (index, step) in self.pipeline.into_iter().enumerate() {
            pipeline.push(step.parse().map_err(|error| error.within(&format!("pipeline[{index}]")))?);
        }
        let integration = Integration {
            id,
            name: self.name.into(),
            version,
            source: self.source,
            routing,
            message_types: self.message_types,
            title_from: self.title_from,
            push_mode: push_mode.map_err(|error| error.within("push_mode"))?,
            security,
            pipeline,
            limits: self.limits,
            auto_close_hours: self.auto_close_hours,
            created_at,
        };
        Ok(IntegrationDraft { integration, secret })
    }
}

fn routing(
    space: Option<SpaceId>,
    routes: Option<Vec<Route>>,
    default_spaces: Option<Vec<SpaceId>>,
) -> Result<Routing, ApiError> {
    match (space, routes, default_spaces) {
        (Some(space), None, None) => Ok(Routing::Dedicated { space }),
        (Some(_), _, _) => Err(ApiError::invalid(
            "space",
            "give either `space` (dedicated) or `routes` with `default_spaces` (shared), not both",
        )),
        (None, None, None) => Err(ApiError::invalid(
            "space",
            "`space` (dedicated), or `routes` with `default_spaces` (shared), is required",
        )),
        (None, routes, default_spaces) => {
            // Whether they name any space at all, the policy checks.
            let (routes, default_spaces) = (routes.unwrap_or_default(), default_spaces.unwrap_or_default());
            Ok(Routing::Shared { routes, default_spaces })
        }
    }
}

impl SecurityBody {
    fn parse(self) -> Result<(Security, Patch<Secret>), ApiError> {
        let Self { secret, keywords, sources } = self;
        if let Patch::Set(secret) = &secret {
            check_secret(secret.expose())?;
        }
        Ok((Security { secret: None, keywords, sources }, secret))
    }
}

fn check_secret(secret: &str) -> Result<(), ApiError> {
    if secret.is_empty() || secret.chars().count() > SECRET_CHARS {
        return Err(ApiError::invalid("secret", format!("a secret has 1 to {SECRET_CHARS} characters")));
    }
    Ok(())
}

/// The sealed secret to save: `before` where the request leaves it out or sends it back masked as `hint`.
pub(crate) enum SecretToSave {
    Keep,
    Remove,
    Seal(Secret),
}

impl SecretToSave {
    pub(crate) fn new(wanted: Patch<Secret>, hint: Option<&str>) -> Result<Self, ApiError> {
        match wanted {
            Patch::Keep => Ok(Self::Keep),
            Patch::Remove => Ok(Self::Remove),
            Patch::Set(secret) if Some(secret.expose()) == hint => Ok(Self::Keep),
            Patch::Set(secret) if is_masked(secret.expose()) => Err(masked("security.secret")),
            Patch::Set(secret) => Ok(Self::Seal(secret)),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Integration)]
pub(crate) struct IntegrationView {
    id: IntegrationId,
    name: String,
    source: Source,
    #[serde(skip_serializing_if = "Option::is_none")]
    space: Option<SpaceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    routes: Option<Vec<Route>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_spaces: Option<Vec<SpaceId>>,
    message_types: Vec<MsgType>,
    title_from: TitleFrom,
    #[schema(value_type = PushModeBody)]
    push_mode: PushMode,
    security: SecurityView,
    #[schema(value_type = Vec<StepBody>)]
    pipeline: Vec<Step>,
    limits: IntakeLimits,
    auto_close_hours: u32,
    /// The whole intake URL; `…last4` in lists.
    #[schema(example = "https://larkspur.example/open-apis/bot/v2/hook/…")]
    url: String,
    /// Until when the last of the keys before rotations works, if one still does.
    #[serde(skip_serializing_if = "Option::is_none")]
    old_key_until: Option<Time>,
    created_at: Time,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Security)]
struct SecurityView {
    /// `…last4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    keywords: Vec<String>,
    sources: Vec<String>,
}

/// The fields of an integration's answer beside its policy.
pub(crate) struct Shown {
    pub(crate) url: String,
    pub(crate) secret_hint: Option<String>,
    pub(crate) old_key_until: Option<Moment>,
}

impl IntegrationView {
    pub(crate) fn new(integration: Integration, shown: Shown) -> Self {
        let (space, routes, default_spaces) = match integration.routing {
            Routing::Dedicated { space } => (Some(space), None, None),
            Routing::Shared { routes, default_spaces } => (None, Some(routes), Some(default_spaces)),
        };
        let Security { secret, keywords, sources } = integration.security;
        let hint = |_: Sealed| shown.secret_hint.unwrap_or_else(|| "…".to_owned());
        Self {
            id: integration.id,
            name: integration.name,
            source: integration.source,
            space,
            routes,
            default_spaces,
            message_types: integration.message_types,
            title_from: integration.title_from,
            push_mode: integration.push_mode,
            security: SecurityView { secret: secret.map(hint), keywords, sources },
            pipeline: integration.pipeline,
            limits: integration.limits,
            auto_close_hours: integration.auto_close_hours,
            url: shown.url,
            old_key_until: shown.old_key_until.map(Time),
            created_at: Time(integration.created_at),
        }
    }
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateKeyBody {
    /// Minutes for which the old key works beside the new one; 0 retires it at once.
    #[schema(minimum = 0, maximum = 10080, example = 60)]
    pub(crate) overlap_minutes: u32,
}

#[cfg(test)]
mod tests;
