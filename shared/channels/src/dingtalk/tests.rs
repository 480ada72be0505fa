use super::*;
use crate::outcome::Reason::{BadDestination, ProviderDown, RateLimited, Refused, TooLarge, Unauthorized, Unreadable};
use crate::registry::Destination;
use crate::samples::{self, check_outcomes, delivered, described, rejected, retry};

#[test]
fn signatures_are_those_of_an_independent_client() {
    let vectors = include_str!("../../../../tests/fixtures/dingtalk/bot_signatures.json");
    let vectors: Value = serde_json::from_str(vectors).expect("JSON");
    for case in vectors["cases"].as_array().expect("a list") {
        let text = |name: &str| case[name].as_str().expect("text");
        let millis: i64 = text("timestamp_ms").parse().expect("a number");
        assert_eq!(sign(millis, text("secret")), text("sign_base64"));
        let bot = Bot {
            url: Secret::new("https://oapi.dingtalk.com/robot/send?access_token=t"),
            secret: Some(Secret::new(text("secret"))),
        };
        let notices = [described("disk full", "")];
        let request = bot.request(&samples::post(&notices), Moment::from_millis(millis)).expect("renders");
        let query = format!("?access_token=t&timestamp={millis}&sign={}", text("sign_query"));
        assert!(samples::url(&request).ends_with(&query), "{}", samples::url(&request));
    }
}

#[test]
fn a_bare_token_serves_as_url() {
    let whole = Destination::parse(
        "dingtalk_bot",
        &json!({"url": "https://oapi.dingtalk.com/robot/send?access_token=0123abcdef"}),
        None,
    );
    assert_eq!(Destination::parse("dingtalk_bot", &json!({"url": " 0123abcdef "}), None), whole);
}

#[test]
fn settings_are_refused_with_field_and_remedy() {
    let parse = |settings: Value| Destination::parse("dingtalk_bot", &settings, None).expect_err("refused").to_string();
    for url in ["https://oapi.dingtalk.com/robot/send", "https://oapi.dingtalk.com/other?access_token=x"] {
        assert!(parse(json!({ "url": url })).starts_with("settings.url has no /robot/send?access_token=…"));
    }
    assert!(parse(json!({"url": "abc", "secret": ""})).starts_with("settings.secret must be a text"));
}

#[test]
fn answers_and_what_they_mean() {
    let errcode = |code: i64, message: &str| json!({"errcode": code, "errmsg": message}).to_string();
    let table = [
        (errcode(0, "ok"), delivered()),
        (errcode(310_000, "keywords not in content, more: [https://ding-doc.dingtalk.com]"), rejected(Unauthorized)),
        (errcode(310_000, "sign not match"), rejected(Unauthorized)),
        (errcode(310_000, "invalid timestamp"), rejected(Unauthorized)),
        (errcode(310_000, "ip 203.0.113.7 not in whitelist"), rejected(Unauthorized)),
        (errcode(130_101, "send too fast, exceed 20 times per minute"), retry(600, RateLimited)),
        (errcode(410_100, "send too fast"), retry(600, RateLimited)),
        (errcode(424_242, "send too fast"), retry(600, RateLimited)),
        (errcode(-1, "system busy"), retry(30, ProviderDown)),
        (errcode(300_001, "token is not exist"), rejected(BadDestination)),
        (errcode(300_005, "token is not exist"), rejected(BadDestination)),
        (errcode(400_101, "access_token does not exist"), rejected(BadDestination)),
        (errcode(400_013, "group is dismissed"), rejected(BadDestination)),
        (errcode(400_102, "robot is disabled"), rejected(BadDestination)),
        (errcode(400_106, "robot does not exist"), rejected(BadDestination)),
        (errcode(400_105, "unsupported msgtype"), rejected(Refused)),
        (errcode(40_035, "missing param"), rejected(Refused)),
        (errcode(43_004, "invalid content-type"), rejected(Refused)),
        (errcode(460_101, "message too long"), rejected(TooLarge)),
        (errcode(424_242, "never seen before"), rejected(Refused)),
        (r#"{"status":1111,"wait":5,"punish":"deny"}"#.to_owned(), retry(300, RateLimited)),
        (r#"{"errmsg":"ok"}"#.to_owned(), retry(None, Unreadable)),
        (r#"{"errcode":"0","errmsg":"ok"}"#.to_owned(), delivered()),
    ];
    let rows: Vec<_> = table.iter().map(|(body, outcome)| (200, body.as_str(), outcome.clone())).collect();
    check_outcomes("dingtalk_bot", &rows);
}

// Proves: fault 14
#[test]
fn nothing_in_an_alert_mentions_anyone_or_makes_markup() {
    let evil = "@all <font color=\"red\">x</font> [x](https://evil.example)\n# h";
    let notices = [described("@all", evil)];
    let body = samples::body(
        &samples::destination("dingtalk_bot").request(&samples::post(&notices), samples::NOW).expect("renders"),
    );
    assert_eq!(body["at"], json!({"isAtAll": false}));
    let text = body["markdown"]["text"].as_str().expect("text");
    let written = "@all ＜font color=\"red\"\\>x＜/font\\> \\[x\\]([evil.example](https://evil.example))  \n\\# h";
    assert!(text.contains(written), "{text}");
}

#[test]
fn a_post_has_the_same_number_at_every_try_and_another_as_plain_text() {
    let (one, two) = ([described("disk full", "")], [described("disk full", ""), described("disk full", "")]);
    let uuid = |post: &Post<'_>, at| {
        samples::body(&samples::destination("dingtalk_bot").request(post, at).expect("renders"))["msgUuid"].clone()
    };
    let first = uuid(&samples::post(&one), samples::NOW);
    assert_eq!(first, uuid(&samples::post(&one), samples::NOW + Duration::from_secs(5)));
    assert_ne!(first, uuid(&Post { form: Form::Plain, ..samples::post(&one) }, samples::NOW));
    assert_ne!(first, uuid(&samples::post(&two), samples::NOW));
}

#[test]
fn a_user_id_comes_before_the_phone_and_both_stand_in_the_text_and_in_at() {
    let identities = [(MENTIONED_BY.to_owned(), "manager123".to_owned())].into();
    let by_id = Person { name: "Li".to_owned(), phone: Some("+8613800000000".to_owned()), identities };
    let abroad = Person { phone: Some("+85212345678".to_owned()), identities: Default::default(), ..by_id.clone() };
    let people = [by_id, abroad];
    assert_eq!(mentions(&people, escape), "@manager123 @+85212345678");
    let at = json!({"isAtAll": false, "atUserIds": ["manager123"], "atMobiles": ["+85212345678"]});
    assert_eq!(super::at(&people), at);
}
