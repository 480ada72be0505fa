//! The router with an API key and an emulated table. One local server plays the queues, the topic, the data key and the
//! providers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alerting::base::moment::Moment;
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode, Uri, header};
use channels::settings::PlainSmtpHosts;
use console::dead_queues::DeadQueues;
use console::running_count::RunningCount;
use console::{App, ProviderCache, Visits, ensure_api_key};
use dispatch::Dispatch;
use lambda_kit::aws::local_config;
use lambda_kit::clock::Clock;
use lambda_kit::queue::Queue;
use lambda_kit::random::StampSource;
use lambda_kit::secrets::Sealer;
use lambda_kit::topic::Topic;
use post::deliver::{Deliverer, Overrides};
use serde_json::{Value, json};
use store::keys::secret_hash;
use store::sessions::Session;
use store::{Store, Tables};
use tokio::net::TcpListener;
use tower::ServiceExt as _;

/// The key with which everything is sealed and signed.
pub(crate) const DATA_KEY: &str = "0123456789abcdef0123456789abcdef";
/// Marks every secret that a test sends. No answer may contain it.
pub(crate) const CANARY: &str = "CANARY0123456789";

/// The base URL of the function.
pub(crate) const BASE: &str = "http://larkspur.test";

pub(crate) struct World {
    router: Router,
    pub(crate) app: Arc<App>,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) key: String,
    outside: Outside,
    dynamodb: aws_sdk_dynamodb::Client,
}

/// A person with a browser.
pub(crate) struct Person<'a> {
    world: &'a World,
    cookie: Option<String>,
    /// The id of the member. Empty if the person is not signed in.
    pub(crate) member: String,
}

impl Person<'_> {
    pub(crate) async fn opens(&self, path: &str) -> Answer {
        self.asks("GET", path, &[], None).await
    }

    /// Posts a form from a page of the console.
    pub(crate) async fn posts(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.asks("POST", path, &[("sec-fetch-site", "same-origin")], Some(fields)).await
    }

    pub(crate) async fn asks(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        fields: Option<&[(&str, &str)]>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "larkspur.test");
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, format!("session={cookie}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let form = fields.map(|fields| {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(fields);
            form.finish()
        });
        let body = form.map_or(Body::empty(), Body::from);
        let answer = self.world.send(request.body(body).expect("a request")).await;
        // Reads slashes as a browser does. The other escaped characters stay, because tests look for them.
        Answer { text: answer.text.replace("&#x2f;", "/"), ..answer }
    }
}

/// An answer of the router.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("the answer is JSON")
    }

    /// Checks that the answer is a success with this status, and returns its body.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// Checks that the answer is an error for this field (`""`: for no field), and returns its sentence.
    #[track_caller]
    pub(crate) fn refuses(&self, status: u16, field: &str) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        let error = &self.json()["error"];
        assert_eq!(error["field"].as_str().unwrap_or_default(), field, "{}", self.text);
        error["message"].as_str().expect("every error has a sentence").to_owned()
    }
}

/// What the function sent to other services.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outside {
    sent: Arc<Mutex<Vec<(String, String)>>>,
}

