//! Promises of every channel. A new channel is tested through its line in the registry.

use std::path::PathBuf;

use alerting::incident::notice::Notice;
use alerting::incident::timeline::EntryKind;
use alerting::people::Person;
use alerting::people::destination::Language;
use alerting::people::medium::Medium;
use serde_json::{Value, json};

use crate::catalogue::media;
use crate::fit::RenderError;
use crate::outcome::{Outcome, ProviderReply, Reason};
use crate::post::{Form, Letter, Post};
use crate::registry::{Destination, NAMES};
use crate::reply::{DATE, KEPT_HEADERS, REPLY_BYTES, RETRY_AFTER, Reply};
use crate::request::Request;
use crate::samples::{
    self, CANARY, NOTIFYING, NOW, body, body_text, described, destination, escalated, li_lei, notice, post, rejected,
    reply, retry,
};
use crate::settings::PlainSmtpHosts;
use crate::size::Unit;

/// `tests/fixtures/{vendor}`, from the channel's name.
fn fixtures(channel: &str) -> PathBuf {
    let vendor = channel.split('_').next().expect("split gives at least one part");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(vendor);
    assert!(path.join("SOURCES.md").is_file(), "{channel} has no {}/SOURCES.md", path.display());
    path
}

/// The channels over HTTP. Statuses mean the same for all of them.
fn over_http() -> impl Iterator<Item = &'static &'static str> {
    NAMES.iter().filter(|channel| !destination(channel).limits().hosts.is_empty())
}

fn render(channel: &str, post: &Post<'_>) -> Request {
    destination(channel).request(post, NOW).expect("renders")
}

/// The same with a card, if the channel has cards.
fn render_with_card(channel: &str, post: &Post<'_>) -> Request {
    let card = Destination::has_cards(channel).then(samples::card);
    render(channel, &Post { card: card.as_ref(), ..*post })
}

/// What the vendor counts of a body.
pub(crate) fn text(channel: &str, request: &Request) -> String {
    let body = body(request);
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    match channel {
        "feishu_bot" | "dingtalk_bot" => body_text(request),
        "wecom_bot" => text(&body["markdown"]["content"]),
        "email" => text(&body["html"]),
        "telegram_bot" => crate::telegram::visible(&text(&body["text"])),
        _ => strings(&body, "text"),
    }
}

/// Every `name` in a body, one after the other.
fn strings(body: &Value, name: &str) -> String {
    match body {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| match value {
                Value::String(text) if key == name => text.clone(),
                value => strings(value, name),
            })
            .collect(),
        Value::Array(items) => items.iter().map(|item| strings(item, name)).collect(),
        _ => String::new(),
    }
}

// Proves: finding E4
#[test]
fn every_notifying_change_has_its_golden_request() {
    for channel in NAMES {
        let mut golden = insta::Settings::clone_current();
        let folder = if Destination::has_accounts(channel) { "app_requests" } else { "requests" };
        golden.set_snapshot_path(fixtures(channel).join(folder));
        golden.set_prepend_module_to_snapshot(false);
        golden.set_omit_expression(true);
        let pretty = |request: &Request| serde_json::to_string_pretty(&body(request)).expect("JSON serialises");
        golden.bind(|| {
            for (name, kind) in NOTIFYING {
                insta::assert_snapshot!(name, pretty(&render_with_card(channel, &post(&[notice(kind)]))));
            }
            let several = NOTIFYING.map(|(_, kind)| notice(kind));
            insta::assert_snapshot!("folded", pretty(&render_with_card(channel, &post(&several))));
            let one = [notice(EntryKind::Acknowledged)];
            let chinese = Post { language: Language::Chinese, ..post(&one) };
            insta::assert_snapshot!("acknowledged_in_chinese", pretty(&render_with_card(channel, &chinese)));
            let plain = Post { form: Form::Plain, ..post(&one) };
            insta::assert_snapshot!("acknowledged_plain", pretty(&render_with_card(channel, &plain)));
            let called = [escalated()];
            insta::assert_snapshot!("escalated", pretty(&render_with_card(channel, &post(&called))));
            let plain = Post { form: Form::Plain, language: Language::Chinese, ..post(&called) };
            insta::assert_snapshot!("escalated_plain_in_chinese", pretty(&render_with_card(channel, &plain)));
            let several = [notice(EntryKind::Triggered), escalated(), escalated()];
            insta::assert_snapshot!("folded_with_mentions", pretty(&render_with_card(channel, &post(&several))));
        });
    }
}

