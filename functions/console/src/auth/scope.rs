//! Routes of the API, each registered with the scope that a caller needs. The OpenAPI description and the check of a
//! request both use the registered scope; a route cannot be registered without one.

use std::collections::HashMap;

use axum::Router;
use axum::http::Method;
use operations::access::Scope;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::app::SharedApp;

/// Routes with their description and the scopes that they need.
#[derive(Default)]
pub(crate) struct Routes {
    routes: OpenApiRouter<SharedApp>,
    scopes: Scopes,
}

impl Routes {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Operations that only read, except those that show secrets or API keys.
    pub(crate) fn read(self, routes: UtoipaMethodRouter<SharedApp>) -> Self {
        self.needing(Scope::Read, routes)
    }

    /// Operations that act on incidents.
    pub(crate) fn respond(self, routes: UtoipaMethodRouter<SharedApp>) -> Self {
        self.needing(Scope::Respond, routes)
    }

    /// Every other operation.
    pub(crate) fn admin(self, routes: UtoipaMethodRouter<SharedApp>) -> Self {
        self.needing(Scope::Admin, routes)
    }

    fn needing(mut self, scope: Scope, mut routes: UtoipaMethodRouter<SharedApp>) -> Self {
        for (path, item) in &mut routes.1.paths {
            let methods = operations(item).map(|(method, _)| (method, scope));
            self.scopes.0.entry(path.clone()).or_default().extend(methods);
        }
        Self { routes: self.routes.routes(routes), scopes: self.scopes }
    }

    pub(crate) fn merge(mut self, other: Self) -> Self {
        for (path, methods) in other.scopes.0 {
            self.scopes.0.entry(path).or_default().extend(methods);
        }
        Self { routes: self.routes.merge(other.routes), scopes: self.scopes }
    }

    /// The routes below `base`, their description, and their scopes by the path below `base`.
    pub(crate) fn split_at(self, base: &str) -> (Router<SharedApp>, OpenApi, Scopes) {
        let routes = OpenApiRouter::with_openapi(OpenApi::default()).nest(base, self.routes);
        let (routes, document) = routes.split_for_parts();
        (routes, document, self.scopes)
    }
}

/// The scope that each operation needs, by its path below the API's base: `/incidents/{id}/close`.
#[derive(Debug, Default)]
pub(crate) struct Scopes(HashMap<String, Vec<(Method, Scope)>>);

impl Scopes {
    /// A method that a path does not have is for administrators.
    pub(crate) fn needed(&self, method: &Method, path: &str) -> Scope {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        let methods = self.0.get(path).into_iter().flatten();
        methods.filter(|(known, _)| known == method).map(|(_, scope)| *scope).max().unwrap_or(Scope::Admin)
    }
}

/// Every operation of a path.
pub(crate) fn operations(path: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, put, post, patch, delete, .. } = path;
    let all = [
        (Method::GET, get),
        (Method::PUT, put),
        (Method::POST, post),
        (Method::PATCH, patch),
        (Method::DELETE, delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

#[cfg(test)]
mod tests {
    use utoipa_axum::routes;

    use super::*;

    #[utoipa::path(get, path = "/things")]
    async fn list() {}

    #[utoipa::path(post, path = "/things")]
    async fn create() {}

    #[test]
    fn an_operation_needs_the_scope_that_it_was_registered_with() {
        let things = Routes::new().read(routes!(list)).respond(routes!(create));
        let (_, document, scopes) = Routes::new().merge(things).split_at("/base");
        assert!(
            document.paths.paths["/base/things"].get.is_some() && document.paths.paths["/base/things"].post.is_some()
        );
        let rows = [
            (Method::GET, "/things", Scope::Read),
            (Method::HEAD, "/things", Scope::Read),
            (Method::POST, "/things", Scope::Respond),
            (Method::PUT, "/things", Scope::Admin),
            (Method::GET, "/unknown", Scope::Admin),
        ];
        for (method, path, scope) in rows {
            assert_eq!(scopes.needed(&method, path), scope, "{method} {path}");
        }
    }
}
