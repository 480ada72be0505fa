//! I. Secrets and privacy: every secret is marked. In one test every operation succeeds, in the other every operation
//! fails, and no secret is visible in either.
//!
//! The tests search both outputs of the program at the level `debug`, the answers of the API to a key that may only
//! read, and the files of the tables and queues with all data that they ever held, including the dead letters.

use std::path::Path;
use std::time::{Duration, Instant};

use scenarios::World;
use scenarios::api::Api;
use scenarios::mail::MailServer;
use scenarios::oidc::Browser;
use scenarios::process::Process;
use serde_json::{Value, json};
use vendors::vendor::Vendor;

/// The mark in every secret that a person chooses.
const MARK: &str = "CANARY7f3a";
const PASSWORD: &str = "password of CANARY7f3a";
/// All logs except those of the embedded tables, which take the place of DynamoDB.
const LOG: &str = "debug,dynoxide=error";
const GROUPS: [(Vendor, &str); 6] = [
    (Vendor::Feishu, "CANARY7f3a-feishu"),
    (Vendor::DingTalk, "CANARY7f3a-dingtalk"),
    (Vendor::WeCom, "CANARY7f3a-wecom"),
    (Vendor::Slack, "CANARY7f3a-slack"),
    (Vendor::Telegram, "-1007304"),
    (Vendor::Zoom, "CANARY7f3a-zoom"),
];

/// Where a secret may be stored besides the place that issued it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Nowhere,
    /// Addresses of people, which members see and which the tables store.
    InTables,
    /// Text from a sender, which is recorded.
    InFiles,
}

struct Canary<'a> {
    larkspur: &'a Process,
    secrets: Vec<(&'static str, String, Kept)>,
}