// Proves: fault 59
#[test]
fn every_recorded_reply_means_what_its_fixture_says() {
    for channel in NAMES {
        // A vendor's bot and app answer differently.
        let name = if Destination::has_accounts(channel) { "app_replies.json" } else { "replies.json" };
        let file = std::fs::read(fixtures(channel).join(name)).expect("the replies exist");
        let replies: Vec<Value> = serde_json::from_slice(&file).expect("a list");
        assert!(replies.iter().any(|reply| reply["outcome"] == "delivered"), "{channel} has no success");
        for recorded in replies {
            let reply = Reply {
                status: recorded["status"].as_u64().and_then(|status| status.try_into().ok()).expect("a status"),
                headers: KEPT_HEADERS
                    .into_iter()
                    .filter_map(|name| Some((name, recorded["headers"][name].as_str()?.to_owned())))
                    .collect(),
                ..reply(0, recorded["body"].as_str().expect("a body"))
            };
            let outcome = destination(channel).outcome(&reply);
            assert_eq!(outcome.as_str(), recorded["outcome"], "{channel}: {recorded}");
            assert_eq!(outcome.reason().map(Reason::as_str), recorded["reason"].as_str(), "{channel}: {recorded}");
            let after = match outcome {
                Outcome::Retry { after, .. } => after.map(|after| after.as_secs()),
                Outcome::Delivered { .. } | Outcome::Accepted { .. } | Outcome::Rejected { .. } => None,
            };
            assert_eq!(after, recorded["after_seconds"].as_u64(), "{channel}: {recorded}");
        }
    }
}

// Proves: fault 60
#[test]
fn http_statuses_without_a_body_of_the_vendors_mean_the_same_everywhere() {
    let html = "<html><body>hello</body></html>";
    for channel in over_http() {
        let check =
            |status, outcome| assert_eq!(destination(channel).outcome(&reply(status, html)), outcome, "{channel}");
        check(200, retry(None, Reason::Unreadable));
        check(302, rejected(Reason::BadDestination));
        check(401, rejected(Reason::Unauthorized));
        check(404, rejected(Reason::BadDestination));
        check(408, retry(None, Reason::ProviderDown));
        check(413, rejected(Reason::TooLarge));
        check(429, retry(None, Reason::RateLimited));
        for status in [500, 502, 503, 504] {
            check(status, retry(None, Reason::ProviderDown));
        }
    }
}

// Proves: fault 60
#[test]
fn an_answer_that_is_empty_endless_or_without_its_code_is_never_taken_for_sent() {
    let endless = vec![b'a'; REPLY_BYTES];
    for channel in over_http() {
        let outcome = |body: &[u8]| destination(channel).outcome(&reply(200, body));
        assert_eq!(outcome(&endless), retry(None, Reason::Unreadable), "{channel}");
        // Zoom alone says success with the status and an empty body.
        if *channel != "zoom_webhook" {
            for body in ["", "{}", "[]", "null", "\"ok\"", "{\"msg\":\"ok\"}", "{\"code\":\"x\"}"] {
                assert_eq!(outcome(body.as_bytes()), retry(None, Reason::Unreadable), "{channel}: {body}");
            }
        }
    }
}

