//! What a member reads: lines of runs, from each vendor's own markup.
//!
//! `**Severity**: [open](https://…)` → a bold run, a plain one, a link. It supports only the markup that the vendors
//! document and a bot uses; other markup is shown unchanged, as the vendors' clients do.

use serde::{Deserialize, Serialize};

use crate::color::accent;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Run {
    pub text: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bold: bool,
    /// The name of a field: its value follows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub field: bool,
    /// `#RRGGBB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// An `http` or `https` address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
}

impl Run {
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    pub(crate) fn link(text: impl Into<String>, href: &str) -> Self {
        Self { text: text.into(), href: web_address(href), ..Self::default() }
    }
}

pub type Line = Vec<Run>;

/// Only addresses that a browser may open from the page.
pub(crate) fn web_address(href: &str) -> Option<String> {
    (href.starts_with("https://") || href.starts_with("http://")).then(|| href.to_owned())
}

/// The lines without their styles.
pub(crate) fn plain(lines: &[Line]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| line.iter().map(|run| run.text.as_str()).collect()).collect();
    lines.join("\n")
}

/// A field: its name, a line of its own in bold, and its value in one line.
pub(crate) fn field(lines: Vec<Line>) -> Vec<Line> {
    let is_name = |line: &Line| !line.is_empty() && line.iter().all(|run| run.bold);
    if lines.len() < 2 || !is_name(&lines[0]) {
        return lines;
    }
    let mut lines = lines.into_iter();
    let mut first: Line = lines.next().unwrap_or_default();
    first.iter_mut().for_each(|run| run.field = true);
    first.push(Run::plain(" "));
    first.extend(lines.next().unwrap_or_default());
    std::iter::once(joined(first)).chain(lines).collect()
}

/// One vendor's markup.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    /// What opens and closes bold text; empty: nothing does.
    pub(crate) bold: &'static str,
    /// `[text](url)`.
    pub(crate) bracket_links: bool,
    /// `<url|text>`, `<@user>`, `<!group>`.
    pub(crate) angle_links: bool,
    /// `<font color="…">`, `<at id=…></at>`, `<at user_id="…">name</at>`.
    pub(crate) tags: bool,
    /// `\*` is a star.
    pub(crate) backslashes: bool,
    /// `&lt;` is a bracket.
    pub(crate) entities: bool,
    /// `# head`, `> quote`, `- item`.
    pub(crate) blocks: bool,
}

pub(crate) const PLAIN: Dialect = Dialect {
    bold: "",
    bracket_links: false,
    angle_links: false,
    tags: false,
    backslashes: false,
    entities: false,
    blocks: false,
};

/// Reads a text of any number of lines.
pub(crate) fn parse(text: &str, dialect: Dialect) -> Vec<Line> {
    let mut reader = Reader { dialect, bold: false, color: None };
    text.lines().map(|line| reader.line(line)).collect()
}

struct Reader {
    dialect: Dialect,
    bold: bool,
    /// Stays from `<font>` to `</font>`, over line ends.
    color: Option<String>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Line {
        let (prefix, rest, heading) = if self.dialect.blocks { block(line) } else { ("", line, false) };
        let mut runs = vec![Run::plain(prefix)];
        let mut rest = rest;
        while let Some(character) = rest.chars().next() {
            match self.special(rest) {
                Some((run, taken)) => {
                    runs.extend(run);
                    rest = &rest[taken..];
                }
                None => {
                    let run = self.styled(character.to_string());
                    runs.push(run);
                    rest = &rest[character.len_utf8()..];
                }
            }
        }
        // Bold never spans lines: an unpaired mark would make the rest of the message bold.
        self.bold = false;
        let mut line = joined(runs);
        if self.dialect.entities {
            for run in &mut line {
                run.text = html_escape::decode_html_entities(&run.text).into_owned();
            }
        }
        if heading {
            line.iter_mut().for_each(|run| run.bold = true);
        }
        line
    }

    /// A run that is more than the next character, and how many bytes it takes.
    fn special(&mut self, rest: &str) -> Option<(Option<Run>, usize)> {
        let dialect = self.dialect;
        if dialect.backslashes
            && let Some(escaped) = rest.strip_prefix('\\').and_then(|after| after.chars().next())
            && escaped.is_ascii_punctuation()
        {
            return Some((Some(self.styled(escaped.to_string())), 2));
        }
        if !dialect.bold.is_empty() && rest.starts_with(dialect.bold) {
            if self.bold || rest[dialect.bold.len()..].contains(dialect.bold) {
                self.bold = !self.bold;
                return Some((None, dialect.bold.len()));
            }
            return None;
        }
        if dialect.bracket_links && rest.starts_with('[') {
            return self.bracket_link(rest);
        }
        if rest.starts_with('<') && (dialect.tags || dialect.angle_links) {
            return self.angle(rest);
        }
        None
    }