impl Canary<'_> {
    fn note(&mut self, what: &'static str, secret: &str, kept: Kept) {
        assert!(secret.len() >= 6, "{what} is too short to be looked for: {secret}");
        self.secrets.push((what, secret.to_owned(), kept));
    }

    /// Notes the last part of a URL, which alone makes the URL secret.
    fn note_end(&mut self, what: &'static str, url: &str) {
        let end = url.split(['/', '.']).next_back().and_then(|end| end.split('?').next()).expect("a part");
        self.note(what, end, Kept::Nowhere);
    }

    fn api(&self) -> &Api {
        &self.larkspur.api
    }

    async fn put(&self, path: &str, body: &Value) {
        let answer = self.api().call("PUT", path, Some(body)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
}

fn destinations() -> [Value; 6] {
    let [feishu, dingtalk, wecom, slack, telegram, zoom] = GROUPS.map(|(_, group)| group);
    let zoom = format!("https://integrations.zoom.us/chat/webhooks/incomingwebhook/{zoom}");
    [
        json!({"channel": "feishu_bot", "settings": {
            "url": format!("https://open.feishu.cn/open-apis/bot/v2/hook/{feishu}"), "secret": "sign CANARY7f3a"}}),
        json!({"channel": "dingtalk_bot", "settings": {
            "url": format!("https://oapi.dingtalk.com/robot/send?access_token={dingtalk}"), "secret": "SECCANARY7f3a"}}),
        json!({"channel": "wecom_bot", "settings": {
            "url": format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={wecom}")}}),
        json!({"channel": "slack_webhook", "settings": {
            "url": format!("https://hooks.slack.com/services/T0000001/B0000001/{slack}")}}),
        json!({"channel": "telegram_bot", "settings": {
            "token": "123456:AACANARY7f3axxssbnSxE6Y8mTcOBT5rxxx", "chat_id": telegram}}),
        json!({"channel": "zoom_webhook", "settings": {"url": zoom, "verification_token": "v-CANARY7f3a-1234"}}),
    ]
}

/// Sets up everything that has a secret, and notes the secrets.
async fn set_up(canary: &mut Canary<'_>, mail_port: u16, oidc_issuer: &str) -> (String, Browser) {
    canary.note("a mark", MARK, Kept::Nowhere);
    canary.note("the first API key", canary.larkspur.start_line["api_key"].as_str().expect("a key"), Kept::Nowhere);
    let demo = canary.larkspur.start_line["demo"]["integration_url"].as_str().expect("a URL").to_owned();
    canary.note_end("the demo's intake key", &demo);

    let link = canary.larkspur.start_line["setup_url"].as_str().expect("a link").to_owned();
    canary.note_end("the set-up link", &link);
    let mut ada = Browser::at(&canary.larkspur.base_url);
    let form = [("name", "Ada"), ("email", "ada@canary-address.example"), ("password", PASSWORD)];
    assert_eq!(ada.post(&link, &form).await.to.as_deref(), Some("/incidents"));
    canary.note("a session", &ada.cookies["session"], Kept::Nowhere);

    let mail = json!({"host": "127.0.0.1", "port": mail_port, "tls": "none", "from": "alerts@example.com",
        "username": "larkspur", "password": PASSWORD});
    canary.put("/providers/email", &json!({ "settings": mail })).await;
    let oidc = json!({"name": "Example Inc.", "issuer": oidc_issuer, "client_id": "larkspur",
        "client_secret": format!("client {MARK}")});
    canary.put("/sign-in/oidc", &oidc).await;

    canary.note("an email address", "li@canary-address.example", Kept::InTables);
    canary.note("a phone number", "+8613800137304", Kept::InTables);
    let li = json!({"name": "Li Lei", "email": "li@canary-address.example", "phone": "+8613800137304",
        "email_verified": true});
    let li = canary.api().create("/members", &li).await["id"].as_str().expect("an id").to_owned();
    let link = canary.api().call("POST", &format!("/members/{li}/invitation"), Some(&json!({}))).await;
    canary.note_end("an invitation", link.body["url"].as_str().unwrap_or_else(|| panic!("a link: {}", link.text)));
    (li, ada)
}

/// Creates a space that notifies all groups and a member. Returns the URLs of its two integrations, of which the second
/// requires a signature.
async fn notify_every_channel(canary: &mut Canary<'_>, li: &str) -> [String; 2] {
    let mut groups = Vec::new();
    for (number, mut body) in destinations().into_iter().enumerate() {
        body["name"] = format!("group {number}").into();
        let made = canary.api().create("/destinations", &body).await;
        groups.push(json!({"destination": made["id"], "mention": true}));
        let path = format!("/destinations/{}", made["id"].as_str().expect("an id"));
        body["settings"]["unknown"] = 1.into();
        assert_eq!(canary.api().call("PUT", &path, Some(&body)).await.status, 400);
    }
    let space = canary.api().create("/spaces", &json!({"name": "Ops"})).await;
    let path = format!("/spaces/{}/escalation-rules", space["id"].as_str().expect("an id"));
    canary.api().create(&path, &json!({"name": "all", "levels": [{"members": [li], "groups": groups}]})).await;
    let mut urls = Vec::new();
    for security in [json!({}), json!({"secret": format!("intake {MARK}")})] {
        let body = json!({"name": "a platform", "space": space["id"], "security": security});
        let made = canary.api().create("/integrations", &body).await;
        let url = made["url"].as_str().expect("a URL").to_owned();
        canary.note_end("an intake key", &url);
        urls.push(url);
    }
    for url in &urls {
        let message = json!({"msg_type": "text", "content": {"text": "disk full"}});
        canary.api().post(url, message.to_string()).await;
    }
    [urls[0].clone(), urls[1].clone()]
}

/// Sends requests that end in errors, each with a secret in a place that an error might quote.
async fn go_wrong(canary: &mut Canary<'_>, urls: &[String; 2]) {
    let made = canary.api().create("/api-keys", &json!({"name": "reader", "scopes": ["read"]})).await;
    let key = made["key"].as_str().expect("a key").to_owned();
    canary.note("an API key", &key, Kept::Nowhere);
    let reader = Api::new(&canary.larkspur.base_url, &key);
    let guess = format!("lks_{MARK}");
    let stranger = Api::new(&canary.larkspur.base_url, &guess);
    assert_eq!(stranger.call("GET", "/spaces", None).await.status, 401);
    assert_eq!(reader.call("POST", "/spaces", Some(&json!({ "name": MARK }))).await.status, 403);
    let elsewhere =
        json!({"name": "a", "channel": "feishu_bot", "settings": {"url": format!("https://x.example/{MARK}")}});
    let answer = canary.api().call("POST", "/destinations", Some(&elsewhere)).await;
    assert!(answer.status == 400 && !answer.text.contains(MARK), "{}", answer.text);
    canary.note("what a sender wrote", "BODY7f3a", Kept::InFiles);
    for body in [
        "{\"BODY7f3a",
        "[\"BODY7f3a\"]",
        "{\"msg_type\":\"BODY7f3a\"}",
        "{\"msg_type\":\"text\",\"content\":{\"text\":\"BODY7f3a\"}}",
    ] {
        canary.api().post(&urls[0], body).await;
    }
    let unknown = format!("{}{MARK}", urls[0]);
    canary.api().post(&unknown, "{}").await;
    let mut eve = Browser::at(&canary.larkspur.base_url);
    eve.cookies.insert("session".to_owned(), format!("{MARK}-session"));
    for path in [
        "/incidents",
        "/set-up/first.CANARY7f3a",
        "/links/v1.x.CANARY7f3a.y",
        "/sign-in/oidc/callback?code=CANARY7f3a&state=x",
    ] {
        eve.get(path).await;
    }
    let form = [("email", "li@canary-address.example"), ("password", "wrong CANARY7f3a")];
    assert_eq!(eve.post("/sign-in", &form).await.status, 401);

    for path in [
        "/destinations",
        "/integrations",
        "/spaces",
        "/providers",
        "/incidents",
        "/alerts",
        "/ledger?hours=1",
        "/providers/email",
    ] {
        let answer = reader.call("GET", path, None).await;
        canary.is_silent_in(&format!("GET {path} to a reader"), answer.text.as_bytes());
    }
    let revoked = made["id"].as_str().expect("an id");
    assert_eq!(canary.api().call("DELETE", &format!("/api-keys/{revoked}"), None).await.status, 204);
    assert_eq!(reader.call("GET", "/spaces", None).await.status, 401, "at once");
}

impl Canary<'_> {
    /// Checks an answer of the API, in which people may read the texts of senders.
    #[track_caller]
    fn is_silent_in(&self, place: &str, bytes: &[u8]) {
        for (what, secret, _) in self.secrets.iter().filter(|(_, _, kept)| *kept != Kept::InFiles) {
            assert_eq!(found(bytes, secret), None, "{place} shows {what}");
        }
    }

    /// Checks the outputs and the files.
    fn check(&self, data: &Path) {
        let printed = self.larkspur.printed();
        assert!(printed.lines().any(|line| line.contains(" DEBUG ")), "nothing was logged at this level: {printed}");
        assert!(!printed.contains("panicked"), "{printed}");
        // Leaves out the time, whose digits could match a code by chance.
        let printed: Vec<&str> =
            printed.lines().map(|line| line.split_once(' ').map_or(line, |(_, rest)| rest)).collect();
        for (what, secret, _) in &self.secrets {
            assert_eq!(found(printed.join("\n").as_bytes(), secret), None, "the log shows {what}");
        }
        let mut seen = 0;
        for entry in std::fs::read_dir(data).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if !name.contains(".sqlite") {
                continue;
            }
            let bytes = std::fs::read(&path).expect("readable");
            seen += bytes.len();
            for (what, secret, kept) in &self.secrets {
                let may_be_there = match kept {
                    Kept::Nowhere => false,
                    Kept::InTables => name.starts_with("tables"),
                    Kept::InFiles => true,
                };
                if !may_be_there {
                    assert_eq!(found(&bytes, secret), None, "{name} holds {what}");
                }
            }
        }
        assert!(seen > 100_000, "tables and queues are there: {seen} bytes");
        let key = std::fs::read_to_string(data.join("data-key")).expect("the data key");
        assert_eq!(found(printed.join("\n").as_bytes(), key.trim()), None, "the log shows the data key");
    }
}

/// The text around the secret, if the bytes contain it.
fn found(bytes: &[u8], secret: &str) -> Option<String> {
    // Six digits may be part of a longer number, so they count only as a separate word.
    let is_word = |place: usize| {
        let around = [place.checked_sub(1), Some(place + secret.len())].map(|at| at.and_then(|at| bytes.get(at)));
        secret.len() > 6 || around.iter().all(|byte| !byte.is_some_and(u8::is_ascii_alphanumeric))
    };
    let places = bytes.windows(secret.len()).enumerate().filter(|(_, window)| *window == secret.as_bytes());
    let place = places.map(|(place, _)| place).find(|place| is_word(*place))?;
    let around = &bytes[place.saturating_sub(300)..bytes.len().min(place + 300)];
    Some(String::from_utf8_lossy(around).into_owned())
}

// Proves: fault 106, fault 108
#[tokio::test]
async fn no_secret_is_logged_or_kept_in_the_open_while_everything_works() {
    let vendors = World::start().await;
    let mut mails = MailServer::start(&["--user", &format!("larkspur:{PASSWORD}")]).await;
    let data = tempfile::tempdir().expect("a directory");
    let base = format!("{}/fake", vendors.larkspur.base_url);
    let environment =
        [("LARKSPUR_PROVIDER_BASE", base.as_str()), ("LARKSPUR_LOG", LOG), ("LARKSPUR_PERSONAL_ACK_LINKS", "1")];
    let larkspur = Process::start(data.path(), &environment).await.expect("started");
    let mut canary = Canary { larkspur: &larkspur, secrets: Vec::new() };
    let (li, mut ada) = set_up(&mut canary, mails.port, "http://127.0.0.1:9").await;

    // Another address, whose code has to be entered.
    let ada_id = canary.api().list("/members").await.into_iter().find(|one| one["name"] == "Ada").expect("there");
    let path = format!("/members/{}/verification", ada_id["id"].as_str().expect("an id"));
    let answer = canary.api().call("POST", &path, Some(&json!({"field": "email"}))).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let mail = mails.next().await;
    let code = mail["text"].as_str().and_then(|text| text.split(' ').next()).expect("a first word").to_owned();
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{mail:#}");
    canary.note("a one-time code", &code, Kept::Nowhere);
    let wrong = if code == "000000" { "111111" } else { "000000" };
    assert_eq!(canary.api().call("PUT", &path, Some(&json!({"field": "email", "code": wrong}))).await.status, 400);
    assert_eq!(canary.api().call("PUT", &path, Some(&json!({"field": "email", "code": code}))).await.status, 200);

    let urls = notify_every_channel(&mut canary, &li).await;
    for (vendor, group) in GROUPS {
        let shown = vendors.group(vendor, group).expects("disk full").await.everything();
        let link = links_in(&larkspur, &shown).next().unwrap_or_else(|| panic!("a link: {shown}"));
        canary.note_end("the link of a message", &link);
        assert_eq!(ada.get(&link).await.status, 200, "{vendor:?}");
    }
    let mail = mails.next().await;
    // The link of a member has six parts.
    let is_personal = |link: &String| link.rsplit('.').nth(1).is_some_and(|payload| payload.split('-').count() == 6);
    let link = links_in(&larkspur, mail["text"].as_str().expect("a text")).find(is_personal).expect("a personal link");
    canary.note_end("a personal link", &link);
    let page = ada.get(&link).await.text.replace("&#x2f;", "/");
    let attribute = |mark: &str| {
        let rest = page.split_once(mark).unwrap_or_else(|| panic!("{mark}: {page}")).1;
        rest.split('"').next().expect("split gives a part").to_owned()
    };
    let action = attribute("<form method=\"post\" action=\"/links");
    let done = ada.post(&format!("/links{action}"), &[]).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let token = ada.get("/members").await.form_token("/members#add");
    canary.note("a form's token", &token, Kept::Nowhere);
    go_wrong(&mut canary, &urls).await;
    canary.check(data.path());
    larkspur.kill().await.expect("killed");
    vendors.larkspur.stop().await;
}

// Proves: fault 106, fault 107
#[tokio::test]
async fn no_secret_is_logged_or_kept_in_the_open_while_everything_fails_up_to_the_dead_letters() {
    let data = tempfile::tempdir().expect("a directory");
    // Nothing listens on this address, so every send fails and every failure is logged.
    let environment = [
        ("LARKSPUR_PROVIDER_BASE", "http://127.0.0.1:9"),
        ("LARKSPUR_LOG", LOG),
        ("LARKSPUR_TEST_CLOCK", "1"),
        ("LARKSPUR_PERSONAL_ACK_LINKS", "1"),
    ];
    let larkspur = Process::start(data.path(), &environment).await.expect("started");
    let mut canary = Canary { larkspur: &larkspur, secrets: Vec::new() };
    let (li, mut ada) = set_up(&mut canary, 9, "http://127.0.0.1:9").await;
    let urls = notify_every_channel(&mut canary, &li).await;
    let path = format!("/members/{li}");
    canary
        .put(&path, &json!({"name": "Li Lei", "email": "li2@canary-address.example", "phone": "+8613800137304"}))
        .await;
    let answer = canary.api().call("POST", &format!("{path}/verification"), Some(&json!({"field": "email"}))).await;
    assert_eq!(answer.status, 409, "the code cannot be sent: {}", answer.text);
    assert!(ada.get("/sign-in/oidc").await.status >= 300);
    go_wrong(&mut canary, &urls).await;

    // Waits until every retry is used up.
    let start = Instant::now();
    loop {
        larkspur.advance(Duration::from_secs(16 * 60)).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let incidents = canary.api().list("/incidents").await;
        let id = incidents.last().and_then(|one| one["id"].as_str()).expect("an incident").to_owned();
        let story = canary.api().get(&format!("/incidents/{id}")).await;
        let failed =
            story["deliveries"].as_array().into_iter().flatten().filter(|one| one["state"] == "failed").count();
        if failed >= GROUPS.len() {
            canary.is_silent_in("an incident's story", story.to_string().as_bytes());
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(120), "not all has failed yet: {story:#}");
    }
    canary.check(data.path());
    larkspur.kill().await.expect("killed");
}

/// The signed links of this deployment in a text.
fn links_in<'a>(larkspur: &Process, text: &'a str) -> impl Iterator<Item = String> + 'a {
    let start = format!("{}/links/", larkspur.base_url);
    let end = |c: char| c.is_whitespace() || "\"'<>()|".contains(c);
    let places: Vec<usize> = text.match_indices(&start).map(|(place, _)| place).collect();
    places.into_iter().map(move |place| text[place..].split(end).next().expect("split gives a part").to_owned())
}

/// The tables are deleted. The answers contain neither their names nor the input.
// Proves: fault 109, fault 110
#[tokio::test]
async fn an_answer_to_a_failure_inside_names_no_table_no_address_and_no_input() {
    let world = World::start().await;
    let space = world.space("Ops").make().await;
    let sender = world.feishu_alert().into(&space).await;
    let tables = aws_sdk_dynamodb::Client::new(&world.larkspur.aws().sdk_config());
    let console = world.larkspur.stack.function("ConsoleFunction").expect("deployed");
    let names = ["CONFIG_TABLE", "ALERTS_TABLE"].map(|name| console.variable(name).expect("set").to_owned());
    world.settle().await;
    for name in &names {
        tables.delete_table().table_name(name).send().await.expect("deleted");
    }
    let mut answers = Vec::new();
    for path in [&format!("/spaces/{}", space.id), "/incidents", "/integrations", "/members"] {
        let answer = world.api.call("GET", path, None).await;
        assert_eq!((answer.status, answer.body["error"]["code"].as_str()), (500, Some("internal")), "{}", answer.text);
        answers.push(answer.text);
    }
    let answer = world.api.call("POST", "/spaces", Some(&json!({ "name": MARK }))).await;
    assert_eq!(answer.status, 500, "{}", answer.text);
    answers.push(answer.text);
    world.larkspur.clock.advance(store::cache::TTL);
    let answer = sender.tries(json!({"msg_type": "text", "content": {"text": MARK}}).to_string()).await;
    answers.push(answer.text);
    let page = world.visitor().opens("/sign-in").await;
    answers.push(page.text);
    for answer in answers {
        let lower = answer.to_lowercase();
        for word in ["arn:", "dynamodb", "resourcenotfound", "exception", ".rs:", "panicked", "127.0.0.1", MARK] {
            assert!(!lower.contains(&word.to_lowercase()), "{word}: {answer}");
        }
        assert!(names.iter().all(|name| !answer.contains(name)), "{answer}");
    }
    world.larkspur.stop().await;
}
