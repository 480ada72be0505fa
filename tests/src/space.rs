//! Spaces and the groups that they notify.

use serde_json::{Value, json};
use vendors::group::Rules;
use vendors::vendor::Vendor;

use crate::World;

/// A space to be made, with its destinations.
pub struct SpacePlan<'a> {
    world: &'a World,
    settings: Value,
    destinations: Vec<Bot>,
}

/// A bot in a group.
pub struct Bot {
    vendor: Vendor,
    group: String,
    rules: Rules,
    channel: &'static str,
    settings: Value,
    language: &'static str,
}

/// A space that exists.
#[derive(Debug, Clone)]
pub struct Space {
    pub id: String,
    pub destinations: Vec<String>,
}

/// A Feishu group's bot.
pub fn feishu_bot(group: &str) -> Bot {
    let url = format!("https://open.feishu.cn/open-apis/bot/v2/hook/{group}");
    bot(Vendor::Feishu, group, "feishu_bot", json!({"url": url}))
}

pub fn dingtalk_bot(group: &str) -> Bot {
    let url = format!("https://oapi.dingtalk.com/robot/send?access_token={group}");
    bot(Vendor::DingTalk, group, "dingtalk_bot", json!({"url": url}))
}

pub fn wecom_bot(group: &str) -> Bot {
    let url = format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={group}");
    bot(Vendor::WeCom, group, "wecom_bot", json!({"url": url}))
}

pub fn slack_webhook(group: &str) -> Bot {
    let url = format!("https://hooks.slack.com/services/T0000001/B0000001/{group}");
    bot(Vendor::Slack, group, "slack_webhook", json!({"url": url}))
}

pub fn telegram_bot(group: &str) -> Bot {
    bot(
        Vendor::Telegram,
        group,
        "telegram_bot",
        json!({"token": "123456:AAFxCAdxxyssbnSxE6Y8mTcOBT5rxxxxx", "chat_id": group}),
    )
}

pub fn zoom_webhook(group: &str) -> Bot {
    let url = format!("https://integrations.zoom.us/chat/webhooks/incomingwebhook/{group}");
    bot(Vendor::Zoom, group, "zoom_webhook", json!({"url": url, "verification_token": "verification-token-1"}))
}

fn bot(vendor: Vendor, group: &str, channel: &'static str, settings: Value) -> Bot {
    Bot { vendor, group: group.to_owned(), rules: Rules::default(), channel, settings, language: "en" }
}

impl Bot {
    /// The group's own rules: its limits, secret, keywords.
    pub fn with(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// One more setting of the destination.
    pub fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.settings[name] = value.into();
        self
    }

    /// The language of the group's messages.
    pub fn speaking(mut self, language: &'static str) -> Self {
        self.language = language;
        self
    }

    pub async fn make(self, world: &World) -> String {
        world.larkspur.fakes.open(self.vendor, &self.group, self.rules);
        let Self { group, channel, settings, language, .. } = self;
        let body = json!({"name": group, "channel": channel, "settings": settings, "language": language});
        let made = world.api.create("/destinations", &body).await;
        made["id"].as_str().expect("an id").to_owned()
    }
}

impl<'a> SpacePlan<'a> {
    pub(crate) fn new(world: &'a World, name: &str) -> Self {
        Self { world, settings: json!({"name": name}), destinations: Vec::new() }
    }

    /// Sets a field of the space as the API knows it.
    pub fn set(mut self, field: &str, value: Value) -> Self {
        self.settings[field] = value;
        self
    }

    /// Alerts that are equal in all of these join one incident within half an hour of the last.
    pub fn grouped_by(self, by: &[&str]) -> Self {
        self.set("grouping", json!({"by": by, "window_minutes": 30}))
    }

    /// One more group to notify.
    pub fn notifying(mut self, bot: Bot) -> Self {
        self.destinations.push(bot);
        self
    }

    /// The last group to notify; makes the space.
    pub async fn notify(self, bot: Bot) -> Space {
        self.notifying(bot).make().await
    }

    pub async fn make(mut self) -> Space {
        let mut destinations = Vec::new();
        for bot in self.destinations {
            destinations.push(bot.make(self.world).await);
        }
        if !destinations.is_empty() {
            self.settings["destinations"] = json!(destinations);
        }
        let made = self.world.api.create("/spaces", &self.settings).await;
        Space { id: made["id"].as_str().expect("an id").to_owned(), destinations }
    }
}
