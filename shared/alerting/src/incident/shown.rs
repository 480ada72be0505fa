//! Prepares a sender's texts for messages and pages: a title without the sender's own state, a description without a
//! repeated title, and safe [`links`].
//!
//! Stored texts are not changed. Rules, keys and the API see the whole text.

pub mod links;
mod state;

pub use state::without_state;

/// The label with a card's colour. Rules use this label; people do not see it.
const CARD_COLOUR: &str = "card_color";

/// Whether people see this label.
pub fn is_shown_label(name: &str) -> bool {
    name != CARD_COLOUR
}

/// The text to show below a title. Horizontal rules (`---`) become empty lines, and a first line that repeats the title
/// is removed.
pub fn text(title: &str, text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().map(|line| if is_rule(line) { "" } else { line }).collect();
    let first = lines.iter().position(|line| !line.trim().is_empty());
    if let Some(first) = first
        && without_state(lines[first].trim()) == without_state(title.trim())
    {
        lines.drain(..=first);
    }
    // Merges several empty lines into one.
    lines.dedup_by(|line, before| line.trim().is_empty() && before.trim().is_empty());
    lines.join("\n").trim_matches('\n').trim_end().to_owned()
}

fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && line.bytes().all(|byte| byte == b'-')
}

#[cfg(test)]
mod tests;
