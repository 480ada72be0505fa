//! The routes of the JSON API, one module per resource.
//!
//! A new resource needs one file here, one of types (`{resource}/types.rs`), one test file in `tests/api`, and two lines:
//! in the list of modules below and in [`mod@crate::router`]. The scope of each operation is given at its registration
//! ([`crate::auth::scope::Routes`]); the tests of scopes and lists find the operations in the OpenAPI document.

pub(crate) mod accounts;
pub(crate) mod alerts;
pub(crate) mod api_keys;
pub(crate) mod dead_letters;
pub(crate) mod destinations;
pub(crate) mod escalation_rules;
pub(crate) mod incident_actions;
pub(crate) mod incidents;
pub(crate) mod integrations;
pub(crate) mod ledger;
pub(crate) mod mapping_tables;
pub(crate) mod members;
pub(crate) mod messages;
pub(crate) mod oidc;
pub(crate) mod on_call;
pub(crate) mod openapi;
pub(crate) mod providers;
pub(crate) mod schedules;
pub(crate) mod silences;
pub(crate) mod spaces;
pub(crate) mod teams;
pub(crate) mod templates;
pub(crate) mod trace;

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use alerting::base::ids::SpaceId;
use alerting::rules::integration::Routing;
use axum::extract::State;

use crate::app::App;
use crate::error::ApiError;

/// Objects per read where all objects of a kind are needed.
const ALL_AT_A_TIME: usize = 100;

pub(crate) type Shared = State<Arc<App>>;

/// The spaces to which an integration routes alerts, each with the field that names it.
pub(crate) fn spaces_of(routing: &Routing) -> Vec<(String, &SpaceId)> {
    match routing {
        Routing::Dedicated { space } => vec![("space".to_owned(), space)],
        Routing::Shared { routes, default_spaces } => {
            let routed = routes.iter().enumerate().flat_map(|(r, route)| {
                route.spaces.iter().enumerate().map(move |(s, space)| (format!("routes[{r}].spaces[{s}]"), space))
            });
            let default = default_spaces.iter().enumerate();
            routed.chain(default.map(|(s, space)| (format!("default_spaces[{s}]"), space))).collect()
        }
    }
}

/// Refuses to delete an object that is in use.
pub(crate) fn in_use(what: &str, users: &[String]) -> Result<(), ApiError> {
    if users.is_empty() {
        return Ok(());
    }
    Err(ApiError::conflict(format!("{what} is in use by {}; change or delete that first", users.join(", "))))
}

/// An id in the query string.
pub(crate) fn id<T: FromStr<Err: Display>>(field: &str, text: Option<&str>) -> Result<Option<T>, ApiError> {
    text.map(str::parse).transpose().map_err(|error: T::Err| ApiError::invalid(field, error.to_string()))
}

/// One of a few allowed values in the query string.
pub(crate) fn one_of<T: Copy, const N: usize>(
    field: &str,
    text: Option<&str>,
    all: [T; N],
    name: impl Fn(T) -> &'static str,
) -> Result<Option<T>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let found = all.into_iter().find(|one| name(*one) == text);
    let names = || all.map(|one| format!("`{}`", name(one))).join(", ");
    found.map(Some).ok_or_else(|| ApiError::invalid(field, format!("expected one of {}", names())))
}
