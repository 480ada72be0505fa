//! The work of a search, known before the search starts. Its unit is that of [`crate::rules::compiled::Fuel`].
//!
//! The engine normally walks a lazily built automaton, with one look-up per byte. If that automaton grows too fast
//! (`[ab]*a[ab]{300}`), or if a Unicode word boundary meets non-ASCII text, the engine instead follows every live
//! state, byte by byte. To decide which of the two is assumed, the whole automaton is built within a limit, once per
//! pattern. So the cost depends only on the pattern and the text.
//!
//! Measured on x86-64 with patterns that are slow on purpose: a step takes at most 2.6 ns, a look-up 1.7 ns.

use std::sync::OnceLock;

use regex_automata::MatchKind;
use regex_automata::dfa::{StartKind, dense};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::base::limits;

/// The most bytes of a whole automaton. Most patterns need 2 to 60 KiB; building this much takes about 0.3 ms.
const AUTOMATON_BYTES: usize = 128 * 1024;
/// The work up to which the automaton is not built: 0.2 % of a message's fuel.
const LITTLE: u64 = 20_000;

/// The cost of one pattern.
#[derive(Debug, Clone)]
pub(crate) struct Cost {
    /// The steps per byte if every live state is followed.
    steps: u64,
    /// Whether the pattern has Unicode word boundaries. If so, the automaton is used only for ASCII texts.
    ascii_only: bool,
    walkable: OnceLock<bool>,
    /// Whether the automaton from a match's end to its beginning can be built.
    walkable_back: OnceLock<bool>,
}

impl Cost {
    pub(crate) fn of(hir: &Hir) -> Self {
        // Plain texts are searched by a faster method, regardless of their length.
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

    /// Whether finding the position of a match costs two look-ups per byte.
    pub(crate) fn is_walked_back(&self, text: &str, hir: impl Fn() -> Option<Hir>) -> bool {
        let back = || *self.walkable_back.get_or_init(|| hir().is_some_and(|hir| is_walkable(&hir, true)));
        self.is_walked(text, &hir) && back()
    }

    /// The work of finding the match and its group, for which every live state is followed.
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
    // In the backward search, the longest match gives the beginning.
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

/// An upper bound of the states that one byte of text can keep alive.
fn steps(hir: &Hir) -> u64 {
    let sum = |parts: &[Hir], each: u64| parts.iter().map(steps).fold(0, |sum: u64, n| sum.saturating_add(n + each));
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        // A non-ASCII class is compiled to a small automaton over UTF-8.
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
