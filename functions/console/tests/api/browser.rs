//! A browser that keeps cookies and sends the origin of a form.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Request, header};
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequestContext;
use lambda_http::request::RequestContext;
use serde_json::json;

use crate::world::{Answer, BASE, World, id};

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct Browser<'w> {
    world: &'w World,
    pub(crate) cookies: BTreeMap<String, String>,
    /// The source address of its requests.
    pub(crate) source: Option<&'static str>,
}

impl<'w> Browser<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        Self { world, cookies: BTreeMap::new(), source: None }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, None, "").await
    }

    /// Posts a form from a page of the console.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_from(Some(BASE), path, fields).await
    }

    pub(crate) async fn post_from(&mut self, origin: Option<&str>, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.ask("POST", path, origin, &body).await
    }

    pub(crate) async fn ask(&mut self, method: &str, path: &str, origin: Option<&str>, body: &str) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "larkspur.test");
        request = request.header(header::COOKIE, cookies.join("; "));
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        let mut request = request.body(Body::from(body.to_owned())).expect("a request");
        if let Some(source) = self.source {
            let mut context = ApiGatewayV2httpRequestContext::default();
            context.http.source_ip = Some(source.to_owned());
            request.extensions_mut().insert(RequestContext::ApiGatewayV2(context));
        }
        let answer = self.world.send(request).await;
        for set in answer.headers.get_all(header::SET_COOKIE) {
            let set = set.to_str().expect("text");
            assert!(set.contains("; HttpOnly; SameSite=Lax") && set.contains("Path=/;"), "{set}");
            let (name, value) = set.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            match value {
                "" => self.cookies.remove(name),
                value => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        answer
    }

    /// Whether the browser is signed in.
    pub(crate) async fn is_signed_in(&mut self) -> bool {
        self.get("/members").await.status == 200
    }

    /// Posts a form that needs a confirmed session, and fills in the page that asks for the password.
    pub(crate) async fn post_confirmed(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let asked = self.post(path, fields).await;
        assert_eq!(asked.status, 403, "{}", asked.text);
        let kept = hidden_fields(&asked);
        let mut again: Vec<(&str, &str)> = kept.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        again.push(("confirm_password", PASSWORD));
        self.post(path, &again).await
    }

    pub(crate) async fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        self.post("/sign-in", &[("email", email), ("password", password)]).await
    }
}

/// The hidden fields with which the password page keeps the form.
#[track_caller]
pub(crate) fn hidden_fields(page: &Answer) -> Vec<(String, String)> {
    assert!(page.text.contains("name=\"confirm_password\""), "{}", page.text);
    let form = page.text.split_once("<main").map_or("", |(_, main)| main);
    let fields = form.split("<input type=\"hidden\" name=\"").skip(1);
    let field = |text: &str| {
        let (name, rest) = text.split_once("\" value=\"").expect("a value");
        let value = rest.split_once('"').expect("its end").0;
        let plain = [("&#x2f;", "/"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&amp;", "&")];
        let value = plain.iter().fold(value.to_owned(), |value, (escaped, plain)| value.replace(escaped, plain));
        (name.to_owned(), value)
    };
    fields.map(field).collect()
}

/// The token of the form on this page that is posted to `action`.
#[track_caller]
pub(crate) fn form_token(page: &Answer, action: &str) -> String {
    let (_, form) = page.text.split_once(&format!("action=\"{action}\"")).unwrap_or_else(|| panic!("{}", page.text));
    let (_, token) = form.split_once("name=\"form_token\" value=\"").expect("a form has a token");
    token.split_once('"').expect("a value ends").0.to_owned()
}

#[track_caller]
pub(crate) fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.headers[header::LOCATION].to_str().expect("text").to_owned()
}

/// The path of a URL.
#[track_caller]
pub(crate) fn path_of(url: &str) -> String {
    url.strip_prefix(BASE).expect("our own address").to_owned()
}

impl World {
    /// The path of a new link for the first administrator.
    pub(crate) async fn set_up_link(&self) -> String {
        let url = console::set_up_link(&self.app).await.expect("made").expect("there is no administrator yet");
        path_of(url.expose())
    }

    /// Creates a member whose password is [`PASSWORD`], and returns the id.
    pub(crate) async fn account(&self, email: &str, role: &str) -> String {
        let body = json!({"name": format!("Name of {email}"), "email": email, "role": role});
        let member = id(&self.post("/members", &body).await.is(201));
        let link = self.invitation(&member).await;
        let chosen = Browser::new(self).post(&link, &[("password", PASSWORD)]).await;
        assert_eq!(location(&chosen), "/incidents");
        member
    }

    /// The path of a new invitation link for this member.
    pub(crate) async fn invitation(&self, member: &str) -> String {
        let made = self.call("POST", &format!("/members/{member}/invitation"), None).await.is(201);
        path_of(made["url"].as_str().expect("a url"))
    }

    /// A browser in which a new member is signed in.
    pub(crate) async fn signed_in(&self, email: &str, role: &str) -> Browser<'_> {
        self.account(email, role).await;
        let mut browser = Browser::new(self);
        location(&browser.sign_in(email, PASSWORD).await);
        browser
    }
}
