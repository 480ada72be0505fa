//! Applies many filters to one message: finds the candidates that may match, without evaluating every filter.
//!
//! One Aho-Corasick pass over title, description and content searches for the literals that the filters need
//! (`literals.rs`). Only filters with a literal that occurs, and filters without literals, are evaluated. So the cost
//! of a message does not depend on the number of rules, and a rule that does not match needs no allocation. `RegexSet`
//! is not used: with a Unicode `\b` on Chinese text it is four hundred times slower.

use std::collections::BTreeMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::rules::compiled::{Fuel, OutOfFuel, Patterns, Run};
use crate::rules::matcher::{Matcher, View};
use crate::rules::trace::{Observer, Place, TriedResult};

/// The limit on the work of explaining why one rule does not match. For a hundred rules it takes at most 0.2 s.
const EXPLAINING: Fuel = 500_000;

/// Filters in the order of their rules.
#[derive(Debug, Default)]
pub(crate) struct RuleSet {
    /// The filters. `None`: the rule is not valid; it keeps its number and never matches.
    rules: Vec<Option<Matcher>>,
    /// The literals with their rules. `None`: there are none.
    prefilter: Option<Prefilter>,
    /// The rules that are always evaluated, in ascending order.
    always: Vec<u32>,
}

#[derive(Debug)]
struct Prefilter {
    literals: AhoCorasick,
    /// The rules of each literal.
    rules: Vec<Vec<u32>>,
}

/// The rules that may match, in ascending order.
#[derive(Debug)]
pub(crate) struct Candidates<'r> {
    always: &'r [u32],
    found: Vec<u32>,
}

impl RuleSet {
    pub(crate) fn new(rules: Vec<Option<Matcher>>, patterns: &Patterns) -> Self {
        let mut always = Vec::new();
        let mut by_literal = BTreeMap::<Vec<u8>, Vec<u32>>::new();
        for (rule, matcher) in (0..).zip(&rules) {
            match matcher.as_ref().map(|matcher| matcher.literals(patterns)) {
                None => {}
                Some(None) => always.push(rule),
                Some(Some(literals)) => literals.iter().for_each(|literal| {
                    by_literal.entry(literal.to_ascii_lowercase()).or_default().push(rule);
                }),
            }
        }
        let prefilter = (!by_literal.is_empty()).then(|| Prefilter::new(by_literal));
        if prefilter.as_ref().is_some_and(Option::is_none) {
            always = (0..).zip(&rules).filter(|(_, rule)| rule.is_some()).map(|(rule, _)| rule).collect();
        }
        Self { rules, prefilter: prefilter.flatten(), always }
    }

    /// Whether one rule matches. Call this only for [`RuleSet::candidates`].
    pub(crate) fn matches<O: Observer>(
        &self,
        rule: usize,
        view: &View<'_>,
        run: &mut Run<'_>,
        seen: &mut O,
    ) -> Result<bool, OutOfFuel> {
        match &self.rules[rule] {
            Some(matcher) => matcher.matches(view, run, seen),
            None => Ok(false),
        }
    }

