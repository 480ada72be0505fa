//! The parts of a message before any vendor's markup: the same facts in the same order on every channel.
//!
//! One notice is a [`Message`]: a headline (`[Critical] INC #7KQ2MD disk full`), the [`crate::content`] that a template
//! made of it (facts, labels, description), and a link. A change after which nobody has to act (acknowledged,
//! recovered, closed) has only the headline and the link: `[Recovered · Critical] INC #7KQ2MD disk full (after 5m
//! 20s)`. Several notices are a [`Line`] each, below a heading that counts them and names the first. The `#` in every
//! headline is the keyword that operators set on Feishu and DingTalk bots.
//!
//! Texts from outside are shown as [`alerting::incident::shown`] says, cleaned of control characters
//! ([`crate::clean`]), and shortened in [`crate::fit`]. Each channel escapes texts that look like markup. Only
//! addresses that the sender wrote become links, made safe by [`alerting::incident::shown::links`].

use alerting::base::limits::cut_chars;
use alerting::incident::card::Card;
use alerting::incident::notice::Notice;
use alerting::incident::shown::links::{Piece, SafeLink, pieces};
use alerting::incident::shown::without_state;
use alerting::incident::timeline::EntryKind;
use alerting::people::Person;

use crate::clean::clean_line;
use crate::content::{Content, Fact};
use crate::layout::tone::{Tone, is_brief};
use crate::layout::words::Words;
use crate::mention;
use crate::post::Post;

pub(crate) mod tone;
pub(crate) mod words;

/// Characters of a title in a folded line; the link has the rest.
pub(crate) const LINE_TITLE_CHARS: usize = 120;
/// Separates the links of the last line.
const BETWEEN_LINKS: &str = " | ";

/// The headline of one notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub tone: Tone,
    /// `[Critical]` for a single trigger, else with the change: `[Recovered · Critical]`.
    pub badge: String,
    /// `INC #7KQ2MD`
    pub num: String,
    /// Without its sender's own state.
    pub title: String,
    /// Who made the change and how long after the trigger, with a space in front: ` (Li Lei, after 5m 20s)`. Empty for
    /// a trigger.
    pub note: String,
    /// Nobody has to act: the message has only the headline and the link.
    pub is_brief: bool,
    /// The incident's page.
    pub link: String,
    /// The page with the button. `None`: it cannot be acknowledged.
    pub acknowledge: Option<String>,
    /// The people to mention, at most [`mention::PEOPLE`].
    pub mentions: Vec<Person>,
}

impl Line {
    /// The line of one notice among several.
    pub(crate) fn folded(notice: &Notice, post: &Post<'_>) -> Self {
        let words = Words::of(post.language);
        let badge = format!("[{} · {}]", words.event(notice.kind), words.severity(notice.severity));
        let line = Self::new(notice, post, badge);
        Self { title: cut_chars(&line.title, LINE_TITLE_CHARS), ..line }
    }

    /// The headline of one notice by itself.
    pub(crate) fn alone(notice: &Notice, post: &Post<'_>) -> Self {
        let words = Words::of(post.language);
        let badge = match notice.kind {
            EntryKind::Triggered => format!("[{}]", words.severity(notice.severity)),
            kind => format!("[{} · {}]", words.event(kind), words.severity(notice.severity)),
        };
        Self::new(notice, post, badge)
    }

    /// The headline of a card: the state of the incident, not the change.
    pub(crate) fn of_card(notice: &Notice, post: &Post<'_>, card: &Card) -> Self {
        let words = Words::of(post.language);
        let badge = format!("[{} · {}]", words.state(&card.state), words.severity(card.severity));
        Self {
            tone: Tone::of_card(card),
            note: words.card_note(card, post.time_zone),
            is_brief: false,
            acknowledge: None,
            ..Self::new(notice, post, badge)
        }
    }

    fn new(notice: &Notice, post: &Post<'_>, badge: String) -> Self {
        Self {
            tone: Tone::of(notice.kind, notice.severity),
            badge,
            num: format!("INC #{}", notice.num),
            title: without_state(&clean_line(&notice.title)),
            note: Words::of(post.language).note(notice),
            is_brief: is_brief(notice.kind),
            link: post.links.details(notice),
            acknowledge: notice.can_be_acknowledged().then(|| post.links.acknowledge(notice)),
            mentions: mention::cleaned(&notice.mentions),
        }
    }

    /// `[Critical] INC #7KQ2MD disk full`
    pub(crate) fn headline(&self) -> String {
        format!("{} {} {}{}", self.badge, self.num, self.title, self.note)
    }

    /// The same with a colour mark, for vendors without colours: `🔴 [Critical] INC #7KQ2MD disk full`.
    pub(crate) fn marked(&self) -> String {
        format!("{} {}", self.tone.mark(), self.headline())
    }
}

/// A message about one notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub line: Line,
    pub content: Content,
    pub words: Words,
}

impl Message {
    pub(crate) fn facts(&self) -> &[Fact] {
        &self.content.facts
    }

