//! The vendors that are simulated.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vendor {
    Feishu,
    DingTalk,
    WeCom,
    Slack,
    SlackApp,
    Telegram,
    Zoom,
}

impl Vendor {
    pub const ALL: [Vendor; 7] = [
        Vendor::Feishu,
        Vendor::DingTalk,
        Vendor::WeCom,
        Vendor::Slack,
        Vendor::SlackApp,
        Vendor::Telegram,
        Vendor::Zoom,
    ];

    /// As it stands in a page's address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Vendor::Feishu => "feishu",
            Vendor::DingTalk => "dingtalk",
            Vendor::WeCom => "wecom",
            Vendor::Slack => "slack",
            Vendor::SlackApp => "slackapp",
            Vendor::Telegram => "telegram",
            Vendor::Zoom => "zoom",
        }
    }

    /// As people write it.
    pub const fn title(self) -> &'static str {
        match self {
            Vendor::Feishu => "Feishu",
            Vendor::DingTalk => "DingTalk",
            Vendor::WeCom => "WeCom",
            Vendor::Slack => "Slack",
            Vendor::SlackApp => "Slack app",
            Vendor::Telegram => "Telegram",
            Vendor::Zoom => "Zoom",
        }
    }
}
