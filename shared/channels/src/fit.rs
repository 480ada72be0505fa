//! Makes a message fit: what goes first when there is too much of it.
//!
//! A channel renders a whole message and says whether the vendor would take it; here the least is taken away that makes
//! it fit, in this order: labels that tell little → the end of the description → all labels → the whole description →
//! the facts → the end of the title. Link, severity, number and whom the message mentions stay. Texts are cut before they are escaped, at a
//! character's boundary, so that no escape, tag or character is ever cut in half, and a cut is marked.
//!
//! Of several notices as many are shown as fit, from the first, and how many that are is part of the result.

use alerting::limits::cut_chars;

use crate::layout::{Digest, LINE_TITLE_CHARS, Line, Message, Words};
use crate::{Form, Post, RenderError, Size, Unit};

/// Labels that stay while the description still has something to give.
const LABELS_KEPT: usize = 6;
/// Characters of the description that stay while there are labels to give.
const DESCRIPTION_KEPT: usize = 300;

impl Unit {
    /// How long `text` is in this unit.
    pub fn count(self, text: &str) -> usize {
        match self {
            Unit::Bytes => text.len(),
            Unit::Chars => text.chars().count(),
            Unit::Utf16 => text.encode_utf16().count(),
        }
    }
}

impl Size {
    pub fn holds(self, text: &str) -> bool {
        self.unit.count(text) <= self.max
    }
}

/// A body that the vendor takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fitted<B = Vec<u8>> {
    pub body: B,
    pub shown: usize,
    pub cut: bool,
}

