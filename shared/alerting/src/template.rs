//! Templates of the pipeline: `{{ labels.host }}: {{ title|upper }}{% if severity == "Critical" %} !{% endif %}`.
//!
//! They see `title`, `description`, `content`, `severity` and `labels` (`labels.host`, `labels["card_color"]`) and
//! nothing else; anything else is refused when it is saved. A label that is not set cannot be printed: the step is then
//! skipped and flagged, or written `{{ labels.host|default("?") }}`.
//!
//! The language is minijinja's, reduced to what runs in time proportional to its length: output, `if`, and a few
//! filters. No loops, no `set`, no macros, no `*` (which repeats texts), so nothing can grow by doubling.
//! Limits: [`SOURCE_BYTES`], [`OPERATIONS`], each text seen up to 8 KiB, output up to [`OUTPUT_BYTES`].

use std::io;

use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value, context, filters};

use crate::compiled::{OutOfFuel, Run};
use crate::limits;
use crate::matcher::View;

/// Bytes of one template as typed.
pub const SOURCE_BYTES: usize = 2048;
/// Outputs, filters and concatenations of one template.
pub const OPERATIONS: u64 = 64;
/// Bytes of a rendered text; twice what is kept of a description, so that the cut is seen.
pub const OUTPUT_BYTES: usize = 2 * limits::DESCRIPTION_BYTES;
/// Bytes of a text in between.
const INTERMEDIATE_BYTES: usize = 64 * 1024;
/// Instructions of one rendering. [`SOURCE_BYTES`] cannot hold as many.
const INSTRUCTIONS: u64 = 10_000;

const VISIBLE: [&str; 5] = ["title", "description", "content", "severity", "labels"];
const STATEMENTS: [&str; 4] = ["if", "elif", "else", "endif"];
const FILTERS: [&str; 8] = ["upper", "lower", "capitalize", "trim", "default", "length", "replace", "truncate"];

/// The templates of one integration.
#[derive(Debug)]
pub(crate) struct Templates {
    environment: Environment<'static>,
    count: usize,
}

/// One of [`Templates`].
#[derive(Debug)]
pub(crate) enum Template {
    /// Nothing to fill in.
    Text(String),
    Named {
        name: String,
        operations: u64,
    },
}

/// Why a template gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RenderError {
    OutOfFuel,
    Failed,
}

impl Templates {
    pub(crate) fn new() -> Self {
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_fuel(Some(INSTRUCTIONS));
        environment.add_filter("upper", |text: &str| bounded(text).map(str::to_uppercase));
        environment.add_filter("lower", |text: &str| bounded(text).map(str::to_lowercase));
        environment.add_filter("capitalize", |text: &str| bounded(text).map(capitalize));
        environment.add_filter("trim", filters::trim);
        environment.add_filter("default", filters::default);
        environment.add_filter("length", filters::length);
        environment.add_filter("replace", replace);
        environment
            .add_filter("truncate", |text: &str, length: usize| bounded(text).map(|t| limits::cut_chars(t, length)));
        Self { environment, count: 0 }
    }

    /// Reads a template; the error is a sentence for the person who typed it.
    pub(crate) fn add(&mut self, source: &str) -> Result<Template, String> {
        if source.len() > SOURCE_BYTES {
            return Err(format!("longer than {SOURCE_BYTES} bytes"));
        }
        if !is_template(source) {
            return Ok(Template::Text(source.to_owned()));
        }
        let operations = survey(source)?;
        let name = self.count.to_string();
        self.environment.add_template_owned(name.clone(), source.to_owned()).map_err(|error| explain(&error))?;
        let template = self.environment.get_template(&name).map_err(|error| explain(&error))?;
        let mut unknown: Vec<_> = template.undeclared_variables(false).into_iter().collect();
        unknown.retain(|name| !VISIBLE.contains(&name.as_str()));
        unknown.sort_unstable();
        if let Some(unknown) = unknown.first() {
            return Err(format!("{unknown} is unknown; a template sees {}", VISIBLE.join(", ")));
        }
        self.count += 1;
        Ok(Template::Named { name, operations })
    }

