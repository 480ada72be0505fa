//! The JSON API, as a client uses it.

use serde_json::Value;

#[derive(Clone)]
pub struct Api {
    client: reqwest::Client,
    base: String,
    key: String,
}

/// One answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub text: String,
}

impl Api {
    pub fn new(base: &str, key: &str) -> Self {
        Self { client: client(), base: base.to_owned(), key: key.to_owned() }
    }

    pub async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.call_as(None, method, path, body).await
    }

    /// With an idempotency key, if there is one.
    pub async fn call_as(&self, key: Option<&str>, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let method = method.parse().expect("a method");
        let request = self.client.request(method, format!("{}/api/v1{path}", self.base)).bearer_auth(&self.key);
        let request = match key {
            Some(key) => request.header("Idempotency-Key", key),
            None => request,
        };
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        read(request.send().await.expect("the API answers")).await
    }

    /// Creates something; the whole object.
    pub async fn create(&self, path: &str, body: &Value) -> Value {
        let answer = self.call("POST", path, Some(body)).await;
        assert_eq!(answer.status, 201, "POST {path}: {}", answer.text);
        answer.body
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = self.call("GET", path, None).await;
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.text);
        answer.body
    }

    /// All items of a list, over its pages.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut after = String::new();
        loop {
            let mark = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{mark}limit=100{after}")).await;
            items.extend(page["items"].as_array().expect("a list").iter().cloned());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return items,
            }
        }
    }

    /// Posts raw bytes to a whole URL, as a sender does.
    pub async fn post(&self, url: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.client.post(url).header("content-type", "application/json").body(body);
        read(request.send().await.expect("the intake answers")).await
    }
}

async fn read(response: reqwest::Response) -> Answer {
    let status = response.status().as_u16();
    let text = response.text().await.expect("a whole answer");
    Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::Null), text }
}

pub fn client() -> reqwest::Client {
    // Everything here is plain HTTP on this machine, but the client wants a TLS provider all the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}
