//! Reads cards (JSON 1.0 and 2.0): the header as title and labels, the elements as lines.
//!
//! `header.template` becomes the label `card_color`, `header.subtitle` becomes `card_subtitle`, and
//! `header.text_tag_list` becomes `card_tag` (joined by `,`). For many senders only the colour distinguishes a recovery
//! from an alert.
//!
//! An element becomes one or more lines: its text, fields, columns, children and actions. A button is `text (url)`, an
//! image `[image]`, a horizontal rule `---`, and a table row `a | b`; the parts of a note share one line. Empty
//! elements are left out, because some senders fill in every key of their struct. The texts of unknown elements are
//! read like those of known ones.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::json::nonempty;
use super::languages::translated;
use super::markup::{self, Links};
use crate::reading::Reading;

pub(super) fn read(card: &Map<String, Value>, links: Links) -> Reading {
    if nonempty(card.get("type")) == Some("template") {
        return template(card, links);
    }
    let header = match card.get("header") {
        Some(header) if header.is_object() => Some(header),
        _ => card.get("i18n_header").and_then(|headers| translated(headers, Some)),
    };
    let mut lines = Lines { text: String::new(), links };
    if let Some(elements) = elements(card) {
        lines.children(elements);
    }
    if lines.text.is_empty()
        && let Some(summary) = card.get("config").and_then(|config| config.get("summary"))
    {
        lines.push(&words(summary, links));
    }
    if links == Links::Shown
        && let Some(url) = card.get("card_link").and_then(url)
    {
        lines.push(url);
    }
    let title = header.and_then(|header| header.get("title")).map(|title| words(title, links)).unwrap_or_default();
    Reading { title, text: lines.text, labels: header.map(|header| labels(header, links)).unwrap_or_default() }
}

/// The elements of a card. `i18n_elements` replace `elements`; in JSON 2.0 both are in a body.
fn elements(card: &Map<String, Value>) -> Option<&Value> {
    let some = |value: &&Value| value.as_array().is_some_and(|elements| !elements.is_empty());
    let body = || card.get("body").and_then(|body| body.get("elements"));
    let translations = card.get("i18n_elements").and_then(|all| translated(all, |one| Some(one).filter(some)));
    translations.or_else(|| card.get("elements").filter(some)).or_else(body)
}

