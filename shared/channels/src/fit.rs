//! Shortens a message that is too long for the vendor.
//!
//! A channel renders a whole message, or says that it is too long. Then as little as possible is left out, in this
//! order: unimportant labels → the end of the description → all labels → the whole description → the end of the
//! template's other text → the facts → the end of the title. Link, severity, number and mentions stay. Texts are cut
//! before they are escaped, at a character boundary, so no escape, tag or character is cut in half. A cut is marked.
//!
//! Of several notices, as many as fit are shown, from the first. The result says how many.

use alerting::base::limits::cut_chars;
use alerting::incident::notice::Notice;

use crate::content::variables::Seen;
use crate::content::{Content, Failure, Template, Texts};
use crate::layout::words::Words;
use crate::layout::{Digest, LINE_TITLE_CHARS, Line, Message};
use crate::post::{Form, Post};
use crate::size::{Measured, Size};

/// Labels that stay until the description is cut to its minimum.
const LABELS_KEPT: usize = 6;
/// Characters of the description that stay while there are labels to leave out.
const DESCRIPTION_KEPT: usize = 300;

impl Size {
    /// The body, if its size in the vendor's unit (`used`) is within this limit.
    pub(crate) fn written<B>(self, used: usize, body: impl FnOnce() -> B) -> Option<Written<B>> {
        (used <= self.max).then(|| Written { body: body(), size: Measured { used, of: self } })
    }
}

/// A body within the vendor's limit, with its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written<B = Vec<u8>> {
    pub body: B,
    pub size: Measured,
}

/// The part of a post that fits into one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fitted<B = Vec<u8>> {
    pub body: B,
    pub size: Measured,
    pub shown: usize,
    pub cut: bool,
    /// Why the post's own template was not used, if so.
    pub template: Option<Failure>,
}

/// Why there is no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    #[error("a post needs at least one notice")]
    NoNotices,
    #[error("not even title and link fit into a message; is the deployment's base URL that long?")]
    TooLong,
}

/// How one channel writes a post: each method gives the body, or `None` if it is too long for the vendor.
pub(crate) trait Render<B = Vec<u8>> {
    fn message(&self, message: &Message, form: Form) -> Option<Written<B>>;
    fn digest(&self, digest: &Digest<'_>, form: Form) -> Option<Written<B>>;
}

/// The body for a post, shortened if necessary. `usual`: the channel's own templates.
pub(crate) fn fit<B>(post: &Post<'_>, usual: Texts, render: &impl Render<B>) -> Result<Fitted<B>, RenderError> {
    match post.notices {
        [] => Err(RenderError::NoNotices),
        [notice] => {
            let draft = MessageDraft::of(notice, post);
            let render = |message: &Message| render.message(message, post.form);
            let own = post.template.map(|source| {
                let template = Template::read(source)?;
                template.lay_out(&draft.seen).map(|whole| (template, whole))
            });
            let (template, whole, failure) = match own {
                Some(Ok((template, whole))) => (template, Some(whole), None),
                refused => {
                    let template = Template::usual(usual, post.language);
                    let whole = template.lay_out(&draft.seen).ok();
                    (template, whole, refused.and_then(Result::err))
                }
            };
            one(&draft, &template, whole, render).map(|fitted| Fitted { template: failure, ..fitted })
        }
        notices => {
            let lines: Vec<Line> = notices.iter().map(|notice| Line::folded(notice, post)).collect();
            let cut = notices.iter().any(|notice| notice.title.chars().count() > LINE_TITLE_CHARS);
            many(&lines, cut, Words::of(post.language), |digest| render.digest(digest, post.form))
        }
    }
}

/// The inputs of a message, without the template.
#[derive(Debug, Clone)]
struct MessageDraft {
    line: Line,
    seen: Seen,
    words: Words,
}

impl MessageDraft {
    fn of(notice: &Notice, post: &Post<'_>) -> Self {
        let line = match post.card {
            Some(card) => Line::of_card(notice, post, card),
            None => Line::alone(notice, post),
        };
        Self { line, seen: Seen::of(notice, post), words: Words::of(post.language) }
    }

