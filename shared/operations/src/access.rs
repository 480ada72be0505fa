//! Permissions: the scopes of an API key and the role of a member are one scale.
//!
//! `Role::Responder` → `Scope::Respond`, which includes `Scope::Read`. The caller decides which scope a request needs.

use std::fmt;

use alerting::base::actor::{Actor, NamedActor};
use alerting::base::ids::{ApiKeyId, MemberId};
use alerting::people::{Member, Role};
use serde::{Deserialize, Serialize};
use store::Store;
use store::errors::ReadError;
use utoipa::ToSchema;

/// From the least to the most; each scope includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// To read everything but secrets and API keys.
    Read,
    /// To act on incidents as well.
    Respond,
    /// Everything.
    Admin,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::Read, Self::Respond, Self::Admin];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Respond => "respond",
            Self::Admin => "admin",
        }
    }

    /// The scope of a member of this role.
    pub const fn of(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Read,
            Role::Responder => Self::Respond,
            Role::Administrator => Self::Admin,
        }
    }

    /// The greatest scope that these stored names allow; `None`: no scope. A name of a later version allows nothing.
    pub fn most(names: &[String]) -> Option<Self> {
        let known = |name: &String| Self::ALL.into_iter().find(|scope| scope.as_str() == name);
        names.iter().filter_map(known).max()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether the member may act on incidents at all.
pub fn may_act(member: &Member) -> bool {
    Scope::of(member.role) >= Scope::Respond
}

/// Why an API key cannot act for a member.
#[derive(Debug, thiserror::Error)]
pub enum ActorError {
    #[error("there is no member {0}")]
    NoMember(MemberId),
    #[error("{0} is a viewer, who may not act on incidents; an administrator can change the role")]
    Viewer(MemberId),
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// The actor of a request with an API key: the member that the request names, whose role has to allow it, or else the
/// key.
///
/// A key with the scope `respond` acts for people, but gives no person more rights than their role does.
pub async fn actor_of_key(
    store: &Store,
    key: ApiKeyId,
    name: String,
    member: Option<MemberId>,
) -> Result<NamedActor, ActorError> {
    let Some(id) = member else { return Ok(NamedActor::api_key(key, name)) };
    let Some(member) = store.members().get(&id).await? else { return Err(ActorError::NoMember(id)) };
    if !may_act(&member) {
        return Err(ActorError::Viewer(id));
    }
    Ok(NamedActor { actor: Actor::ApiKey { id: key, for_member: Some(id) }, name: member.name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_includes_those_before_it() {
        assert!(Scope::Read < Scope::Respond && Scope::Respond < Scope::Admin);
        assert!(Scope::ALL.is_sorted());
    }

    #[test]
    fn the_most_of_the_names_counts_and_an_unknown_one_allows_nothing() {
        let rows: [(&[&str], Option<Scope>); 5] = [
            (&[], None),
            (&["root"], None),
            (&["read", "respond"], Some(Scope::Respond)),
            (&["admin", "read"], Some(Scope::Admin)),
            (&["ADMIN", "read"], Some(Scope::Read)),
        ];
        for (names, most) in rows {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(Scope::most(&names), most, "{names:?}");
        }
    }

    #[test]
    fn a_role_is_a_place_on_the_same_scale() {
        let rows = [Role::Viewer, Role::Responder, Role::Administrator].map(Scope::of);
        assert_eq!(rows, Scope::ALL);
    }
}
