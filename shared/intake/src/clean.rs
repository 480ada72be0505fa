//! Removes characters from a text that a queue refuses or that have an effect in a terminal.
//!
//! SQS refuses U+FFFE and U+FFFF. NUL, escape sequences and the other control characters are replaced as well, so that
//! every message can be queued, and its text is safe in a log and in a group.

/// Cleans a text of several lines: separated by `\n`, without blanks at the line ends, and without empty lines around
/// them.
pub fn text(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut lines = raw.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'));
    let mut empty = 0;
    for line in lines.by_ref() {
        let line = line.trim_end();
        if line.is_empty() {
            empty += 1;
            continue;
        }
        if !out.is_empty() {
            out.extend(std::iter::repeat_n('\n', empty + 1));
        }
        empty = 0;
        push(&mut out, line);
    }
    out
}

/// Cleans a text of one line, such as a title, a label or a name.
pub fn line(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for part in raw.split(['\n', '\r', '\t']).map(str::trim).filter(|part| !part.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        push(&mut out, part);
    }
    out
}

/// Whether a queue accepts the text unchanged. JSON escapes the other characters that a queue refuses.
pub fn is_queueable(text: &str) -> bool {
    !text.contains(['\u{fffe}', '\u{ffff}'])
}

fn push(out: &mut String, line: &str) {
    if line.contains(is_unwanted) {
        out.extend(line.chars().map(|c| if is_unwanted(c) { '\u{fffd}' } else { c }));
    } else {
        out.push_str(line);
    }
}

fn is_unwanted(c: char) -> bool {
    (c.is_control() && c != '\t') || matches!(c, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_lf_and_in_no_blanks() {
        assert_eq!(text("\r\na \r\nb\t\n\n\nc\rd\r\n  \n"), "a\nb\n\n\nc\nd");
        assert_eq!(text("  indented\n"), "  indented");
        assert_eq!(text(" \n\t"), "");
    }

    #[test]
    fn characters_that_a_queue_or_a_terminal_does_not_take_are_replaced() {
        assert_eq!(text("a\0b\u{1b}[31mc\u{fffe}\u{85}d"), "a\u{fffd}b\u{fffd}[31mc\u{fffd}\u{fffd}d");
        assert!(!is_queueable("\u{ffff}") && is_queueable("告警 😀"));
    }

    #[test]
    fn a_title_is_one_line() {
        assert_eq!(line(" a\r\n\tb \n"), "a b");
    }
}
