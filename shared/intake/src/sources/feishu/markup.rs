//! Turns markup into the text that a person reads.
//!
//! - Mentions: `<at user_id="ou_1">Tom</at>` → `@Tom`, and a mention of everybody → `@all`. Quotes and names may be
//!   missing.
//! - Card Markdown: `<font>`, `<text_tag>` and marks of bold and strike are removed; `<link>` and `[text](url)` →
//!   `text (url)`. Headings, lists, quotes and code are not changed, because they are readable as plain text.
//! - Entities (`&#34;`, `&lt;`) are decoded last, so an escaped tag is text and never markup.
//!
//! A mention in the result is plain text; each outgoing channel neutralises it in its own way. Every function is linear
//! in its input, because no search goes beyond the next candidate.

use std::borrow::Cow;

/// Whether addresses are part of the text. Readers see addresses, but keywords are not searched in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    Shown,
    Hidden,
}

/// Reads a `text` message: mentions and entities.
pub(super) fn text(raw: &str) -> String {
    entities(&mentions(raw)).into_owned()
}

/// Reads only mentions, for Markdown that is otherwise not changed.
pub(super) fn mentions(raw: &str) -> Cow<'_, str> {
    if !raw.contains('<') {
        return Cow::Borrowed(raw);
    }
    let mut scan = Scan::new(raw, Links::Shown);
    scan.run(&['<'], Scan::mention_only);
    Cow::Owned(scan.out)
}

/// Reads the Markdown of a card.
pub(super) fn markdown(raw: &str, links: Links) -> String {
    let mut scan = Scan::new(raw, links);
    scan.run(&['<', '[', ']', '!', '`', '*', '~'], Scan::markdown);
    if let Some(href) = scan.anchor.take() {
        scan.href(href);
    }
    entities(&scan.out).into_owned()
}

pub(super) fn entities(raw: &str) -> Cow<'_, str> {
    html_escape::decode_html_entities(raw)
}

/// Formats a link as `text (href)`, or only one of them if the other is missing, hidden, or equal.
pub(super) fn link(text: &str, href: &str, links: Links) -> String {
    match (text.trim(), href.trim()) {
        (text, "") => text.to_owned(),
        (text, _) if links == Links::Hidden => text.to_owned(),
        ("", href) => href.to_owned(),
        (text, href) if text == href => href.to_owned(),
        (_, href) => format!("{} ({href})", text.trim_end()),
    }
}

/// Appends `@name`, with a space before it if a word precedes.
pub(super) fn push_mention(out: &mut String, name: &str) {
    if name.is_empty() {
        return;
    }
    if out.chars().next_back().is_some_and(|last| !last.is_whitespace()) {
        out.push(' ');
    }
    out.push('@');
    out.push_str(name);
}

/// One pass over `raw`. The position `at` only grows.
struct Scan<'a> {
    raw: &'a str,
    at: usize,
    out: String,
    links: Links,
    /// The address of an open `<link>` or `<a>`.
    anchor: Option<&'a str>,
    /// The end of the text of a Markdown link, the end of its address, and the address to show.
    bracket: Option<(usize, usize, &'a str)>,
    /// The ends of the open bold and the open strike.
    closers: [Option<usize>; 2],
}

impl<'a> Scan<'a> {
    fn new(raw: &'a str, links: Links) -> Self {
        let out = String::with_capacity(raw.len());
        Self { raw, at: 0, out, links, anchor: None, bracket: None, closers: [None; 2] }
    }

