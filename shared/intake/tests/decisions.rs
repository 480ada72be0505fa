//! Tests of the decision about a request: one row per case of the protocol and of invalid input, with the case as its
//! name.

mod support;

use alerting::base::limits;
use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use alerting::rules::integration::{Integration, Security, TitleFrom};
use alerting::rules::message::{Acceptance, Message, MsgType, RefusalReason};
use intake::decide::{Arrival, Check, Decision, decide, decide_passing, preview};
use intake::protocol::Answer;
use intake::result::IntakeResult;
use intake::sources::SourceVersion;
use intake::sources::feishu::path::Version;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{integration, taking_cards};

const NOW: Moment = Moment::from_secs(1_599_360_473);

fn arrive(version: Version, body: &[u8], integration: &Integration) -> Decision {
    decide(
        &Arrival { version: SourceVersion::Feishu(version), body, address: Some("203.0.113.7"), within_rate: true },
        integration,
        None,
        NOW,
    )
}

fn answer_to(version: Version, decision: &Decision) -> Answer {
    SourceVersion::Feishu(version).answer(&decision.result)
}

#[track_caller]
fn accepted_by(integration: &Integration, version: Version, body: &Value) -> Message {
    match arrive(version, body.to_string().as_bytes(), integration).acceptance {
        Acceptance::Accepted(message) => message,
        Acceptance::Refused { reason, .. } => panic!("refused: {reason:?} {body}"),
    }
}

#[track_caller]
fn check(name: &str, body: Value, title: &str, content: &str) {
    let message = accepted_by(&taking_cards(), Version::V2, &body);
    assert_eq!((message.title.as_str(), message.content.as_str()), (title, content), "{name}");
}

#[track_caller]
fn check_refused(name: &str, body: &[u8], reason: RefusalReason, msg: &str) {
    let decision = arrive(Version::V2, body, &integration());
    let Acceptance::Refused { reason: found, .. } = decision.acceptance else { panic!("{name}: accepted") };
    assert_eq!(found, reason, "{name}");
    let answer: Value = serde_json::from_str(&answer_to(Version::V2, &decision).body).expect("JSON");
    assert_eq!(
        (answer_to(Version::V2, &decision).status.as_u16(), answer["code"].as_i64()),
        (400, Some(19002)),
        "{name}"
    );
    assert!(answer["msg"].as_str().is_some_and(|found| found.starts_with(msg)), "{name}: {answer}");
}

#[test]
fn json_in_a_string_is_read_like_json() {
    check("content", json!({"msg_type": "text", "content": "{\"text\":\"disk full\"}"}), "Feishu Alert", "disk full");
    check(
        "content of a post",
        json!({"msg_type": "post", "content": "{\"zh_cn\":{\"title\":\"t\",\"content\":[[{\"tag\":\"text\",\"text\":\"x\"}]]}}"}),
        "t",
        "x",
    );
    check(
        "card",
        json!({"msg_type": "interactive", "card": "{\"header\":{\"title\":{\"tag\":\"plain_text\",\"content\":\"t\"}}}"}),
        "t",
        "",
    );
    check(
        "card inside content",
        json!({"msg_type": "interactive", "content": {"card": {"elements": [{"tag": "markdown", "content": "x"}]}}}),
        "Feishu Alert",
        "x",
    );
}

#[test]
fn the_type_decides_and_not_the_key_that_is_present() {
    let title = json!({"header": {"title": {"content": "card"}}});
    check(
        "empty card beside content",
        json!({"msg_type": "text", "content": {"text": "x"}, "card": {}}),
        "Feishu Alert",
        "x",
    );
    check(
        "card beside content",
        json!({"msg_type": "text", "content": {"text": "x"}, "card": title}),
        "Feishu Alert",
        "x",
    );
    check("empty content beside card", json!({"msg_type": "interactive", "content": {}, "card": title}), "card", "");
    check("null content", json!({"msg_type": "interactive", "content": null, "card": title}), "card", "");
    check(
        "unknown keys",
        json!({"msg_type": "text", "content": {"text": "x", "more": 1}, "at": {}, "email": "a@b", "title": "no", "root_id": ""}),
        "Feishu Alert",
        "x",
    );
}

#[test]
fn a_card_without_a_card_is_read_as_text() {
    check(
        "only content.text",
        json!({"msg_type": "interactive", "content": {"text": "**x**"}}),
        "Feishu Alert",
        "**x**",
    );
    check(
        "an empty card beside it",
        json!({"msg_type": "interactive", "content": {"text": "x"}, "card": {}}),
        "Feishu Alert",
        "x",
    );
    check("the empty card is legal", json!({"msg_type": "interactive", "card": {}}), "Feishu Alert", "");
}

