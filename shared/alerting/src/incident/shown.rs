//! A sender's words as people see them, in messages and on pages: a title without the sender's own state, a text that does
//! not repeat it, and [`links`] that are safe to press.
//!
//! What is stored stays as it was sent; rules, keys and the API see all of it.

pub mod links;
mod state;

pub use state::without_state;

/// The label that carries a card's colour: rules use it, and it tells people nothing.
const CARD_COLOUR: &str = "card_color";

/// Whether people are shown this label.
pub fn is_shown_label(name: &str) -> bool {
    name != CARD_COLOUR
}

/// A text below its title: rules (`---`) become empty lines, and a first line that says what the title says is left out.
pub fn text(title: &str, text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().map(|line| if is_rule(line) { "" } else { line }).collect();
    let first = lines.iter().position(|line| !line.trim().is_empty());
    if let Some(first) = first
        && without_state(lines[first].trim()) == without_state(title.trim())
    {
        lines.drain(..=first);
    }
    // Two empty lines say no more than one.
    lines.dedup_by(|line, before| line.trim().is_empty() && before.trim().is_empty());
    lines.join("\n").trim_matches('\n').trim_end().to_owned()
}

fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && line.bytes().all(|byte| byte == b'-')
}

#[cfg(test)]
mod tests;
