//! Templates of the pipeline: `{{ labels.host }}: {{ title|upper }}{% if severity == "Critical" %} !{% endif %}`.
//!
//! A template can use only `title`, `description`, `content`, `severity` and `labels` (`labels.host`,
//! `labels["card_color"]`). Other names are refused when the template is saved. A label that is not set cannot be
//! printed: the step is skipped and flagged, unless the template has `{{ labels.host|default("?") }}`.
//!
//! The language is that of [`crate::rules::sandbox`], reduced to constructs whose time is proportional to the
//! template's length: output, `if`, and a few filters. There are no loops, no `set`, no macros and no `*` (which
//! repeats texts), so no text can grow by doubling. Limits: [`SOURCE_BYTES`], [`OPERATIONS`], each text up to 8 KiB,
//! output up to [`OUTPUT_BYTES`].

use minijinja::{Value, context};

use crate::base::limits;
use crate::rules::compiled::{OutOfFuel, Run};
use crate::rules::matcher::View;
use crate::rules::sandbox::{Dialect, Sandbox, Trouble};

/// The most bytes of one template as typed.
pub const SOURCE_BYTES: usize = 2048;
/// The most outputs, filters and concatenations of one template.
pub const OPERATIONS: u64 = 64;
/// The most bytes of a rendered text: twice the limit of a description, so that the description is cut with a mark.
pub const OUTPUT_BYTES: usize = 2 * limits::DESCRIPTION_BYTES;

const DIALECT: Dialect = Dialect {
    visible: &["title", "description", "content", "severity", "labels"],
    statements: &["if", "elif", "else", "endif"],
    joins: true,
    source_bytes: SOURCE_BYTES,
    operations: OPERATIONS,
    // A source of the maximum length cannot have this many instructions.
    instructions: 10_000,
    output_bytes: OUTPUT_BYTES,
};

/// The templates of one integration.
#[derive(Debug)]
pub(crate) struct Templates {
    sandbox: Sandbox,
    count: usize,
}

/// One template of [`Templates`].
#[derive(Debug)]
pub(crate) enum Template {
    /// A text without anything to fill in.
    Text(String),
    Named {
        name: String,
        operations: u64,
    },
}

/// The reason why a template rendered no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RenderError {
    OutOfFuel,
    Failed,
}

impl Templates {
    pub(crate) fn new() -> Self {
        // The work of a rendering is charged to the message before it begins.
        Self { sandbox: Sandbox::new(DIALECT, u64::MAX), count: 0 }
    }

    /// Adds a template. The error is a sentence for the person who typed the template.
    pub(crate) fn add(&mut self, source: &str) -> Result<Template, String> {
        if source.len() <= SOURCE_BYTES && !is_template(source) {
            return Ok(Template::Text(source.to_owned()));
        }
        let name = self.count.to_string();
        let operations = self.sandbox.add(&name, source, source.to_owned())?;
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
        match self.sandbox.render(name, context(view)) {
            // The text is cut again with a mark, because the limits of title, description and label are lower.
            Ok(text) | Err(Trouble::Grew { text }) => Ok(text),
            Err(Trouble::Looped | Trouble::Failed { .. }) => Err(RenderError::Failed),
        }
    }
}

/// Whether the text has anything to fill in.
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::base::severity::Severity;
    use crate::rules::compiled::Patterns;

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
    fn no_template_stalls_or_grows() {
        let wide = format!("{{{{ {} }}}}", ["content"; 60].join("~"));
        let nested = format!("{{{{ content{} }}}}", "|upper|lower".repeat(30));
        let replaced = format!("{{{{ content{} }}}}", "|replace('a', content)".repeat(60));
        let deep = format!("{{{{ {}1{} }}}}", "(".repeat(900), ")".repeat(900));
        let content = "a".repeat(256 * 1024);
        for source in [wide, nested, replaced, deep, "{{ content }}".repeat(64)] {
            let start = Instant::now();
            let length = render(&source, "t", &content).map_or(0, |text| text.len());
            assert!(length <= OUTPUT_BYTES, "{length}");
            // The limit is for unoptimised code on a busy machine. A release build takes about 1 ms.
            assert!(start.elapsed() < Duration::from_millis(500), "{:?}: {}", start.elapsed(), &source[..60]);
        }
    }
}