#[test]
fn the_senders_title_wins() {
    check("content.title", json!({"msg_type": "text", "content": {"title": "t &lt;", "text": "x"}}), "t <", "x");
    check(
        "a post's title",
        json!({"msg_type": "post", "content": {"post": {"en_us": {"title": " t\n", "content": [[{"tag": "text", "text": "x"}]]}}}}),
        "t",
        "x",
    );
    let v1 = accepted_by(&integration(), Version::V1, &json!({"title": "t", "text": "a\r\nb"}));
    assert_eq!((v1.title.as_str(), v1.content.as_str(), v1.msg_type), ("t", "a\nb", MsgType::Text));
}

#[test]
fn without_a_title_of_the_sender_it_is_the_default_or_the_first_line_with_words() {
    let first_line = Integration { title_from: TitleFrom::FirstLine, ..taking_cards() };
    let text = |text: &str| json!({"msg_type": "text", "content": {"text": text}});
    for (name, integration, body, title) in [
        ("default", &integration(), text("a\nb"), "Feishu Alert"),
        ("first line", &first_line, text("\n  \n---\n a \nb"), "a"),
        ("only a rule", &first_line, text("---"), "---"),
        ("a title of its own", &first_line, json!({"msg_type": "text", "content": {"title": "t", "text": "a"}}), "t"),
        (
            "a card without header",
            &first_line,
            json!({"msg_type": "interactive", "card": {"elements": [{"content": "a"}]}}),
            "a",
        ),
        ("nothing at all", &first_line, json!({"msg_type": "interactive", "card": {}}), "Feishu Alert"),
    ] {
        let message = accepted_by(integration, Version::V2, &body);
        assert_eq!(message.title, title, "{name}");
    }
    let message = accepted_by(&first_line, Version::V2, &text("RESOLVED disk\nhost=db-1"));
    assert_eq!(message.content, "RESOLVED disk\nhost=db-1", "a rule on the content still sees the first line");
    let long = accepted_by(&first_line, Version::V2, &text(&"告".repeat(600)));
    assert_eq!(long.title.chars().count(), limits::TITLE_CHARS);
    assert!(long.title.ends_with('…'));
}