    fn message(&self, content: Content) -> Message {
        Message { line: self.line.clone(), content, words: self.words }
    }
}

/// `whole`: the complete rendering. If the template fails only with shortened inputs, the complete rendering is cut at
/// its end.
fn one<B>(
    draft: &MessageDraft,
    template: &Template,
    whole: Option<Content>,
    render: impl Fn(&Message) -> Option<Written<B>>,
) -> Result<Fitted<B>, RenderError> {
    if let Some(written) = whole.clone().and_then(|whole| render(&draft.message(whole))) {
        return Ok(written.fitted(1, false));
    }
    let characters = draft.seen.description_chars();
    let few = LABELS_KEPT.min(draft.seen.labels());
    let lay_out = |labels, description| template.lay_out(&draft.seen.shortened(labels, description)).ok();
    let shortened = |labels, description| render(&draft.message(lay_out(labels, description)?));
    let least = lay_out(0, 0).or(whole).unwrap_or_default();
    let text = |count| render(&draft.message(least.cut(count, draft.words)));
    let bare = draft.message(Content { facts: Vec::new(), ..least.cut(0, draft.words) });
    let title = |count| render(&with_title(&bare, count));
    let written = largest(few..draft.seen.labels(), |count| shortened(count, characters))
        .or_else(|| largest(DESCRIPTION_KEPT.min(characters)..characters, |count| shortened(few, count)))
        .or_else(|| largest(0..characters.max(1), |count| shortened(0, count)))
        .or_else(|| largest(0..least.text_chars(), text))
        .or_else(|| largest(1..draft.line.title.chars().count() + 1, title));
    written.map(|(_, written)| written.fitted(1, true)).ok_or(RenderError::TooLong)
}

impl<B> Written<B> {
    fn fitted(self, shown: usize, cut: bool) -> Fitted<B> {
        Fitted { body: self.body, size: self.size, shown, cut, template: None }
    }
}

fn many<B>(
    lines: &[Line],
    cut: bool,
    words: Words,
    render: impl Fn(&Digest<'_>) -> Option<Written<B>>,
) -> Result<Fitted<B>, RenderError> {
    let first = |count| render(&Digest { lines: &lines[..count], all: lines, words });
    if let Some((shown, written)) = largest(1..lines.len() + 1, first) {
        return Ok(written.fitted(shown, cut));
    }
    let line = &lines[0];
    let shorter = |count| {
        let line = Line { title: cut_chars(&line.title, count), ..line.clone() };
        render(&Digest { lines: &[line], all: lines, words })
    };
    let written = largest(1..line.title.chars().count(), shorter);
    written.map(|(_, written)| written.fitted(1, true)).ok_or(RenderError::TooLong)
}

/// The largest count in `range` that renders, with the result. A larger count gives a longer rendering.
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

fn with_title(message: &Message, count: usize) -> Message {
    let mut shorter = message.clone();
    shorter.line.title = cut_chars(&message.line.title, count);
    shorter
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::bare;
    use crate::samples::{described, post};
    use crate::size::Unit;

    fn draft(labels: usize, description: usize) -> MessageDraft {
        let labels = (0..labels).map(|n| (format!("label{n:02}"), "value".repeat(4))).collect();
        let notice =
            Notice { labels, space_name: String::new(), ..described("磁盘满了", &"告".repeat(description)) };
        let notices = [notice];
        MessageDraft::of(&notices[0], &post(&notices))
    }

    fn fitted_by(source: &str, draft: &MessageDraft, max: usize) -> (String, bool) {
        let size = Size { max, unit: Unit::Bytes };
        let render = |message: &Message| {
            let text = message.plain("", str::to_owned, bare);
            size.written(text.len(), || text.clone())
        };
        let template = Template::read(source).expect("valid");
        let whole = template.lay_out(&draft.seen).expect("laid out");
        let Fitted { body, size: measured, shown, cut, template } =
            one(draft, &template, Some(whole), render).expect("fits");
        assert_eq!((shown, template, measured), (1, None, Measured { used: body.len(), of: size }));
        (body, cut)
    }

    const PLAIN: &str = "{% for name in labels %}\n{{ name }}: {{ labels[name] }}\n{% endfor %}\n{{ more_labels }}\n---\n{{ description }}";

    fn fitted(draft: &MessageDraft, max: usize) -> (String, bool) {
        fitted_by(PLAIN, draft, max)
    }

    /// `max` bytes more than the last line.
    fn beside_links(draft: &MessageDraft, max: usize) -> usize {
        let (text, _) = fitted(draft, usize::MAX);
        max + text.lines().last().expect("the links").len()
    }

    /// The length of the whole message.
    fn length(draft: &MessageDraft) -> usize {
        let (text, cut) = fitted(draft, usize::MAX);
        assert!(!cut);
        text.len()
    }

    #[test]
    fn what_fits_is_not_touched() {
        let draft = draft(20, 500);
        let whole = fitted(&draft, usize::MAX);
        assert_eq!(fitted(&draft, whole.0.len()), whole);
    }

    #[test]
    fn labels_that_tell_little_go_before_the_description() {
        let whole = draft(20, 500);
        let (text, cut) = fitted(&whole, length(&whole) - 1);
        assert!(cut && text.contains(&"告".repeat(500)) && text.contains("… and 1 more label"), "{text}");
    }

    #[test]
    fn then_the_description_is_cut_with_a_mark() {
        let max = beside_links(&draft(20, 500), 1440);
        let (text, _) = fitted(&draft(20, 500), max);
        assert!(text.contains("label05") && !text.contains("label06") && text.contains("… (shortened"), "{text}");
        assert!(text.len() > max - "告".len() && text.ends_with("?ack=1"), "{}", text.len());
    }

    #[test]
    fn then_all_labels_and_at_last_only_severity_title_and_link_stay() {
        let draft = draft(20, 500);
        let (text, _) = fitted(&draft, beside_links(&draft, 540));
        assert!(!text.contains("label00") && text.contains("告"), "{text}");
        let (text, _) = fitted(&draft, beside_links(&draft, 100));
        assert!(text.starts_with("🔴 [Critical] INC #7KQ2MD 磁盘满了") && text.ends_with("?ack=1"), "{text}");
    }

    #[test]
    fn what_cannot_fit_at_all_is_an_error() {
        let template = Template::read("").expect("valid");
        assert_eq!(one(&draft(0, 0), &template, None, |_| None::<Written>), Err(RenderError::TooLong));
    }

    #[test]
    fn what_a_template_says_itself_stays_longer_than_what_it_repeats() {
        let runbook = "{{ description }}\nsee the runbook of {{ labels.label09 }}";
        let draft = draft(20, 500);
        let max = beside_links(&draft, 240);
        let (text, cut) = fitted_by(runbook, &draft, max);
        assert!(cut && text.contains("告… (shortened") && text.contains("see the runbook of value"), "{text}");
        let long = format!("- Host: {{{{ labels.label09 }}}}\n{}", "runbook ".repeat(100));
        let (text, cut) = fitted_by(&long, &draft, max);
        assert!(
            cut && text.contains("Host: value") && text.contains("\nrunbook ") && text.contains("… (shortened"),
            "{text}"
        );
    }

    #[test]
    fn a_template_that_fails_only_on_less_is_cut_at_its_end() {
        let brittle = "{{ description }} {% if description|length < 400 %}{{ labels.none }}{% endif %}";
        let draft = draft(0, 500);
        let (text, cut) = fitted_by(brittle, &draft, beside_links(&draft, 440));
        assert!(cut && text.contains("告告… (shortened") && text.ends_with("?ack=1"), "{text}");
    }
}
