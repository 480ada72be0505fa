//! The engine of templates that people write: minijinja, restricted so that a template cannot use too much time or
//! memory.
//!
//! A [`Dialect`] defines what one kind of template may contain. No dialect has `set`, macros, includes or `*` (which
//! repeats texts), so no text can grow by doubling. The only filters are [`FILTERS`]. A rendering is limited in
//! instructions, in bytes that filters read, and in bytes of output. A variable that is not set cannot be printed, only
//! tested (`{% if labels.rack %}`, `labels.rack|default("?")`).

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value, filters};

use crate::base::limits;

/// The most bytes of an intermediate text.
const INTERMEDIATE_BYTES: usize = 64 * 1024;

pub const FILTERS: [&str; 8] = ["upper", "lower", "capitalize", "trim", "default", "length", "replace", "truncate"];

/// The constructs that one kind of template may contain, with their limits.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// The variables that a template can use. Other names are refused when a template is read.
    pub visible: &'static [&'static str],
    /// The words that may follow `{%`.
    pub statements: &'static [&'static str],
    /// Whether `~` and `+` may join texts. A dialect with loops must not allow this, because a loop could join
    /// repeatedly.
    pub joins: bool,
    /// The most bytes of one template as typed.
    pub source_bytes: usize,
    /// The most outputs, filters and concatenations of one template.
    pub operations: u64,
    /// The most instructions of one rendering.
    pub instructions: u64,
    /// The most bytes of a rendered text.
    pub output_bytes: usize,
}

/// The templates of one dialect, by name.
#[derive(Debug)]
pub struct Sandbox {
    environment: Environment<'static>,
    dialect: Dialect,
}

/// The reason why a template rendered no text, or only a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The template ran for too long.
    Looped,
    /// The output was too long. `text`: the part within the limit.
    Grew { text: String },
    /// Rendering failed. `what`: the engine's error kind, without any value of a variable.
    Failed { line: Option<usize>, what: String },
}

impl Sandbox {
    /// Makes a sandbox. `work`: the bytes that filters may read, in all renderings together.
    pub fn new(dialect: Dialect, work: u64) -> Self {
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_fuel(Some(dialect.instructions));
        add_filters(&mut environment, &Work(Arc::new(AtomicU64::new(work))));
        Self { environment, dialect }
    }

    /// Adds a template. `source` is the text as a person typed it, which is checked; `prepared` is the text for the
    /// engine. Returns the number of its operations. The error is a sentence for that person.
    pub fn add(&mut self, name: &str, source: &str, prepared: String) -> Result<u64, String> {
        let Dialect { source_bytes, visible, .. } = self.dialect;
        if source.len() > source_bytes {
            return Err(format!("longer than {source_bytes} bytes"));
        }
        let operations = self.dialect.survey(source)?;
        self.environment.add_template_owned(name.to_owned(), prepared).map_err(|error| explain(&error))?;
        let template = self.environment.get_template(name).map_err(|error| explain(&error))?;
        let mut unknown: Vec<_> = template.undeclared_variables(false).into_iter().collect();
        unknown.retain(|name| !visible.contains(&name.as_str()));
        unknown.sort_unstable();
        match unknown.first() {
            Some(unknown) => Err(format!("{unknown} is unknown; a template sees {}", visible.join(", "))),
            None => Ok(operations),
        }
    }

    pub fn render(&self, name: &str, context: Value) -> Result<String, Trouble> {
        let mut output = Bounded { text: String::new(), full: false, max: self.dialect.output_bytes };
        let rendered = self
            .environment
            .get_template(name)
            .and_then(|template| template.render_captured_to(context, &mut output).map(drop));
        match rendered {
            Ok(()) => Ok(output.text),
            Err(_) if output.full => Err(Trouble::Grew { text: output.text }),
            Err(error) if error.kind() == ErrorKind::OutOfFuel => Err(Trouble::Looped),
            Err(error) => Err(Trouble::Failed { line: error.line(), what: error.kind().to_string() }),
        }
    }
}

/// The number of bytes that filters may still read.
#[derive(Debug, Clone)]
struct Work(Arc<AtomicU64>);

