//! Reads rich text: `{"post":{LANGUAGE:{"title","content":[[node,…],…]}}}`, one line per paragraph.
//!
//! These forms are also accepted: without the `post` wrapper (as printed in the vendor's own FAQ), without the
//! language, with `post` as a JSON string, and with a paragraph that is not wrapped in an array. For unknown tags,
//! their text and the text of their children is read.

use std::fmt::Write as _;

use serde_json::Value;

use super::json::{self, nonempty};
use super::languages::translated;
use super::markup::{self, Links};
use crate::reading::Reading;

/// Reads a post. `None`: it has no content in any language.
pub(super) fn read(content: &Value, links: Links) -> Option<Reading> {
    let post = match content.get("post") {
        Some(post) => json::decoded(post),
        None => std::borrow::Cow::Borrowed(content),
    };
    if let Some(reading) = one_language(&post, links) {
        return Some(reading);
    }
    // An empty translation does not hide a translation with text.
    let with_text = |value| one_language(value, links).filter(|reading| !reading.text.trim().is_empty());
    translated(&post, with_text).or_else(|| translated(&post, |value| one_language(value, links)))
}

fn one_language(value: &Value, links: Links) -> Option<Reading> {
    let paragraphs = value.get("content")?.as_array()?;
    if paragraphs.is_empty() {
        return None;
    }
    let mut reading = Reading {
        title: markup::entities(nonempty(value.get("title")).unwrap_or_default()).into_owned(),
        ..Reading::default()
    };
    for paragraph in paragraphs {
        push_nodes(&mut reading.text, paragraph, links);
        reading.text.push('\n');
    }
    Some(reading)
}

fn push_nodes(out: &mut String, nodes: &Value, links: Links) {
    match nodes {
        Value::Array(nodes) => nodes.iter().for_each(|node| push_nodes(out, node, links)),
        Value::Object(_) => push_node(out, nodes, links),
        _ => {}
    }
}

fn push_node(out: &mut String, node: &Value, links: Links) {
    let text = nonempty(node.get("text")).unwrap_or_default();
    match node.get("tag").and_then(Value::as_str).unwrap_or_default() {
        "a" => out.push_str(&markup::link(text, nonempty(node.get("href")).unwrap_or_default(), links)),
        "at" => mention(out, node),
        "img" => markup::push_image(out, ""),
        "media" => out.push_str("[video]"),
        "emotion" => {
            let name = nonempty(node.get("emoji_type")).unwrap_or("emotion");
            write!(out, "[{name}]").expect("writing to a String cannot fail");
        }
        "hr" => out.push_str("---"),
        "code_block" => {
            let language = nonempty(node.get("language")).unwrap_or_default();
            let text = text.trim_end();
            write!(out, "```{language}\n{text}\n```").expect("writing to a String cannot fail");
        }
        "md" => out.push_str(&markup::mentions(text)),
        _ if node.get("un_escape").and_then(Value::as_bool) == Some(true) => out.push_str(&markup::entities(text)),
        "text" => out.push_str(text),
        _ => {
            out.push_str(text);
            for children in ["content", "elements", "children"] {
                push_nodes(out, node.get(children).unwrap_or(&Value::Null), links);
            }
        }
    }
}

