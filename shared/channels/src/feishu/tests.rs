use super::*;
use crate::outcome::Reason::{BadDestination, ProviderDown, RateLimited, Refused, TooLarge, Unauthorized, Unreadable};
use crate::samples::{self, check_outcomes, delivered, described, rejected, retry};

#[test]
fn signatures_are_those_of_an_independent_client() {
    let vectors = include_str!("../../../../tests/fixtures/feishu/bot_signatures.json");
    let vectors: Value = serde_json::from_str(vectors).expect("JSON");
    for case in vectors["cases"].as_array().expect("a list") {
        let secs = case["timestamp"].as_str().expect("text").parse().expect("a number");
        assert_eq!(sign(secs, case["secret"].as_str().expect("text")), case["sign"], "{case}");
    }
}

#[test]
fn a_body_is_signed_in_seconds_only_if_there_is_a_secret() {
    let notices = [described("disk full", "")];
    let bot: Bot = samples::channel();
    let body = samples::body(&bot.request(&samples::post(&notices), samples::NOW).expect("renders"));
    assert_eq!(body["timestamp"], "1767607200");
    assert_eq!(body["sign"], sign(1_767_607_200, "c4nary-feishu-secret"));
    let bare = Bot { secret: None, ..bot };
    let body = samples::body(&bare.request(&samples::post(&notices), samples::NOW).expect("renders"));
    assert!(body.get("sign").is_none() && body.get("timestamp").is_none());
}

#[test]
fn the_number_with_its_sign_is_in_the_title_that_the_keyword_is_looked_for_in() {
    let bot: Bot = samples::channel();
    let one = [described("disk full", "")];
    let two = [described("disk full", ""), described("cpu high", "")];
    for notices in [&one[..], &two[..]] {
        let body = samples::body(&bot.request(&samples::post(notices), samples::NOW).expect("renders"));
        let title = body["card"]["header"]["title"]["content"].as_str().expect("a title");
        assert!(title.contains("INC #7KQ2MD"), "{title}");
    }
}

#[test]
fn answers_and_what_they_mean() {
    check_outcomes(
        "feishu_bot",
        &[
            (200, r#"{"code":0,"msg":"success","data":{},"StatusCode":0,"StatusMessage":"success"}"#, delivered()),
            (200, r#"{"StatusCode":0,"StatusMessage":"success"}"#, delivered()),
            (
                200,
                r#"{"code":19021,"msg":"sign match fail or timestamp is not within one hour"}"#,
                rejected(Unauthorized),
            ),
            (200, r#"{"code":19022,"msg":"Ip Not Allowed"}"#, rejected(Unauthorized)),
            (200, r#"{"code":19024,"msg":"Key Words Not Found"}"#, rejected(Unauthorized)),
            (
                200,
                r#"{"code":19001,"msg":"param invalid: incoming webhook access token invalid"}"#,
                rejected(BadDestination),
            ),
            (400, r#"{"code":19007,"msg":"Bot Not Enabled"}"#, rejected(BadDestination)),
            (200, r#"{"code":9499,"msg":"too many request"}"#, retry(None, RateLimited)),
            (400, r#"{"code":9499,"msg":"Bad Request","data":{}}"#, rejected(Refused)),
            (
                200,
                r#"{"code":11232,"msg":"frequency limited psm[lark.oapi.app_platform_runtime]"}"#,
                retry(None, RateLimited),
            ),
            (429, r#"{"code":99991400,"msg":"request trigger frequency limit"}"#, retry(None, RateLimited)),
            (200, r#"{"code":11246,"msg":"card content error, ErrCode: 11310"}"#, rejected(Refused)),
            (200, r#"{"code":19002,"msg":"params error, msg_type need"}"#, rejected(Refused)),
            (200, r#"{"code":230025,"msg":"The length of the message content reaches its limit"}"#, rejected(TooLarge)),
            (200, r#"{"code":-1,"msg":"internal error"}"#, retry(None, ProviderDown)),
            (200, r#"{"code":424242,"msg":"never seen before"}"#, rejected(Refused)),
            (502, r#"{"code":424242,"msg":"upstream"}"#, retry(None, ProviderDown)),
            (500, r#"{"code":0,"msg":"success"}"#, retry(None, ProviderDown)),
            (200, r#"{"msg":"success"}"#, retry(None, Unreadable)),
            (200, r#"{"code":null,"StatusMessage":"success"}"#, retry(None, Unreadable)),
            (200, r#"{"code":19021,"StatusCode":0}"#, rejected(Unauthorized)),
            (404, "404 page not found", rejected(BadDestination)),
        ],
    );
}

#[test]
fn settings_are_refused_with_field_and_remedy() {
    let parse = |settings: Value| {
        crate::registry::Destination::parse(Bot::NAME, &settings, None).expect_err("refused").to_string()
    };
    assert!(parse(json!({})).starts_with("settings.url is missing; copy the bot's webhook address"));
    assert!(parse(json!({"url": "https://evil.example/open-apis/bot/v2/hook/x"})).contains("https://open.feishu.cn"));
    assert!(parse(json!({"url": "https://open.feishu.cn/open-apis/bot/hook/x"})).contains("/open-apis/bot/v2/hook/"));
    let typo = parse(json!({"url": "https://open.feishu.cn/open-apis/bot/v2/hook/x", "secert": "s"}));
    assert_eq!(typo, "settings.secert is not a setting of feishu_bot; it has url, secret");
}

#[test]
fn an_international_bot_is_taken() {
    let settings = json!({"url": "https://open.larksuite.com/open-apis/bot/v2/hook/x", "secret": null});
    assert!(crate::registry::Destination::parse(Bot::NAME, &settings, None).is_ok());
}

// Proves: fault 14
#[test]
fn text_that_looks_like_markup_stays_text() {
    let evil = "<at user_id=\"all\"></at> **b** [x](https://evil.example)";
    let bot: Bot = samples::channel();
    let one = [described(evil, evil)];
    let card = samples::body(&bot.request(&samples::post(&one), samples::NOW).expect("renders"));
    for element in card["card"]["elements"].as_array().expect("a list") {
        let text = &element["text"];
        assert!(text["tag"] != "lark_md" || !text["content"].as_str().expect("text").contains("<at"));
    }
    let two = [described(evil, ""), described(evil, "")];
    let card = samples::body(&bot.request(&samples::post(&two), samples::NOW).expect("renders"));
    let line = card["card"]["elements"][0]["text"]["content"].as_str().expect("text");
    assert!(line.ends_with(
        "&#60;at user&#95;id=\"all\"&#62;&#60;/at&#62; &#42;&#42;b&#42;&#42; &#91;x&#93;&#40;https://evil.example&#41;"
    ));
    let plain = Post { form: Form::Plain, ..samples::post(&one) };
    let text = samples::body(&bot.request(&plain, samples::NOW).expect("renders"));
    assert!(!text["content"]["text"].as_str().expect("text").contains("<at"));
}