impl Work {
    /// Returns the text, if enough bytes are left to read it.
    fn on<'t>(&self, text: &'t str) -> Result<&'t str, Error> {
        if text.len() > INTERMEDIATE_BYTES {
            return Err(Error::new(ErrorKind::InvalidOperation, "the text is too long for a filter"));
        }
        self.take(text.len()).map(|()| text)
    }

    fn take(&self, bytes: usize) -> Result<(), Error> {
        let take = |left: u64| left.checked_sub(bytes as u64);
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken.map(drop).map_err(|_| ErrorKind::OutOfFuel.into())
    }
}

fn add_filters(environment: &mut Environment<'static>, work: &Work) {
    let on = || work.clone();
    let work = on();
    environment.add_filter("upper", move |text: &str| work.on(text).map(str::to_uppercase));
    let work = on();
    environment.add_filter("lower", move |text: &str| work.on(text).map(str::to_lowercase));
    let work = on();
    environment.add_filter("capitalize", move |text: &str| work.on(text).map(capitalize));
    let work = on();
    environment.add_filter("trim", move |text: &str| work.on(text).map(|text| text.trim().to_owned()));
    environment.add_filter("default", filters::default);
    environment.add_filter("length", filters::length);
    let work = on();
    environment.add_filter("replace", move |text: &str, from: &str, to: &str| replace(&work, text, from, to));
    let work = on();
    let truncate = move |text: &str, length: usize| work.on(text).map(|text| limits::cut_chars(text, length));
    environment.add_filter("truncate", truncate);
}

fn capitalize(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

fn replace(work: &Work, text: &str, from: &str, to: &str) -> Result<String, Error> {
    let times = if from.is_empty() { text.len() + 1 } else { text.len() / from.len() };
    if work.on(text)?.len() + times.saturating_mul(to.len()) > INTERMEDIATE_BYTES {
        return Err(Error::new(ErrorKind::InvalidOperation, "the replaced text would be too long"));
    }
    let replaced = text.replace(from, to);
    work.take(replaced.len())?;
    Ok(replaced)
}

fn explain(error: &Error) -> String {
    let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    match error.line() {
        Some(line) => format!("not a valid template, in line {line}: {what}"),
        None => format!("not a valid template: {what}"),
    }
}

impl Dialect {
    /// Counts the operations of a template, and refuses constructs that could make its output grow.
    fn survey(&self, source: &str) -> Result<u64, String> {
        let mut rest = source;
        let mut operations = 0;
        while let Some(start) = rest.find('{') {
            let (mark, after) = rest[start..].split_at_checked(2).unwrap_or((&rest[start..], ""));
            rest = match mark {
                "{{" => {
                    operations += 1;
                    self.expression(after, "}}", &mut operations)?
                }
                "{%" => self.expression(self.statement(after)?, "%}", &mut operations)?,
                "{#" => after.split_once("#}").map_or("", |(_, rest)| rest),
                _ => &rest[start + 1..],
            };
        }
        if operations > self.operations {
            return Err(format!("more than {} outputs, filters and concatenations", self.operations));
        }
        Ok(operations)
    }

    /// Checks the first word after `{%`. Returns the text after it.
    fn statement<'s>(&self, after: &'s str) -> Result<&'s str, String> {
        let (word, rest) = word(after.trim_start_matches(['-', '+']));
        if self.statements.contains(&word) {
            return Ok(rest);
        }
        Err(format!("the statement {word:?} is not available; these are: {}", self.statements.join(", ")))
    }

    /// Checks an expression. Returns the text after its end.
    fn expression<'s>(&self, source: &'s str, end: &str, operations: &mut u64) -> Result<&'s str, String> {
        let mut rest = source;
        loop {
            if let Some(after) = rest.strip_prefix(end) {
                return Ok(after);
            }
            let Some(character) = rest.chars().next() else { return Ok("") };
            let at = rest;
            rest = &rest[character.len_utf8()..];
            match character {
                '"' | '\'' => rest = after_string(rest, character),
                '*' => return Err("the operator * is not available".to_owned()),
                // The braces of a dictionary would hide the end of the expression.
                '{' => return Err("dictionaries are not available".to_owned()),
                '~' | '+' if !self.joins => {
                    return Err(format!("the operator {character} is not available; write one text behind the other"));
                }
                '~' | '+' => *operations += 1,
                '|' => {
                    *operations += 1;
                    let (name, _) = word(rest);
                    if !FILTERS.contains(&name) {
                        return Err(format!("the filter {name:?} is unknown; these are known: {}", FILTERS.join(", ")));
                    }
                }
                // A `recursive` loop would keep its output in memory, so whole words are checked.
                c if is_name(c) => {
                    let (name, after) = word(at);
                    if name == "recursive" {
                        return Err("recursive loops are not available".to_owned());
                    }
                    rest = after;
                }
                _ => {}
            }
        }
    }
}