fn labels(header: &Value, links: Links) -> BTreeMap<String, String> {
    let tags = header.get("i18n_text_tag_list").and_then(|tags| translated(tags, Value::as_array));
    let tags = header.get("text_tag_list").and_then(Value::as_array).or(tags);
    let tags = tags.map(|tags| tags.iter().filter_map(|tag| tag.get("text")).map(|text| words(text, links)));
    let tags: Vec<String> = tags.into_iter().flatten().filter(|tag| !tag.trim().is_empty()).collect();
    let subtitle = header.get("subtitle").map(|subtitle| words(subtitle, links)).unwrap_or_default();
    let color = nonempty(header.get("template")).unwrap_or_default().to_owned();
    [("card_color", color), ("card_subtitle", subtitle), ("card_tag", tags.join(","))]
        .into_iter()
        .filter(|(_, value)| !value.trim().is_empty())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Reads a card whose layout is stored at the vendor. The request has only its variables.
fn template(card: &Map<String, Value>, links: Links) -> Reading {
    let data = card.get("data").and_then(Value::as_object);
    let variables = data.and_then(|data| data.get("template_variable")).and_then(Value::as_object);
    let mut lines = Lines { text: String::new(), links };
    for (name, value) in variables.into_iter().flatten() {
        let value = cell(value, links);
        if !value.trim().is_empty() {
            lines.push(&format!("{name}: {value}"));
        }
    }
    if lines.text.is_empty() {
        let id = data.and_then(|data| nonempty(data.get("template_id"))).unwrap_or("without id");
        lines.push(&format!("[card template {id}]"));
    }
    Reading { text: lines.text, ..Reading::default() }
}

/// Reads a text object or a bare text: translated, and as Markdown if its tag says so.
fn words(value: &Value, links: Links) -> String {
    if let Value::String(text) = value {
        return markup::entities(text).into_owned();
    }
    // `i18n` replaces `content`; `i18n_content` adds to it, and its values may be empty.
    let older = value.get("i18n").and_then(|all| translated(all, |one| nonempty(Some(one))));
    let chinese = value.get("i18n_content").and_then(|all| nonempty(all.get("zh_cn")));
    let any = || value.get("i18n_content").and_then(|all| translated(all, |one| nonempty(Some(one))));
    let text = older.or(chinese).or_else(|| nonempty(value.get("content"))).or_else(any).unwrap_or_default();
    match value.get("tag").and_then(Value::as_str) {
        Some("lark_md" | "markdown") => markup::markdown(text, links),
        _ => markup::entities(text).into_owned(),
    }
}

/// The address that an element opens, from any of the places in which the versions of the card have it.
fn url(element: &Value) -> Option<&str> {
    fn named(value: &Value) -> Option<&str> {
        const NAMES: [&str; 5] = ["url", "default_url", "pc_url", "android_url", "ios_url"];
        NAMES.iter().find_map(|name| nonempty(value.get(name)))
    }
    let behaviors = element.get("behaviors").and_then(Value::as_array);
    named(element)
        .or_else(|| element.get("multi_url").and_then(named))
        .or_else(|| behaviors.into_iter().flatten().find_map(named))
}

struct Lines {
    text: String,
    links: Links,
}

impl Lines {
    fn push(&mut self, block: &str) {
        let block = block.trim_start_matches('\n').trim_end();
        if block.is_empty() {
            return;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(block);
    }

    fn children(&mut self, elements: &Value) {
        for element in elements.as_array().into_iter().flatten() {
            self.element(element);
        }
    }

    fn element(&mut self, element: &Value) {
        match element.get("tag").and_then(Value::as_str).unwrap_or_default() {
            "hr" => self.push("---"),
            "img" | "img_combination" => self.image(element),
            "button" => self.button(element),
            "note" => self.note(element),
            "table" => self.table(element),
            "person" => self.person(element),
            _ => self.parts(element),
        }
    }

    /// Adds all parts of an element that can contain text, in reading order.
    fn parts(&mut self, element: &Value) {
        if let Some(title) = element.get("header").and_then(|header| header.get("title")) {
            self.push(&words(title, self.links));
        }
        if let Some(text) = element.get("text").filter(|text| text.is_object()) {
            self.push(&words(text, self.links));
        }
        if element.get("content").is_some_and(Value::is_string) || element.get("i18n_content").is_some() {
            self.push(&words(element, self.links));
        }
        for field in element.get("fields").and_then(Value::as_array).into_iter().flatten() {
            self.parts(field);
        }
        for children in ["columns", "elements", "actions"] {
            self.children(element.get(children).unwrap_or(&Value::Null));
        }
        for option in element.get("options").and_then(Value::as_array).into_iter().flatten() {
            // Options that open a page are links. Other options have no effect here.
            if url(option).is_some() {
                self.button(option);
            }
        }
        if let Some(extra) = element.get("extra") {
            self.element(extra);
        }
    }

    fn button(&mut self, button: &Value) {
        let text = button.get("text").map(|text| words(text, self.links)).unwrap_or_default();
        self.push(&markup::link(&text, url(button).unwrap_or_default(), self.links));
    }

    fn image(&mut self, image: &Value) {
        let mut text = String::new();
        markup::push_image(&mut text, &image.get("alt").map(|alt| words(alt, self.links)).unwrap_or_default());
        self.push(&text);
    }

    /// Adds a note, whose parts share one line.
    fn note(&mut self, note: &Value) {
        let mut parts = Lines { text: String::new(), links: self.links };
        parts.parts(note);
        self.push(&parts.text.replace('\n', " "));
    }

    fn person(&mut self, person: &Value) {
        let mut text = String::new();
        markup::push_mention(&mut text, nonempty(person.get("user_id")).unwrap_or_default());
        self.push(&text);
    }

    /// Adds a table: the names of the columns, then one line per row.
    fn table(&mut self, table: &Value) {
        let columns: Vec<&Value> = table.get("columns").and_then(Value::as_array).into_iter().flatten().collect();
        let name = |column: &&Value| nonempty(column.get("name")).unwrap_or_default().to_owned();
        let shown = columns.iter().map(|column| {
            nonempty(column.get("display_name"))
                .map_or_else(|| name(column), |name| markup::entities(name).into_owned())
        });
        self.push(&shown.collect::<Vec<_>>().join(" | "));
        for row in table.get("rows").and_then(Value::as_array).into_iter().flatten() {
            let cells = columns.iter().map(|column| cell(row.get(name(column)).unwrap_or(&Value::Null), self.links));
            self.push(&cells.collect::<Vec<_>>().join(" | "));
        }
    }
}

/// Reads a cell of a table or a variable of a template: text, number, options or people.
fn cell(value: &Value, links: Links) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => markup::markdown(text, links).replace('\n', " "),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(values) => {
            let cells = values.iter().map(|value| cell(value, links)).filter(|cell| !cell.is_empty());
            cells.collect::<Vec<_>>().join(", ")
        }
        Value::Object(fields) => match fields.get("text").or_else(|| fields.get("content")) {
            Some(Value::String(text)) => markup::link(text, url(value).unwrap_or_default(), links),
            Some(text) => words(text, links),
            None => nonempty(fields.get("name")).or_else(|| url(value)).unwrap_or_default().to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_card(card: &Value) -> Reading {
        read(card.as_object().expect("an object"), Links::Shown)
    }

    #[track_caller]
    fn check(element: Value, text: &str) {
        for card in [json!({"elements": [element.clone()]}), json!({"schema": "2.0", "body": {"elements": [element]}})]
        {
            assert_eq!(read_card(&card).text, text);
        }
    }

    #[test]
    fn every_element_has_a_text() {
        check(json!({"tag": "markdown", "content": "**a**\n[b](http://x)"}), "a\nb (http://x)");
        check(json!({"tag": "div", "text": {"tag": "plain_text", "content": "**a**"}}), "**a**");
        check(
            json!({"tag": "div", "text": {"tag": "lark_md", "content": "t"}, "fields": [
                {"is_short": true, "text": {"tag": "lark_md", "content": "**k:** v"}}, {"text": {"content": ""}}],
                "extra": {"tag": "button", "text": {"content": "go"}, "url": "http://x"}}),
            "t\nk: v\ngo (http://x)",
        );
        check(
            json!({"tag": "note", "elements": [{"tag": "img", "alt": {"content": ""}},
            {"tag": "plain_text", "content": "from ops"}]}),
            "[image] from ops",
        );
        check(
            json!({"tag": "column_set", "columns": [{"tag": "column", "elements": [
            {"tag": "column_set", "columns": [{"tag": "column", "elements": [{"tag": "markdown", "content": "deep"}]}]}]},
            {"tag": "column", "elements": [{"tag": "markdown", "content": "right"}]}]}),
            "deep\nright",
        );
        check(
            json!({"tag": "action", "actions": [
            {"tag": "button", "text": {"content": "a"}, "multi_url": {"url": "http://a"}},
            {"tag": "button", "text": {"content": "b"}},
            {"tag": "overflow", "options": [{"text": {"content": "c"}, "url": "http://c"}, {"text": {"content": "d"}}]}]}),
            "a (http://a)\nb\nc (http://c)",
        );
        check(
            json!({"tag": "button", "text": {"content": "go"},
            "behaviors": [{"type": "open_url", "default_url": "http://x"}]}),
            "go (http://x)",
        );
        check(json!({"tag": "img", "alt": {"tag": "plain_text", "content": "cpu"}}), "[image: cpu]");
        check(
            json!({"tag": "collapsible_panel", "header": {"title": {"content": "more"}},
            "elements": [{"tag": "markdown", "content": "x"}]}),
            "more\nx",
        );
        check(
            json!({"tag": "form", "elements": [{"tag": "interactive_container", "elements":
            [{"tag": "unheard_of", "content": "x"}]}]}),
            "x",
        );
        check(json!({"tag": "person", "user_id": "ou_1"}), "@ou_1");
        check(
            json!({"tag": "table", "columns": [{"name": "h", "display_name": "Host"}, {"name": "v"}],
                "rows": [{"h": "db-1", "v": 97.5}, {"h": [{"text": "a"}, {"text": "b"}], "v": null}]}),
            "Host | v\ndb-1 | 97.5\na, b |",
        );
    }

    #[test]
    fn empty_elements_are_left_out() {
        check(json!({"tag": "hr", "text": {"content": "", "tag": ""}, "content": "", "elements": null}), "---");
        check(json!({"tag": "markdown", "content": ""}), "");
        check(json!({"tag": "div", "text": null, "fields": null}), "");
        for odd in [json!(null), json!("x"), json!([[]]), json!({"tag": 1}), json!({})] {
            check(odd, "");
        }
    }

    #[test]
    fn colour_subtitle_and_tags_of_the_header_are_labels() {
        let reading = read_card(&json!({"header": {"title": {"tag": "lark_md", "content": "**disk** full"},
            "template": "red", "subtitle": {"content": "CRITICAL"},
            "text_tag_list": [{"tag": "text_tag", "text": {"content": "P1"}}, {"text": {"content": "db"}}]}}));
        assert_eq!(reading.title, "disk full");
        let labels: Vec<(&str, &str)> = reading.labels.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(labels, [("card_color", "red"), ("card_subtitle", "CRITICAL"), ("card_tag", "P1,db")]);
    }

    #[test]
    fn translations_of_the_older_cards_stand_for_the_content() {
        let reading = read_card(&json!({
            "header": {"title": {"tag": "plain_text", "content": "c", "i18n": {"en_us": "en", "zh_cn": "zh"}}},
            "elements": [{"tag": "markdown", "content": "plain"}],
            "i18n_elements": {"zh_cn": [], "en_us": [{"tag": "markdown", "content": "english"}]}}));
        assert_eq!((reading.title.as_str(), reading.text.as_str()), ("zh", "english"));
    }

    #[test]
    fn translations_of_the_newer_cards_add_to_the_content() {
        for (i18n, expected) in
            [(json!({"en_us": "en"}), "c"), (json!({"en_us": "en", "zh_cn": "zh"}), "zh"), (json!({"zh_cn": ""}), "c")]
        {
            let title = json!({"tag": "plain_text", "content": "c", "i18n_content": i18n});
            assert_eq!(read_card(&json!({"header": {"title": title}})).title, expected);
        }
    }

    #[test]
    fn a_card_of_a_stored_template_gives_its_variables() {
        let card =
            json!({"type": "template", "data": {"template_id": "AAq1", "template_variable": {"host": "db-1", "n": 3}}});
        assert_eq!(read_card(&card).text, "host: db-1\nn: 3");
        assert_eq!(
            read_card(&json!({"type": "template", "data": {"template_id": "AAq1"}})).text,
            "[card template AAq1]"
        );
    }

    #[test]
    fn the_preview_and_the_link_of_a_card_are_read_too() {
        let card = json!({"config": {"summary": {"content": "disk full"}}, "card_link": {"url": "http://x"}});
        assert_eq!(read_card(&card).text, "disk full\nhttp://x");
    }
}