impl World {
    pub(crate) async fn start() -> Self {
        let (mut app, outside, dynamodb) = app_and_tables().await;
        app.base_url = Some(BASE.to_owned());
        let app = Arc::new(app);
        let key = ensure_api_key(&app).await.expect("the table is there").expect("there is no key yet");
        let (store, clock) = (app.store.clone(), app.clock.clone());
        Self { router: console::router(Arc::clone(&app)), app, store, clock, key, outside, dynamodb }
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, Some(body.to_string())).await
    }

    /// Posts with an idempotency key.
    pub(crate) async fn post_once(&self, path: &str, body: &Value, key: &str) -> Answer {
        let request = Request::builder().method("POST").uri(format!("/api/v1{path}"));
        let request = request.header(header::HOST, "larkspur.test").header("Idempotency-Key", key);
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.key));
        self.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.call("PUT", path, Some(body.to_string())).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, None).await
    }

    /// Sends a request with the API key to a path below `/api/v1`.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<String>) -> Answer {
        let answer = self.bare(method, &format!("/api/v1{path}"), Some(&self.key), body).await;
        assert!(!answer.text.contains(CANARY), "a secret came out: {}", answer.text);
        answer
    }

    pub(crate) async fn bare(&self, method: &str, path: &str, key: Option<&str>, body: Option<String>) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "larkspur.test");
        if let Some(key) = key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        self.send(request.body(body.map_or(Body::empty(), Body::from)).expect("a request")).await
    }

    /// Sends any request to the router.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("the router never fails");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a body");
        let text = String::from_utf8(bytes.into()).expect("UTF-8");
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    /// Creates a signed-in member with this role and language.
    pub(crate) async fn person(&self, name: &str, role: &str, language: &str) -> Person<'_> {
        let body = json!({"name": name, "role": role, "language": language, "time_zone": "Asia/Shanghai"});
        let member = id(&self.post("/members", &body).await.is(201));
        let token = format!("session-of-{member}");
        let now = self.now();
        let life = Duration::from_secs(7 * 24 * 3600);
        // Only the tests of the confirmation need an unconfirmed session, and they sign in themselves.
        let session = Session { confirmed_at: Some(now), ..Session::new(member.parse().expect("an id"), 0, now, life) };
        self.store.begin_session(&secret_hash(&token), &session).await.expect("written");
        Person { world: self, cookie: Some(token), member }
    }

    /// A person with a browser who is not signed in.
    pub(crate) fn stranger(&self) -> Person<'_> {
        Person { world: self, cookie: None, member: String::new() }
    }

    /// Every row of both tables.
    pub(crate) async fn dump(&self) -> Vec<String> {
        let mut rows = Vec::new();
        for table in ["config", "alerts"] {
            let scanned = self.dynamodb.scan().table_name(table).send().await.expect("scanned");
            rows.extend(scanned.items().iter().map(|item| {
                let sorted: std::collections::BTreeMap<_, _> = item.iter().collect();
                format!("{table} {sorted:?}")
            }));
        }
        rows.sort();
        rows
    }

    /// Creates a destination, and returns its id.
    pub(crate) async fn destination(&self) -> String {
        let body = json!({"name": "ops", "channel": "feishu_bot", "settings": {
            "url": format!("https://open.feishu.cn/open-apis/bot/v2/hook/{CANARY}"), "secret": CANARY}});
        id(&self.post("/destinations", &body).await.is(201))
    }

    /// Creates a space that notifies `destinations`, and returns its id.
    pub(crate) async fn space(&self, destinations: &[&str]) -> String {
        id(&self.post("/spaces", &json!({"name": "Payments", "destinations": destinations})).await.is(201))
    }

    /// Creates a member, and returns the id.
    pub(crate) async fn member(&self, name: &str) -> String {
        id(&self.post("/members", &json!({"name": name})).await.is(201))
    }

    /// Removes and returns, as JSON, what was sent to addresses that contain `to`.
    pub(crate) fn take_sent(&self, to: &str) -> Vec<Value> {
        let mut sent = self.outside.sent.lock().expect("no test panics while it holds this");
        let (taken, kept) = std::mem::take(&mut *sent).into_iter().partition(|(address, _)| address.contains(to));
        *sent = kept;
        let parse = |(_, body): (String, String)| serde_json::from_str(&body).expect("everything sent is JSON");
        Vec::<(String, String)>::into_iter(taken).map(parse).collect()
    }

    pub(crate) fn advance(&self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs));
    }
}

/// An object as a list shows it. Only the answer to a save contains warnings.
pub(crate) fn without_warnings(object: &Value) -> Value {
    let mut object = object.clone();
    object.as_object_mut().expect("an object").remove("warnings");
    object
}

/// The id of an object.
#[track_caller]
pub(crate) fn id(object: &Value) -> String {
    object["id"].as_str().expect("an object has an id").to_owned()
}

/// The function's dependencies, before any API key is created.
pub(crate) async fn app() -> (App, Outside) {
    let (app, outside, _) = app_and_tables().await;
    (app, outside)
}