    pub(crate) fn render(
        &self,
        template: &Template,
        view: &View<'_>,
        run: &mut Run<'_>,
    ) -> Result<String, RenderError> {
        let (name, operations) = match template {
            Template::Text(text) => return Ok(text.clone()),
            Template::Named { name, operations } => (name, operations),
        };
        run.charge(visible_bytes(view) as u64 * operations).map_err(|OutOfFuel| RenderError::OutOfFuel)?;
        let template = self.environment.get_template(name).map_err(|_| RenderError::Failed)?;
        let mut output = Bounded::default();
        match template.render_captured_to(context(view), &mut output) {
            Err(_) if !output.full => Err(RenderError::Failed),
            // What did not fit is cut off, and seen to be: the limits of title, description and label are lower.
            _ => Ok(output.text),
        }
    }
}

/// Whether there is anything to fill in.
pub(crate) fn is_template(source: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| source.contains(mark))
}

fn context(view: &View<'_>) -> Value {
    context! {
        title => seen(view.title),
        description => seen(view.description),
        content => seen(view.content),
        severity => view.severity.as_str(),
        labels => Value::from_pairs(view.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()))),
    }
}

fn seen(text: &str) -> &str {
    &text[..text.floor_char_boundary(limits::REGEX_TEXT_BYTES)]
}

fn visible_bytes(view: &View<'_>) -> usize {
    let texts = [view.title, view.description, view.content].map(|text| seen(text).len()).iter().sum::<usize>();
    texts + view.labels.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
}

fn bounded(text: &str) -> Result<&str, Error> {
    if text.len() > INTERMEDIATE_BYTES {
        return Err(Error::new(ErrorKind::InvalidOperation, "the text is too long for a filter"));
    }
    Ok(text)
}

fn capitalize(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

fn replace(text: &str, from: &str, to: &str) -> Result<String, Error> {
    let times = if from.is_empty() { text.len() + 1 } else { text.len() / from.len() };
    if bounded(text)?.len() + times.saturating_mul(to.len()) > INTERMEDIATE_BYTES {
        return Err(Error::new(ErrorKind::InvalidOperation, "the replaced text would be too long"));
    }
    Ok(text.replace(from, to))
}

fn explain(error: &Error) -> String {
    let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    match error.line() {
        Some(line) => format!("not a valid template, in line {line}: {what}"),
        None => format!("not a valid template: {what}"),
    }
}

/// Counts the operations of a template, and refuses what could make it grow.
fn survey(source: &str) -> Result<u64, String> {
    let mut rest = source;
    let mut operations = 0;
    while let Some(start) = rest.find('{') {
        let (mark, after) = rest[start..].split_at_checked(2).unwrap_or((&rest[start..], ""));
        rest = match mark {
            "{{" => {
                operations += 1;
                expression(after, "}}", &mut operations)?
            }
            "{%" => expression(statement(after)?, "%}", &mut operations)?,
            "{#" => after.split_once("#}").map_or("", |(_, rest)| rest),
            _ => &rest[start + 1..],
        };
    }
    if operations > OPERATIONS {
        return Err(format!("more than {OPERATIONS} outputs, filters and concatenations"));
    }
    Ok(operations)
}

/// Checks the word that a `{%` starts with; returns what follows it.
fn statement(after: &str) -> Result<&str, String> {
    let after = after.trim_start_matches(['-', '+']).trim_start();
    let end = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
    let (word, rest) = after.split_at(end);
    if STATEMENTS.contains(&word) {
        return Ok(rest);
    }
    Err(format!("the statement {word:?} is not available; these are: {}", STATEMENTS.join(", ")))
}

/// Checks an expression; returns what follows its end.
fn expression<'s>(source: &'s str, end: &str, operations: &mut u64) -> Result<&'s str, String> {
    let mut rest = source;
    loop {
        if let Some(after) = rest.strip_prefix(end) {
            return Ok(after);
        }
        let Some(character) = rest.chars().next() else { return Ok("") };
        rest = &rest[character.len_utf8()..];
        match character {
            '"' | '\'' => rest = after_string(rest, character),
            '*' => return Err("the operator * is not available".to_owned()),
            // A dictionary's braces would hide where the expression ends.
            '{' => return Err("dictionaries are not available".to_owned()),
            '~' | '+' => *operations += 1,
            '|' => {
                *operations += 1;
                let name = rest.trim_start();
                let name = &name[..name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len())];
                if !FILTERS.contains(&name) {
                    return Err(format!("the filter {name:?} is unknown; these are known: {}", FILTERS.join(", ")));
                }
            }
            _ => {}
        }
    }
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

/// Takes [`OUTPUT_BYTES`] and refuses more.
#[derive(Debug, Default)]
struct Bounded {
    text: String,
    full: bool,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        let room = text.floor_char_boundary(OUTPUT_BYTES - self.text.len());
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
    use std::time::{Duration, Instant};

