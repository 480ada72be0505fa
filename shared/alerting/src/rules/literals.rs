//! The literal texts that a pattern needs in order to match.
//!
//! `/host=(\S+) (is )?down/` cannot match a text without `host=`. [`required`] finds such literals, and the rules of
//! [`crate::rules`] are evaluated only if their literals occur. The literals are compared without regard to ASCII case,
//! so they are valid for `/…/i` too. There, a letter with a non-ASCII variant (`k`, `s`) ends the literal.

use regex_syntax::hir::{Class, Hir, HirKind};

/// The least bytes of a literal. Shorter literals occur nearly everywhere and would only cost time.
const LITERAL_MIN_BYTES: usize = 2;
/// The most bytes of a literal. Longer literals do not distinguish better.
const LITERAL_MAX_BYTES: usize = 32;
/// The most alternatives of one pattern: `CPU|memory|disk` has three.
const ALTERNATIVES_MAX: usize = 64;

/// Texts of which at least one occurs in every text that the pattern matches, compared without regard to ASCII case.
pub(crate) type Literals = Vec<Vec<u8>>;

/// Literals of which every match contains at least one, or `None` if no useful literals are known.
pub(crate) fn required(hir: &Hir) -> Option<Literals> {
    walk(hir).literals()
}

/// The text as a literal, if it is long enough to be useful.
pub(crate) fn of_text(text: &[u8]) -> Option<Literals> {
    (text.len() >= LITERAL_MIN_BYTES).then(|| vec![text[..text.len().min(LITERAL_MAX_BYTES)].to_vec()])
}

/// The better of two sets: the one with longer literals, and if equal, the one with fewer.
pub(crate) fn better(a: Option<Literals>, b: Option<Literals>) -> Option<Literals> {
    let rank = |set: &Literals| (set.iter().map(Vec::len).min().unwrap_or(0), usize::MAX - set.len());
    match (a, b) {
        (Some(a), Some(b)) => Some(if rank(&a) >= rank(&b) { a } else { b }),
        (a, b) => a.or(b),
    }
}

/// The literals for a pattern of which at least one alternative applies: those of all alternatives, or `None` if one of
/// them has no known literals.
pub(crate) fn union(sets: impl IntoIterator<Item = Option<Literals>>) -> Option<Literals> {
    let all: Literals = sets.into_iter().collect::<Option<Vec<_>>>()?.concat();
    (1..=ALTERNATIVES_MAX).contains(&all.len()).then_some(all)
}

enum Found {
    /// The pattern matches this text and nothing else (without zero-width assertions).
    Exactly(Vec<u8>),
    Contains(Option<Literals>),
}

impl Found {
    fn literals(self) -> Option<Literals> {
        match self {
            Found::Exactly(text) => of_text(&text),
            Found::Contains(literals) => literals,
        }
    }
}

fn walk(hir: &Hir) -> Found {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Found::Exactly(Vec::new()),
        HirKind::Literal(literal) => Found::Exactly(literal.0.to_vec()),
        HirKind::Class(class) => one_letter(class).map_or(Found::Contains(None), |letter| Found::Exactly(vec![letter])),
        HirKind::Capture(capture) => walk(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min == 0 => Found::Contains(None),
        HirKind::Repetition(repetition) => Found::Contains(walk(&repetition.sub).literals()),
        HirKind::Alternation(branches) => Found::Contains(union(branches.iter().map(required))),
        HirKind::Concat(parts) => concat(parts),
    }
}

fn concat(parts: &[Hir]) -> Found {
    let mut run = Vec::new();
    let mut best = None;
    let mut exact = true;
    for part in parts {
        match walk(part) {
            Found::Exactly(text) => run.extend(text),
            Found::Contains(literals) => {
                exact = false;
                best = better(better(best, of_text(&std::mem::take(&mut run))), literals);
            }
        }
    }
    if exact { Found::Exactly(run) } else { Found::Contains(better(best, of_text(&run))) }
}

/// The letter of a class that contains one ASCII letter in both cases, as `/…/i` makes them.
fn one_letter(class: &Class) -> Option<u8> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => class.iter().take(3).map(|r| (r.start().into(), r.end().into())).collect(),
        Class::Bytes(class) => class.iter().take(3).map(|r| (r.start().into(), r.end().into())).collect(),
    };
    let [(upper, upper_end), (lower, lower_end)] = ranges[..] else { return None };
    let letter = u8::try_from(lower).ok().filter(u8::is_ascii_lowercase)?;
    (upper == upper_end && lower == lower_end && upper == u32::from(letter.to_ascii_uppercase())).then_some(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, expected: &[&str]) {
        let hir = regex_syntax::parse(pattern).expect("valid");
        let found = required(&hir).unwrap_or_default();
        let found: Vec<_> = found.iter().map(|literal| String::from_utf8_lossy(literal)).collect();
        assert_eq!(found, expected, "{pattern}");
    }

    #[test]
    fn a_literal_that_every_match_contains_is_found() {
        check("RESOLVED", &["RESOLVED"]);
        check(r"^\bCPU\b$", &["CPU"]);
        check(r"host=(\S+)", &["host="]);
        check(r"\d+ms", &["ms"]);
        check(r"(host)=\d", &["host="]);
        check("(?:ab)+cd?efgh", &["efgh"]);
        check("告警", &["告警"]);
    }

    #[test]
    fn alternatives_are_all_kept_or_nothing_is_known() {
        check("CPU|memory", &["CPU", "memory"]);
        check("(CPU|memory) usage", &[" usage"]);
        check(r"CPU|\d+", &[]);
        check(".*", &[]);
        check("(?:RESOLVED)?", &[]);
    }

    #[test]
    fn case_folding_keeps_what_is_sound() {
        check("(?i)firing", &["firing"]);
        // ſ and K (the Kelvin sign) are case variants of s and k.
        check("(?i)resolved", &["olved"]);
        check("[Ff]iring", &["firing"]);
        check("[xy]iring", &["iring"]);
    }
}