// Proves: fault 55
#[test]
fn retry_after_is_seconds_or_a_date_and_stays_within_reason() {
    let wait = |channel: &str, retry_after: &str, date: Option<&str>| {
        let date = date.map(|date| (DATE, date.to_owned()));
        let headers = [(RETRY_AFTER, retry_after.to_owned())].into_iter().chain(date).collect();
        let reply = Reply { headers, ..reply(503, "") };
        match destination(channel).outcome(&reply) {
            Outcome::Retry { after, .. } => after.map(|after| after.as_secs()),
            other => panic!("{channel}: {other:?}"),
        }
    };
    for channel in over_http() {
        assert_eq!(wait(channel, "30", None), Some(30), "{channel}");
        assert_eq!(wait(channel, " 30 ", None), Some(30), "{channel}");
        assert_eq!(wait(channel, "0", None), Some(1), "{channel}");
        assert_eq!(wait(channel, "86400", None), Some(900), "{channel}");
        assert_eq!(wait(channel, "Mon, 05 Jan 2026 10:01:00 GMT", None), Some(60), "{channel}");
        let provider_clock = Some("Mon, 05 Jan 2026 10:00:50 GMT");
        assert_eq!(wait(channel, "Mon, 05 Jan 2026 10:01:00 GMT", provider_clock), Some(10), "{channel}");
        assert_eq!(wait(channel, "Mon, 05 Jan 2026 09:00:00 GMT", None), Some(1), "{channel}");
        for garbage in ["", "-5", "soon", "1e9", "99999999999999999999999"] {
            assert_eq!(wait(channel, garbage, None), None, "{channel}: {garbage}");
        }
    }
}

// Proves: fault 64
#[test]
fn a_message_of_exactly_the_vendors_size_is_not_cut_and_one_more_is() {
    for channel in NAMES {
        let limit = destination(channel).limits().text;
        for character in ["a", "告", "😀"] {
            let sized = |count: usize| {
                let notices = [described("disk full", &character.repeat(count))];
                render(channel, &post(&notices))
            };
            let counted = |request: &Request| limit.unit.count(&text(channel, request));
            // The longest description that is not cut, by trial.
            let (mut whole, mut cut) = (1_usize, limit.max.max(20_000) + 1_000);
            while cut - whole > 1 {
                let middle = whole.midpoint(cut);
                if sized(middle).cut { cut = middle } else { whole = middle }
            }
            let one = limit.unit.count(character);
            // A signature's length varies by a few digits, and Slack splits texts into sections.
            let slack = if limit.unit == Unit::Bytes && text(channel, &sized(1)).starts_with('{') { 128 } else { one };
            let longest = counted(&sized(whole));
            assert!(
                (limit.max - slack..=limit.max).contains(&longest),
                "{channel} {character}: {longest} of {limit:?}"
            );
            let shortened = sized(cut);
            let used = counted(&shortened);
            assert!(
                (limit.max - slack - one..=limit.max).contains(&used),
                "{channel} {character}: {used} of {limit:?}"
            );
        }
    }
}

// Proves: fault 64
#[test]
fn after_every_cut_the_link_the_severity_the_number_and_the_title_stay() {
    let title = "磁盘满了😀".repeat(100);
    let huge = "<&\"*_`[]()告警😀\n".repeat(2000);
    let mut long = described(&title, &huge);
    long.labels = (0..50).map(|n| (format!("label{n}"), huge.chars().take(2048).collect())).collect();
    let notices = [long];
    for channel in NAMES {
        for form in [Form::Rich, Form::Plain] {
            let request = render(channel, &Post { form, ..post(&notices) });
            let body = body_text(&request);
            assert!(request.cut, "{channel}");
            let link = samples::link(&notices[0]);
            let acknowledge = format!("{link}?ack=1");
            for part in [link.as_str(), &acknowledge, "Critical", "INC #7KQ2MD", "磁盘满了😀磁盘满了😀"] {
                assert!(body.contains(part), "{channel} {form:?} has no {part}");
            }
        }
    }
}

#[test]
fn several_notices_are_a_line_each_and_those_that_do_not_fit_are_left_for_the_next_message() {
    let notices: Vec<Notice> =
        (0..120).map(|n| Notice { num: format!("N{n:05}"), ..described(&"磁盘满了".repeat(40), "") }).collect();
    for channel in NAMES {
        for form in [Form::Rich, Form::Plain] {
            let mut waiting = &notices[..];
            let mut messages = 0;
            while waiting.len() > 1 {
                let request = render(channel, &Post { form, ..post(waiting) });
                let body = body_text(&request);
                assert!(request.shown >= 1 && request.shown <= waiting.len(), "{channel}");
                assert!(waiting[..request.shown].iter().all(|notice| body.contains(&notice.num)), "{channel}");
                assert!(waiting[request.shown..].iter().all(|notice| !body.contains(&notice.num)), "{channel}");
                let left = waiting.len() - request.shown;
                assert_eq!(left > 0, body.contains(&format!("{left} more in the next message")), "{channel}");
                waiting = &waiting[request.shown..];
                messages += 1;
            }
            assert!(messages > 1, "{channel} {form:?} took 120 lines at once");
        }
    }
}