/// The word at the beginning, and the text after it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_at(text.find(|c: char| !is_name(c)).unwrap_or(text.len()))
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn after_string(mut rest: &str, quote: char) -> &str {
    while let Some(at) = rest.find(['\\', quote]) {
        let escaped = rest[at..].starts_with('\\');
        rest = &rest[at + 1..];
        if !escaped {
            return rest;
        }
        rest = rest.chars().next().map_or("", |next| &rest[next.len_utf8()..]);
    }
    ""
}

/// A writer that accepts a limited number of bytes.
#[derive(Debug)]
struct Bounded {
    text: String,
    full: bool,
    max: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        let room = text.floor_char_boundary(self.max - self.text.len());
        self.text.push_str(&text[..room]);
        self.full |= room < text.len();
        if self.full { Err(io::Error::other("the output is full")) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    const LOOPS: Dialect = Dialect {
        visible: &["list", "text"],
        statements: &["if", "elif", "else", "endif", "for", "endfor"],
        joins: false,
        source_bytes: 1000,
        operations: 50,
        instructions: 1000,
        output_bytes: 100,
    };

    fn render(source: &str, work: u64) -> Result<String, Trouble> {
        let mut sandbox = Sandbox::new(LOOPS, work);
        sandbox.add("t", source, source.to_owned()).expect("a valid template");
        sandbox.render("t", context! { list => vec![1, 2, 3], text => "abc告" })
    }

    fn failed(line: usize, what: &str) -> Trouble {
        Trouble::Failed { line: Some(line), what: what.to_owned() }
    }

    #[test]
    fn instructions_work_and_output_are_bounded_and_each_end_has_its_name() {
        let loops = |depth: usize, body: &str| {
            format!("{}{body}{}", "{% for x in list %}".repeat(depth), "{% endfor %}".repeat(depth))
        };
        let (long, wide) = ("x".repeat(100), "abc告".repeat(16) + "abc");
        let full = |text: &str| Err(Trouble::Grew { text: text.to_owned() });
        let rows = [
            (loops(1, "{{ x }},"), 0, Ok("1,2,3,".to_owned())),
            (loops(9, ""), 0, Err(Trouble::Looped)),
            (long.clone(), 0, Ok(long.clone())),
            (format!("{long}x"), 0, full(&long)),
            (loops(4, "{{ text }}"), 0, full(&wide)),
            ("{{ text|upper }}".to_owned(), 6, Ok("ABC告".to_owned())),
            ("{{ text|upper }}".to_owned(), 5, Err(Trouble::Looped)),
            ("{{ text|replace('a', 'aaa') }}".to_owned(), 13, Err(Trouble::Looped)),
            ("ok\n{{ text.nothing }}".to_owned(), 0, Err(failed(2, "undefined value"))),
            ("{{ text - 1 }}".to_owned(), 0, Err(failed(1, "invalid operation"))),
        ];
        for (source, work, expected) in rows {
            assert_eq!(render(&source, work), expected, "{source}");
        }
    }

    #[test]
    fn what_could_grow_unseen_is_refused_when_it_is_read() {
        for (source, problem) in [
            ("{{ text ~ text }}", "the operator ~ is not available"),
            ("{{ text + text }}", "the operator + is not available"),
            ("{% for x in list recursive %}{{ loop(list) }}{% endfor %}", "recursive loops are not available"),
            ("{% set y = text %}", "the statement \"set\" is not available"),
            ("{% filter upper %}{% endfilter %}", "the statement \"filter\" is not available"),
            ("{% include 'x' %}", "the statement \"include\" is not available"),
            ("{{ nothing }}", "nothing is unknown; a template sees list, text"),
            ("{% for x in list %}", "not a valid template"),
        ] {
            let error = Sandbox::new(LOOPS, 0).add("t", source, source.to_owned()).expect_err(source);
            assert!(error.contains(problem), "{source}: {error}");
        }
    }
}
