//! One message as a member of the group sees it: a bar of colour, a title, text, buttons.

use alerting::base::moment::Moment;
use serde::{Deserialize, Serialize};

use crate::rich::{self, Line};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its number in the group, from one.
    #[serde(default)]
    pub n: u64,
    /// When the group took it.
    pub at: Moment,
    /// `#RRGGBB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub title: Line,
    pub lines: Vec<Line>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    pub text: String,
    /// The address that it opens; empty for a button that the app answers.
    pub url: String,
    /// What the app gets when it is pressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl Seen {
    pub(crate) fn new(at: Moment) -> Self {
        Self { n: 0, at, color: None, title: Line::new(), lines: Vec::new(), buttons: Vec::new() }
    }

    pub fn title(&self) -> String {
        rich::plain(std::slice::from_ref(&self.title))
    }

    pub fn text(&self) -> String {
        rich::plain(&self.lines)
    }

    pub fn button(&self, text: &str) -> Option<&Button> {
        self.buttons.iter().find(|button| button.text == text)
    }

    /// Title, text, labels and addresses of the buttons, and the addresses of links: everything that a test may look for.
    pub fn everything(&self) -> String {
        let links = self.lines.iter().flatten().filter_map(|run| run.href.as_deref());
        let buttons = self.buttons.iter().flat_map(|button| [button.text.as_str(), button.url.as_str()]);
        let mut all = format!("{}\n{}", self.title(), self.text());
        for part in buttons.chain(links) {
            all.push('\n');
            all.push_str(part);
        }
        all
    }
}