#[test]
fn a_few_notices_fit_into_one_message() {
    let notices = NOTIFYING.map(|(_, kind)| notice(kind));
    for channel in NAMES {
        let request = render(channel, &post(&notices));
        assert_eq!((request.shown, request.cut), (notices.len(), false), "{channel}");
    }
}

#[test]
fn a_post_without_notices_is_an_error() {
    for channel in NAMES {
        assert_eq!(destination(channel).request(&post(&[]), NOW).expect_err("refused"), RenderError::NoNotices);
    }
}

// Proves: fault 106, fault 107, fault 112
#[test]
fn no_secret_is_in_any_debug_display_or_error() {
    for channel in NAMES {
        let (settings, provider) = (samples::settings(channel), samples::provider(channel));
        let request = render(channel, &post(&[notice(EntryKind::Triggered)]));
        let mut seen = vec![format!("{:?} {request:?}", destination(channel))];
        // Every setting wrong in turn, with the secrets in it.
        for settings in each_wrong(&settings) {
            if let Err(error) = Destination::parse(channel, &settings, provider.as_ref()) {
                seen.push(format!("{error} {error:?}"));
            }
        }
        for provider in provider.iter().flat_map(each_wrong) {
            if let Err(error) = Destination::check_provider(channel, &provider, &PlainSmtpHosts::default()) {
                seen.push(format!("{error} {error:?}"));
            }
        }
        assert!(seen.len() > 1, "{channel} took every wrong setting");
        for text in seen {
            assert!(!text.contains(CANARY), "{channel}: {text}");
        }
    }
}

/// The settings with one of them wrong, each in turn.
fn each_wrong(settings: &Value) -> Vec<Value> {
    let wrong = [json!(CANARY.repeat(2) + " \n"), json!([CANARY]), json!(format!("https://{CANARY}.example/{CANARY}"))];
    let names = settings.as_object().expect("an object").keys();
    let spoilt = |name: &String, wrong: &Value| {
        let mut settings = settings.clone();
        settings[name] = wrong.clone();
        settings
    };
    names.flat_map(|name| wrong.iter().map(move |wrong| spoilt(name, wrong))).collect()
}

#[test]
fn a_provider_that_repeats_a_secret_is_not_repeated() {
    for channel in NAMES {
        let (settings, provider) = (samples::settings(channel), samples::provider(channel).unwrap_or_default());
        let of = |settings: &Value, names: Option<&[&str]>| -> Vec<String> {
            let text = |name: &&str| settings[*name].as_str().expect("secrets are texts").to_owned();
            names.expect("known").iter().map(text).collect()
        };
        let secrets = of(&settings, Destination::secret_fields(channel));
        let provider_secrets = of(&provider, Destination::provider_secret_fields(channel));
        assert!(secrets.len() + provider_secrets.len() > 0, "{channel} has no secret at all");
        for secret in secrets.iter().chain(&provider_secrets) {
            let ProviderReply { message, .. } = destination(channel).provider(&reply(400, format!("no such {secret}")));
            assert!(!message.contains(CANARY), "{channel}: {message}");
        }
    }
}

#[test]
fn a_listing_shows_the_last_four_characters_of_secrets_only() {
    for channel in NAMES {
        let settings = samples::settings(channel);
        for (name, value) in Destination::shown(channel, &settings) {
            let secret = Destination::secret_fields(channel).expect("known").contains(&name.as_str());
            let shown = value.as_str().unwrap_or_default();
            assert_eq!(secret, shown.starts_with('…') && shown.chars().count() == 5, "{channel}: {name} is {value}");
        }
    }
    let provider = json!({"host": "smtp.example.com", "port": 465, "password": "0123456789abcdef", "reply_to": null});
    let shown = json!({"host": "smtp.example.com", "port": 465, "password": "…cdef"});
    assert_eq!(json!(Destination::shown_provider("email", &provider)), shown);
    let shown = Destination::shown("telegram_bot", &json!({"token": "1:abcdefghijkl", "chat_id": -5, "x": null}));
    assert_eq!(json!(shown), json!({"token": "…ijkl", "chat_id": -5}));
}