    use super::*;
    use crate::compiled::Patterns;
    use crate::severity::Severity;

    fn render(source: &str, title: &str, content: &str) -> Result<String, String> {
        let mut templates = Templates::new();
        let template = templates.add(source)?;
        let labels = [("host".to_owned(), "db-1".to_owned()), ("card color".to_owned(), "red".to_owned())].into();
        let view = View { title, description: content, content, severity: Severity::Warning, labels: &labels };
        let patterns = Patterns::default();
        let mut run = patterns.run();
        run.refuel(10_000_000);
        templates.render(&template, &view, &mut run).map_err(|error| format!("{error:?}"))
    }

    #[track_caller]
    fn check(source: &str, expected: &str) {
        assert_eq!(render(source, "disk 告警", "a\nb").as_deref(), Ok(expected), "{source}");
    }

    #[test]
    fn a_template_sees_title_description_content_severity_and_labels() {
        check("plain { text } 100%", "plain { text } 100%");
        check("{{ title }}|{{ severity }}|{{ labels.host }}", "disk 告警|Warning|db-1");
        check(r#"{{ labels["card color"] }} {{ content }} {{ description|length }}"#, "red a\nb 3");
        check(
            "{{ title|upper }} {{ title|truncate(3) }} {{ ' x '|trim }} {{ 'abc'|capitalize }}",
            "DISK 告警 di… x Abc",
        );
        check("{% if 'disk' in title and severity != 'Critical' %}yes{% else %}no{% endif %}{# why #}", "yes");
        check("{{ labels.rack|default('none') }}{% if labels.rack %}!{% endif %}", "none");
        check("{{ title ~ '}}' ~ \"it's\" }}", "disk 告警}}it's");
        check("<b>{{ '<&>' }}</b>", "<b><&></b>");
        assert_eq!(render("{{ labels.rack }}", "t", "c"), Err("Failed".to_owned()));
    }

    #[test]
    fn anything_else_is_refused_when_it_is_saved() {
        for (source, problem) in [
            ("{{ tilte }}", "tilte is unknown; a template sees title, description, content, severity, labels"),
            ("{{ range(9) }}", "range is unknown"),
            ("{{ title", "not a valid template"),
            ("{% if title %}", "not a valid template"),
            ("{{ title|nope }}", "the filter \"nope\" is unknown"),
            ("{% for c in title %}{{ c }}{% endfor %}", "the statement \"for\" is not available"),
            ("{% set x = title ~ title %}{{ x }}", "the statement \"set\" is not available"),
            ("{%- macro f() %}{% endmacro %}", "the statement \"macro\" is not available"),
            ("{% raw %}{{ 'x' * 9 }}{% endraw %}", "the statement \"raw\" is not available"),
            ("{{ title * 1000000000 }}", "the operator * is not available"),
            ("{{ {'a': {'b': 1}} }}{{ title * 9 }}", "dictionaries are not available"),
            ("{{ 'a\\'' ~ title * 9 }}", "the operator * is not available"),
        ] {
            let error = render(source, "t", "c").expect_err(source);
            assert!(error.contains(problem), "{source}: {error}");
        }
        assert!(render(&"x".repeat(2049), "t", "c").expect_err("too long").contains("longer than 2048 bytes"));
        assert!(render(&"{{ title }}".repeat(65), "t", "c").expect_err("too much").contains("more than 64"));
    }

    #[test]
    fn nothing_a_template_says_stalls_or_grows() {
        let wide = format!("{{{{ {} }}}}", ["content"; 60].join("~"));
        let nested = format!("{{{{ content{} }}}}", "|upper|lower".repeat(30));
        let replaced = format!("{{{{ content{} }}}}", "|replace('a', content)".repeat(60));
        let deep = format!("{{{{ {}1{} }}}}", "(".repeat(900), ")".repeat(900));
        let content = "a".repeat(256 * 1024);
        for source in [wide, nested, replaced, deep, "{{ content }}".repeat(64)] {
            let start = Instant::now();
            let length = render(&source, "t", &content).map_or(0, |text| text.len());
            assert!(length <= OUTPUT_BYTES, "{length}");
            // Unoptimised, on a busy machine; a release build takes about 1 ms.
            assert!(start.elapsed() < Duration::from_millis(500), "{:?}: {}", start.elapsed(), &source[..60]);
        }
    }
}
