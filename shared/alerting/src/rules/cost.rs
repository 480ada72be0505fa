//! How much work a search may make, known before it starts: the unit of [`crate::rules::compiled::Fuel`].
//!
//! The engine normally walks a lazily built automaton, one look-up per byte. Where that automaton grows too fast
//! (`[ab]*a[ab]{300}`), or a Unicode word boundary meets text beyond ASCII, it falls back to following every live
//! state, byte by byte. Building the whole automaton within a bound, once per pattern, decides which of the two is
//! assumed. So the cost depends only on the pattern and the text.
//!
//! Measured on x86-64 with patterns made to be slow: a step costs at most 2.6 ns, a look-up 1.7 ns.

use std::sync::OnceLock;

use regex_automata::MatchKind;
use regex_automata::dfa::{StartKind, dense};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::base::limits;

/// Bytes of a whole automaton. Most patterns need 2 to 60 KiB; building that much takes some 0.3 ms.
const AUTOMATON_BYTES: usize = 128 * 1024;
/// Below this work the automaton is not built: it is a fifth of a per cent of a message's fuel.
const LITTLE: u64 = 20_000;

/// What one pattern costs.
#[derive(Debug, Clone)]
pub(crate) struct Cost {
    /// Steps per byte if every live state is followed.
    steps: u64,
    /// Whether the pattern has Unicode word boundaries: then only ASCII texts are walked.
    ascii_only: bool,
    walkable: OnceLock<bool>,
    /// From a match's end to its beginning.
    walkable_back: OnceLock<bool>,
}

impl Cost {
    pub(crate) fn of(hir: &Hir) -> Self {
        // Plain texts are searched for as such, whatever their length.
        let steps = if hir.properties().is_alternation_literal() { 1 } else { steps(hir).max(1) };
        let ascii_only = hir.properties().look_set().contains_word_unicode();
        Self { steps, ascii_only, walkable: OnceLock::new(), walkable_back: OnceLock::new() }
    }

    /// The work of finding whether the pattern occurs in `text`. `hir` parses the pattern again, if needed.
    pub(crate) fn of_search(&self, text: &str, hir: impl FnOnce() -> Option<Hir>) -> u64 {
        let slow = self.of_extraction(text);
        if slow <= LITTLE || (self.ascii_only && !text.is_ascii()) {
            return slow;
        }
        if self.is_walked(text, hir) { text.len() as u64 } else { slow }
    }

    /// Whether a search costs one look-up per byte.
    fn is_walked(&self, text: &str, hir: impl FnOnce() -> Option<Hir>) -> bool {
        let walkable = || *self.walkable.get_or_init(|| hir().is_some_and(|hir| is_walkable(&hir, false)));
        (!self.ascii_only || text.is_ascii()) && walkable()
    }

    /// Whether finding the place of a match costs two look-ups per byte.
    pub(crate) fn is_walked_back(&self, text: &str, hir: impl Fn() -> Option<Hir>) -> bool {
        let back = || *self.walkable_back.get_or_init(|| hir().is_some_and(|hir| is_walkable(&hir, true)));
        self.is_walked(text, &hir) && back()
    }

    /// The work of finding the match and its group: every live state is followed.
    pub(crate) fn of_extraction(&self, text: &str) -> u64 {
        self.steps.saturating_mul(text.len() as u64)
    }
}

fn is_walkable(hir: &Hir, back: bool) -> bool {
    let nfa = thompson::Config::new()
        .reverse(back)
        .which_captures(WhichCaptures::None)
        .nfa_size_limit(Some(limits::PATTERN_COMPILED_BYTES));
    let Ok(nfa) = thompson::Compiler::new().configure(nfa).build_from_hir(hir) else { return false };
    // Backwards, the longest match leads to the beginning.
    let (kind, start) = match back {
        true => (MatchKind::All, StartKind::Anchored),
        false => (MatchKind::LeftmostFirst, StartKind::Unanchored),
    };
    let dfa = dense::Config::new()
        .match_kind(kind)
        .start_kind(start)
        .accelerate(false)
        .unicode_word_boundary(true)
        .dfa_size_limit(Some(AUTOMATON_BYTES))
        .determinize_size_limit(Some(AUTOMATON_BYTES));
    dense::Builder::new().configure(dfa).build_from_nfa(&nfa).is_ok()
}

/// Upper bound of the states that one byte of text can keep alive.
fn steps(hir: &Hir) -> u64 {
    let sum = |parts: &[Hir], each: u64| parts.iter().map(steps).fold(0, |sum: u64, n| sum.saturating_add(n + each));
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        // A class beyond ASCII is a small automaton over UTF-8 of its own.
        HirKind::Class(Class::Unicode(class)) if !class.is_ascii() => 4,
        HirKind::Class(_) => 1,
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1)).max(1);
            steps(&repetition.sub).saturating_add(1).saturating_mul(u64::from(times))
        }
        HirKind::Capture(capture) => steps(&capture.sub).saturating_add(2),
        HirKind::Concat(parts) => sum(parts, 0),
        HirKind::Alternation(parts) => sum(parts, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: u64) {
        let hir = regex_syntax::parse(pattern).expect("valid");
        assert_eq!(Cost::of(&hir).of_search(text, || Some(hir.clone())), expected, "{pattern}");
    }

    #[test]
    fn a_search_costs_its_bytes_unless_every_state_must_be_followed() {
        let (ascii, chinese) = ("ab ".repeat(2_000), "告警".repeat(1_000));
        check("RESOLVED|FIRING", &ascii, 6_000);
        check(r"\bservice-\d\b.*(down|failed)", &ascii, 6_000);
        check(r"host=(\S+)", &chinese, 6_000);
        check(r"x\b", &chinese, 2 * 6_000);
        check(r"\bservice\b.*(down|failed)", &chinese, 28 * 6_000);
        check("[ab]*a[ab]{300}", &ascii, 603 * 6_000);
    }
}