    /// Reports rules that are no candidates to the observer, with the condition that does not hold. The filter is
    /// evaluated separately, so this does not change the decision or its fuel.
    pub(crate) fn left_out<O: Observer>(
        &self,
        rules: Range<usize>,
        view: &View<'_>,
        run: &mut Run<'_>,
        seen: &mut O,
        place: impl Fn(usize) -> Place,
    ) {
        if !O::LOOKS {
            return;
        }
        for rule in rules {
            let outcome = match &self.rules[rule] {
                None => TriedResult::Unusable,
                Some(matcher) => {
                    let asked = run.aside(EXPLAINING, |run| matcher.matches(view, run, seen));
                    debug_assert_ne!(asked, Ok(true), "what the prefilter leaves out does not match");
                    TriedResult::NoMatch
                }
            };
            seen.tried(|| (place(rule), outcome));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.rules.len()
    }

    /// The rules that may match, in their order.
    pub(crate) fn candidates(&self, view: &View<'_>) -> Candidates<'_> {
        let found = self.prefilter.as_ref().map_or_else(Vec::new, |prefilter| prefilter.find(view.texts()));
        Candidates { always: &self.always, found }
    }

    /// Adds the rules that may match because a text has changed to `text`.
    pub(crate) fn widen(&self, candidates: &mut Candidates<'_>, text: &str) {
        if let Some(prefilter) = &self.prefilter {
            candidates.found.extend(prefilter.find(std::iter::once(text)));
            candidates.found.sort_unstable();
            candidates.found.dedup();
        }
    }
}

impl Prefilter {
    /// Builds the prefilter. `None`: there are too many literals for an automaton, which no accepted integration
    /// reaches.
    fn new(by_literal: BTreeMap<Vec<u8>, Vec<u32>>) -> Option<Self> {
        let literals = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            // The same kind is used for few and many literals. It is as fast for ten thousand, and takes a tenth of a
            // DFA's bytes.
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            // Most text stays in the first states of the automaton, so these states use a direct look-up instead of a
            // search.
            .dense_depth(4)
            .build(by_literal.keys())
            .ok()?;
        Some(Self { literals, rules: by_literal.into_values().collect() })
    }

    fn find<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Vec<u32> {
        let mut found = Vec::new();
        let mut seen = Vec::new();
        for text in texts {
            for hit in self.literals.find_overlapping_iter(text) {
                let literal = hit.pattern().as_usize();
                if seen.is_empty() {
                    seen.resize(self.rules.len(), false);
                }
                if !std::mem::replace(&mut seen[literal], true) {
                    found.extend_from_slice(&self.rules[literal]);
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl Candidates<'_> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        let (mut always, mut found) = (self.always.iter().peekable(), self.found.iter().peekable());
        std::iter::from_fn(move || {
            let next = match (always.peek(), found.peek()) {
                (Some(a), Some(f)) if f < a => found.next(),
                (None, _) => found.next(),
                (Some(_), _) => always.next(),
            };
            next.map(|rule| *rule as usize)
        })
    }

    pub(crate) fn contains(&self, rule: usize) -> bool {
        let has = |rules: &[u32]| rules.binary_search_by_key(&rule, |other| *other as usize).is_ok();
        has(self.always) || has(&self.found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::severity::Severity;
    use crate::rules::filter::{Condition, Filter, Group, Op};

    fn filter(groups: &[&[(&str, Op, &[&str])]]) -> Filter {
        let condition = |(field, op, values): &(&str, Op, &[&str])| Condition {
            field: (*field).to_owned(),
            op: *op,
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        Filter { any: groups.iter().map(|group| Group { all: group.iter().map(condition).collect() }).collect() }
    }

    fn filters() -> Vec<Filter> {
        let (yes, no) = (Op::Match, Op::NotMatch);
        vec![
            filter(&[]),
            filter(&[&[("title", yes, &["/disk/"])]]),
            filter(&[&[("title", yes, &["/DISK/i", "cpu"])]]),
            filter(&[&[("title", no, &["/disk/"])]]),
            filter(&[&[("content", yes, &["*on host ??-1*"]), ("title", no, &["/cpu/"])]]),
            filter(&[&[("content", yes, &["/full/"])], &[("title", yes, &["/cpu/"])]]),
            filter(&[&[("content", yes, &["/full/"])], &[("severity", yes, &["Warning"])]]),
            filter(&[&[("description", yes, &[r"/(磁盘|disk)\d? (full|slow)/"])]]),
            filter(&[&[("title", yes, &["disk full"]), ("content", yes, &["/host/", r"/\d+/"])]]),
            filter(&[&[("labels.a", yes, &["/x/"])]]),
            filter(&[&[("title", yes, &["/(?i:ſtop|kill)/"])]]),
        ]
    }

    #[test]
    fn what_the_prefilter_leaves_out_does_not_match() {
        let mut patterns = Patterns::default();
        let matchers = filters().iter().map(|filter| Matcher::new(filter, "f", &mut patterns).ok()).collect::<Vec<_>>();
        let rules = RuleSet::new(matchers, &patterns);
        let texts =
            ["", "disk", "Disk full", "disk full", "cpu", "on host db-1", "磁盘 full", "STOP", "\u{212a}ill", "full 9"];
        let labels = [("a".to_owned(), "x".to_owned())].into();
        let mut left_out = 0;
        for (title, content) in texts.iter().flat_map(|title| texts.map(|content| (*title, content))) {
            let view = View { title, description: content, content, severity: Severity::Critical, labels: &labels };
            let candidates: Vec<usize> = rules.candidates(&view).iter().collect();
            assert!(candidates.is_sorted(), "{candidates:?}");
            for rule in 0..rules.rules.len() {
                let mut run = patterns.run();
                run.refuel(1_000_000);
                let candidate = candidates.contains(&rule);
                assert_eq!(rules.candidates(&view).contains(rule), candidate);
                let matches = rules.matches(rule, &view, &mut run, &mut ()).expect("enough fuel");
                assert!(candidate || !matches, "rule {rule} on {title:?} / {content:?}");
                left_out += usize::from(!candidate);
            }
        }
        assert!(left_out > 300, "the prefilter is of use: {left_out}");
    }

    #[test]
    fn a_changed_text_widens_the_candidates() {
        let mut patterns = Patterns::default();
        let matchers = filters().iter().map(|filter| Matcher::new(filter, "f", &mut patterns).ok()).collect::<Vec<_>>();
        let rules = RuleSet::new(matchers, &patterns);
        let labels = Default::default();
        let view = View { title: "", description: "", content: "", severity: Severity::Info, labels: &labels };
        let mut candidates = rules.candidates(&view);
        assert!(!candidates.contains(1));
        rules.widen(&mut candidates, "the disk");
        assert!(candidates.contains(1));
    }
}
