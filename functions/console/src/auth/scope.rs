//! What somebody may do: the scopes of an API key and the role of a member are one scale.

use std::fmt;

use alerting::people::Role;
use axum::http::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// From the least to the most; each may all that stands before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// To see all but secrets and API keys.
    Read,
    /// To act on incidents as well.
    Respond,
    /// Everything.
    Admin,
}

impl Scope {
    pub(crate) const ALL: [Self; 3] = [Self::Read, Self::Respond, Self::Admin];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Respond => "respond",
            Self::Admin => "admin",
        }
    }

    /// What a member of this role may.
    pub(crate) const fn of(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Read,
            Role::Responder => Self::Respond,
            Role::Administrator => Self::Admin,
        }
    }

    /// The most that these stored names allow; `None`: nothing. A name of a later version allows nothing.
    pub(crate) fn most(names: &[String]) -> Option<Self> {
        let known = |name: &String| Self::ALL.into_iter().find(|scope| scope.as_str() == name);
        names.iter().filter_map(known).max()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an operation of the API asks for; `path` is its template below the API's base, such as `/incidents/{id}/close`.
///
/// Whatever is not named here and changes something is for administrators: a route that is added is closed until
/// somebody opens it.
pub(crate) fn needed(method: &Method, path: &str) -> Scope {
    let is_read = *method == Method::GET || *method == Method::HEAD;
    match path {
        "/api-keys" | "/api-keys/{id}" | "/sign-in/oidc" => Scope::Admin,
        _ if is_read => Scope::Read,
        _ if is_of_an_incident(path) => Scope::Respond,
        // Who may make a silence like an incident may end one.
        "/spaces/{id}/silences/{silence}" if *method == Method::DELETE => Scope::Respond,
        _ => Scope::Admin,
    }
}

/// Acting on an incident, quick silence and comments among it.
fn is_of_an_incident(path: &str) -> bool {
    path == "/incidents/{id}" || path.starts_with("/incidents/{id}/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_may_all_that_stands_before_it() {
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

    #[test]
    fn a_route_that_nobody_thought_of_is_for_administrators() {
        assert_eq!(needed(&Method::POST, "/brand-new"), Scope::Admin);
        assert_eq!(needed(&Method::PATCH, "/members/{id}"), Scope::Admin);
        assert_eq!(needed(&Method::POST, "/incidents"), Scope::Admin);
        assert_eq!(needed(&Method::HEAD, "/members"), Scope::Read);
    }

    // Proves: finding F13
    #[test]
    fn who_may_silence_an_incident_may_end_a_silence() {
        assert_eq!(needed(&Method::POST, "/incidents/{id}/silence"), Scope::Respond);
        assert_eq!(needed(&Method::DELETE, "/spaces/{id}/silences/{silence}"), Scope::Respond);
        assert_eq!(needed(&Method::PUT, "/spaces/{id}/silences/{silence}"), Scope::Admin);
    }
}
