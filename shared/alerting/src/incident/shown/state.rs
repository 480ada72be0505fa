//! Removes the marks in a title that say that the alert fires or has recovered, because messages show our own state.

/// The words by which senders mark the two states. Such a word is a mark only if it is separate, not part of a
/// sentence.
const WORDS: [&str; 20] = [
    "firing",
    "resolved",
    "recovered",
    "recovery",
    "problem",
    "alerting",
    "triggered",
    "ok",
    "告警",
    "报警",
    "故障",
    "恢复",
    "已恢复",
    "告警恢复",
    "恢复告警",
    "故障恢复",
    "告警通知",
    "恢复通知",
    "触发",
    "已触发",
];
const BRACKETS: [(char, char); 4] = [('[', ']'), ('【', '】'), ('(', ')'), ('（', '）')];
/// Characters between a mark and the title.
const BETWEEN: [char; 7] = [':', '：', '-', '–', '—', '|', ' '];
/// The most characters between `Resolved in` and its colon.
const DURATION_CHARS: usize = 24;

/// Removes the marks: `[prod][FIRING:1] NodeDown` → `[prod] NodeDown`. A title that is only a mark is not changed.
pub fn without_state(title: &str) -> String {
    let mut rest = title.trim().to_owned();
    while let Some(shorter) = bracketed(&rest).or_else(|| leading(&rest)).or_else(|| trailing(&rest)) {
        rest = shorter;
    }
    if rest.chars().any(char::is_alphanumeric) { rest } else { title.trim().to_owned() }
}

/// The title without its first mark in brackets.
fn bracketed(title: &str) -> Option<String> {
    let opened = title.char_indices().filter_map(|(start, c)| {
        let close = BRACKETS.iter().find(|(open, _)| *open == c)?.1;
        let inside = start + c.len_utf8();
        let end = inside + title[inside..].find(close)?;
        is_mark(&title[inside..end]).then_some((start, end + close.len_utf8()))
    });
    let (start, end) = opened.into_iter().next()?;
    let (before, after) = (title[..start].trim_end(), title[end..].trim_start_matches(BETWEEN));
    // An emoji before a mark belongs to the mark.
    let before = if before.chars().any(char::is_alphanumeric) { before } else { "" };
    Some(if before.is_empty() || after.is_empty() { format!("{before}{after}") } else { format!("{before} {after}") })
}

/// The title without a mark at the beginning: `FIRING disk full`, `Problem: disk full`, `Resolved in 5m 0s: disk full`.
fn leading(title: &str) -> Option<String> {
    let start =
        title.trim_start_matches(|c: char| !c.is_alphanumeric() && !BRACKETS.iter().any(|(open, _)| *open == c));
    let end = start.find(|c: char| !c.is_alphanumeric()).unwrap_or(start.len());
    let (word, after) = start.split_at(end);
    if !is_word(word) {
        return None;
    }
    if let Some(duration) = after.strip_prefix(" in ")
        && let Some(colon) = duration.find(": ").filter(|colon| *colon <= DURATION_CHARS)
    {
        return Some(duration[colon + 2..].trim_start().to_owned());
    }
    let separated = after.trim_start().starts_with([':', '：', '|']) || after.starts_with(" - ");
    let is_title = after.trim_matches(BETWEEN).chars().any(char::is_alphanumeric);
    let is_mark = separated || (after.starts_with([' ', '[']) && is_shouted(word));
    (is_mark && is_title).then(|| after.trim_start_matches(BETWEEN).to_owned())
}

/// The title without a mark at the end: `[prod]NodeDown [1] Firing`, `disk full - RESOLVED`.
fn trailing(title: &str) -> Option<String> {
    let start = title
        .rfind(|c: char| !c.is_alphanumeric())
        .map(|place| place + title[place..].chars().next().map_or(1, char::len_utf8))?;
    let (before, word) = title.split_at(start);
    let kept = before.trim_end_matches(BETWEEN);
    let separated = kept.ends_with([']', '】']) || before.trim_end().ends_with([':', '：', '-', '–', '—', '|']);
    let spaced = before.ends_with(BETWEEN);
    (is_word(word) && spaced && (separated || is_shouted(word)) && !kept.is_empty()).then(|| kept.to_owned())
}

/// Whether the text in brackets is a mark: `FIRING:2`, `FIRING:1, RESOLVED:1`, `🔥 告警`.
fn is_mark(inside: &str) -> bool {
    inside.split([',', '，']).all(|part| {
        let part = part.trim_matches(|c: char| !c.is_alphanumeric());
        let (word, count) = part.split_once([':', '：']).unwrap_or((part, ""));
        is_word(word) && count.trim().bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn is_word(word: &str) -> bool {
    WORDS.contains(&word.to_lowercase().as_str())
}

/// Whether the word is in capitals and so is not part of a sentence. `OK` does not count, because sentences also write
/// it in capitals.
fn is_shouted(word: &str) -> bool {
    word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_uppercase())
}
