//! A pattern as an operator types it: bare, `/…/`, or `/…/i`.
//!
//! Every search takes linear time, because the `regex` crate uses automata. A pattern that would take long to compile
//! or to search is refused when it is saved. The error names the position in the typed pattern: `/host=(\S+/` →
//! "unclosed group, at character 7: (\S+/".
//!
//! Limits: [`limits::PATTERN_BYTES`] as typed, [`limits::PATTERN_COMPILED_BYTES`] compiled, 50 levels of nesting.

use regex_automata::meta::{Config, Regex};
use regex_syntax::ast::{self, Ast};
use regex_syntax::hir::Hir;

use crate::base::limits;
use crate::rules::cost::Cost;
use crate::rules::literals::{self, Literals};

/// The most levels of nested groups and classes. People cannot read more than ten.
const NEST_LIMIT: u32 = 50;
/// The most bytes of the lazily built automaton of one pattern during a search. Above this limit the automaton is built
/// again.
const SEARCH_CACHE_BYTES: usize = 256 * 1024;
/// The most code points whose case variants are looked up one by one under `i`, at about 5 ns each.
/// `/[\x00-\x{10FFFF}]/i` alone would take 5 ms to read.
const FOLDED_CODE_POINTS: u64 = 600_000;
/// The number of code points that is assumed for `\p{…}` in this sum; `\p{L}` has 140,000.
const CODE_POINTS_OF_A_PROPERTY: u64 = 150_000;

/// A parsed pattern, not yet compiled.
#[derive(Debug, Clone)]
pub struct Pattern {
    typed: String,
    cost: Cost,
    required: Option<Literals>,
}

/// The reason why a pattern was refused, and the position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}, at character {at}: {rest}")]
pub struct PatternError {
    pub problem: String,
    /// The position in the typed pattern, in characters, counted from 1.
    pub at: usize,
    /// The pattern from this position on.
    pub rest: String,
}

impl PatternError {
    fn new(typed: &str, byte: usize, problem: impl Into<String>) -> Self {
        let (before, after) = typed.split_at(typed.floor_char_boundary(byte.min(typed.len())));
        let rest = if after.is_empty() { "its end".to_owned() } else { limits::cut_chars(after, 24) };
        Self { problem: problem.into(), at: before.chars().count() + 1, rest }
    }
}

/// The expression of a pattern without the slashes.
struct Body<'t> {
    expression: &'t str,
    /// The number of bytes of the typed pattern before the expression.
    offset: usize,
    insensitive: bool,
}

fn body(typed: &str) -> Body<'_> {
    slashed(typed).unwrap_or(Body { expression: typed, offset: 0, insensitive: false })
}

fn slashed(typed: &str) -> Option<Body<'_>> {
    let rest = typed.strip_prefix('/')?;
    let (expression, insensitive) =
        rest.strip_suffix("/i").map(|body| (body, true)).or(rest.strip_suffix('/').map(|body| (body, false)))?;
    Some(Body { expression, offset: 1, insensitive })
}

/// Returns a pattern that matches only this text.
pub fn escape(text: &str) -> String {
    regex_syntax::escape(text)
}

impl Pattern {
    /// Whether a filter's value is a pattern: `/…/` or `/…/i` with at least one character between the slashes.
    pub fn is_slashed(value: &str) -> bool {
        slashed(value).is_some_and(|body| !body.expression.is_empty())
    }

    /// Refuses `/…/` with flags other than `i`. Without this check it would be read as a bare pattern that never
    /// matches.
    pub(crate) fn check_flags(typed: &str) -> Result<(), PatternError> {
        let Some((_, flags)) = typed.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')) else { return Ok(()) };
        let is_flags = !flags.is_empty() && flags.bytes().all(|flag| b"imsxuUgy".contains(&flag));
        if !is_flags || flags == "i" {
            return Ok(());
        }
        let problem = "the only flag is i; write others into the pattern, such as (?im)";
        Err(PatternError::new(typed, typed.len() - flags.len(), problem))
    }

    /// Parses a pattern, in less than 5 ms for any text.
    pub fn parse(typed: &str) -> Result<Self, PatternError> {
        let hir = read(typed)?;
        Ok(Self { typed: typed.to_owned(), cost: Cost::of(&hir), required: literals::required(&hir) })
    }

    /// An error about the whole pattern.
    pub(crate) fn error(&self, problem: &str) -> PatternError {
        PatternError::new(&self.typed, 0, problem)
    }

    /// The work of finding whether the pattern occurs in `text`.
    pub(crate) fn search_cost(&self, text: &str) -> u64 {
        self.cost.of_search(text, || read(&self.typed).ok())
    }

    /// The work of extracting a part of `text` with the pattern.
    pub(crate) fn extraction_cost(&self, text: &str) -> u64 {
        self.cost.of_extraction(text)
    }

