//! The patterns of one integration, which are compiled at their first use, and the limit on the work for one message.
//!
//! - Compiled patterns are in a cache that is limited in bytes ([`COMPILED_BYTES`]). The least recently used pattern is
//!   removed first.
//! - Work is counted, not timed: steps over bytes of text, known before a search starts (`cost.rs`). So the decision
//!   about a message depends only on the message and its rules. If the message is redelivered to a cold or throttled
//!   process, the decision is the same; with a clock it might differ. A step takes at most 2.6 ns, so the fuel of one
//!   message, ten million steps, takes the 25 ms of [`limits::RULES_TIME`]. Ordinary rules use a hundredth of it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use regex_automata::meta::{Cache, Regex};
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Anchored, Input};

use crate::base::limits;
use crate::rules::flag::Flag;
use crate::rules::pattern::{Pattern, PatternError};

/// The most bytes of compiled patterns, with their search caches, that one integration keeps.
pub const COMPILED_BYTES: usize = 16 * 1024 * 1024;
/// The most bytes to which all patterns of one integration may compile when they are saved. A hundred patterns with a
/// `\w` each reach this limit. Compiling them takes about 25 ms, for which the first messages after a cold start wait.
pub const SAVED_BYTES: usize = 6 * 1024 * 1024;

/// Additional fuel for texts over 8 KiB, so that a long text is searched whole and later rules keep their fuel: 10 to
/// 16 ms. It is enough for 24 usual patterns at 256 KiB, without those that a rule's literals exclude.
const LONG_TEXTS: Fuel = 6 * 1024 * 1024;

/// An amount of allowed work, in steps.
pub(crate) type Fuel = u64;

/// The work would exceed the limit, so the condition is not decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfFuel;

/// The id of a pattern in [`Patterns`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PatternId(usize);

/// All patterns of one integration. A pattern that is used several times is stored once.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    /// The bytes compiled so far. `None`: patterns are not checked, and so are compiled later.
    checked: Option<usize>,
    all: Vec<Pattern>,
    ids: HashMap<String, PatternId>,
    compiled: Mutex<Compiled>,
}

impl Patterns {
    /// Makes an empty set for an integration that is about to be saved. Every added pattern is compiled to check it.
    pub(crate) fn checked() -> Self {
        Self { checked: Some(0), ..Self::default() }
    }

    pub(crate) fn add(&mut self, typed: &str) -> Result<PatternId, PatternError> {
        if let Some(id) = self.ids.get(typed) {
            return Ok(*id);
        }
        self.check_flags(typed)?;
        let pattern = Pattern::parse(typed)?;
        if let Some(bytes) = &mut self.checked {
            *bytes += pattern.compile()?.memory_usage();
            if *bytes > SAVED_BYTES {
                return Err(pattern.error("compiles to more than 6 MiB together with the patterns before it"));
            }
        }
        self.all.push(pattern);
        let id = PatternId(self.all.len() - 1);
        self.ids.insert(typed.to_owned(), id);
        Ok(id)
    }

    /// Checks that the flags are known. This is checked only before saving, so that stored patterns keep their meaning.
    pub(crate) fn check_flags(&self, typed: &str) -> Result<(), PatternError> {
        if self.checked.is_some() { Pattern::check_flags(typed) } else { Ok(()) }
    }

    pub(crate) fn get(&self, id: PatternId) -> &Pattern {
        &self.all[id.0]
    }

    /// The bytes of the patterns that are compiled now.
    pub(crate) fn compiled_bytes(&self) -> usize {
        self.lock().bytes
    }

    pub(crate) fn run(&self) -> Run<'_> {
        Run {
            patterns: self,
            compiled: self.lock(),
            fuel: 0,
            long: LONG_TEXTS,
            cut: false,
            flags: Vec::new(),
            failures: 0,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Compiled> {
        // If a search panicked, a pattern has to be compiled again at worst.
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Compiled {
    entries: HashMap<PatternId, Entry>,
    bytes: usize,
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    /// The compiled pattern. `None`: the pattern does not compile. It is refused before saving, but an older version
    /// may have stored it.
    engine: Option<(Regex, Cache)>,
    bytes: usize,
    used: u64,
}

impl Entry {
    fn new(pattern: &Pattern) -> Self {
        let engine = pattern.compile().ok().map(|regex| {
            let cache = regex.create_cache();
            (regex, cache)
        });
        Self { engine, bytes: 0, used: 0 }
    }

    fn measure(&self) -> usize {
        let engine = self.engine.as_ref().map_or(0, |(regex, cache)| regex.memory_usage() + cache.memory_usage());
        size_of::<Self>() + engine
    }
}

impl Compiled {
    /// Searches with the compiled pattern, and counts the bytes by which its cache has grown.
    fn with<T>(&mut self, id: PatternId, pattern: &Pattern, search: impl FnOnce(&Regex, &mut Cache) -> T) -> Option<T> {
        self.clock += 1;
        let entry = self.entries.entry(id).or_insert_with(|| Entry::new(pattern));
        entry.used = self.clock;
        let found = entry.engine.as_mut().map(|(regex, cache)| search(regex, cache));
        let now = entry.measure();
        let before = std::mem::replace(&mut entry.bytes, now);
        self.bytes = self.bytes + now - before;
        while self.bytes > COMPILED_BYTES && self.entries.len() > 1 {
            self.evict();
        }
        found
    }

    fn evict(&mut self) {
        let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(id, _)| *id);
        if let Some(entry) = oldest.and_then(|id| self.entries.remove(&id)) {
            self.bytes -= entry.bytes;
        }
    }
}

/// The evaluation of one message, with its remaining fuel and its flags.
pub(crate) struct Run<'p> {
    patterns: &'p Patterns,
    compiled: MutexGuard<'p, Compiled>,
    fuel: Fuel,
    /// The remaining fuel of [`LONG_TEXTS`].
    long: Fuel,
    /// Whether a pattern searched only the beginning of a text.
    cut: bool,
    flags: Vec<Flag>,
    failures: u32,
}

impl Run<'_> {
    pub(crate) fn refuel(&mut self, fuel: Fuel) {
        self.fuel = fuel;
    }