    /// Copies the text up to each special character and calls `step` there. If `step` returns `false`, the character is
    /// copied.
    fn run(&mut self, special: &[char], step: fn(&mut Self, &'a str) -> bool) {
        while let Some(next) = self.raw[self.at..].find(special) {
            self.out.push_str(&self.raw[self.at..self.at + next]);
            self.at += next;
            let rest = &self.raw[self.at..];
            if !step(self, rest) {
                self.out.push_str(&rest[..1]);
                self.at += 1;
            }
        }
        self.out.push_str(&self.raw[self.at..]);
        self.at = self.raw.len();
    }

    fn mention_only(&mut self, rest: &'a str) -> bool {
        match Tag::parse(rest) {
            Some(tag) if tag.is_mention() => {
                self.mention(&tag, rest);
                true
            }
            _ => false,
        }
    }

    fn markdown(&mut self, rest: &'a str) -> bool {
        match rest.as_bytes()[0] {
            b'<' => self.tag(rest),
            b'`' => self.code(rest),
            b'*' => self.emphasis(rest, '*', 0),
            b'~' => self.emphasis(rest, '~', 1),
            b'!' => self.image(rest),
            b'[' => self.open_link(rest),
            _ => self.close_link(),
        }
    }

    fn tag(&mut self, rest: &'a str) -> bool {
        let Some(tag) = Tag::parse(rest) else { return false };
        if tag.is_mention() {
            self.mention(&tag, rest);
            return true;
        }
        match tag.name.to_ascii_lowercase().as_str() {
            "font" | "text_tag" | "number_tag" | "local_datetime" => {}
            "br" => self.out.push('\n'),
            "hr" => self.out.push_str("\n---\n"),
            "a" | "link" if !tag.closing => {
                self.anchor = attribute(tag.attributes, &["href", "url", "pc_url"]);
            }
            "a" | "link" => {
                if let Some(href) = self.anchor.take() {
                    self.href(href);
                }
            }
            _ => return false,
        }
        self.at += tag.len;
        true
    }

    /// Reads `<at …>Name</at>`, or only the tag if it is not closed.
    fn mention(&mut self, tag: &Tag<'a>, rest: &'a str) {
        self.at += tag.len;
        if tag.closing {
            return;
        }
        let after = &rest[tag.len..];
        let mut name = "";
        if let Some(end) = after.find('<')
            && let Some(close) = Tag::parse(&after[end..])
            && close.closing
            && close.name.eq_ignore_ascii_case(tag.name)
        {
            name = after[..end].trim().trim_start_matches('@');
            self.at += end + close.len;
        }
        let who = attribute(tag.attributes, &["user_id", "id", "ids", "open_id", "union_id", "email"]);
        let who = who.map(|who| who.trim_end_matches('/')).unwrap_or_default();
        let shown = match name {
            _ if who.eq_ignore_ascii_case("all") => "all",
            "" => who,
            name => name,
        };
        push_mention(&mut self.out, shown);
        if !shown.is_empty() && self.raw[self.at..].starts_with(char::is_alphanumeric) {
            self.out.push(' ');
        }
    }

    /// Copies code unchanged.
    fn code(&mut self, rest: &'a str) -> bool {
        let mark = rest.len() - rest.trim_start_matches('`').len();
        let body = &rest[mark..];
        let end = match mark {
            0..3 => body.find(['`', '\n']).filter(|at| body.as_bytes()[*at] == b'`').map(|at| mark + at + 1),
            _ => body.find("```").map(|at| mark + at + 3),
        };
        let end = end.unwrap_or(mark);
        self.out.push_str(&rest[..end]);
        self.at += end;
        true
    }

    /// Removes marks of bold (`**`, `***`) and strike (`~~`), if the next mark on the line closes them.
    fn emphasis(&mut self, rest: &'a str, mark: char, slot: usize) -> bool {
        let len = rest.len() - rest.trim_start_matches(mark).len();
        if self.closers[slot] == Some(self.at) {
            self.closers[slot] = None;
            self.at += len.min(3);
            return true;
        }
        let closer = match (mark, len) {
            ('*', 2..=3) | ('~', 2) => closing_mark(&rest[len..], mark, len),
            _ => None,
        };
        self.closers[slot] = closer.map(|end| self.at + len + end);
        if closer.is_none() {
            self.out.push_str(&rest[..len]);
        }
        self.at += len;
        true
    }

    fn image(&mut self, rest: &'a str) -> bool {
        let Some((alt, _, len)) = rest.strip_prefix('!').and_then(bracketed) else { return false };
        push_image(&mut self.out, alt);
        self.at += 1 + len;
        true
    }

    /// Reads a link. Its text is read like the rest, and its address follows at the end of the text.
    fn open_link(&mut self, rest: &'a str) -> bool {
        let Some((text, href, len)) = bracketed(rest) else { return false };
        let shown = if text.trim() == href { "" } else { href };
        if text.trim().is_empty() {
            self.out.push_str(if self.links == Links::Shown { href } else { "" });
            self.at += len;
        } else {
            self.bracket = Some((self.at + 1 + text.len(), self.at + len, shown));
            self.at += 1;
        }
        true
    }

    fn close_link(&mut self) -> bool {
        match self.bracket {
            Some((at, end, href)) if at == self.at => {
                self.bracket = None;
                self.href(href);
                self.at = end;
                true
            }
            _ => false,
        }
    }

    fn href(&mut self, href: &str) {
        if self.links == Links::Shown && !href.is_empty() {
            self.out.push_str(" (");
            self.out.push_str(href);
            self.out.push(')');
        }
    }
}

/// Appends `[image]`, or `[image: alt]` if there is an alternative text.
pub(super) fn push_image(out: &mut String, alt: &str) {
    match alt.trim() {
        "" => out.push_str("[image]"),
        alt => {
            out.push_str("[image: ");
            out.push_str(alt);
            out.push(']');
        }
    }
}

/// The position of the mark on the same line that closes the one before `body`: the next mark of this length, directly
/// after a word.
fn closing_mark(body: &str, mark: char, len: usize) -> Option<usize> {
    if body.starts_with(char::is_whitespace) {
        return None;
    }
    let mut at = 0;
    loop {
        at += body[at..].find([mark, '\n'])?;
        let run = body.len() - at - body[at..].trim_start_matches(mark).len();
        match run {
            0 => return None,
            shorter if shorter < len => at += shorter,
            _ => return (at > 0 && !body[..at].ends_with(char::is_whitespace)).then_some(at),
        }
    }
}

/// The text, address and length of the `[text](address)` at the beginning of `rest`.
fn bracketed(rest: &str) -> Option<(&str, &str, usize)> {
    let body = rest.strip_prefix('[')?;
    let end = body.find(['[', ']', '\n'])?;
    let address = body[end..].strip_prefix("](")?;
    let mut before = 0;
    for (at, byte) in address.bytes().enumerate() {
        match byte {
            b')' => return Some((&body[..end], &address[..at], 1 + end + 2 + at + 1)),
            // Another link starts here, so this one has no end. The check keeps many unfinished links linear.
            b'(' if before == b']' => return None,
            b'<' | b'\n' | b' ' | b'\t' => return None,
            _ => before = byte,
        }
    }
    None
}

/// One tag of the vendor's markup.
struct Tag<'a> {
    name: &'a str,
    attributes: &'a str,
    closing: bool,
    /// The number of bytes from `<` to `>`.
    len: usize,
}

