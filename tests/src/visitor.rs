//! A visitor who opens a link: with a session or without one, and without scripts.

use std::collections::BTreeMap;

use store::keys::secret_hash;
use store::sessions::Session;

use crate::World;
use crate::people::Member;

/// How long a session lasts that a scenario writes directly into the table.
const A_YEAR: std::time::Duration = std::time::Duration::from_secs(365 * 24 * 3600);

#[derive(Debug, Clone)]
pub struct Visitor {
    client: reqwest::Client,
    base: String,
    cookie: Option<String>,
}

/// What the browser got.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    /// Where it is sent on to.
    pub location: String,
    pub text: String,
}

impl World {
    /// A visitor who is not signed in.
    pub fn visitor(&self) -> Visitor {
        let redirects = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().no_proxy().redirect(redirects).build().expect("a client");
        Visitor { client, base: self.larkspur.base_url.clone(), cookie: None }
    }

    /// A member's browser, signed in.
    pub async fn visitor_as(&self, member: &Member) -> Visitor {
        let now = self.larkspur.clock.now();
        let (member, token) = (member.id.parse().expect("an id"), format!("session-of-{}", member.id));
        let session = Session { seen_at: Some(now + A_YEAR), ..Session::new(member, 0, now, A_YEAR) };
        self.store().begin_session(&secret_hash(&token), &session).await.expect("written");
        Visitor { cookie: Some(format!("session={token}")), ..self.visitor() }
    }

    /// A visitor who was signed in before, with the cookies that the browser kept.
    pub fn visitor_with(&self, cookie: &str) -> Visitor {
        Visitor { cookie: Some(cookie.to_owned()), ..self.visitor() }
    }

    /// Every row of both tables.
    pub async fn dump(&self) -> Vec<String> {
        let dynamodb = aws_sdk_dynamodb::Client::new(&self.larkspur.aws().sdk_config());
        let evaluate = self.larkspur.stack.function("EvaluateFunction").expect("deployed");
        let mut rows = Vec::new();
        for table in ["CONFIG_TABLE", "ALERTS_TABLE"] {
            let name = evaluate.variable(table).expect("set");
            let scanned = dynamodb.scan().table_name(name).send().await.expect("scanned");
            assert!(scanned.last_evaluated_key().is_none(), "a scenario's tables fit one page");
            rows.extend(scanned.items().iter().map(|item| {
                let sorted: BTreeMap<_, _> = item.iter().collect();
                format!("{table} {sorted:?}")
            }));
        }
        rows.sort();
        rows
    }
}

impl Visitor {
    /// `GET` or `HEAD`, of a path or of a whole URL.
    pub async fn asks(&self, method: &str, place: &str) -> Page {
        self.send(self.client.request(method.parse().expect("a method"), self.url(place))).await
    }

    pub async fn opens(&self, place: &str) -> Page {
        self.asks("GET", place).await
    }

    /// Presses the first button of the page's content.
    pub async fn presses(&self, page: &Page) -> Page {
        let main = page.text.split("<main").nth(1).expect("a page has content");
        let action = after(main, "<form method=\"post\" action=\"").expect("a form");
        let field = |name: &str| after(main, &format!("name=\"{name}\" value=\"")).unwrap_or_default();
        let body = format!("form_token={}&episode={}", field("form_token"), field("episode"));
        let post = self.client.post(self.url(&action)).header("origin", &self.base);
        self.send(post.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }

    fn url(&self, place: &str) -> String {
        if place.starts_with('/') { format!("{}{place}", self.base) } else { place.to_owned() }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Page {
        let request = match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        };
        let response = request.send().await.expect("the page answers");
        let status = response.status().as_u16();
        let location = response.headers().get("location").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let location = location.to_owned();
        // As a browser reads it.
        let text = response.text().await.expect("a whole page").replace("&#x2f;", "/");
        Page { status, location, text }
    }
}

/// What stands between `mark` and the next quote.
fn after(text: &str, mark: &str) -> Option<String> {
    text.split_once(mark).and_then(|(_, rest)| rest.split('"').next()).map(str::to_owned)
}