    /// Takes the fuel for the following work.
    pub(crate) fn charge(&mut self, work: Fuel) -> Result<(), OutOfFuel> {
        match self.fuel.checked_sub(work) {
            Some(left) => {
                self.fuel = left;
                Ok(())
            }
            None => {
                self.flag(Flag::RulesTimeExceeded);
                Err(OutOfFuel)
            }
        }
    }

    /// Runs an evaluation that only explains. Fuel and flags are restored afterwards.
    pub(crate) fn aside<T>(&mut self, fuel: Fuel, ask: impl FnOnce(&mut Self) -> T) -> T {
        let (left, flags, failures) = (std::mem::replace(&mut self.fuel, fuel), self.flags.len(), self.failures);
        let long = std::mem::replace(&mut self.long, LONG_TEXTS);
        let found = ask(self);
        self.flags.truncate(flags); // flags are only appended
        (self.fuel, self.long, self.failures) = (left, long, failures);
        found
    }

    /// Runs an evaluation. Also returns whether a pattern searched only the beginning of a text.
    pub(crate) fn noting_cuts<T>(&mut self, ask: impl FnOnce(&mut Self) -> T) -> (T, bool) {
        self.cut = false;
        let answer = ask(self);
        (answer, self.cut)
    }

    pub(crate) fn flag(&mut self, flag: Flag) {
        if !self.flags.contains(&flag) {
            self.flags.push(flag);
        }
    }

    /// The number of searches with a pattern that does not compile.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    pub(crate) fn into_flags(mut self) -> Vec<Flag> {
        std::mem::take(&mut self.flags)
    }

    /// Whether the pattern occurs in the text. A pattern that does not compile never occurs.
    pub(crate) fn is_match(&mut self, id: PatternId, text: &str) -> Result<bool, OutOfFuel> {
        let pattern = self.patterns.get(id);
        let is_whole = is_long(text) && self.takes_long(pattern.search_cost(text));
        let input = if is_whole { Input::new(text) } else { self.beginning(text) };
        if !is_whole {
            self.charge(pattern.search_cost(&text[input.get_range()]))?;
        }
        let input = input.earliest(true);
        let found = self.search(id, |regex, cache| regex.search_half_with(cache, &input).is_some());
        Ok(found.unwrap_or(false))
    }

    /// The first capture group of the first match, or the whole match if the pattern has no group.
    pub(crate) fn extract<'t>(&mut self, id: PatternId, text: &'t str) -> Result<Option<&'t str>, OutOfFuel> {
        let pattern = self.patterns.get(id);
        let (work, both_ways) = (pattern.extraction_cost(text), 2 * text.len() as u64);
        if is_long(text) && both_ways < work && pattern.is_walked_back(text) && self.takes_long(both_ways) {
            // First finds the match, with one look-up per byte in each direction. Then finds the groups, only within
            // the match.
            let found = self.search(id, |regex, cache| regex.search_with(cache, &Input::new(text))).flatten();
            let Some(found) = found else { return Ok(None) };
            if self.takes_long(pattern.extraction_cost(&text[found.range()])) {
                return Ok(self.captured(id, text, Input::new(text).range(found.range()).anchored(Anchored::Yes)));
            }
        } else if is_long(text) && self.takes_long(work) {
            return Ok(self.captured(id, text, Input::new(text)));
        }
        let input = self.beginning(text);
        self.charge(pattern.extraction_cost(&text[input.get_range()]))?;
        Ok(self.captured(id, text, input))
    }

    fn captured<'t>(&mut self, id: PatternId, text: &'t str, input: Input<'_>) -> Option<&'t str> {
        let found = self.search(id, |regex, cache| {
            let group = usize::from(regex.captures_len() > 1);
            let mut slots: [Option<NonMaxUsize>; 4] = [None; 4];
            regex.search_slots_with(cache, &input, &mut slots[..2 * (group + 1)])?;
            Some(slots[2 * group]?.get()..slots[2 * group + 1]?.get())
        });
        found.flatten().and_then(|range| text.get(range))
    }

    /// Takes the fuel for searching a long text whole, if enough is left.
    fn takes_long(&mut self, work: Fuel) -> bool {
        let left = self.long.checked_sub(work);
        self.long = left.unwrap_or(self.long);
        left.is_some()
    }

    /// The first 8 KiB of the text, with a flag if the text is longer. The rest is only context: `$` does not match at
    /// the cut.
    fn beginning<'t>(&mut self, text: &'t str) -> Input<'t> {
        if is_long(text) {
            self.cut = true;
            self.flag(Flag::TextCut);
        }
        Input::new(text).range(..text.floor_char_boundary(limits::REGEX_TEXT_BYTES))
    }

    fn search<T>(&mut self, id: PatternId, search: impl FnOnce(&Regex, &mut Cache) -> T) -> Option<T> {
        let found = self.compiled.with(id, self.patterns.get(id), search);
        if found.is_none() {
            self.failures += 1;
            self.flag(Flag::BadRule);
        }
        found
    }
}

