//! Which scope an operation of the API needs.

use axum::http::Method;
use operations::access::Scope;

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
