//! The patterns of one integration, compiled when a text first needs them, and the work that one message may make.
//!
//! - Compiled patterns live in a cache bounded by bytes ([`COMPILED_BYTES`]); the one unused for longest leaves first.
//! - Work is counted, not timed: steps over bytes of text, known before a search starts (`cost.rs`). So the decision
//!   about a message depends on the message and its rules alone: a redelivery to a cold or throttled process decides the
//!   same, where a clock would not. A step costs at most 2.6 ns, so the fuel of one message, ten million steps, is the
//!   25 ms of [`limits::RULES_TIME`]; ordinary rules use a hundredth of it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use regex_automata::Input;
use regex_automata::meta::{Cache, Regex};
use regex_automata::util::primitives::NonMaxUsize;

use crate::limits;
use crate::pattern::{Pattern, PatternError};
use crate::policy::Flag;

/// Bytes of compiled patterns with their search caches that one integration keeps.
pub const COMPILED_BYTES: usize = 16 * 1024 * 1024;
/// Bytes that the patterns of one integration may compile to, together, when they are saved: a hundred with a `\w`
/// each. Compiling that much takes some 25 ms, which the first messages after a cold start wait for.
pub const SAVED_BYTES: usize = 6 * 1024 * 1024;

/// Work allowed, in steps.
pub(crate) type Fuel = u64;

/// More work than allowed: what was asked cannot be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfFuel;

/// A pattern of [`Patterns`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PatternId(usize);

/// All patterns of one integration, each once however often it is used.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    /// Bytes compiled so far, if every pattern is to be compiled on the spot, to see whether it can be.
    checked: Option<usize>,
    all: Vec<Pattern>,
    ids: HashMap<String, PatternId>,
    compiled: Mutex<Compiled>,
}

impl Patterns {
    /// Patterns of an integration that is about to be saved.
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

    /// Whether its flags are known. Asked only of what is about to be saved: what is stored means what it meant.
    pub(crate) fn check_flags(&self, typed: &str) -> Result<(), PatternError> {
        if self.checked.is_some() { Pattern::check_flags(typed) } else { Ok(()) }
    }

    pub(crate) fn get(&self, id: PatternId) -> &Pattern {
        &self.all[id.0]
    }

    /// Bytes of what is compiled now.
    pub(crate) fn compiled_bytes(&self) -> usize {
        self.lock().bytes
    }

    pub(crate) fn run(&self) -> Run<'_> {
        Run { patterns: self, compiled: self.lock(), fuel: 0, flags: Vec::new(), failures: 0 }
    }

    fn lock(&self) -> MutexGuard<'_, Compiled> {
        // A panic while searching leaves at worst a pattern to compile again.
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
    /// `None`: it does not compile. Found out at save time, unless it was stored by an older version.
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
    /// Searches with the compiled pattern, and accounts for what its cache has grown.
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

/// The judging of one message: what it may still cost, and what is to be said about it.
pub(crate) struct Run<'p> {
    patterns: &'p Patterns,
    compiled: MutexGuard<'p, Compiled>,
    fuel: Fuel,
    flags: Vec<Flag>,
    failures: u32,
}

impl Run<'_> {
    pub(crate) fn refuel(&mut self, fuel: Fuel) {
        self.fuel = fuel;
    }

    /// Takes the work of something that is about to be done.
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

    /// Asks something that only explains: what may still be spent and what is to be said are afterwards as before.
    pub(crate) fn aside<T>(&mut self, fuel: Fuel, ask: impl FnOnce(&mut Self) -> T) -> T {
        let (left, flags, failures) = (std::mem::replace(&mut self.fuel, fuel), self.flags.len(), self.failures);
        let found = ask(self);
        self.flags.truncate(flags); // they are only ever added
        (self.fuel, self.failures) = (left, failures);
        found
    }

    pub(crate) fn flag(&mut self, flag: Flag) {
        if !self.flags.contains(&flag) {
            self.flags.push(flag);
        }
    }

    /// How often a pattern was asked that does not compile.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    pub(crate) fn into_flags(mut self) -> Vec<Flag> {
        std::mem::take(&mut self.flags)
    }

    /// Whether the pattern occurs in the text. A pattern that does not compile occurs nowhere.
    pub(crate) fn is_match(&mut self, id: PatternId, text: &str) -> Result<bool, OutOfFuel> {
        let input = self.input(text);
        self.charge(self.patterns.get(id).search_cost(&text[input.get_range()]))?;
        let input = input.earliest(true);
        let found = self.search(id, |regex, cache| regex.search_half_with(cache, &input).is_some());
        Ok(found.unwrap_or(false))
    }

    /// The first capture group of the first match, or the whole match if the pattern has no group.
    pub(crate) fn extract<'t>(&mut self, id: PatternId, text: &'t str) -> Result<Option<&'t str>, OutOfFuel> {
        let input = self.input(text);
        self.charge(self.patterns.get(id).extraction_cost(&text[input.get_range()]))?;
        let found = self.search(id, |regex, cache| {
            let group = usize::from(regex.captures_len() > 1);
            let mut slots: [Option<NonMaxUsize>; 4] = [None; 4];
            regex.search_slots_with(cache, &input, &mut slots[..2 * (group + 1)])?;
            Some(slots[2 * group]?.get()..slots[2 * group + 1]?.get())
        });
        Ok(found.flatten().and_then(|range| text.get(range)))
    }

    /// The text's first 8 KiB. What stands behind them is seen as context only: `$` does not match at the cut.
    fn input<'t>(&mut self, text: &'t str) -> Input<'t> {
        if text.len() > limits::REGEX_TEXT_BYTES {
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

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_regex_looks_at_the_first_8_kib_and_says_so() {
        let mut patterns = Patterns::default();
        let (late, end) = (patterns.add("/late/").expect("valid"), patterns.add("/告$/").expect("valid"));
        let mut run = patterns.run();
        run.refuel(1_000_000);
        let text = format!("{} late", "告".repeat(4_000));
        assert_eq!(run.is_match(late, &text), Ok(false));
        assert_eq!(run.is_match(end, &text), Ok(false), "the cut is not the end");
        assert_eq!(run.into_flags(), [Flag::TextCut]);
    }
}
