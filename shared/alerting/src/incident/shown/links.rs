//! Safe links in a sender's text: only `http` and `https`, no user name in front of the host, no character that acts in
//! a vendor's markup, and a bounded length. A link shows its own address, so its host is always visible. A name that
//! the sender gave it stands beside it as text.

/// A longer address stays text.
const URL_CHARS: usize = 2000;
/// Characters of an address that are shown.
const SHOWN_CHARS: usize = 60;
/// Links of one text; further ones stay text.
const LINKS: usize = 20;
/// Sentences end in these, and addresses do not.
const SENTENCE_ENDS: [char; 10] = ['.', ',', ';', ':', '!', '?', '\'', '*', '_', '~'];

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    Text(&'a str),
    Link(SafeLink),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafeLink {
    /// ASCII; of the reserved characters only `-._:/?#!$&+,;=%`, so that no vendor's markup ends in it.
    pub url: String,
    /// The address without its scheme, shortened.
    pub shown: String,
}

/// The pieces of the text, in order. Joined as they were written, they are the whole text.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut start, mut from, mut links) = (0, 0, 0);
    while let Some(place) = next(text, from).filter(|_| links < LINKS) {
        let end = place + end(&text[place..]);
        let Some(link) = link(&text[place..end], &text[end..]) else {
            from = end.max(place + 1);
            continue;
        };
        if start < place {
            pieces.push(Piece::Text(&text[start..place]));
        }
        pieces.push(Piece::Link(link));
        (start, from) = (end, end);
        links += 1;
    }
    if start < text.len() {
        pieces.push(Piece::Text(&text[start..]));
    }
    pieces
}

/// Where the next address begins: not within a word.
fn next(text: &str, from: usize) -> Option<usize> {
    text[from..].match_indices("://").find_map(|(colon, _)| {
        let before = &text[..from + colon];
        let scheme = ["https", "http"].iter().find(|scheme| {
            before.len() >= scheme.len()
                && before.as_bytes()[before.len() - scheme.len()..].eq_ignore_ascii_case(scheme.as_bytes())
        })?;
        let place = before.len() - scheme.len();
        let is_whole = !text[..place].ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        (place >= from && is_whole).then_some(place)
    })
}

/// How far an address reaches.
fn end(text: &str) -> usize {
    let ends = |c: char| !c.is_ascii_graphic() || matches!(c, '<' | '>' | '"' | '`' | '|' | '\\' | '^' | '{' | '}');
    let mut end = text.find(ends).unwrap_or(text.len());
    loop {
        let kept = &text[..end];
        let shorter = kept.trim_end_matches(SENTENCE_ENDS);
        // A bracket belongs to the address only if it was opened there.
        let unopened = [(')', '('), (']', '[')].into_iter().any(|(close, open)| {
            shorter.ends_with(close) && shorter.matches(close).count() > shorter.matches(open).count()
        });
        let next = if unopened { shorter.len() - 1 } else { shorter.len() };
        if next == end {
            return end;
        }
        end = next;
    }
}

/// `after`: what follows in the text.
fn link(written: &str, after: &str) -> Option<SafeLink> {
    // An address that was cut leads somewhere else.
    if written.len() > URL_CHARS || after.starts_with('…') {
        return None;
    }
    let (scheme, rest) = written.split_once("://")?;
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    // A letter of another script right behind the host may be part of the host.
    let goes_on = authority.len() == rest.len()
        && after.starts_with(|c: char| !c.is_ascii() && c.is_alphanumeric() && !is_cjk(c));
    if goes_on || !is_host(authority) {
        return None;
    }
    let mut url = format!("{}://{}", scheme.to_ascii_lowercase(), authority.to_ascii_lowercase());
    for c in rest[authority.len()..].chars() {
        if c.is_ascii_alphanumeric() || "-._:/?#!$&+,;=%".contains(c) {
            url.push(c);
        } else {
            url += &format!("%{:02X}", u32::from(c));
        }
    }
    let shown = url[scheme.len() + 3..].trim_end_matches('/');
    Some(SafeLink { shown: crate::base::limits::cut_chars(shown, SHOWN_CHARS), url })
}

/// Chinese, Japanese and Korean texts put no space between an address and the next word.
fn is_cjk(c: char) -> bool {
    matches!(u32::from(c), 0x2E80..=0x9FFF | 0xAC00..=0xD7AF | 0xF900..=0xFAFF | 0xFF00..=0xFFEF)
}

/// A name or an IPv4 address, and a port: no user name, which could look like the host.
fn is_host(authority: &str) -> bool {
    let (host, port) = authority.split_once(':').unwrap_or((authority, "0"));
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    host.len() <= 253 && host.trim_end_matches('.').split('.').all(is_label) && port.parse::<u16>().is_ok()
}