    /// The texts that are not empty: in the usual content the labels, then the description.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &str> {
        self.content.blocks.iter().map(String::as_str).filter(|block| !block.is_empty())
    }

    /// Whether the message has only a headline and links, without mentions.
    pub(crate) fn is_line(&self) -> bool {
        let is_alone = self.line.is_brief && self.line.mentions.is_empty();
        is_alone && self.facts().is_empty() && self.blocks().next().is_none()
    }

    /// The whole message without markup. `escape` escapes texts from outside, `link` writes an address in them, and
    /// `mentions` is the line of mentions.
    pub(crate) fn plain(
        &self,
        mentions: &str,
        escape: impl Fn(&str) -> String,
        link: impl Fn(&SafeLink) -> String,
    ) -> String {
        let mut text = escape(&self.line.marked());
        if !mentions.is_empty() {
            text += &format!("\n{mentions}");
        }
        for fact in self.facts() {
            text += &format!("\n{}{}{}", escape(&fact.name), self.words.colon(), linked(&fact.value, &escape, &link));
        }
        for (index, block) in self.content.blocks.iter().enumerate().filter(|(_, block)| !block.is_empty()) {
            text += if index == 0 { "\n" } else { "\n\n" };
            text += &linked(block, &escape, &link);
        }
        let links = self.link_line(|name, link| format!("{name}{}{link}", self.words.colon()));
        format!("{text}{}{links}", if self.is_line() { "\n" } else { "\n\n" })
    }

    /// The links with their names: the last line of every message, `Details | Acknowledge`.
    pub(crate) fn links(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let acknowledge = self.line.acknowledge.as_deref();
        [(self.words.details(), self.line.link.as_str())]
            .into_iter()
            .chain(acknowledge.map(|link| (self.words.acknowledge(), link)))
    }

    /// The last line. `link` writes one link.
    pub(crate) fn link_line(&self, link: impl Fn(&str, &str) -> String) -> String {
        self.links().map(|(name, url)| link(name, url)).collect::<Vec<_>>().join(BETWEEN_LINKS)
    }
}

/// A message about several notices: the lines that fit, and all lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digest<'a> {
    pub lines: &'a [Line],
    /// Also those that wait for the next message.
    pub all: &'a [Line],
    pub words: Words,
}

/// Titles that a heading names.
const HEADING_TITLES: usize = 3;
/// Characters of each.
const HEADING_TITLE_CHARS: usize = 40;

impl Digest<'_> {
    /// `[5 changes: 3 Critical, 2 over] INC #7KQ2MD disk full · cpu high …`
    pub(crate) fn heading(&self) -> String {
        self.escaped_heading(str::to_owned)
    }

    /// The same, with titles escaped by `escape`.
    pub(crate) fn escaped_heading(&self, escape: impl Fn(&str) -> String) -> String {
        let first = self.lines.first().map_or("", |line| line.num.as_str());
        let counts = self.words.counts(self.all.iter().map(|line| line.tone));
        let mut titles: Vec<&str> = Vec::new();
        for line in self.all {
            if !titles.contains(&line.title.as_str()) && titles.len() <= HEADING_TITLES {
                titles.push(&line.title);
            }
        }
        let more = if titles.len() > HEADING_TITLES { " …" } else { "" };
        titles.truncate(HEADING_TITLES);
        let titles: Vec<String> =
            titles.into_iter().map(|title| escape(&cut_chars(title, HEADING_TITLE_CHARS))).collect();
        let colon = self.words.colon();
        format!("[{}{colon}{counts}] {first} {}{more}", self.words.changes(self.all.len()), titles.join(" · "))
    }

    fn left(&self) -> usize {
        self.all.len() - self.lines.len()
    }

    /// A note that more changes follow, if so.
    pub(crate) fn footer(&self) -> Option<String> {
        (self.left() > 0).then(|| self.words.more_changes(self.left()))
    }

    /// The most urgent colour among the lines.
    pub(crate) fn tone(&self) -> Tone {
        self.lines.iter().map(|line| line.tone).max().unwrap_or(Tone::Closed)
    }

    /// The people whom the lines mention, each once, at most [`mention::PEOPLE`].
    pub(crate) fn mentions(&self) -> Vec<Person> {
        mention::union(self.lines.iter().flat_map(|line| &line.mentions))
    }

    /// The whole digest without markup.
    pub(crate) fn plain(&self, mentions: &str, escape: impl Fn(&str) -> String) -> String {
        let mut text = self.escaped_heading(&escape);
        if !mentions.is_empty() {
            text += &format!("\n{mentions}");
        }
        for line in self.lines {
            text += &format!("\n{}\n{}", escape(&line.marked()), line.link);
        }
        self.footer().map_or(text.clone(), |footer| format!("{text}\n{footer}"))
    }
}

/// A text whose addresses are written by `link`. `escape` escapes everything else.
pub(crate) fn linked(text: &str, escape: impl Fn(&str) -> String, link: impl Fn(&SafeLink) -> String) -> String {
    let piece = |piece: Piece<'_>| match piece {
        Piece::Text(text) => escape(text),
        Piece::Link(address) => link(&address),
    };
    pieces(text).into_iter().map(piece).collect()
}

/// Writes an address as plain text, for channels without links; people's programs may link it.
pub(crate) fn bare(link: &SafeLink) -> String {
    link.url.clone()
}