#[test]
fn the_older_path_takes_the_older_form_and_the_newer_one() {
    let decision = arrive(Version::V1, br#"{"text":"x"}"#, &integration());
    assert_eq!(decision.result, IntakeResult::Accepted);
    let newer = json!({"msg_type": "post", "content": {"post": {"zh_cn": {"title": "t", "content": [[{"tag": "text", "text": "x"}]]}}}});
    assert_eq!(accepted_by(&integration(), Version::V1, &newer).msg_type, MsgType::Post);
    assert_eq!(
        accepted_by(&integration(), Version::V1, &json!({"msg_type": "text", "content": {"text": "x"}})).content,
        "x"
    );
    for body in ["{}", r#"{"title":"t"}"#, r#"{"title":"","text":""}"#, r#"{"text":7}"#] {
        let decision = arrive(Version::V1, body.as_bytes(), &integration());
        assert_eq!(answer_to(Version::V2, &decision).status, 400, "{body}");
    }
    // On the newer path the answer says that the type is missing, as the answer of the service itself does.
    check_refused(
        "v1 body on the v2 path",
        br#"{"title":"t","text":"x"}"#,
        RefusalReason::Malformed,
        "params error, msg_type need",
    );
}

#[test]
fn the_answer_to_a_malformed_request_says_what_is_wrong() {
    let malformed = RefusalReason::Malformed;
    check_refused("empty body", b"", malformed, "params error, the body is empty");
    check_refused("truncated", br#"{"msg_type":"te"#, malformed, "params error, the body is not JSON: EOF");
    check_refused("gzip", b"\x1f\x8b\x08\0\0\0", malformed, "params error, the body is not JSON");
    check_refused("form", b"payload=%7B%7D", malformed, "params error, the body is not JSON");
    for root in ["[]", "\"x\"", "null", "7", "[{\"msg_type\":\"text\"}]"] {
        check_refused(root, root.as_bytes(), malformed, "params error, the body is not a JSON object");
    }
    let depth = format!("{{\"msg_type\":\"text\",\"content\":{}", "[".repeat(10_000));
    check_refused("depth bomb", depth.as_bytes(), malformed, "params error, the body is not JSON: recursion limit");
    let depth = json!({"msg_type": "text", "content": format!("{{\"text\":{}", "[".repeat(10_000))});
    check_refused(
        "depth bomb in a string",
        depth.to_string().as_bytes(),
        malformed,
        "params error, unknown content value",
    );
    for body in [
        json!({}),
        json!({"msg_type": 7}),
        json!({"msg_type": ""}),
        json!({"msg_type": null, "content": {"text": "x"}}),
    ] {
        check_refused("no type", body.to_string().as_bytes(), malformed, "params error, msg_type need");
    }
    for content in [
        json!(null),
        json!({}),
        json!("plain"),
        json!({"text": 7}),
        json!({"text": ""}),
        json!({"text": " \n"}),
        json!([]),
    ] {
        let text = json!({"msg_type": "text", "content": content});
        check_refused("no text", text.to_string().as_bytes(), malformed, "params error, unknown content value");
        let post = json!({"msg_type": "post", "content": content});
        check_refused("no post", post.to_string().as_bytes(), malformed, "params error, unknown content value");
    }
    let decision = arrive(Version::V2, br#"{"msg_type":"interactive"}"#, &taking_cards());
    assert_eq!(decision.result, IntakeResult::Unusable("unknown card value".into()));
}

#[test]
fn a_type_that_is_not_taken_is_refused_with_its_name_and_the_setting() {
    for name in ["image", "share_chat", "interactive", "file", "audio", "media", "sticker", "share_user"] {
        let body = json!({"msg_type": name, "content": {"image_key": "img_1"}, "card": {}}).to_string();
        check_refused(name, body.as_bytes(), RefusalReason::MessageType, &format!("params error, msg_type \"{name}\""));
        let decision = arrive(Version::V2, body.as_bytes(), &integration());
        assert!(answer_to(Version::V2, &decision).body.contains("message_types"), "{name}");
        let Acceptance::Refused { msg_type, .. } = decision.acceptance else { panic!("accepted") };
        assert_eq!(msg_type.as_deref(), Some(name));
    }
    let only_post = Integration { message_types: vec![MsgType::Post], ..integration() };
    let decision = arrive(Version::V1, br#"{"text":"x"}"#, &only_post);
    assert!(
        answer_to(Version::V2, &decision).body.contains(r#"msg_type \"text\""#),
        "{}",
        answer_to(Version::V2, &decision).body
    );
    let long = json!({"msg_type": "x".repeat(5000)}).to_string();
    assert!(answer_to(Version::V2, &arrive(Version::V2, long.as_bytes(), &integration())).body.len() < 300);
}

#[test]
fn a_body_over_256_kib_is_refused_and_one_of_256_kib_taken() {
    let body = |len: usize| {
        let shell = json!({"msg_type": "text", "content": {"text": ""}}).to_string();
        let text = "x".repeat(len - shell.len());
        json!({"msg_type": "text", "content": {"text": text}}).to_string()
    };
    let largest = body(limits::BODY_BYTES);
    assert!(matches!(arrive(Version::V2, largest.as_bytes(), &integration()).acceptance, Acceptance::Accepted(_)));
    for len in [limits::BODY_BYTES + 1, 1 << 20, 6 << 20, 10 << 20] {
        check_refused(
            "too large",
            body(len).as_bytes(),
            RefusalReason::TooLarge,
            "params error, the body is over 256 KiB",
        );
    }
}

#[test]
fn characters_that_a_queue_refuses_are_replaced_and_the_message_kept() {
    for (name, body, content) in [
        ("lone surrogate", &br#"{"msg_type":"text","content":{"text":"a\ud800b"}}"#[..], "a\u{fffd}b"),
        ("NUL escape", br#"{"msg_type":"text","content":{"text":"a\u0000b"}}"#, "a\u{fffd}b"),
        ("raw NUL", b"{\"msg_type\":\"text\",\"content\":{\"text\":\"a\0b\"}}", "a\u{fffd}b"),
        ("U+FFFE", br#"{"msg_type":"text","content":{"text":"a\ufffe\uffffb"}}"#, "a\u{fffd}\u{fffd}b"),
        ("as an entity", br#"{"msg_type":"text","content":{"text":"a&#xFFFE;b"}}"#, "a\u{fffd}b"),
        ("invalid UTF-8", b"{\"msg_type\":\"text\",\"content\":{\"text\":\"a\xff\xc3b\"}}", "a\u{fffd}\u{fffd}b"),
        ("escape sequence", br#"{"msg_type":"text","content":{"text":"\u001b[31mred"}}"#, "\u{fffd}[31mred"),
    ] {
        let Acceptance::Accepted(message) = arrive(Version::V2, body, &integration()).acceptance else {
            panic!("{name}")
        };
        assert_eq!(message.content, content, "{name}");
    }
}

#[test]
fn duplicate_keys_take_the_last_and_huge_numbers_end_in_a_defined_result() {
    let twice = br#"{"msg_type":"image","msg_type":"text","content":{"text":"a","text":"b"}}"#;
    let Acceptance::Accepted(message) = arrive(Version::V2, twice, &integration()).acceptance else {
        panic!("refused")
    };
    assert_eq!(message.content, "b");
    let huge = r#"{"msg_type":"text","content":{"text":"x"},"n":1e400}"#;
    let Acceptance::Accepted(message) = arrive(Version::V2, huge.as_bytes(), &integration()).acceptance else {
        panic!("a number that nothing reads does not cost the message")
    };
    assert_eq!(message.content, "x");
}

// Proves: finding C14
#[test]
fn the_readable_part_of_a_refused_message_can_be_shown() {
    let long = "x".repeat(limits::DESCRIPTION_BYTES + 1);
    let body = json!({"msg_type": "post", "content": {"post": {"en_us": {"title": "disk full",
        "content": [[{"tag": "text", "text": long}]]}}}});
    let shown = preview(body.to_string().as_bytes(), SourceVersion::Feishu(Version::V2), TitleFrom::Default)
        .expect("it can be read");
    assert_eq!((shown.title.as_str(), shown.content.len()), ("disk full", limits::DESCRIPTION_BYTES));
    for body in ["{", "[]", r#"{"msg_type":"image"}"#, r#"{"msg_type":"text"}"#] {
        assert_eq!(preview(body.as_bytes(), SourceVersion::Feishu(Version::V2), TitleFrom::Default), None, "{body}");
    }
}

#[test]
fn a_mention_is_read_as_text() {
    check(
        "mentions",
        json!({"msg_type": "text", "content": {"text": "<at user_id=\"all\">所有人</at> @everyone &lt;at id=all&gt;"}}),
        "Feishu Alert",
        "@all @everyone <at id=all>",
    );
}

#[test]
fn labels_of_a_card_are_kept_and_bounded() {
    let card = json!({"msg_type": "interactive", "card": {"header": {"template": "red", "subtitle": {"content": "s\0\n".repeat(3000)}}}});
    let message = accepted_by(&taking_cards(), Version::V2, &card);
    assert_eq!(message.labels["card_color"], "red");
    assert_eq!(message.labels["card_subtitle"].chars().count(), limits::LABEL_VALUE_CHARS);
    assert!(!message.labels["card_subtitle"].contains('\0'));
}

/// The first check that fails decides. Each row fails one check more than the row before, from the last check to the
/// first.
#[test]
fn the_checks_come_in_their_order() {
    let secured = Integration {
        security: Security {
            secret: None,
            keywords: vec!["disk".to_owned()],
            sources: vec!["203.0.113.0/24".to_owned()],
        },
        ..integration()
    };
    let secret = Secret::new("demo");
    let body = |msg_type: &str, text: Value, sign: &str| {
        json!({"timestamp": "1599360473", "sign": sign, "msg_type": msg_type, "content": {"text": text}}).to_string()
    };
    let sign = "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=";
    let large = "x".repeat(limits::BODY_BYTES + 1);
    let (inside, outside) = (Some("203.0.113.7"), Some("198.51.100.1"));
    for (name, body, source, within_rate, code, reason) in [
        ("all well", body("text", json!("disk full"), sign), inside, true, 0, None),
        ("keyword", body("text", json!("cpu"), sign), inside, true, 19024, Some(RefusalReason::Keyword)),
        ("content", body("text", json!(7), sign), inside, true, 19002, Some(RefusalReason::Malformed)),
        ("type", body("image", json!(7), sign), inside, true, 19002, Some(RefusalReason::MessageType)),
        ("rate", body("image", json!(7), sign), inside, false, 9499, Some(RefusalReason::RateLimited)),
        ("signature", body("image", json!(7), ""), inside, false, 19021, Some(RefusalReason::Signature)),
        ("JSON", "{".to_owned(), inside, false, 19002, Some(RefusalReason::Malformed)),
        ("source", "{".to_owned(), outside, false, 19022, Some(RefusalReason::Source)),
        ("no source", "{".to_owned(), None, true, 19022, Some(RefusalReason::Source)),
        ("size", large, outside, false, 19002, Some(RefusalReason::TooLarge)),
    ] {
        let arrival = Arrival {
            version: SourceVersion::Feishu(Version::V2),
            body: body.as_bytes(),
            address: source,
            within_rate,
        };
        let decision = decide(&arrival, &secured, Some(&secret), NOW);
        let answer: Value = serde_json::from_str(&answer_to(Version::V2, &decision).body).expect("JSON");
        assert_eq!(answer["code"], code, "{name}");
        let found = match decision.acceptance {
            Acceptance::Accepted(_) => None,
            Acceptance::Refused { reason, .. } => Some(reason),
        };
        assert_eq!(found, reason, "{name}");
        let mut passed = Vec::new();
        assert_eq!(decide_passing(&arrival, &secured, Some(&secret), NOW, &mut |check| passed.push(check)), decision);
        let refused_by = name.rsplit(' ').next().expect("a name").to_lowercase().replace("type", "message_type");
        let before = Check::ALL.iter().take_while(|check| check.as_str() != refused_by);
        assert_eq!(passed, before.copied().collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn without_a_secret_timestamp_and_sign_are_ignored() {
    for (timestamp, sign) in [(json!("1"), json!("")), (json!(0), json!("x")), (json!(null), json!(7))] {
        let body = json!({"timestamp": timestamp, "sign": sign, "msg_type": "text", "content": {"text": "x"}});
        accepted_by(&integration(), Version::V2, &body);
    }
}

#[test]
fn a_keyword_counts_in_texts_and_titles_and_not_in_addresses_or_our_own_default() {
    let with = |keyword: &str| Integration {
        security: Security { keywords: vec!["absent".to_owned(), keyword.to_owned()], ..Security::default() },
        ..taking_cards()
    };
    let post = json!({"msg_type": "post", "content": {"post": {"zh_cn": {"title": "disk", "content": [[
        {"tag": "a", "text": "log", "href": "http://secret"}, {"tag": "text", "text": "db-1"}]]}}}});
    let card = json!({"msg_type": "interactive", "card": {"header": {"title": {"content": "disk"}},
        "elements": [{"tag": "markdown", "content": "**db-1** [log](http://secret)"},
            {"tag": "button", "text": {"content": "go"}, "url": "http://secret"}]}});
    let text = json!({"msg_type": "text", "content": {"text": "disk on db-1: log"}});
    for (keyword, expected) in
        [("disk", true), ("db-1", true), ("log", true), ("secret", false), ("Feishu Alert", false)]
    {
        for body in [&post, &card, &text] {
            let decision = arrive(Version::V2, body.to_string().as_bytes(), &with(keyword));
            assert_eq!(decision.result == IntakeResult::Accepted, expected, "{keyword} {body}");
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..2048)) {
        arrive(Version::V2, &body, &taking_cards());
        arrive(Version::V1, &body, &taking_cards());
    }

    // Proves: bounded
    #[test]
    fn no_well_formed_message_panics_and_none_leaves_an_unwanted_character(body in message()) {
        let body = body.to_string();
        if let Acceptance::Accepted(message) = arrive(Version::V2, body.as_bytes(), &taking_cards()).acceptance {
            prop_assert!(!message.title.is_empty());
            let unwanted = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{fffe}' || c == '\u{ffff}';
            prop_assert!(!message.content.contains(unwanted) && !message.title.contains(unwanted));
            prop_assert!(message.title.len() + message.content.len() <= limits::BODY_BYTES);
        }
    }

    #[test]
    fn no_text_of_markup_panics(text in "[<>/atfonlik=\"'\\[\\]()*~`!& \n\u{fffe}告a]{0,200}") {
        for body in [json!({"msg_type": "text", "content": {"text": text}}),
            json!({"msg_type": "interactive", "card": {"elements": [{"tag": "markdown", "content": text}]}})] {
            arrive(Version::V2, body.to_string().as_bytes(), &taking_cards());
        }
    }
}

/// JSON values that contain the words of the protocol in any arrangement.
fn message() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "text",
        "post",
        "interactive",
        "content",
        "card",
        "header",
        "title",
        "elements",
        "body",
        "tag",
        "zh_cn",
        "en_us",
        "markdown",
        "div",
        "note",
        "hr",
        "img",
        "table",
        "columns",
        "rows",
        "fields",
        "i18n",
        "i18n_elements",
        "button",
        "url",
        "behaviors",
        "at",
        "a",
        "user_id",
        "template",
        "data",
        "type",
        "name",
        "alt",
        "lark_md",
        "options",
    ]);
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        Just(Value::Null),
        word.clone().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    });
    (prop::sample::select(vec!["text", "post", "interactive"]), value.clone(), value)
        .prop_map(|(msg_type, content, card)| json!({"msg_type": msg_type, "content": content, "card": card}))
}
