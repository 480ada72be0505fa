//! Finds the safe links in a sender's text: only `http` and `https`, no user name before the host, no character that
//! has a meaning in a vendor's markup, and a bounded length. A link shows its own address, so its host is always
//! visible. A name that the sender gave to the link is shown beside it as text.

/// The most characters of a link's address. A longer address stays text.
const URL_CHARS: usize = 2000;
/// The most characters of an address that are shown.
const SHOWN_CHARS: usize = 60;
/// The most links of one text. Further addresses stay text.
const LINKS: usize = 20;
/// Characters that may end a sentence after an address and are not part of the address.
const SENTENCE_ENDS: [char; 10] = ['.', ',', ';', ':', '!', '?', '\'', '*', '_', '~'];

/// A part of a text: plain text or a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    Text(&'a str),
    Link(SafeLink),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafeLink {
    /// The address in ASCII. Of the reserved characters it has only `-._:/?#!$&+,;=%`, so it cannot end a vendor's
    /// markup.
    pub url: String,
    /// The address without its scheme, shortened for display.
    pub shown: String,
}

/// The pieces of the text, in order. Together, as written, they are the whole text.
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

/// The start of the next address at or after `from`. An address does not begin inside a word.
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

/// The length of the address at the beginning of the text.
fn end(text: &str) -> usize {
    let ends = |c: char| !c.is_ascii_graphic() || matches!(c, '<' | '>' | '"' | '`' | '|' | '\\' | '^' | '{' | '}');
    let mut end = text.find(ends).unwrap_or(text.len());
    loop {
        let kept = &text[..end];
        let shorter = kept.trim_end_matches(SENTENCE_ENDS);
        // A closing bracket belongs to the address only if the address contains the opening one.
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

/// The link for an address, or `None` if it is not safe. `after`: the text that follows the address.
fn link(written: &str, after: &str) -> Option<SafeLink> {
    // A shortened address would lead to another page.
    if written.len() > URL_CHARS || after.starts_with('…') {
        return None;
    }
    let (scheme, rest) = written.split_once("://")?;
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    // A letter of another script directly after the host may be part of the host.
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

/// Whether the character is Chinese, Japanese or Korean. Such texts have no space between an address and the next word.
fn is_cjk(c: char) -> bool {
    matches!(u32::from(c), 0x2E80..=0x9FFF | 0xAC00..=0xD7AF | 0xF900..=0xFAFF | 0xFF00..=0xFFEF)
}

/// Whether this is a name or an IPv4 address, with or without a port. A user name is refused, because it could look
/// like the host.
fn is_host(authority: &str) -> bool {
    let (host, port) = authority.split_once(':').unwrap_or((authority, "0"));
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    host.len() <= 253 && host.trim_end_matches('.').split('.').all(is_label) && port.parse::<u16>().is_ok()
}
