//! Cleans texts from outside: removes characters that act on the layout, and breaks tags that could be read as markup.

/// Makes one line: characters that end or direct a line become spaces.
pub(crate) fn clean_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if is_layout(c) { ' ' } else { c }).collect();
    spaced.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Keeps lines: removes control characters other than the line end, and empty lines at both ends.
pub(crate) fn clean_text(text: &str) -> String {
    let unix = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n").replace('\t', "    ");
    let kept: String = unix.chars().filter(|c| *c == '\n' || !is_layout(*c)).collect();
    kept.trim_matches('\n').trim_end().to_owned()
}

/// Whether a character acts on the layout instead of being shown: controls, line separators, and the marks that reverse
/// the reading direction, with which a title could disguise the text after it.
pub(crate) fn is_layout(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Breaks texts that could be read as a tag or a mention (`<at …>`, `<@user>`, `<!here>`, `</font>`) by a wide `＜`, for
/// vendors whose own escaping is undocumented. A comparison (`cpu < 90`) stays as it is.
pub(crate) fn break_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let opens = rest.peek().is_some_and(|next| next.is_alphabetic() || matches!(next, '/' | '@' | '!' | '?'));
        out.push(if c == '<' && opens { '＜' } else { c });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_line_and_cannot_reverse_what_follows() {
        assert_eq!(clean_line("disk\r\nfull \u{202E}evil\u{1b}[31m"), "disk full evil [31m");
        assert_eq!(clean_text("\r\na\tb\r\n\u{0}c\n\n"), "a    b\nc");
    }

    #[test]
    fn tags_are_broken_and_comparisons_kept() {
        assert_eq!(break_tags("<at user_id=\"all\"></at>"), "＜at user_id=\"all\">＜/at>");
        assert_eq!(break_tags("<@all> cpu < 90 <=> 5<6"), "＜@all> cpu < 90 <=> 5<6");
    }
}