impl<'a> Tag<'a> {
    fn parse(rest: &'a str) -> Option<Self> {
        let body = rest.strip_prefix('<')?;
        let (closing, body) = body.strip_prefix('/').map_or((false, body), |body| (true, body));
        let name_end = body.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        let (name, attributes) = body.split_at(name_end);
        if name.is_empty() || !attributes.starts_with(|c: char| c.is_whitespace() || c == '/' || c == '>') {
            return None;
        }
        let end = attributes.find(['<', '>'])?;
        if attributes.as_bytes()[end] == b'<' {
            return None;
        }
        let len = rest.len() - attributes.len() + end + 1;
        Some(Self { name, attributes: &attributes[..end], closing, len })
    }

    fn is_mention(&self) -> bool {
        self.name.eq_ignore_ascii_case("at") || self.name.eq_ignore_ascii_case("person")
    }
}

/// The first wanted attribute that is not empty. A value may have single quotes, double quotes or none.
fn attribute<'a>(attributes: &'a str, wanted: &[&str]) -> Option<&'a str> {
    let mut rest = attributes;
    loop {
        rest = rest.trim_start();
        let (name, after) = rest.split_at(rest.find(|c: char| c == '=' || c.is_whitespace())?);
        let after = after.trim_start();
        let Some(value) = after.strip_prefix('=').map(str::trim_start) else {
            rest = after;
            continue;
        };
        let (value, next) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            _ => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
        };
        if wanted.contains(&name) && !value.trim().is_empty() {
            return Some(value.trim());
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_become_names() {
        for (raw, expected) in [
            (r#"hi <at user_id="ou_1">Tom</at>!"#, "hi @Tom!"),
            (r#"<at user_id="all">所有人</at> look"#, "@all look"),
            (r#"disk<at id=all></at>"#, "disk @all"),
            (r#"<at id=all/>disk"#, "@all disk"),
            (r#"<at email="li@example.com">li</at>"#, "@li"),
            (r#"<at user_id='ou_2'></at>"#, "@ou_2"),
            (r#"<AT user_id = "all" >x</AT>"#, "@all"),
            (r#"<at user_id="ou_1">Tom"#, "@ou_1 Tom"),
            ("<at></at>x", "x"),
            ("a < b and <attach> stay", "a < b and <attach> stay"),
            ("<at user_id=<at user_id=", "<at user_id=<at user_id="),
        ] {
            assert_eq!(text(raw), expected, "{raw}");
        }
    }

    #[test]
    fn entities_are_decoded_and_never_become_markup() {
        assert_eq!(text("&#34;a&#34; &lt;b&gt; &amp;amp; 1&2"), "\"a\" <b> &amp; 1&2");
        assert_eq!(text("&lt;at user_id=&#34;all&#34;&gt;&lt;/at&gt;"), "<at user_id=\"all\"></at>");
    }

    #[test]
    fn markdown_of_a_card_reads_as_text() {
        for (raw, expected) in [
            ("**Level**: <text_tag color='red'>CRITICAL</text_tag>", "Level: CRITICAL"),
            ("<font color='red'>**db-01**</font> down", "db-01 down"),
            ("[Dinky](https://github.com/x)", "Dinky (https://github.com/x)"),
            ("**[a](http://x/a(b))** c", "a (http://x/a(b)) c"),
            ("[**a**](http://x)", "a (http://x)"),
            ("[http://x](http://x) [](http://y)", "http://x http://y"),
            ("<link url='http://x?a=1&amp;b=2'>go</link>", "go (http://x?a=1&b=2)"),
            ("<a href='http://x'>go</a>.", "go (http://x)."),
            ("![chart](img_v2_x) ![](img_v2_y)", "[image: chart] [image]"),
            ("2 ** 3 ** 4, a*b, **open", "2 ** 3 ** 4, a*b, **open"),
            ("`a ** b` and **c**\n```\n**x**\n```", "`a ** b` and c\n```\n**x**\n```"),
            ("~~old~~ ***new***", "old new"),
            ("**服务名称：**order", "服务名称：order"),
            ("## head\n> - x", "## head\n> - x"),
            ("[prod][FIRING:1] x", "[prod][FIRING:1] x"),
            ("a<br>b<br/>c", "a\nb\nc"),
            ("<unknown>x</unknown>", "<unknown>x</unknown>"),
        ] {
            assert_eq!(markdown(raw, Links::Shown), expected, "{raw}");
        }
    }

    #[test]
    fn a_hidden_address_is_not_in_the_text() {
        assert_eq!(markdown("[go](http://secret) <a href='http://secret'>on</a>", Links::Hidden), "go on");
        assert_eq!(link("go", "http://secret", Links::Hidden), "go");
    }

    #[test]
    fn hostile_markup_is_read_in_linear_time() {
        let unit =
            ["<at ", "[", "[a](", "**a ", "`", "``` `", "<a href='x'>", "![", "<", "***", "[[", "](", "<at>", "~~"];
        for unit in unit {
            let started = std::time::Instant::now();
            let raw = unit.repeat(256 * 1024 / unit.len());
            markdown(&raw, Links::Shown);
            text(&raw);
            assert!(started.elapsed().as_secs() < 2, "{unit}");
        }
    }
}
