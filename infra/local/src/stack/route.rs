//! A route of the HTTP API, chosen as API Gateway does: the most specific one that matches.

use anyhow::Context as _;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The key as in the template; the function gets it in the event.
    pub key: String,
    pub function: String,
    /// `None`: any method.
    method: Option<String>,
    /// `None`: `$default`, which takes requests that no other route matches.
    path: Option<Vec<Segment>>,
}

/// The order of the variants is that of precedence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Exact(String),
    /// `{name}`
    One,
    /// `{name+}`: the rest of the path, at least one segment.
    Rest,
}

impl Route {
    /// `ANY /api/v1/{proxy+}` or `$default`.
    pub(crate) fn parse(key: &str, function: &str) -> anyhow::Result<Self> {
        let (method, path) = match key {
            "$default" => (None, None),
            _ => {
                let (method, path) = key.split_once(" /").with_context(|| format!("{key} is no route"))?;
                ((method != "ANY").then(|| method.to_owned()), Some(path.split('/').map(segment).collect()))
            }
        };
        Ok(Self { key: key.to_owned(), function: function.to_owned(), method, path })
    }

    fn matches(&self, method: &str, path: &[&str]) -> bool {
        if self.method.as_deref().is_some_and(|mine| mine != method) {
            return false;
        }
        let Some(mine) = &self.path else { return true };
        let rest = mine.last() == Some(&Segment::Rest);
        let same_length = if rest { path.len() >= mine.len() } else { path.len() == mine.len() };
        same_length
            && mine.iter().zip(path).all(|(mine, part)| match mine {
                Segment::Exact(text) => text == part,
                Segment::One => !part.is_empty(),
                Segment::Rest => true,
            })
    }
}

fn segment(text: &str) -> Segment {
    match text.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')) {
        Some(name) if name.ends_with('+') => Segment::Rest,
        Some(_) => Segment::One,
        None => Segment::Exact(text.to_owned()),
    }
}

/// The route that handles a request.
pub(crate) fn choose<'a>(routes: &'a [Route], method: &str, path: &str) -> Option<&'a Route> {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let matching = routes.iter().filter(|route| route.matches(method, &parts));
    matching.min_by_key(|route| (route.path.is_none(), &route.path, route.method.is_none()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, path: &str, expected: Option<&str>) {
        let keys = ["ANY /hook/{key+}", "ANY /api/{proxy+}", "GET /api/openapi.json", "POST /api/{id}", "$default"];
        let routes: Vec<Route> = keys.iter().map(|key| Route::parse(key, key).expect("a route")).collect();
        let routes = if expected.is_none() { &routes[..4] } else { &routes[..] };
        assert_eq!(choose(routes, method, path).map(|route| route.function.as_str()), expected, "{method} {path}");
    }

    #[test]
    fn the_most_specific_route_takes_the_request() {
        check("GET", "/api/openapi.json", Some("GET /api/openapi.json"));
        check("POST", "/api/x", Some("POST /api/{id}"));
        check("GET", "/api/x", Some("ANY /api/{proxy+}"));
        check("GET", "/api/x/y", Some("ANY /api/{proxy+}"));
        check("POST", "/hook/abc/", Some("ANY /hook/{key+}"));
        check("GET", "/elsewhere", Some("$default"));
    }

    #[test]
    fn a_path_that_no_route_matches_has_no_route() {
        check("GET", "/elsewhere", None);
        check("GET", "/hook", None);
    }
}