    fn bracket_link(&self, rest: &str) -> Option<(Option<Run>, usize)> {
        // The first bracket that no backslash escapes ends the text; an address has to follow at once.
        let is_escaped = |place: usize| self.dialect.backslashes && rest.as_bytes()[place - 1] == b'\\';
        let middle = rest.match_indices(']').map(|(place, _)| place).find(|place| !is_escaped(*place))?;
        if !rest[middle..].starts_with("](") {
            return None;
        }
        let end = middle + 2 + rest[middle + 2..].find(')')?;
        let run = Run { href: web_address(&rest[middle + 2..end]), ..self.styled(rest[1..middle].to_owned()) };
        Some((Some(run), end + 1))
    }

    fn angle(&mut self, rest: &str) -> Option<(Option<Run>, usize)> {
        let end = rest.find('>')?;
        let (inner, taken) = (&rest[1..end], end + 1);
        if self.dialect.tags {
            if let Some(color) = inner.strip_prefix("font color=") {
                self.color = accent(color.trim_matches(['"', '\'']));
                return Some((None, taken));
            }
            if inner == "/font" {
                self.color = None;
                return Some((None, taken));
            }
            if inner.starts_with("at ") {
                // A card's tag is empty, a text message's holds the name.
                let (name, taken) = match rest[taken..].find("</at>") {
                    Some(end) => (&rest[taken..taken + end], taken + end + "</at>".len()),
                    None => ("", taken),
                };
                let id = inner.split('=').nth(1).unwrap_or_default().trim_matches(['"', '\'']);
                let shown = if name.is_empty() { id } else { name };
                return Some((Some(self.styled(format!("@{shown}"))), taken));
            }
        }
        if let Some(mention) = inner.strip_prefix(['@', '!']) {
            let name = mention.split_once('|').map_or(mention, |(_, name)| name);
            return Some((Some(self.styled(format!("@{name}"))), taken));
        }
        if self.dialect.angle_links && web_address(inner).is_some() {
            let (href, text) = inner.split_once('|').unwrap_or((inner, inner));
            return Some((Some(Run { href: web_address(href), ..self.styled(text.to_owned()) }), taken));
        }
        None
    }

    fn styled(&self, text: String) -> Run {
        Run { text, bold: self.bold, color: self.color.clone(), ..Run::default() }
    }
}

/// What a line begins with, in the way a client draws it; whether it is a heading.
fn block(line: &str) -> (&'static str, &str, bool) {
    let unhashed = line.trim_start_matches('#');
    let hashes = line.len() - unhashed.len();
    if (1..=6).contains(&hashes)
        && let Some(heading) = unhashed.strip_prefix(' ')
    {
        return ("", heading, true);
    }
    if let Some(quoted) = line.strip_prefix("> ").or_else(|| line.strip_prefix('>')) {
        return ("", quoted, false);
    }
    match line.strip_prefix("- ") {
        Some(item) => ("• ", item, false),
        None => ("", line, false),
    }
}

/// Neighbours of the same style made one.
fn joined(runs: Vec<Run>) -> Line {
    let mut line: Line = Vec::new();
    for run in runs.into_iter().filter(|run| !run.text.is_empty()) {
        match line.last_mut() {
            Some(last)
                if last.bold == run.bold && last.color == run.color && last.href == run.href && run.href.is_none() =>
            {
                last.text.push_str(&run.text);
            }
            _ => line.push(run),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKDOWN: Dialect = Dialect {
        bold: "**",
        bracket_links: true,
        tags: true,
        backslashes: true,
        entities: true,
        blocks: true,
        ..PLAIN
    };
    const MRKDWN: Dialect = Dialect { bold: "*", angle_links: true, entities: true, ..PLAIN };

    #[test]
    fn markdown_is_read_as_a_client_draws_it() {
        let lines = parse(
            "### Disk\n- **Severity**: <font color=\"red\">Critical</font> \\*\n[open](https://a.example/)",
            MARKDOWN,
        );
        assert_eq!(plain(&lines), "Disk\n• Severity: Critical *\nopen");
        assert!(lines[0][0].bold);
        assert_eq!(lines[1][1], Run { text: "Severity".to_owned(), bold: true, ..Run::default() });
        assert_eq!(lines[1][3].color.as_deref(), super::accent("red").as_deref());
        assert_eq!(lines[2][0].href.as_deref(), Some("https://a.example/"));
    }

    #[test]
    fn an_unpaired_mark_is_shown_as_text() {
        assert_eq!(plain(&parse("2 * 3 < 7", MRKDWN)), "2 * 3 < 7");
        assert_eq!(plain(&parse("<https://a.example|a &lt; b> *x*", MRKDWN)), "a < b x");
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert_eq!(parse("[x](javascript:alert(1))", MARKDOWN)[0][0].href, None);
    }
}
