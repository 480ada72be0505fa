//! The demo that a first start makes, through the JSON API like any client: a group, a space that notifies it, and an
//! integration.
//!
//! The group's bot has a Feishu address that no real bot can have ([`URL`]). Requests to it go to the built-in fake, so
//! the demo works without an account and without the Internet. A restart finds the parts by the ids in `demo.json`,
//! even if they were renamed, and makes deleted parts again.

use alerting::base::secret::Secret;
use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vendors::fakes::Fakes;
use vendors::group::Rules;
use vendors::vendor::Vendor;

use crate::data::Data;
use crate::functions::Functions;

/// The demo group's name among the fakes.
pub(crate) const GROUP: &str = "demo";
/// Its bot's address. Feishu's own tokens are UUIDs, so this is never the address of a real bot.
pub(crate) const URL: &str = "https://open.feishu.cn/open-apis/bot/v2/hook/demo";

const FILE: &str = "demo.json";

/// Ids of what was made.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Made {
    destination: Option<String>,
    space: Option<String>,
    integration: Option<String>,
}

/// Makes the parts that are missing. Returns the whole URL of the demo integration.
pub(crate) async fn ensure_made(
    functions: &Functions,
    api_key: &Secret,
    data: Option<&Data>,
    fakes: &Fakes,
) -> anyhow::Result<Secret> {
    fakes.open(Vendor::Feishu, GROUP, Rules { keywords: vec!["#".to_owned()], ..Rules::default() });
    let kept = data.map(|data| data.read(FILE)).transpose()?.flatten();
    // An unreadable file was written by another version and is ignored.
    let made: Made = kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let mut maker = Maker { functions, api_key, data, made };
    maker.run().await.context("making the demo")
}

struct Maker<'a> {
    functions: &'a Functions,
    api_key: &'a Secret,
    data: Option<&'a Data>,
    made: Made,
}

impl Maker<'_> {
    async fn run(&mut self) -> anyhow::Result<Secret> {
        let integration = match self.find("/integrations", self.made.integration.as_deref()).await? {
            Some(integration) => integration,
            None => self.make_all().await?,
        };
        let url = integration["url"].as_str().context("the integration has no URL")?;
        Ok(Secret::new(url))
    }

    /// The integration. Each part is recorded when it is made, so that a crash in between makes nothing twice.
    async fn make_all(&mut self) -> anyhow::Result<Value> {
        let destination = match self.find("/destinations", self.made.destination.as_deref()).await? {
            Some(destination) => destination,
            None => self.create("/destinations", &destination()).await?,
        };
        let destination = id_of(&destination)?;
        self.made.destination = Some(destination.clone());
        self.keep()?;
        let space = match self.find("/spaces", self.made.space.as_deref()).await? {
            Some(space) => space,
            None => self.create("/spaces", &json!({"name": "Demo", "destinations": [destination]})).await?,
        };
        let space = id_of(&space)?;
        self.made.space = Some(space.clone());
        self.keep()?;
        let integration = self.create("/integrations", &integration(&space)).await?;
        self.made.integration = Some(id_of(&integration)?);
        self.keep()?;
        Ok(integration)
    }

    async fn find(&self, path: &str, id: Option<&str>) -> anyhow::Result<Option<Value>> {
        let Some(id) = id else { return Ok(None) };
        let (status, body) = self.functions.api("GET", &format!("{path}/{id}"), self.api_key.expose(), None).await?;
        match status {
            200 => Ok(Some(body)),
            404 => Ok(None),
            _ => anyhow::bail!("GET {path}/{id} answered {status}: {}", body["error"]["message"]),
        }
    }

    async fn create(&self, path: &str, wanted: &Value) -> anyhow::Result<Value> {
        let (status, body) = self.functions.api("POST", path, self.api_key.expose(), Some(wanted)).await?;
        ensure!(status == 201, "POST {path} answered {status}: {}", body["error"]["message"]);
        Ok(body)
    }

    fn keep(&self) -> anyhow::Result<()> {
        let text = serde_json::to_string(&self.made).expect("ids are texts");
        self.data.map_or(Ok(()), |data| data.write(FILE, &text))
    }
}

fn id_of(made: &Value) -> anyhow::Result<String> {
    made["id"].as_str().map(str::to_owned).context("what was made has no id")
}

fn destination() -> Value {
    json!({"name": "Demo group", "channel": "feishu_bot", "settings": {"url": URL}})
}

/// Accepts every message; `RESOLVED` closes; the key is the title without a leading `FIRING` or `RESOLVED`, so that
/// `[FIRING:1] disk full` and `[RESOLVED] disk full` are one alert.
fn integration(space: &str) -> Value {
    let says_resolved = |field: &str| json!({"all": [{"field": field, "op": "match", "values": ["/RESOLVED/"]}]});
    json!({
        "name": "Demo: Feishu messages from anywhere",
        "space": space,
        "message_types": ["text", "post", "interactive"],
        "title_from": "first_line",
        "push_mode": {
            "type": "by_rules",
            "trigger": [{}],
            "close": [{"any": [says_resolved("content"), says_resolved("title")]}],
            "key": [{"field": "title", "pattern": r"/^(?:\W*(?:FIRING|RESOLVED)\W*(?:\d+\W+)?)?(.*)/"}],
        },
    })
}
