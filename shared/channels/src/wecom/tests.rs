use super::*;
use crate::outcome::Reason::{BadDestination, ProviderDown, RateLimited, Refused, TooLarge, Unreadable};
use crate::registry::Destination;
use crate::samples::{self, check_outcomes, delivered, described, rejected, retry};

#[test]
fn a_bare_key_serves_as_url() {
    let url = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7xxx";
    let whole = Destination::parse("wecom_bot", &json!({ "url": url }), None);
    assert_eq!(Destination::parse("wecom_bot", &json!({"url": "693a91f6-7xxx"}), None), whole);
}

#[test]
fn answers_and_what_they_mean() {
    let errcode = |code: i64, message: &str| json!({"errcode": code, "errmsg": message}).to_string();
    let table = [
        (errcode(0, "ok"), delivered()),
        (errcode(45_009, "api freq out of limit"), retry(60, RateLimited)),
        (errcode(45_033, "api concurrent out of limit"), retry(60, RateLimited)),
        (errcode(93_000, "invalid webhook url"), rejected(BadDestination)),
        (errcode(93_004, "robot is stopped"), rejected(BadDestination)),
        (errcode(93_008, "not in group"), rejected(BadDestination)),
        (errcode(40_008, "invalid message type"), rejected(Refused)),
        (errcode(40_033, "invalid character"), rejected(Refused)),
        (errcode(40_058, "markdown.content exceed max length 4096"), rejected(Refused)),
        (errcode(44_004, "empty content"), rejected(Refused)),
        (errcode(45_002, "content size out of limit"), rejected(TooLarge)),
        (errcode(-1, "system busy"), retry(None, ProviderDown)),
        (errcode(424_242, "never seen before"), rejected(Refused)),
        (r#"{"errmsg":"ok"}"#.to_owned(), retry(None, Unreadable)),
    ];
    let rows: Vec<_> = table.iter().map(|(body, outcome)| (200, body.as_str(), outcome.clone())).collect();
    check_outcomes("wecom_bot", &rows);
}

// Proves: fault 14
#[test]
fn nothing_in_an_alert_mentions_anyone_or_makes_markup() {
    let evil = "<@all> <font color=\"info\">x</font> [x](https://evil.example)\n# h **b** cpu < 90";
    let notices = [described("<@all>", evil)];
    let request = samples::destination("wecom_bot").request(&samples::post(&notices), samples::NOW).expect("renders");
    let body = samples::body(&request);
    let text = body["markdown"]["content"].as_str().expect("text");
    assert!(!text.contains("<@") && text.contains("＜@all> ＜font color=\"info\">x＜/font>"), "{text}");
    assert!(
        text.contains("[x]\u{200B}([evil.example](https://evil.example))")
            && text.contains("\u{200B}# h *\u{200B}*b*\u{200B}* cpu < 90"),
        "{text}"
    );
}

#[test]
fn chinese_is_written_as_itself() {
    let notices = [described("磁盘满了", "")];
    let request = samples::destination("wecom_bot").request(&samples::post(&notices), samples::NOW).expect("renders");
    assert!(samples::body_text(&request).contains("磁盘满了"));
}

#[test]
fn plain_text_has_its_own_shorter_limit() {
    let notices = [described("disk full", &"告".repeat(2000))];
    let post = Post { form: Form::Plain, ..samples::post(&notices) };
    let body = samples::body(&samples::destination("wecom_bot").request(&post, samples::NOW).expect("renders"));
    let text = body["text"]["content"].as_str().expect("text");
    assert!((2046..=2048).contains(&text.len()), "{}", text.len());
}

fn known_as(identity: &str, phone: Option<&str>) -> Person {
    let identities = [(MENTIONED_BY.to_owned(), identity.to_owned())].into();
    Person { name: "Li Lei".to_owned(), phone: phone.map(str::to_owned), identities }
}

#[test]
fn a_person_known_only_by_phone_is_mentioned_in_one_text_message() {
    let by_phone = Person { identities: Default::default(), ..known_as("", Some("+8613800000000")) };
    let abroad = Person { phone: Some("+85212345678".to_owned()), ..by_phone.clone() };
    let mentions = vec![by_phone, abroad, known_as("LiLei", Some("+8613900000000"))];
    let notices = [alerting::incident::notice::Notice { mentions, ..described("disk full", "97%") }];
    let request = samples::destination("wecom_bot").request(&samples::post(&notices), samples::NOW).expect("renders");
    let body = samples::body(&request);
    assert_eq!(body["msgtype"], "text");
    assert_eq!(body["text"]["mentioned_list"], json!(["LiLei"]));
    assert_eq!(body["text"]["mentioned_mobile_list"], json!(["13800000000", "+85212345678"]));
    assert!(body["text"]["content"].as_str().expect("text").contains("disk full"));
}

#[test]
fn a_user_id_never_mentions_everyone() {
    for (id, known) in [("LiLei", true), ("li.lei@corp", true), ("@all", false), ("all", false), ("a>b", false)] {
        assert_eq!(user_id(&known_as(id, None)).is_some(), known, "{id}");
    }
}
