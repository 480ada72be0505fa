//! The content of a message: the part between the headline and the link, made by a template.
//!
//! Every channel has one template per language ([`crate::channel::Channel::CONTENT`]); an escalation rule may have its
//! own. A template gives facts and texts. The vendor's file decides how they look, and adds escaping, headline,
//! mentions and links: a template can neither remove nor forge them.
//!
//! ```text
//! - Host: {{ labels.host }}        a line `- Name: value` is a fact; without a value it is left out
//! {{ description|truncate(200) }}  anything else is text
//! ---                              begins another block
//! Runbook: see the wiki
//! ```
//!
//! A line with only a statement (`{% for name in labels %}`) leaves no line in the output. For the variables see
//! [`VARIABLES`](variables::VARIABLES), for the language [`alerting::rules::sandbox`].
//!
//! How it fails: a template of a rule that is refused, fails, runs for too long ([`INSTRUCTIONS`], [`WORK_BYTES`]) or
//! prints too much ([`OUTPUT_BYTES`]) is replaced by the channel's own ([`Failure`] is the reason). A message that is
//! only too long for the vendor is shortened by `fit`, which renders the same template with fewer labels and less text.

use alerting::base::limits::cut_chars;
use alerting::people::destination::Language;
use alerting::rules::sandbox::{Dialect, Sandbox, Trouble};

use crate::clean::{clean_line, is_layout};
use crate::layout::words::Words;

pub mod variables;

use variables::{NAMES, Seen};

/// Bytes of one template as typed.
pub const SOURCE_BYTES: usize = 4096;
/// Instructions of one rendering: ten times those of the usual content with fifty labels.
pub const INSTRUCTIONS: u64 = 10_000;
/// Bytes that filters may read for one message, in all its renderings together.
pub const WORK_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes of one rendering: more than a notice has, even with fifty labels of maximum length.
pub const OUTPUT_BYTES: usize = 512 * 1024;
/// Characters of a fact, such as the name of a space or an integration.
const FACT_CHARS: usize = 200;
/// Characters of a fact's name.
const FACT_NAME_CHARS: usize = 40;
/// Facts of one message; further ones become lines of text.
const FACTS: usize = 20;
/// Characters of a failure's reason.
const REASON_CHARS: usize = 200;

/// Marks in the output for a line `- ` and a line `---`. No variable has a control character.
const FACT: char = '\u{1E}';
const BLOCK: char = '\u{1D}';
const TEMPLATE: &str = "content";

const DIALECT: Dialect = Dialect {
    visible: &NAMES,
    statements: &STATEMENTS,
    joins: false,
    source_bytes: SOURCE_BYTES,
    operations: 256,
    instructions: INSTRUCTIONS,
    output_bytes: OUTPUT_BYTES,
};

/// What may follow `{%`.
pub const STATEMENTS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];

/// A channel's own template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Texts {
    pub english: &'static str,
    pub chinese: &'static str,
}

/// The template of nearly every channel.
pub const USUAL: Texts =
    Texts { english: include_str!("content/usual.en.txt"), chinese: include_str!("content/usual.zh.txt") };

impl Texts {
    pub const fn of(self, language: Language) -> &'static str {
        match language {
            Language::English => self.english,
            Language::Chinese => self.chinese,
        }
    }
}

/// Why a rule's template was not used. It contains no text of the alert.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("{0}")]
    Unreadable(String),
    #[error("line {line}: {what}")]
    Failed { line: usize, what: String },
    #[error("it ran for too long")]
    Looped,
    #[error("it printed more than {} KiB", OUTPUT_BYTES / 1024)]
    Grew,
}

/// Whether a template may be saved; the error is a sentence for the person who typed it.
pub fn check(source: &str) -> Result<(), String> {
    Template::read(source).map(drop).map_err(|failure| failure.to_string())
}

/// One named fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub name: String,
    pub value: String,
    /// Shown in the message's colour if the vendor supports it.
    pub coloured: bool,
}

/// The rendered content of a template.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Content {
    pub facts: Vec<Fact>,
    /// Blocks of several lines. The first follows the facts directly. A block may be empty.
    pub blocks: Vec<String>,
}

/// A template that can be rendered.
#[derive(Debug)]
pub(crate) struct Template(Sandbox);