async fn app_and_tables() -> (App, Outside, aws_sdk_dynamodb::Client) {
    let dynamodb = emulated_tables().await;
    let outside = Outside::default();
    let elsewhere = outside.clone().serve().await;
    let sdk = local_config(&elsewhere);
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let store = Store::new(dynamodb.clone(), Tables { config: "config".into(), alerts: "alerts".into() });
    let clock = Clock::system();
    let dispatch = Dispatch {
        store: store.clone(),
        notices: Queue::new(sqs.clone(), format!("{elsewhere}/notices.fifo")),
        due: Queue::new(sqs.clone(), format!("{elsewhere}/due")),
        changes: Topic::new(aws_sdk_sns::Client::new(&sdk), "arn:aws:sns:us-east-1:000000000000:changes"),
        clock: clock.clone(),
    };
    let app = App {
        store,
        sealer: Arc::new(Sealer::new(aws_sdk_secretsmanager::Client::new(&sdk), "data-key")),
        messages: Queue::new(sqs.clone(), format!("{elsewhere}/messages")),
        dead: DeadQueues {
            messages: Queue::new(sqs.clone(), format!("{elsewhere}/messages-dead")),
            notices: Queue::new(sqs.clone(), format!("{elsewhere}/notices-dead.fifo")),
            due: Queue::new(sqs, format!("{elsewhere}/due-dead")),
        },
        dispatch,
        deliverer: Deliverer::new(Overrides {
            provider_base: Some(elsewhere),
            plain_smtp_hosts: PlainSmtpHosts::list("127.0.0.1"),
            ..Overrides::default()
        })
        .expect("a base"),
        clock,
        stamps: StampSource::new(),
        replayed: RunningCount::new(),
        base_url: None,
        personal_ack_links: true,
        oidc: ProviderCache::default(),
        visits: Visits::default(),
    };
    (app, outside, dynamodb)
}

async fn emulated_tables() -> aws_sdk_dynamodb::Client {
    let database = dynoxide::Database::memory().expect("in memory");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    let client = aws_sdk_dynamodb::Client::new(&local_config(&format!("http://{address}")));
    for table in ["config", "alerts"] {
        let mut request = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
        for (name, key_type) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
            let key = KeySchemaElement::builder().attribute_name(name).key_type(key_type);
            let kind = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
            request = request.key_schema(key.build().expect("complete"));
            request = request.attribute_definitions(kind.build().expect("complete"));
        }
        request.send().await.expect("the table is created");
    }
    client
}

impl Outside {
    /// Starts the server, and returns its base URL.
    async fn serve(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let router = Router::new().fallback(answer).with_state(self);
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    fn record(&self, address: &str, body: &str) {
        let mut sent = self.sent.lock().expect("no test panics while it holds this");
        sent.push((address.to_owned(), body.to_owned()));
    }
}

async fn answer(
    State(outside): State<Outside>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<String, StatusCode> {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    match target.rsplit('.').next() {
        Some("GetSecretValue") => Ok(json!({"SecretString": DATA_KEY}).to_string()),
        Some("SendMessage") => {
            outside.record(&text(&request["QueueUrl"]), &text(&request["MessageBody"]));
            Ok(json!({"MessageId": "1", "MD5OfMessageBody": "0"}).to_string())
        }
        Some("SendMessageBatch") => {
            let mut taken = Vec::new();
            for entry in request["Entries"].as_array().into_iter().flatten() {
                outside.record(&text(&request["QueueUrl"]), &text(&entry["MessageBody"]));
                taken.push(json!({"Id": entry["Id"], "MessageId": "1", "MD5OfMessageBody": "0"}));
            }
            Ok(json!({"Successful": taken, "Failed": []}).to_string())
        }
        _ if uri.path().starts_with("/open-apis/") => {
            outside.record(uri.path(), &request.to_string());
            Ok(json!({"code": 0, "msg": "success", "data": {}}).to_string())
        }
        _ if body.starts_with(b"Action=PublishBatch") => {
            for (name, value) in form(&body) {
                if name.ends_with(".Message") {
                    outside.record("changes", &value);
                }
            }
            Ok("<PublishBatchResponse><PublishBatchResult><Successful/><Failed/></PublishBatchResult>\
                </PublishBatchResponse>"
                .to_owned())
        }
        _ => Err(StatusCode::NOT_FOUND),
    }
}

/// The fields of a form, percent-decoded.
fn form(body: &[u8]) -> Vec<(String, String)> {
    let uri = format!("/?{}", String::from_utf8_lossy(body)).parse::<Uri>().expect("a form is a query string");
    axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri).expect("a form").0
}
