//! One message as a member of the group sees it: a bar of colour, a title, text, buttons.

use alerting::base::moment::Moment;
use serde::{Deserialize, Serialize};

use super::rich::{self, Line};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
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
    pub url: String,
}

impl Seen {
    pub(crate) fn new(at: Moment) -> Self {
        Self { at, color: None, title: Line::new(), lines: Vec::new(), buttons: Vec::new() }
    }

    pub fn title(&self) -> String {
        rich::plain(std::slice::from_ref(&self.title))
    }

    pub fn text(&self) -> String {
        rich::plain(&self.lines)
    }

    /// Title, text, labels and addresses of the buttons, and the addresses of links: all that there is to find.
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

/// A vendor's name for a colour, or one in hexadecimal digits, as `#RRGGBB`; nothing else gets into a style sheet.
pub(crate) fn accent(name: &str) -> Option<String> {
    let known = match name {
        "red" | "carmine" | "danger" | "attention" => "#E0352B",
        "orange" | "warning" => "#F5A623",
        "yellow" => "#F2C94C",
        "green" | "good" | "info" => "#218626",
        "turquoise" | "wathet" => "#2FB6C6",
        "blue" | "indigo" => "#2F80ED",
        "purple" | "violet" => "#8B5CF6",
        "grey" | "gray" | "comment" | "default" => "#8A919C",
        _ => {
            let digits = name.strip_prefix('#')?;
            let valid = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            return valid.then(|| name.to_owned());
        }
    };
    Some(known.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_colours_get_into_the_style_sheet() {
        assert_eq!(accent("#1a2B3c").as_deref(), Some("#1a2B3c"));
        assert_eq!(accent("#fff;}body{"), None);
        assert_eq!(accent("red").as_deref(), Some("#E0352B"));
    }
}