    /// Whether finding the position of a match in `text` takes two look-ups per byte.
    pub(crate) fn is_walked_back(&self, text: &str) -> bool {
        self.cost.is_walked_back(text, || read(&self.typed).ok())
    }

    pub(crate) fn required(&self) -> Option<&Literals> {
        self.required.as_ref()
    }

    /// Compiles the pattern, when a text first needs it. This takes about 200 µs and 10–60 KiB.
    pub(crate) fn compile(&self) -> Result<Regex, PatternError> {
        let hir = read(&self.typed)?;
        let config = Config::new()
            .nfa_size_limit(Some(limits::PATTERN_COMPILED_BYTES))
            .onepass_size_limit(Some(limits::PATTERN_COMPILED_BYTES))
            .hybrid_cache_capacity(SEARCH_CACHE_BYTES);
        Regex::builder().configure(config).build_from_hir(&hir).map_err(|error| {
            let problem = if error.size_limit().is_some() { TOO_LARGE } else { "cannot be compiled" };
            PatternError::new(&self.typed, largest_part(&self.typed), problem)
        })
    }
}

const TOO_LARGE: &str = "compiles to more than 256 KiB (classes like \\w cover every script; [0-9A-Za-z_] or fewer \
                         repetitions take far less)";

/// The parsed form of the pattern. `None`: the pattern is refused.
pub(crate) fn hir(typed: &str) -> Option<Hir> {
    read(typed).ok()
}

fn read(typed: &str) -> Result<Hir, PatternError> {
    if typed.len() > limits::PATTERN_BYTES {
        let problem = format!("longer than {} bytes", limits::PATTERN_BYTES);
        return Err(PatternError::new(typed, limits::PATTERN_BYTES, problem));
    }
    let Body { expression, offset, insensitive } = body(typed);
    if expression.is_empty() {
        return Err(PatternError::new(typed, offset, "empty pattern"));
    }
    let ast = parse_ast(expression).map_err(|(at, problem)| PatternError::new(typed, offset + at, problem))?;
    let survey = Survey::of(&ast, insensitive);
    if survey.folds && survey.code_points > FOLDED_CODE_POINTS {
        let problem = "classes too large to ignore case in";
        return Err(PatternError::new(typed, offset + survey.largest_class.1, problem));
    }
    regex_syntax::hir::translate::TranslatorBuilder::new()
        .case_insensitive(insensitive)
        .build()
        .translate(expression, &ast)
        .map_err(|error| PatternError::new(typed, offset + error.span().start.offset, error.kind().to_string()))
}

/// Parses the syntax tree, or returns the byte offset and the description of the problem.
fn parse_ast(expression: &str) -> Result<Ast, (usize, String)> {
    let mut parser = ast::parse::ParserBuilder::new().nest_limit(NEST_LIMIT).build();
    parser.parse(expression).map_err(|error| (error.span().start.offset, error.kind().to_string()))
}

/// The position of the part that makes the pattern largest: its highest repetition, or its start.
fn largest_part(typed: &str) -> usize {
    let Body { expression, offset, insensitive } = body(typed);
    let repetition = parse_ast(expression).map_or(0, |ast| Survey::of(&ast, insensitive).largest_repetition.1);
    offset + repetition
}

/// The parts of a pattern that can make it expensive, each with its position.
#[derive(Default)]
struct Survey {
    folds: bool,
    code_points: u64,
    largest_class: (u64, usize),
    largest_repetition: (u32, usize),
}

impl Survey {
    fn of(ast: &Ast, insensitive: bool) -> Self {
        let survey = Self { folds: insensitive, ..Self::default() };
        ast::visit(ast, survey).expect("the survey never fails")
    }

    fn class(&mut self, code_points: u64, at: usize) {
        self.code_points += code_points;
        if code_points > self.largest_class.0 {
            self.largest_class = (code_points, at);
        }
    }

    fn flags(&mut self, flags: &ast::Flags) {
        self.folds |= flags.flag_state(ast::Flag::CaseInsensitive) == Some(true);
    }
}

impl ast::Visitor for Survey {
    type Output = Survey;
    type Err = std::convert::Infallible;

