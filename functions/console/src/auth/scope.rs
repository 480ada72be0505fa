//! Routes of the API, each registered with the scope that a caller needs. The OpenAPI description and the check of a
//! request both use the registered scope; a route cannot be registered without one.
//!
//! The description of an operation is a function, called when somebody asks for the document: the schemas of all operations
//! take longer to make than everything else at the start of the function.

use std::collections::HashMap;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::MethodRouter;
use operations::access::Scope;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{HttpMethod, Operation, PathItem};
use utoipa_axum::PathItemExt as _;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::app::SharedApp;

/// The operations of one path: `routes!(replace, delete)`. Their handlers have `#[utoipa::path]`.
macro_rules! routes {
    ($first:ident $(, $more:ident)*) => {
        utoipa_axum::paste! {{
            use utoipa::Path as _;
            let handlers = axum::routing::MethodRouter::new();
            let mut methods = Vec::new();
            let handlers = $crate::auth::scope::on(handlers, &mut methods, [<__path_ $first>]::methods(), $first);
            $(let handlers = $crate::auth::scope::on(handlers, &mut methods, [<__path_ $more>]::methods(), $more);)*
            $crate::auth::scope::Operations {
                path: [<__path_ $first>]::path(),
                methods,
                handlers,
                describe: || utoipa_axum::routes!($first $(, $more)*),
            }
        }}
    };
}
pub(crate) use routes;

/// The operations of one path. [`routes!`] makes them.
pub(crate) struct Operations {
    pub(crate) path: String,
    pub(crate) methods: Vec<Method>,
    pub(crate) handlers: MethodRouter<SharedApp>,
    pub(crate) describe: Describe,
}

/// Makes the description of the operations of one path.
type Describe = fn() -> UtoipaMethodRouter<SharedApp>;

/// Routes with their descriptions and the scopes that they need.
#[derive(Default)]
pub(crate) struct Routes {
    router: Router<SharedApp>,
    descriptions: Descriptions,
    scopes: Scopes,
}

impl Routes {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Operations that only read, except those that show secrets or API keys.
    pub(crate) fn read(self, routes: Operations) -> Self {
        self.needing(Scope::Read, routes)
    }

    /// Operations that act on incidents.
    pub(crate) fn respond(self, routes: Operations) -> Self {
        self.needing(Scope::Respond, routes)
    }

    /// Every other operation.
    pub(crate) fn admin(self, routes: Operations) -> Self {
        self.needing(Scope::Admin, routes)
    }

    fn needing(mut self, scope: Scope, routes: Operations) -> Self {
        let methods = routes.methods.into_iter().map(|method| (method, scope));
        self.scopes.0.entry(routes.path.clone()).or_default().extend(methods);
        self.descriptions.0.push(routes.describe);
        Self { router: self.router.route(&routes.path, routes.handlers), ..self }
    }

    pub(crate) fn merge(mut self, other: Self) -> Self {
        for (path, methods) in other.scopes.0 {
            self.scopes.0.entry(path).or_default().extend(methods);
        }
        self.descriptions.0.extend(other.descriptions.0);
        Self { router: self.router.merge(other.router), ..self }
    }

    /// The routes, their descriptions, and the scopes that they need.
    pub(crate) fn split(self) -> (Router<SharedApp>, Descriptions, Scopes) {
        (self.router, self.descriptions, self.scopes)
    }
}

/// The descriptions of operations, not yet made.
#[derive(Default)]
pub(crate) struct Descriptions(Vec<Describe>);

impl Descriptions {
    /// The paths and schemas of all operations, for an API below `base`.
    pub(crate) fn document(&self, base: &str) -> OpenApi {
        let all = self.0.iter().fold(OpenApiRouter::default(), |all, describe| all.routes(describe()));
        OpenApiRouter::<SharedApp>::with_openapi(OpenApi::default()).nest(base, all).into_openapi()
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

/// Adds the handler of one operation, and what [`Scopes`] has to know of it. For [`routes!`].
pub(crate) fn on<H, T>(
    handlers: MethodRouter<SharedApp>,
    known: &mut Vec<Method>,
    methods: Vec<HttpMethod>,
    handler: H,
) -> MethodRouter<SharedApp>
where
    H: Handler<T, SharedApp>,
    T: 'static,
{
    methods.into_iter().fold(handlers, |handlers, method| {
        known.push(named(&method));
        handlers.on(method.to_method_filter(), handler.clone())
    })
}

const fn named(method: &HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Trace => Method::TRACE,
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
    use super::*;

    #[utoipa::path(get, path = "/things")]
    async fn list() {}

    #[utoipa::path(post, path = "/things")]
    async fn create() {}

    #[test]
    fn an_operation_needs_the_scope_that_it_was_registered_with() {
        let things = Routes::new().read(routes!(list)).respond(routes!(create));
        let (_, descriptions, scopes) = Routes::new().merge(things).split();
        let document = descriptions.document("/base");
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