// Proves: fault 62
#[test]
fn urls_that_do_not_lead_to_the_vendor_are_refused() {
    for channel in NAMES {
        let settings = samples::settings(channel);
        let Some(url) = settings["url"].as_str() else { continue };
        let host = destination(channel).limits().hosts[0];
        for disguise in [
            url.replace("https://", "http://"),
            url.replace(host, "127.0.0.1"),
            url.replace(host, "2130706433"),
            url.replace(host, "0x7f.1"),
            url.replace(host, "[::ffff:127.0.0.1]"),
            url.replace(host, "169.254.169.254"),
            url.replace(host, &format!("{host}.evil.example")),
            url.replace(host, &format!("{host}.")),
            url.replace(host, &format!("{host}:8443")),
            url.replace(host, &format!("{host}@evil.example")),
            url.replace(host, &format!("evil@{host}")),
            url.replace(&format!("{host}/"), &format!("evil.example\\@{host}/")),
        ] {
            let mut settings = settings.clone();
            settings["url"] = json!(disguise);
            let refused = Destination::check_settings(channel, &settings).expect_err(&disguise);
            assert_eq!(refused.field, "settings.url", "{disguise}");
        }
    }
}

#[test]
fn a_letter_goes_to_people_only_and_no_debug_shows_it() {
    let letter = Letter { id: "1", subject: "Confirm", text: "483920 is the code" };
    for channel in NAMES {
        let request = destination(channel).letter(&letter, NOW);
        assert_eq!(request.is_some(), Destination::medium(channel).is_some(), "{channel}");
        let Some(request) = request else { continue };
        assert!(body_text(&request).contains("483920"), "{channel}");
        assert!(!format!("{request:?}").contains("483920"), "{channel}");
    }
}

#[test]
fn an_unknown_channel_is_answered_with_the_known_ones() {
    let refused = Destination::check_settings("feishu", &json!({})).expect_err("refused");
    assert_eq!(refused.to_string(), format!("channel must be one of {}", NAMES.join(", ")));
}

#[test]
fn channels_to_people_serve_a_medium_have_a_provider_and_never_fold() {
    assert_eq!(media(), [Medium::Email, Medium::Slack]);
    assert_eq!(Destination::channels_of(Medium::Email).collect::<Vec<_>>(), ["email"]);
    assert_eq!(Destination::channels_of(Medium::Slack).collect::<Vec<_>>(), ["slack_app"]);
    let plain = PlainSmtpHosts::default();
    for channel in NAMES {
        // An app sends to groups as well: `notify` does not fold what goes to a member.
        let has_accounts = Destination::has_accounts(channel);
        let to_people_only = Destination::medium(channel).is_some() && !has_accounts;
        assert_eq!(destination(channel).limits().folds, !to_people_only, "{channel}");
        let has_provider = samples::provider(channel).is_some();
        assert_eq!(Destination::needs_provider(channel), has_provider && !has_accounts, "{channel}");
        assert_eq!(Destination::check_settings(channel, &samples::settings(channel)), Ok(()), "{channel}");
        match samples::provider(channel) {
            Some(provider) => {
                let checked = match has_accounts {
                    true => Destination::check_account(channel, &provider),
                    false => Destination::check_provider(channel, &provider, &plain),
                };
                assert_eq!(checked, Ok(()), "{channel}");
                let missing = Destination::parse(channel, &samples::settings(channel), None).expect_err("no provider");
                assert_eq!(missing.field, "channel", "{channel}");
            }
            None => {
                let refused = Destination::check_provider(channel, &json!({}), &plain).expect_err("refused");
                assert!(refused.message.contains("needs no provider"), "{channel}: {refused}");
            }
        }
    }
}

