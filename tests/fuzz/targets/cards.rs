//! Cards that are JSON, in the words of cards, nested and mixed as no sender would: read without a panic, and into a text
//! that does not outgrow the body.

#![no_main]

use alerting::rules::message::Acceptance;
use fuzz::{NOW, integration};
use intake::decide::{Arrival, decide};
use intake::sources::SourceVersion;
use intake::sources::feishu::path::Version;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};

const KEYS: [&str; 32] = [
    "tag",
    "text",
    "content",
    "elements",
    "header",
    "title",
    "subtitle",
    "body",
    "fields",
    "columns",
    "rows",
    "i18n_elements",
    "zh_cn",
    "en_us",
    "template",
    "href",
    "url",
    "actions",
    "text_tag_list",
    "card_link",
    "user_id",
    "user_name",
    "schema",
    "i18n_header",
    "extra",
    "items",
    "name",
    "data",
    "style",
    "post",
    "property",
    "value",
];
const WORDS: [&str; 36] = [
    "div",
    "markdown",
    "lark_md",
    "plain_text",
    "hr",
    "note",
    "img",
    "action",
    "button",
    "column_set",
    "column",
    "table",
    "form",
    "at",
    "a",
    "text",
    "emotion",
    "code_block",
    "collapsible_panel",
    "interactive_container",
    "red",
    "2.0",
    "all",
    "**bold**",
    "[x](https://example.com)",
    "<at id=all></at>",
    "<font color='red'>x</font>",
    "&lt;b&gt;",
    "`code`",
    "~~x~~",
    "![i](k)",
    "\\*",
    "告警",
    "\u{0}",
    "\n\n",
    "😀",
];
/// Values of one card.
const VALUES: u32 = 400;

fuzz_target!(|data: &[u8]| {
    let mut bytes = Unstructured::new(data);
    let mut left = VALUES;
    let Ok(card) = object(&mut bytes, &mut left, 12) else { return };
    for body in [
        json!({"msg_type": "interactive", "card": card}),
        json!({"msg_type": "interactive", "card": card.to_string()}),
        json!({"msg_type": "post", "content": {"post": card}}),
        json!({"msg_type": "text", "content": card}),
        card,
    ] {
        let body = body.to_string();
        for version in [Version::V1, Version::V2] {
            let arrival = Arrival { version: SourceVersion::Feishu(version), body: body.as_bytes(), address: None, within_rate: true };
            if let Acceptance::Accepted(message) = decide(&arrival, &integration(), None, NOW).acceptance {
                let said = message.title.len() + message.content.len();
                assert!(said <= 8 * body.len() + 1024, "{said} bytes of {}", body.len());
                assert!(!message.title.is_empty());
            }
        }
    }
});

fn object(bytes: &mut Unstructured<'_>, left: &mut u32, depth: u32) -> Result<Value> {
    let mut fields = Map::new();
    for _ in 0..bytes.int_in_range(0..=6)? {
        fields.insert((*bytes.choose(&KEYS)?).to_owned(), value(bytes, left, depth)?);
    }
    Ok(Value::Object(fields))
}

fn value(bytes: &mut Unstructured<'_>, left: &mut u32, depth: u32) -> Result<Value> {
    *left = left.saturating_sub(1);
    let choice = bytes.int_in_range(0..=9)?;
    if depth == 0 || *left == 0 || choice < 4 {
        return Ok(json!(bytes.choose(&WORDS)?));
    }
    Ok(match choice {
        4 => json!(bytes.arbitrary::<String>()?),
        5 => json!(bytes.arbitrary::<i32>()?),
        6 => bytes.choose(&[json!(null), json!(true), json!(1e300)])?.clone(),
        7 => {
            let items = bytes.int_in_range(0..=5)?;
            Value::Array((0..items).map(|_| value(bytes, left, depth - 1)).collect::<Result<_>>()?)
        }
        _ => object(bytes, left, depth - 1)?,
    })
}