fn is_long(text: &str) -> bool {
    text.len() > limits::REGEX_TEXT_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    // Proves: fault 88
    #[test]
    fn the_cache_is_bounded_by_bytes() {
        let mut patterns = Patterns::default();
        let ids: Vec<_> = (0..60).map(|n| patterns.add(&format!("/{n}(?:\\w{{4}}|\\pL)x/")).expect("valid")).collect();
        let mut run = patterns.run();
        for id in &ids {
            run.refuel(1_000_000);
            run.is_match(*id, "9abcdx").expect("enough fuel");
        }
        drop(run);
        assert!(patterns.compiled_bytes() <= COMPILED_BYTES, "{}", patterns.compiled_bytes());
        assert!(patterns.lock().entries.len() < ids.len(), "something was evicted");
    }

    #[test]
    fn a_search_that_would_cost_too_much_is_not_started() {
        let mut patterns = Patterns::default();
        let id = patterns.add("/x[ab]{60}/").expect("valid");
        let mut run = patterns.run();
        run.refuel(1_000);
        assert_eq!(run.is_match(id, &"ab".repeat(1_000)), Err(OutOfFuel));
        assert_eq!(run.into_flags(), [Flag::RulesTimeExceeded]);
    }

    // Proves: finding C6
    #[test]
    fn a_text_of_any_length_is_searched_whole() {
        let mut patterns = Patterns::default();
        let (late, end) = (patterns.add("/late/").expect("valid"), patterns.add("/告$/").expect("valid"));
        let (host, word) =
            (patterns.add(r"/host=(\S+)/").expect("valid"), patterns.add(r"/db-1 (\w+)/").expect("valid"));
        let mut run = patterns.run();
        run.refuel(1_000_000);
        let text = format!("{} host=db-1 late", "告".repeat(80_000));
        assert_eq!(run.is_match(late, &text), Ok(true));
        assert_eq!(run.is_match(end, &text), Ok(false));
        assert_eq!(run.is_match(end, text.trim_end_matches(|c| c != '告')), Ok(true));
        assert!(run.into_flags().is_empty());
        for (id, found) in [(host, "db-1"), (word, "late")] {
            let mut run = patterns.run();
            assert_eq!(run.extract(id, &text), Ok(Some(found)));
            assert!(run.into_flags().is_empty());
        }
    }

    // Proves: finding C6
    #[test]
    fn a_slow_pattern_looks_at_the_first_8_kib_and_says_so_and_so_do_many_at_a_long_text() {
        let mut patterns = Patterns::default();
        let slow = patterns.add("/[ab]*a[ab]{300}!late/").expect("valid");
        let many: Vec<_> = (0..40).map(|n| patterns.add(&format!("/late{n}!/")).expect("valid")).collect();
        let text = format!("{}!late39!", "ab".repeat(100_000));
        let mut run = patterns.run();
        run.refuel(10_000_000);
        assert_eq!(run.is_match(slow, &text), Ok(false));
        assert_eq!(run.into_flags(), [Flag::TextCut]);
        let mut run = patterns.run();
        run.refuel(1_000_000);
        let found: Vec<_> = many.iter().map(|id| run.is_match(*id, &text)).collect();
        assert!(found[..31].iter().all(|found| *found == Ok(false)), "{found:?}");
        assert_eq!(found[39], Ok(false), "what reading whole may cost is spent");
        assert_eq!(run.into_flags(), [Flag::TextCut]);
    }
}
