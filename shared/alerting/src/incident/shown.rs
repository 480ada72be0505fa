//! How messages and pages show a sender's texts: the title without the sender's own state, the description without a
//! repeated title, and safe [`links`].
//!
//! Stored texts stay as they were sent. Rules, keys and the API see the whole text.

pub mod links;
mod state;

pub use state::without_state;

/// The label with a card's colour. Rules use it; people are not shown it.
const CARD_COLOUR: &str = "card_color";

/// Whether people are shown this label.
pub fn is_shown_label(name: &str) -> bool {
    name != CARD_COLOUR
}

/// The text below a title: horizontal rules (`---`) become empty lines, and a first line that repeats the title is left
/// out.
pub fn text(title: &str, text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().map(|line| if is_rule(line) { "" } else { line }).collect();
    let first = lines.iter().position(|line| !line.trim().is_empty());
    if let Some(first) = first
        && without_state(lines[first].trim()) == without_state(title.trim())
    {
        lines.drain(..=first);
    }
    // Several empty lines become one.
    lines.dedup_by(|line, before| line.trim().is_empty() && before.trim().is_empty());
    lines.join("\n").trim_matches('\n').trim_end().to_owned()
}

fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && line.bytes().all(|byte| byte == b'-')
}

#[cfg(test)]
mod tests;
