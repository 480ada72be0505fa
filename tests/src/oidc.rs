//! An independent sign-in provider, and a browser that is redirected between it and Larkspur.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::World;

/// `tools/oidc_provider.py`: oidc-provider-mock.
pub struct Provider {
    pub issuer: String,
    _child: Child,
}

impl Provider {
    pub async fn start() -> Self {
        let python = std::env::var_os("LARKSPUR_TEST_PYTHON");
        let python = python.expect("LARKSPUR_TEST_PYTHON names a Python with oidc-provider-mock: run tests/run.sh");
        let mut child = Command::new(python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/oidc_provider.py"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the provider starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let line = tokio::time::timeout(Duration::from_secs(60), lines.next_line()).await;
        let line = line.expect("it starts in time").expect("readable").expect("it says where it listens");
        let ready: Value = serde_json::from_str(&line).expect("JSON");
        Self { issuer: ready["issuer"].as_str().expect("a URL").to_owned(), _child: child }
    }

    /// What it says of this subject from now on. Claims that a token has anyway are overwritten by these.
    pub async fn knows(&self, subject: &str, claims: Value) {
        let url = format!("{}/users/{subject}", self.issuer);
        let answer = client().put(url).json(&claims).send().await.expect("the provider answers");
        assert_eq!(answer.status(), 204);
    }
}

/// Follows no redirection by itself.
pub struct Browser {
    client: reqwest::Client,
    base: String,
    pub cookies: BTreeMap<String, String>,
}

/// One answer.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub to: Option<String>,
    pub text: String,
}

fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    client.build().expect("a client")
}

impl Browser {
    pub fn at(base: &str) -> Self {
        Self { client: client(), base: base.to_owned(), cookies: BTreeMap::new() }
    }

    pub async fn get(&mut self, path: &str) -> Page {
        self.ask(self.client.get(self.url(path))).await
    }

    /// Posts a form that requires the password first.
    pub async fn post_confirmed(&mut self, path: &str, form: &[(&str, &str)], password: &str) -> Page {
        let asked = self.post(path, form).await;
        assert!(asked.status == 403 && asked.text.contains("name=\"confirm_password\""), "{}", asked.text);
        self.post(path, &[form, &[("confirm_password", password)]].concat()).await
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let mut body = Url::parse("x:/").expect("a URL");
        body.query_pairs_mut().extend_pairs(form);
        let body = body.query().unwrap_or_default().to_owned();
        let request = self.client.post(self.url(path)).header(ORIGIN, &self.base).body(body);
        self.ask(request).await
    }

    fn url(&self, path: &str) -> String {
        if path.starts_with('/') { format!("{}{path}", self.base) } else { path.to_owned() }
    }

    async fn ask(&mut self, request: reqwest::RequestBuilder) -> Page {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = request.header(COOKIE, cookies.join("; ")).send().await.expect("an answer");
        for set in answer.headers().get_all(SET_COOKIE) {
            let pair = set.to_str().expect("text").split(';').next().and_then(|pair| pair.split_once('='));
            match pair.expect("a cookie") {
                (name, "") => self.cookies.remove(name),
                (name, value) => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        let to = answer.headers().get(LOCATION).map(|to| to.to_str().expect("text").to_owned());
        Page { status: answer.status().as_u16(), to, text: answer.text().await.expect("a whole answer") }
    }

    /// Goes to the provider; its address with our request.
    pub async fn goes_to_the_provider(&mut self, next: &str) -> String {
        let begun = self.get(&format!("/sign-in/oidc?next={next}")).await;
        assert_eq!(begun.status, 303, "{}", begun.text);
        begun.to.expect("an address")
    }

    /// Signs in at the provider as this subject; returns the address to which the provider redirects.
    pub async fn authenticate_as(&self, authorize: &str, subject: &str) -> String {
        let request = self.client.post(authorize).header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(format!("sub={subject}")).send().await.expect("the provider answers");
        let to = answer.headers().get(LOCATION).map(|to| to.to_str().expect("text").to_owned());
        to.unwrap_or_else(|| panic!("the provider sends nobody back: {}", answer.status()))
    }

    /// Signs in at Larkspur through the provider, with all redirections.
    pub async fn signs_in_as(&mut self, subject: &str) -> Page {
        let authorize = self.goes_to_the_provider("/members").await;
        let back = self.authenticate_as(&authorize, subject).await;
        self.get(&back).await
    }

    /// The same with a cookie that the browser kept although it was asked to delete it, and with its code once more.
    pub async fn signs_in_twice_with_one_code(&mut self, subject: &str) -> Page {
        let authorize = self.goes_to_the_provider("/").await;
        let back = self.authenticate_as(&authorize, subject).await;
        let kept = self.cookies.clone();
        assert_eq!(self.get(&back).await.status, 303);
        self.cookies = kept;
        self.get(&back).await
    }

    pub async fn is_signed_in(&mut self) -> bool {
        self.get("/members").await.status == 200
    }
}

impl Page {
    /// The token of the form that goes to `action`.
    pub fn form_token(&self, action: &str) -> String {
        let form = self.text.split_once(&format!("action=\"{action}\"")).map(|(_, form)| form);
        let form = form.unwrap_or_else(|| panic!("no form goes to {action}: {}", self.text));
        let (_, token) = form.split_once("name=\"form_token\" value=\"").expect("a form has a token");
        token.split_once('"').expect("a value ends").0.to_owned()
    }
}

impl World {
    pub fn browser(&self) -> Browser {
        Browser::at(&self.larkspur.base_url)
    }

    /// People sign in by this provider from now on.
    pub async fn signs_in_by(&self, provider: &Provider, changes: Value) {
        let mut settings = json!({"name": "Example Inc.", "issuer": provider.issuer, "client_id": "larkspur",
            "client_secret": "a secret of the client"});
        for (name, value) in changes.as_object().into_iter().flatten() {
            settings[name] = value.clone();
        }
        let answer = self.api.call("PUT", "/sign-in/oidc", Some(&settings)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}
