use alerting::incident::notice::Notice;
use alerting::incident::timeline::EntryKind;

use super::variables::VARIABLES;
use super::*;
use crate::post::Post;
use crate::registry::NAMES;
use crate::samples::{escalated, notice, post};

fn lay_out(source: &str, notice: &Notice) -> Result<Content, Failure> {
    let notices = [notice.clone()];
    let seen = Seen::of(&notices[0], &post(&notices));
    Template::read(source)?.lay_out(&seen)
}

/// Facts as `name=value`, then blocks.
#[track_caller]
fn check(source: &str, facts: &[&str], blocks: &[&str]) {
    let content = lay_out(source, &escalated()).expect(source);
    let shown: Vec<String> = content.facts.iter().map(|fact| format!("{}={}", fact.name, fact.value)).collect();
    assert_eq!((shown, content.blocks), (facts.iter().map(ToString::to_string).collect(), owned(blocks)), "{source}");
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

#[test]
fn lines_are_facts_texts_and_ends_of_blocks() {
    check("", &[], &[""]);
    check("- Host: {{ labels.host }}\r\n{{ title }}\r\n", &["Host=db-1"], &["disk full on db-1"]);
    check("- 主机：{{ labels.host }}", &["主机=db-1"], &[""]);
    check("- URL: http://x:1", &["URL=http://x:1"], &[""]);
    check("- Rack: {{ labels.rack|default('') }}\n- item", &[], &["- item"]);
    check("a\n---\n\nb\n- Late: fact\nc\n---", &["Late=fact"], &["a", "b\nc", ""]);
    check("{% if flapping %}\n- Flaps: yes\n{% endif %}\n{# why #}\nend", &["Flaps=yes"], &["end"]);
    check("{% for name in labels %}\n{{ name }}\n{% endfor %}\nend", &[], &["host\nregion\nend"]);
    check("{% if level > 1 %}second{% else %}first{% endif %} level", &[], &["second level"]);
    check("{{ description|truncate(8)|upper }}", &[], &["USAGE I…"]);
    check(r#"{{ labels["card_color"] }} {{ kind }} {{ severity_code }}"#, &[], &["red escalated Critical"]);
}

#[test]
fn what_comes_from_outside_is_neither_fact_nor_end_of_a_block() {
    let title = format!("a{BLOCK}b{FACT}Forged: fact\n- Forged: fact");
    let description = format!("---\n- Forged: {FACT}fact{BLOCK}\n---");
    let notice = Notice { title, description, ..notice(EntryKind::Triggered) };
    let content = lay_out("{{ title }}\n---\n{{ description }}", &notice).expect("laid out");
    assert!(content.facts.is_empty(), "{content:?}");
    assert_eq!(content.blocks, ["a b Forged: fact - Forged: fact", "- Forged: fact"]);
}

#[test]
fn the_severity_is_the_fact_that_is_coloured() {
    let content = lay_out("- How bad: {{ severity }}\n- Space: {{ space }}", &escalated()).expect("laid out");
    assert_eq!(content.facts.iter().map(|fact| fact.coloured).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn facts_are_short_and_few() {
    let content = lay_out(&format!("- {}: {}\n", "n".repeat(50), "v".repeat(300)), &escalated()).expect("laid out");
    assert_eq!((content.facts[0].name.chars().count(), content.facts[0].value.chars().count()), (40, 200));
    let content = lay_out(&"- a: b\n".repeat(FACTS + 1), &escalated()).expect("laid out");
    assert_eq!((content.facts.len(), content.blocks), (FACTS, owned(&["- a: b"])));
}

// Proves: bounded
#[test]
fn a_template_that_fails_loops_or_grows_is_stopped_with_its_reason() {
    let over = |depth: usize, body: &str| {
        let start: String = (0..depth).map(|n| format!("{{% for a{n} in labels %}}")).collect();
        format!("{start}{body}{}", "{% endfor %}".repeat(depth))
    };
    let nested = "{% for a in description %}".repeat(3) + &"{% endfor %}".repeat(3);
    let filters =
        format!("{{% for a in description %}}{{% if description{} %}}{{% endif %}}{{% endfor %}}", "|upper".repeat(60));
    let grows = format!("{{% for a in description %}}{}{{% endfor %}}", "{{ description }}".repeat(60));
    let long = Notice { description: "告警 long\n".repeat(650), ..escalated() };
    let rows = [
        ("{{ labels.rack }}".to_owned(), "line 1: undefined value"),
        ("fine\n{{ title.x.y }}".to_owned(), "line 2: undefined value"),
        ("{{ title - 1 }}".to_owned(), "line 1: invalid operation"),
        ("{{ labels|upper }}".to_owned(), "line 1: invalid operation"),
        (over(12, ""), "it ran for too long"),
        (nested, "it ran for too long"),
        (filters, "it ran for too long"),
        (grows, "it printed more than 512 KiB"),
    ];
    for (source, reason) in rows {
        let failure = lay_out(&source, &long).expect_err(&source);
        assert_eq!(failure.to_string(), reason, "{source}");
    }
}

#[test]
fn what_no_message_could_use_is_refused_when_it_is_saved() {
    for (source, problem) in [
        ("{{ tilte }}", "tilte is unknown; a template sees title, description, severity"),
        ("a\n{{ title", "not a valid template, in line 2"),
        ("{% if title %}", "not a valid template"),
        ("{{ title ~ space }}", "the operator ~ is not available"),
        ("{% set x = title %}", "the statement \"set\" is not available"),
        ("{{ title|safe }}", "the filter \"safe\" is unknown"),
        ("a\u{1E}b", "it holds a control character"),
        ("a\u{202E}b", "it holds a control character"),
    ] {
        let error = super::check(source).expect_err(source);
        assert!(error.starts_with(problem), "{source}: {error}");
    }
    assert_eq!(super::check(&"x".repeat(SOURCE_BYTES)), Ok(()));
    let long = super::check(&"x".repeat(SOURCE_BYTES + 1)).expect_err("is refused");
    assert!(long.contains("longer than 4096 bytes"), "{long}");
}

#[test]
fn the_largest_notice_there_can_be_is_within_every_bound_of_the_usual_content() {
    use alerting::base::limits::{DESCRIPTION_BYTES, LABEL_NAME_CHARS, LABEL_VALUE_CHARS, LABELS};
    let name = |n: usize| format!("{n:02}{}", "😀".repeat(LABEL_NAME_CHARS - 2));
    let labels = (0..LABELS).map(|n| (name(n), "😀".repeat(LABEL_VALUE_CHARS))).collect();
    let notice = Notice { labels, description: "x".repeat(DESCRIPTION_BYTES), ..escalated() };
    let notices = [notice];
    for channel in NAMES {
        for language in [Language::English, Language::Chinese] {
            let texts = crate::registry::Destination::content(channel).expect("a channel");
            assert_eq!(super::check(texts.of(language)), Ok(()), "{channel}");
            let seen = Seen::of(&notices[0], &Post { language, ..post(&notices) });
            let content = Template::usual(texts, language).lay_out(&seen).expect("laid out");
            assert!(content.facts.len() >= 5 && content.blocks.len() == 2, "{channel}");
        }
    }
}

/// The kind of a value, as the table names it.
fn kind(value: &minijinja::Value) -> &'static str {
    use minijinja::value::ValueKind;
    match value.kind() {
        ValueKind::String => "text",
        ValueKind::Number => "number",
        ValueKind::Bool => "boolean",
        ValueKind::Map => "map",
        other => panic!("a template is given {other}"),
    }
}

#[test]
fn the_table_of_variables_is_what_a_template_is_given() {
    let notices = [escalated()];
    let context = Seen::of(&notices[0], &post(&notices)).context();
    let mut given: Vec<String> = context.try_iter().expect("a map").map(|name| name.to_string()).collect();
    let mut listed: Vec<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
    given.sort_unstable();
    listed.sort_unstable();
    assert_eq!(given, listed);
    for variable in VARIABLES {
        let value = context.get_attr(variable.name).expect("a map");
        assert_eq!(kind(&value), variable.kind, "{}", variable.name);
    }
}

#[test]
fn the_table_in_the_readme_is_the_one_in_the_code() {
    let readme = include_str!("../../README.md");
    let row = |variable: super::variables::Variable| {
        let super::variables::Variable { name, kind, meaning, example } = variable;
        format!("| `{name}` | {kind} | {meaning} | `{example}` |")
    };
    let rows: Vec<String> = VARIABLES.map(row).into();
    let written: Vec<&str> = readme.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(written, rows);
    for (name, limit) in [
        ("bytes as typed", SOURCE_BYTES),
        ("instructions", usize::try_from(INSTRUCTIONS).expect("small")),
        ("KiB of output", OUTPUT_BYTES / 1024),
        ("facts", FACTS),
    ] {
        assert!(readme.contains(&format!("{limit} {name}")), "README.md does not say {limit} {name}");
    }
}