/// How one channel writes a post: each method gives the body, or `None` if it is too long for the vendor.
pub(crate) trait Render<B = Vec<u8>> {
    fn message(&self, message: &Message, form: Form) -> Option<B>;
    fn digest(&self, digest: &Digest<'_>, form: Form) -> Option<B>;
}

/// The body for a post, as much of it as fits.
pub(crate) fn fit<B>(post: &Post<'_>, render: &impl Render<B>) -> Result<Fitted<B>, RenderError> {
    match post.notices {
        [] => Err(RenderError::NoNotices),
        [notice] => one(&Message::of(notice, post), |message| render.message(message, post.form)),
        notices => {
            let lines: Vec<Line> = notices.iter().map(|notice| Line::folded(notice, post)).collect();
            let cut = notices.iter().any(|notice| notice.title.chars().count() > LINE_TITLE_CHARS);
            many(&lines, cut, Words::of(post.language), |digest| render.digest(digest, post.form))
        }
    }
}

fn one<B>(message: &Message, render: impl Fn(&Message) -> Option<B>) -> Result<Fitted<B>, RenderError> {
    if let Some(body) = render(message) {
        return Ok(Fitted { body, shown: 1, cut: false });
    }
    let characters = message.description.chars().count();
    let few = LABELS_KEPT.min(message.labels.len());
    let labels = |count| render(&with_labels(message, count));
    let description = |labels, count| render(&with_description(&with_labels(message, labels), count));
    let bare = Message { facts: Vec::new(), ..with_description(&with_labels(message, 0), 0) };
    let title = |count| render(&with_title(&bare, count));
    let body = largest(few..message.labels.len(), labels)
        .or_else(|| largest(DESCRIPTION_KEPT.min(characters)..characters, |count| description(few, count)))
        .or_else(|| largest(0..characters.max(1), |count| description(0, count)))
        .or_else(|| largest(1..message.line.title.chars().count() + 1, title));
    body.map(|(_, body)| Fitted { body, shown: 1, cut: true }).ok_or(RenderError::TooLong)
}

fn many<B>(
    lines: &[Line],
    cut: bool,
    words: Words,
    render: impl Fn(&Digest<'_>) -> Option<B>,
) -> Result<Fitted<B>, RenderError> {
    let first = |count| render(&Digest { lines: &lines[..count], left: lines.len() - count, words });
    if let Some((shown, body)) = largest(1..lines.len() + 1, first) {
        return Ok(Fitted { body, shown, cut });
    }
    let line = &lines[0];
    let shorter = |count| {
        let line = Line { title: cut_chars(&line.title, count), ..line.clone() };
        render(&Digest { lines: &[line], left: lines.len() - 1, words })
    };
    let body = largest(1..line.title.chars().count(), shorter);
    body.map(|(_, body)| Fitted { body, shown: 1, cut: true }).ok_or(RenderError::TooLong)
}

/// The largest count in `range` that renders, with what it renders to. Rendering gets longer with the count.
fn largest<B>(range: std::ops::Range<usize>, render: impl Fn(usize) -> Option<B>) -> Option<(usize, B)> {
    let (mut low, mut high) = (range.start, range.end);
    let mut best = None;
    while low < high {
        let middle = low + (high - low) / 2;
        match render(middle) {
            Some(body) => {
                best = Some((middle, body));
                low = middle + 1;
            }
            None => high = middle,
        }
    }
    best
}

fn with_labels(message: &Message, count: usize) -> Message {
    let mut shorter = message.clone();
    shorter.labels.truncate(count);
    shorter.labels_hidden = message.labels.len() - shorter.labels.len();
    shorter
}

/// The first `count` characters of the description, and the mark that there were more.
fn with_description(message: &Message, count: usize) -> Message {
    let mut shorter = message.clone();
    if let Some((end, _)) = message.description.char_indices().nth(count) {
        shorter.description = format!("{}{}", &message.description[..end], message.words.shortened());
    }
    shorter
}

fn with_title(message: &Message, count: usize) -> Message {
    let mut shorter = message.clone();
    shorter.line.title = cut_chars(&message.line.title, count);
    shorter
}

#[cfg(test)]
mod tests {
    use super::*;
    use alerting::destination::Language;

    use crate::layout::Tone;

    fn message(labels: usize, description: usize) -> Message {
        Message {
            line: Line {
                tone: Tone::Critical,
                badge: "[Critical]".to_owned(),
                num: "INC #AB12".to_owned(),
                title: "磁盘满了".to_owned(),
                link: "https://x.example/incidents/inc_1".to_owned(),
                acknowledge: None,
                mentions: Vec::new(),
            },
            facts: Vec::new(),
            labels: (0..labels).map(|n| (format!("label{n}"), "value".repeat(4))).collect(),
            labels_hidden: 0,
            description: "告".repeat(description),
            words: Words::of(Language::English),
        }
    }

    fn fitted(message: &Message, max: usize) -> (String, bool) {
        let render = |message: &Message| {
            let text = message.plain("", str::to_owned);
            (text.len() <= max).then(|| text.into_bytes())
        };
        let Fitted { body, shown, cut } = one(message, render).expect("fits");
        assert_eq!(shown, 1);
        (String::from_utf8(body).expect("cut at a character's boundary"), cut)
    }

    #[test]
    fn what_fits_is_not_touched() {
        let whole = message(20, 500);
        let text = whole.plain("", str::to_owned);
        assert_eq!(fitted(&whole, text.len()), (text, false));
    }

    #[test]
    fn labels_that_tell_little_go_before_the_description() {
        let whole = message(20, 500);
        let (text, cut) = fitted(&whole, whole.plain("", str::to_owned).len() - 1);
        assert!(cut && text.contains(&"告".repeat(500)) && text.contains("… and 1 more label"), "{text}");
    }

    #[test]
    fn then_the_description_is_cut_with_a_mark() {
        let (text, _) = fitted(&message(20, 500), 1500);
        assert!(text.contains("label5") && !text.contains("label6") && text.contains("… (shortened"), "{text}");
        assert!(text.len() > 1500 - "告".len() && text.ends_with("/incidents/inc_1"), "{}", text.len());
    }

    #[test]
    fn then_all_labels_and_at_last_only_severity_title_and_link_stay() {
        let (text, _) = fitted(&message(20, 500), 600);
        assert!(!text.contains("label0") && text.contains("告"), "{text}");
        let (text, _) = fitted(&message(20, 500), 150);
        assert!(text.starts_with("[Critical] INC #AB12 磁盘满了") && text.ends_with("/incidents/inc_1"), "{text}");
    }

    #[test]
    fn what_cannot_fit_at_all_is_an_error() {
        assert_eq!(one(&message(0, 0), |_| None::<Vec<u8>>), Err(RenderError::TooLong));
    }

    #[test]
    fn units_are_what_vendors_count() {
        let text = "a告😀";
        assert_eq!([Unit::Bytes, Unit::Chars, Unit::Utf16].map(|unit| unit.count(text)), [8, 3, 4]);
    }
}