fn mention(out: &mut String, node: &Value) {
    let id = nonempty(node.get("user_id")).or_else(|| nonempty(node.get("open_id"))).unwrap_or_default();
    let name = nonempty(node.get("user_name")).or_else(|| nonempty(node.get("text")));
    markup::push_mention(out, if id == "all" { id } else { name.unwrap_or(id) });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(content: Value, title: &str, text: &str) {
        let reading = read(&content, Links::Shown).expect("a post");
        assert_eq!((reading.title.as_str(), reading.text.trim_end()), (title, text));
    }

    fn paragraph(nodes: Value) -> Value {
        json!({"post": {"zh_cn": {"content": [nodes]}}})
    }

    // Proves: fault 6
    #[test]
    fn every_tag_has_a_text() {
        for (node, text) in [
            (json!({"tag": "text", "text": "a &lt; b"}), "a &lt; b"),
            (json!({"tag": "text", "text": "a &lt; b", "un_escape": true}), "a < b"),
            (json!({"tag": "a", "text": "log", "href": "http://x/1"}), "log (http://x/1)"),
            (json!({"tag": "a", "text": "", "href": "http://x/1"}), "http://x/1"),
            (json!({"tag": "at", "user_id": "all"}), "@all"),
            (json!({"tag": "at", "user_id": "ou_1", "user_name": "Tom"}), "@Tom"),
            (json!({"tag": "at", "user_id": "ou_1"}), "@ou_1"),
            (json!({"tag": "img", "image_key": "img_1"}), "[image]"),
            (json!({"tag": "media", "file_key": "f"}), "[video]"),
            (json!({"tag": "emotion", "emoji_type": "SMILE"}), "[SMILE]"),
            (json!({"tag": "hr"}), "---"),
            (json!({"tag": "code_block", "language": "GO", "text": "x()\n"}), "```GO\nx()\n```"),
            (json!({"tag": "md", "text": "**b** <at user_id=\"all\"></at>"}), "**b** @all"),
            (json!({"tag": "new", "text": "x", "elements": [{"tag": "newer", "text": "y"}]}), "xy"),
            (json!({"tag": "text", "text": "x", "style": ["bold"], "color": "red"}), "x"),
            (json!({"tag": "text"}), ""),
            (json!(7), ""),
        ] {
            check(paragraph(json!([node])), "", text);
        }
    }

    #[test]
    fn nodes_of_a_paragraph_are_one_line() {
        let nodes = json!([{"tag": "text", "text": "see "}, {"tag": "a", "text": "log", "href": "http://x"},
            {"tag": "at", "user_id": "all"}]);
        check(paragraph(nodes), "", "see log (http://x) @all");
    }

    // Proves: fault 6
    #[test]
    fn the_language_is_chosen_and_an_empty_one_passed_over() {
        let translation = |text: &str| json!({"title": text, "content": [[{"tag": "text", "text": text}]]});
        check(json!({"post": {"en_us": translation("en"), "zh_cn": translation("zh")}}), "zh", "zh");
        check(json!({"post": {"ja_jp": translation("ja"), "en_us": translation("en")}}), "en", "en");
        check(json!({"post": {"fr_fr": translation("fr")}}), "fr", "fr");
        check(json!({"post": {"zh_cn": null, "en_us": translation("en")}}), "en", "en");
        check(json!({"post": {"zh_cn": {"title": "", "content": [[]]}, "en_us": translation("en")}}), "en", "en");
        check(json!({"post": {"zh_cn": {"title": "only a title", "content": [[]]}}}), "only a title", "");
    }

    // Proves: fault 6
    #[test]
    fn the_wrapper_the_language_and_the_inner_array_may_be_missing() {
        check(json!({"zh_cn": {"title": "t", "content": [[{"tag": "text", "text": "x"}]]}}), "t", "x");
        check(json!({"title": "t", "content": [[{"tag": "text", "text": "x"}]]}), "t", "x");
        check(json!({"post": {"zh_cn": {"content": [{"tag": "text", "text": "x"}]}}}), "", "x");
        check(
            json!({"post": "{\"zh_cn\":{\"title\":\"t\",\"content\":[[{\"tag\":\"text\",\"text\":\"x\"}]]}}"}),
            "t",
            "x",
        );
    }

    #[test]
    fn without_content_it_is_no_post() {
        for content in [
            json!({}),
            json!({"post": {}}),
            json!({"post": {"zh_cn": {"title": "t", "content": []}}}),
            json!({"post": 1}),
            json!([]),
            json!("x"),
        ] {
            assert_eq!(read(&content, Links::Shown), None, "{content}");
        }
    }
}
