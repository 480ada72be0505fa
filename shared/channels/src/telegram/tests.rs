use super::*;
use crate::outcome::Reason::{BadDestination, ProviderDown, RateLimited, Refused, TooLarge, Unauthorized, Unreadable};
use crate::registry::Destination;
use crate::samples::{self, check_outcomes, described, rejected, retry};

#[test]
fn answers_and_what_they_mean() {
    let error = |code: u16, description: &str| {
        (code, json!({"ok": false, "error_code": code, "description": description}).to_string())
    };
    let table = [
        (error(400, "Bad Request: chat not found"), rejected(BadDestination)),
        (error(400, "Bad Request: not enough rights to send text messages to the chat"), rejected(BadDestination)),
        (error(400, "Bad Request: TOPIC_CLOSED"), rejected(BadDestination)),
        (error(400, "Bad Request: group chat was upgraded to a supergroup chat"), rejected(BadDestination)),
        (error(400, "Bad Request: message is too long"), rejected(TooLarge)),
        (error(400, "Bad Request: can't parse entities: unsupported start tag"), rejected(Refused)),
        (error(400, "Bad Request: BUTTON_URL_INVALID"), rejected(Refused)),
        (error(401, "Unauthorized"), rejected(Unauthorized)),
        (error(404, "Not Found"), rejected(Unauthorized)),
        (error(403, "Forbidden: bot was kicked from the supergroup chat"), rejected(BadDestination)),
        (error(403, "Forbidden: bot was blocked by the user"), rejected(BadDestination)),
        (error(429, "Too Many Requests"), retry(None, RateLimited)),
        (error(500, "Internal Server Error"), retry(None, ProviderDown)),
    ];
    let rows: Vec<_> =
        table.iter().map(|((status, body), outcome)| (*status, body.as_str(), outcome.clone())).collect();
    check_outcomes("telegram_bot", &rows);
    check_outcomes(
        "telegram_bot",
        &[
            (
                200,
                r#"{"ok":true,"result":{"message_id":5,"chat":{"id":-100}}}"#,
                Outcome::Delivered { receipt: Some("5".to_owned()) },
            ),
            (
                429,
                r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 17","parameters":{"retry_after":17}}"#,
                retry(17, RateLimited),
            ),
            (
                200,
                r#"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#,
                rejected(BadDestination),
            ),
            (200, r#"{"result":{"message_id":5}}"#, retry(None, Unreadable)),
            (500, r#"{"ok":true,"result":{}}"#, retry(None, ProviderDown)),
        ],
    );
}

#[test]
fn a_group_that_moved_is_named_to_the_operator() {
    let body = r#"{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1009876}}"#;
    let provider = samples::destination("telegram_bot").provider(&samples::reply(400, body));
    assert!(provider.message.ends_with("(set chat_id to -1009876)"), "{provider:?}");
}

#[test]
fn a_chat_is_a_number_the_same_as_text_or_a_name() {
    let parse = |chat: Value| Destination::parse("telegram_bot", &json!({"token": "1:a", "chat_id": chat}), None);
    assert_eq!(parse(json!(-100_123)), parse(json!("-100123")));
    assert!(parse(json!("@ops_group")).is_ok());
    for bad in [json!("ops"), json!("@"), json!(1.5), json!(true), json!("@a b")] {
        let refused = parse(bad.clone()).expect_err("refused");
        assert_eq!(refused.field, "settings.chat_id", "{bad}");
    }
}

#[test]
fn a_token_that_is_none_is_refused() {
    for token in ["", "abc", "bot1:abc", "1:", "1:a/../b", "https://evil.example/1:a"] {
        let refused =
            Destination::parse("telegram_bot", &json!({"token": token, "chat_id": 1}), None).expect_err("refused");
        assert_eq!(refused.field, "settings.token", "{token}");
    }
}

// Proves: fault 14
#[test]
fn nothing_in_an_alert_mentions_anyone_or_makes_markup() {
    assert_eq!(escape("@durov a@b.example <b>&\""), "@\u{200B}durov a@b.example &lt;b&gt;&amp;&quot;");
    let notices = [described("<a href=\"tg://user?id=1\">x</a>", "@everyone")];
    let request =
        samples::destination("telegram_bot").request(&samples::post(&notices), samples::NOW).expect("renders");
    let body = samples::body(&request);
    let text = body["text"].as_str().expect("text");
    assert!(
        text.contains("&lt;a href=&quot;tg://user?id=1&quot;&gt;x&lt;/a&gt;") && !text.contains("@everyone"),
        "{text}"
    );
}

#[test]
fn tags_and_entities_do_not_count() {
    assert_eq!(
        visible("<b>[Critical]</b> &lt;x&gt; &amp;amp; <a href=\"https://x.example/?a=1&amp;b=2\">D</a>"),
        "[Critical] <x> &amp; D"
    );
}

#[test]
fn a_button_leads_only_where_telegram_lets_it() {
    for (link, public) in [
        ("https://larkspur.example/incidents/1", true),
        ("http://127.0.0.1:9000/incidents/1", false),
        ("http://localhost:9000/incidents/1", false),
        ("http://[::1]/incidents/1", false),
    ] {
        assert_eq!(is_public(link), public, "{link}");
    }
}

#[test]
fn a_digest_has_no_more_entities_than_telegram_formats() {
    let notices: Vec<_> = (0..60).map(|_| described("x", "")).collect();
    let request =
        samples::destination("telegram_bot").request(&samples::post(&notices), samples::NOW).expect("renders");
    assert_eq!(request.shown, LINES);
}

#[test]
fn people_are_mentioned_by_number_or_by_user_name() {
    for (id, rich, plain) in [
        ("1234567", "\n<a href=\"tg://user?id=1234567\">Li &lt;L&gt;</a>", "Li <L>"),
        ("@li_lei", "\n@li_lei", "@li_lei"),
        ("li_lei", "\n@li_lei", "@li_lei"),
        ("1li", "\nLi &lt;L&gt;", "Li <L>"),
        ("li-lei", "\nLi &lt;L&gt;", "Li <L>"),
    ] {
        let identities = [(MENTIONED_BY.to_owned(), id.to_owned())].into();
        let people = [Person { name: "Li <L>".to_owned(), phone: None, identities }];
        assert_eq!((mention_line(&people).as_str(), plain_mentions(&people).as_str()), (rich, plain), "{id}");
    }
}

#[test]
fn a_group_that_became_a_supergroup_says_its_new_id() {
    let bot = crate::samples::destination("telegram_bot");
    let reply = |body: Value| Reply { status: 400, body: body.to_string().into_bytes(), ..Reply::default() };
    let moved = json!({"ok": false, "error_code": 400, "description": "Bad Request: group chat was upgraded to a supergroup chat",
        "parameters": {"migrate_to_chat_id": -1_001_234_567_890_i64}});
    let settings = bot.moved(&reply(moved)).expect("it moved");
    assert_eq!(Value::Object(settings), json!({"chat_id": -1_001_234_567_890_i64}));
    let missing = json!({"ok": false, "error_code": 400, "description": "Bad Request: chat not found"});
    assert_eq!(bot.moved(&reply(missing)), None);
}