/// The mention of a person in the body of each channel. Mail is addressed to people and mentions nobody.
pub(crate) fn call(channel: &str, form: Form) -> &'static str {
    match (channel, form) {
        ("feishu_bot", Form::Rich) => "<at id=ou_7d8a6e6df7621556ce0d21922b676706></at>",
        ("feishu_bot", Form::Plain) => r#"<at user_id=\"ou_7d8a6e6df7621556ce0d21922b676706\">Li Lei</at>"#,
        ("dingtalk_bot", _) => "@13800000000",
        ("wecom_bot", Form::Rich) => "<@LiLei>",
        ("wecom_bot", Form::Plain) => r#""mentioned_list":["LiLei"]"#,
        ("slack_webhook" | "slack_app", _) => "<@U012AB3CD>",
        ("telegram_bot", Form::Rich) => r#"<a href=\"tg://user?id=1234567\">Li Lei</a>"#,
        // A number is a mention only in markup.
        ("telegram_bot", Form::Plain) => "Li Lei",
        ("zoom_webhook", _) => "<!abcdefgh1234@xmpp.zoom.us|Li Lei>",
        ("email", _) => "Li Lei",
        (other, _) => panic!("how does {other} mention people?"),
    }
}

#[test]
fn people_are_mentioned_also_in_cut_and_folded_messages() {
    let huge = Notice { description: "告警 😀\n".repeat(20_000), mentions: vec![li_lei()], ..escalated() };
    let many: Vec<Notice> = (0..120)
        .map(|n| Notice {
            num: format!("N{n:05}"),
            title: "磁盘满了".repeat(40),
            mentions: vec![li_lei()],
            ..escalated()
        })
        .collect();
    for channel in NAMES {
        for form in [Form::Rich, Form::Plain] {
            for notices in [std::slice::from_ref(&huge), &many] {
                let request = render(channel, &Post { form, ..post(notices) });
                assert!(request.cut || request.shown < notices.len(), "{channel} {form:?} takes everything");
                // Mail names people only in facts, which are left out first; it is addressed to the people anyway.
                let called = body_text(&request).contains(call(channel, form));
                assert!(called || *channel == "email", "{channel} {form:?}: {}", body_text(&request));
            }
        }
    }
}

#[test]
fn as_many_people_as_one_message_mentions_leave_room_for_it() {
    let id = "x".repeat(64);
    let identities = || {
        let names = ["feishu_user_id", "dingtalk_user_id", "wecom_user_id", "zoom_jid"];
        names.map(|name| (name.to_owned(), id.clone())).into()
    };
    let person =
        |n: usize| Person { name: format!("{n} {}", "名".repeat(100)), phone: None, identities: identities() };
    let people: Vec<Person> = (0..200).map(person).collect();
    let phones = people.iter().enumerate().map(|(n, person)| Person {
        phone: Some(format!("+86138{n:08}")),
        identities: Default::default(),
        ..person.clone()
    });
    for mentions in [people.clone(), phones.collect()] {
        let notices = [Notice { mentions, ..escalated() }];
        for channel in NAMES {
            for form in [Form::Rich, Form::Plain] {
                let request = destination(channel).request(&Post { form, ..post(&notices) }, NOW);
                assert!(request.is_ok(), "{channel} {form:?}: {request:?}");
            }
        }
    }
}

#[test]
fn no_identity_is_markup_or_mentions_everyone() {
    let names = ["feishu_user_id", "dingtalk_user_id", "wecom_user_id", "slack_user_id", "telegram_user", "zoom_jid"];
    for id in ["all", "@all", "ALL", "here", "channel", "everyone", "!here", "a></at><at id=all", "x|y", "@"] {
        let identities = names.map(|name| (name.to_owned(), id.to_owned())).into();
        let evil =
            Person { name: "<!here> @all <at id=all></at>".to_owned(), phone: Some("all".to_owned()), identities };
        let notices = [Notice { mentions: vec![evil], assigned: Vec::new(), ..escalated() }];
        for channel in over_http() {
            for form in [Form::Rich, Form::Plain] {
                if (*channel, form) == ("telegram_bot", Form::Plain) {
                    continue; // plain text has no markup
                }
                let body = body_text(&render(channel, &Post { form, ..post(&notices) }));
                for call in ["<at ", "<@", "<!", "tg://", "xmpp.zoom.us", "\"mentioned_", "isAtAll\":true"] {
                    assert!(!body.contains(call), "{channel} {form:?} {id}: {body}");
                }
                if *channel == "dingtalk_bot" {
                    assert!(body.contains(r#""at":{"isAtAll":false}"#), "{id}: {body}");
                }
            }
        }
    }
}