    fn finish(self) -> Result<Survey, Self::Err> {
        Ok(self)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
        match ast {
            Ast::Flags(set) => self.flags(&set.flags),
            Ast::Group(group) => group.flags().into_iter().for_each(|flags| self.flags(flags)),
            Ast::ClassUnicode(class) => self.class(CODE_POINTS_OF_A_PROPERTY, class.span.start.offset),
            Ast::Repetition(repetition) => {
                if let ast::RepetitionKind::Range(range) = &repetition.op.kind {
                    let times = match *range {
                        ast::RepetitionRange::Exactly(n) | ast::RepetitionRange::AtLeast(n) => n,
                        ast::RepetitionRange::Bounded(_, n) => n,
                    };
                    if times > self.largest_repetition.0 {
                        self.largest_repetition = (times, repetition.op.span.start.offset);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ast::ClassSetItem) -> Result<(), Self::Err> {
        match item {
            ast::ClassSetItem::Range(range) => {
                let width = u32::from(range.end.c).saturating_sub(range.start.c.into());
                self.class(u64::from(width) + 1, range.span.start.offset);
            }
            ast::ClassSetItem::Unicode(class) => self.class(CODE_POINTS_OF_A_PROPERTY, class.span.start.offset),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn compile(typed: &str) -> Result<Regex, PatternError> {
        Pattern::parse(typed)?.compile()
    }

    #[track_caller]
    fn refused(typed: &str, expected: &str) {
        assert_eq!(compile(typed).expect_err(typed).to_string(), expected, "{typed}");
    }

    #[test]
    fn slashed_and_bare_patterns_are_both_accepted_and_i_ignores_case() {
        for (typed, text, expected) in [
            ("/down/", "db-1 down", true),
            ("/down/", "db-1 DOWN", false),
            ("/down/i", "db-1 DOWN", true),
            ("down", "db-1 down", true),
            ("/告警/", "磁盘告警", true),
            ("/a/b/", "xa/bx", true),
            (r"/a\/b/", "xa/bx", true),
        ] {
            assert_eq!(compile(typed).expect(typed).is_match(text), expected, "{typed} on {text}");
        }
    }

    // Proves: finding C15
    #[test]
    fn flags_other_than_i_are_refused_by_name_and_a_path_is_a_path() {
        for typed in ["/x/ix", "/x/g", "/down/ii"] {
            let error = Pattern::check_flags(typed).expect_err(typed);
            assert!(error.problem.starts_with("the only flag is i"), "{error}");
        }
        for typed in ["/x/i", "/x/", "/var/log", "x/m", "/a"] {
            assert_eq!(Pattern::check_flags(typed), Ok(()), "{typed}");
        }
    }

    #[test]
    fn a_refusal_names_the_character_of_the_pattern_as_typed() {
        refused(r"/host=(\S+/", r"unclosed group, at character 7: (\S+/");
        refused(r"host=(\S+", r"unclosed group, at character 6: (\S+");
        refused("/告警[/", "unclosed character class, at character 4: [/");
        refused("/a{2,1}/", "invalid repetition count range, the start must be <= the end, at character 3: {2,1}/");
        refused(r"/\p{Nope}/i", r"Unicode property not found, at character 2: \p{Nope}/i");
        refused("", "empty pattern, at character 1: its end");
        refused("//i", "empty pattern, at character 2: /i");
        refused("(?=x)", "look-around, including look-ahead and look-behind, is not supported, at character 1: (?=x)");
        let long = format!("/{}/", "a".repeat(600));
        assert_eq!(compile(&long).expect_err("too long").at, 513);
    }

    #[test]
    fn a_pattern_that_compiles_to_too_much_is_refused_at_its_highest_repetition() {
        for (typed, at) in [(r"/\w{500}/", 4), (r"/x(a{1,100}){101}/", 13), ("/[ab]{8000}/", 6)] {
            let error = compile(typed).expect_err(typed);
            assert!(error.problem.starts_with("compiles to more than 256 KiB"), "{error}");
            assert_eq!(error.at, at, "{error}");
        }
    }

    // Proves: fault 86
    #[test]
    fn regex_bombs_are_refused_in_no_time() {
        let bombs = [
            r"/\w{500}/".to_owned(),
            r"/(((\w{10}){10}){10}){10}/".to_owned(),
            "/(a{1,100}){100}{100}/".to_owned(),
            "/((((((((((x{20}){20}){20}){20}){20}){20}){20}){20}){20}){20})/".to_owned(),
            "(".repeat(500),
            format!("{}a{}", "(".repeat(200), ")".repeat(200)),
            format!("/{}/i", r"[\x00-\x{10FFFF}]".repeat(28)),
            format!("/{}/i", r"\pL".repeat(150)),
            format!("(?i){}", r"[\pL\pN]".repeat(60)),
            "(?:){4000000000}{1000}x{4000000000}".to_owned(),
            "[".repeat(512),
        ];
        for bomb in bombs {
            let start = Instant::now();
            compile(&bomb).expect_err(&bomb);
            // The limit is 5 ms in a release build. Unoptimised code on a busy machine takes about thirty times as
            // long.
            let margin = if cfg!(debug_assertions) { 60 } else { 4 };
            assert!(start.elapsed() < Duration::from_millis(5 * margin), "{bomb} took {:?}", start.elapsed());
        }
    }
}
