//! What is the same for all platforms; each platform's own rules are tested in its folder.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use alerting::base::moment::Moment;
use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::fakes::Fakes;
use crate::feishu::tests::{BOT, text};
use crate::group::{Fault, Rules};
use crate::reply::Reply;
use crate::router::router;
use crate::vendor::Vendor;
use crate::{dingtalk, feishu, slack, telegram, wecom, zoom};

/// 2026-01-05T10:00:00Z
const START: Moment = Moment::from_secs(1_767_607_200);

pub(crate) struct World {
    pub(crate) fakes: Fakes,
    now_ms: Arc<AtomicI64>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a JSON answer")
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::at(START)
    }

    pub(crate) fn at(start: Moment) -> Self {
        Self::with_data(start, None)
    }

    fn with_data(start: Moment, data: Option<&Path>) -> Self {
        let now_ms = Arc::new(AtomicI64::new(start.millis()));
        let clock = Arc::clone(&now_ms);
        let now = move || Moment::from_millis(clock.load(Ordering::Relaxed));
        Self { fakes: Fakes::new(now, data).expect("opened"), now_ms }
    }

    pub(crate) fn now(&self) -> Moment {
        Moment::from_millis(self.now_ms.load(Ordering::Relaxed))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.now_ms.store((self.now() + by).millis(), Ordering::Relaxed);
    }

    pub(crate) async fn post(&self, url: &str, body: &Value) -> Answer {
        self.send(url, &body.to_string(), &[]).await
    }

    /// Sends as the poster does: the vendor's name as `Host`, its path and query.
    pub(crate) async fn send(&self, url: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let (host, path) = url.strip_prefix("https://").and_then(|url| url.split_once('/')).expect("a vendor's URL");
        self.send_to(router(&self.fakes), host, &format!("/{path}"), body, headers).await
    }

    async fn send_to(&self, router: Router, host: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request =
            Request::post(path).header(header::HOST, host).header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).expect("a request");
        let response = router.oneshot(request).await.expect("an answer");
        let retry_after = response.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.map(|value| value.to_str().expect("text").to_owned());
        let status = response.status();
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        Answer { status, retry_after, body: String::from_utf8(body.to_vec()).expect("text") }
    }
}

#[tokio::test]
async fn scripted_faults_come_first_and_in_order() {
    let world = World::new();
    let broken = Reply::text(502, "<html>bad gateway</html>");
    let faults = [Fault::reply(broken.clone()), Fault::shown_but(broken)];
    world.fakes.script(Vendor::Feishu, "ops", faults);
    for expected in [(502, 0), (502, 1), (200, 2)] {
        let answer = world.post(BOT, &text("#")).await;
        assert_eq!((answer.status.as_u16(), world.fakes.messages(Vendor::Feishu, "ops").len()), expected);
    }
}

#[tokio::test]
async fn a_restart_shows_the_same_group() {
    let directory = tempfile::tempdir().expect("a directory");
    for expected in [1, 2] {
        let world = World::with_data(START, Some(directory.path()));
        world.post(BOT, &text("disk full")).await;
        assert_eq!(world.fakes.messages(Vendor::Feishu, "ops").len(), expected);
    }
}

#[tokio::test]
async fn the_host_decides_which_platform_answers() {
    let world = World::new();
    let nested = || Router::new().nest("/fake", router(&world.fakes));
    let body = text("disk full").to_string();
    let hook = "/open-apis/bot/v2/hook/ops";
    for (host, path, status, shown) in [
        ("open.feishu.cn", format!("/fake{hook}"), 200, 1),
        ("open.larksuite.com:443", format!("/fake{hook}"), 200, 2),
        ("hooks.slack.com", format!("/fake{hook}"), 404, 2),
        ("open.feishu.cn", "/fake/services/T1/B1/ops".to_owned(), 404, 2),
        ("open.feishu.cn", "/fake/open-apis/bot/v2/hook/".to_owned(), 404, 2),
        ("127.0.0.1:9000", format!("/fake{hook}"), 404, 2),
        ("", format!("/fake{hook}"), 404, 2),
    ] {
        let answer = world.send_to(nested(), host, &path, &body, &[]).await;
        assert_eq!(answer.status, status, "{host}{path}");
        assert_eq!(world.fakes.messages(Vendor::Feishu, "ops").len(), shown, "{host}{path}");
    }
}

/// The golden requests of the channels: the platforms read them without any of the channels' code.
#[tokio::test]
async fn every_golden_request_is_accepted_and_shows_its_incident() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    for (vendor, url, group) in [
        (Vendor::Feishu, feishu::tests::BOT, "ops"),
        (Vendor::DingTalk, dingtalk::tests::BOT, "ops"),
        (Vendor::WeCom, wecom::tests::BOT, "ops"),
        (Vendor::Slack, slack::tests::BOT, "ops"),
        (Vendor::Telegram, telegram::tests::BOT, "-1001234567890"),
        (Vendor::Zoom, zoom::tests::BOT, "ops"),
    ] {
        let world = World::new();
        world.fakes.open(vendor, group, Rules { rates: Some(Vec::new()), ..Rules::default() });
        let requests = fs::read_dir(folder.join(vendor.as_str()).join("requests")).expect("the vendor has requests");
        let paths: Vec<_> = requests.map(|entry| entry.expect("a readable entry").path()).collect();
        assert!(paths.len() >= 10, "{vendor:?}: {paths:?}");
        for (count, path) in paths.iter().enumerate() {
            let text = fs::read_to_string(path).expect("a text");
            let body = text.splitn(3, "---\n").nth(2).expect("a snapshot has a head");
            let answer = world.send(url, body, &[("authorization", "a-token")]).await;
            let messages = world.fakes.messages(vendor, group);
            assert_eq!(messages.len(), count + 1, "{}: {}", path.display(), answer.body);
            assert!(messages[count].everything().contains("disk full"), "{}", path.display());
        }
    }
}