impl Template {
    pub(crate) fn read(source: &str) -> Result<Self, Failure> {
        if source.chars().any(|c| is_layout(c) && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(Failure::Unreadable("it holds a control character; take it out".to_owned()));
        }
        let mut sandbox = Sandbox::new(DIALECT, WORK_BYTES);
        let refused = |sentence: String| Failure::Unreadable(cut_chars(&clean_line(&sentence), REASON_CHARS));
        sandbox.add(TEMPLATE, source, prepared(source)).map_err(refused)?;
        Ok(Self(sandbox))
    }

    /// A channel's own.
    pub(crate) fn usual(texts: Texts, language: Language) -> Self {
        Self::read(texts.of(language)).expect("the tests read the template of every channel")
    }

    pub(crate) fn lay_out(&self, seen: &Seen) -> Result<Content, Failure> {
        match self.0.render(TEMPLATE, seen.context()) {
            Ok(output) => Ok(Content::parse(&output, seen.severity())),
            Err(Trouble::Looped) => Err(Failure::Looped),
            Err(Trouble::Grew { .. }) => Err(Failure::Grew),
            Err(Trouble::Failed { line, what }) => Err(Failure::Failed { line: line.unwrap_or(1), what }),
        }
    }
}

/// The source for the engine, line by line, so that the engine's line numbers are those of the typed text.
fn prepared(source: &str) -> String {
    let mut prepared = String::with_capacity(source.len() + 16);
    for line in source.lines() {
        let bare = line.trim();
        match (bare, line.strip_prefix("- "), lone_tag(bare)) {
            ("---", ..) => prepared.push(BLOCK),
            (_, Some(fact), _) => {
                prepared.push(FACT);
                prepared.push_str(fact);
            }
            // The line end goes into the tag, so that it is not part of the output.
            (_, _, Some((inside, end))) => {
                prepared.push_str(inside);
                prepared.push('\n');
                prepared.push_str(end);
                continue;
            }
            _ => prepared.push_str(line),
        }
        prepared.push('\n');
    }
    prepared
}

/// A line that is one statement or one comment: the part before its closing mark, and the mark.
fn lone_tag(line: &str) -> Option<(&str, &'static str)> {
    [("{%", "%}"), ("{#", "#}")].into_iter().find_map(|(start, end)| {
        let inside = line.strip_suffix(end)?;
        let is_alone = line.starts_with(start) && !inside.contains(end) && !inside.ends_with(['-', '+']);
        is_alone.then_some((inside, end))
    })
}

impl Content {
    /// `severity`: the word that is shown in the message's colour if it is a fact.
    fn parse(output: &str, severity: &str) -> Self {
        let mut facts = Vec::new();
        let block = |section: &str| {
            let mut parts = section.split(FACT);
            let mut text = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                let (line, rest) = part.split_once('\n').unwrap_or((part, ""));
                match fact(line, severity) {
                    Some(fact) if fact.value.is_empty() => {}
                    Some(fact) if facts.len() < FACTS => facts.push(fact),
                    _ => text += &format!("- {line}\n"),
                }
                text.push_str(rest);
            }
            text.trim_matches('\n').trim_end().to_owned()
        };
        let blocks = output.split(BLOCK).map(block).collect();
        Self { facts, blocks }
    }

    /// Characters of all blocks.
    pub(crate) fn text_chars(&self) -> usize {
        self.blocks.iter().map(|block| block.chars().count()).sum()
    }

    /// Cut to the first `count` characters of the blocks, with a mark.
    pub(crate) fn cut(&self, count: usize, words: Words) -> Self {
        let mut left = count;
        let mut blocks = Vec::new();
        for block in &self.blocks {
            if let Some((end, _)) = block.char_indices().nth(left) {
                blocks.push(format!("{}{}", &block[..end], words.shortened()));
                break;
            }
            left -= block.chars().count();
            blocks.push(block.clone());
        }
        Self { facts: self.facts.clone(), blocks }
    }
}

/// Reads `Name: value`; both become one line.
fn fact(line: &str, severity: &str) -> Option<Fact> {
    let (name, value) = line.split_once([':', '：'])?;
    let (name, value) = (clean_line(name), clean_line(value));
    let coloured = value == severity;
    let fact = || Fact { name: cut_chars(&name, FACT_NAME_CHARS), value: cut_chars(&value, FACT_CHARS), coloured };
    (!name.is_empty()).then(fact)
}

#[cfg(test)]
mod tests;
