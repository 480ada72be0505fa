//! What holds for every channel, however it is called. A new one is held to it by its line in the registry.

use std::path::PathBuf;

use alerting::destination::Language;
use alerting::incident::EntryKind;
use alerting::notice::Notice;
use serde_json::{Value, json};

use crate::outcome::{Outcome, Provider, Reason, Reply};
use crate::samples::{self, CANARY, NOW, TOLD, body, described, destination, notice, post, rejected, reply, retry};
use crate::{Destination, Form, NAMES, Post, RenderError, Request, Unit};

/// `tests/fixtures/{vendor}`, from the channel's name.
fn fixtures(channel: &str) -> PathBuf {
    let vendor = channel.split('_').next().expect("split gives at least one part");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(vendor);
    assert!(path.join("SOURCES.md").is_file(), "{channel} has no {}/SOURCES.md", path.display());
    path
}

fn render(channel: &str, post: &Post<'_>) -> Request {
    destination(channel).request(post, NOW).expect("renders")
}

/// What the vendor counts of a body.
fn text(channel: &str, request: &Request) -> String {
    let body = body(request);
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    match channel {
        "feishu_bot" | "dingtalk_bot" => String::from_utf8(request.body().to_vec()).expect("JSON is UTF-8"),
        "wecom_bot" => text(&body["markdown"]["content"]),
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

#[test]
fn every_told_change_has_its_golden_request() {
    for channel in NAMES {
        let mut golden = insta::Settings::clone_current();
        golden.set_snapshot_path(fixtures(channel).join("requests"));
        golden.set_prepend_module_to_snapshot(false);
        golden.set_omit_expression(true);
        let pretty = |request: &Request| serde_json::to_string_pretty(&body(request)).expect("JSON serialises");
        golden.bind(|| {
            for (name, kind) in TOLD {
                insta::assert_snapshot!(name, pretty(&render(channel, &post(&[notice(kind)]))));
            }
            let several = TOLD.map(|(_, kind)| notice(kind));
            insta::assert_snapshot!("folded", pretty(&render(channel, &post(&several))));
            let one = [notice(EntryKind::Acknowledged)];
            let chinese = Post { language: Language::Chinese, ..post(&one) };
            insta::assert_snapshot!("acknowledged_in_chinese", pretty(&render(channel, &chinese)));
            let plain = Post { form: Form::Plain, ..post(&one) };
            insta::assert_snapshot!("acknowledged_plain", pretty(&render(channel, &plain)));
        });
    }
}

#[test]
fn every_recorded_reply_means_what_its_fixture_says() {
    for channel in NAMES {
        let file = std::fs::read(fixtures(channel).join("replies.json")).expect("replies.json exists");
        let replies: Vec<Value> = serde_json::from_slice(&file).expect("a list");
        assert!(replies.iter().any(|reply| reply["outcome"] == "delivered"), "{channel} has no success");
        for recorded in replies {
            let reply = Reply {
                status: recorded["status"].as_u64().and_then(|status| status.try_into().ok()).expect("a status"),
                retry_after: recorded["headers"]["retry-after"].as_str().map(str::to_owned),
                ..reply(0, recorded["body"].as_str().expect("a body"))
            };
            let outcome = destination(channel).outcome(&reply);
            assert_eq!(outcome.as_str(), recorded["outcome"], "{channel}: {recorded}");
            assert_eq!(outcome.reason().map(Reason::as_str), recorded["reason"].as_str(), "{channel}: {recorded}");
            let after = match outcome {
                Outcome::Retry { after, .. } => after.map(|after| after.as_secs()),
                Outcome::Delivered { .. } | Outcome::Rejected { .. } => None,
            };
            assert_eq!(after, recorded["after_seconds"].as_u64(), "{channel}: {recorded}");
        }
    }
}

#[test]
fn http_statuses_without_a_body_of_the_vendors_mean_the_same_everywhere() {
    let html = "<html><body>hello</body></html>";
    for channel in NAMES {
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

#[test]
fn an_answer_that_is_empty_endless_or_without_its_code_is_never_taken_for_sent() {
    let endless = vec![b'a'; crate::deliver::REPLY_BYTES];
    for channel in NAMES {
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

#[test]
fn retry_after_is_seconds_or_a_date_and_stays_within_reason() {
    let wait = |channel: &str, retry_after: &str, date: Option<&str>| {
        let reply =
            Reply { retry_after: Some(retry_after.to_owned()), date: date.map(str::to_owned), ..reply(503, "") };
        match destination(channel).outcome(&reply) {
            Outcome::Retry { after, .. } => after.map(|after| after.as_secs()),
            other => panic!("{channel}: {other:?}"),
        }
    };
    for channel in NAMES {
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
            let (mut whole, mut cut) = (1_usize, 21_000);
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

#[test]
fn whatever_is_cut_the_link_the_severity_the_number_and_the_title_stay() {
    let title = "磁盘满了😀".repeat(100);
    let huge = "<&\"*_`[]()告警😀\n".repeat(2000);
    let mut long = described(&title, &huge);
    long.labels = (0..50).map(|n| (format!("label{n}"), huge.chars().take(2048).collect())).collect();
    let notices = [long];
    for channel in NAMES {
        for form in [Form::Rich, Form::Plain] {
            let request = render(channel, &Post { form, ..post(&notices) });
            let body = String::from_utf8_lossy(request.body()).into_owned();
            assert!(request.cut, "{channel}");
            let link = format!("https://larkspur.example/incidents/{}", notices[0].incident);
            for part in [link.as_str(), "Critical", "INC #7KQ2MD", "磁盘满了😀磁盘满了😀"] {
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
                let body = String::from_utf8_lossy(request.body()).into_owned();
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
    let notices = TOLD.map(|(_, kind)| notice(kind));
    for channel in NAMES {
        let request = render(channel, &post(&notices));
        assert_eq!((request.shown, request.cut), (notices.len(), false), "{channel}");
    }
}

#[test]
fn a_post_of_nothing_is_an_error() {
    for channel in NAMES {
        assert_eq!(destination(channel).request(&post(&[]), NOW).expect_err("refused"), RenderError::NoNotices);
    }
}

#[test]
fn no_secret_is_in_any_debug_display_or_error() {
    for channel in NAMES {
        let (settings, destination) = (samples::settings(channel), destination(channel));
        let request = render(channel, &post(&[notice(EntryKind::Triggered)]));
        let mut seen = vec![format!("{destination:?} {request:?}")];
        // Every setting wrong in turn, with the secrets in it.
        for name in settings.as_object().expect("an object").keys() {
            for wrong in
                [json!(CANARY.repeat(2) + " \n"), json!([CANARY]), json!(format!("https://{CANARY}.example/{CANARY}"))]
            {
                let mut settings = settings.clone();
                settings[name] = wrong;
                if let Err(error) = Destination::parse(channel, &settings) {
                    seen.push(format!("{error} {error:?}"));
                }
            }
        }
        assert!(seen.len() > 1, "{channel} took every wrong setting");
        for text in seen {
            assert!(!text.contains(CANARY), "{channel}: {text}");
        }
    }
}

#[test]
fn a_provider_that_repeats_a_secret_is_not_repeated() {
    for channel in NAMES {
        let settings = samples::settings(channel);
        let secrets = Destination::secret_fields(channel).expect("known");
        for name in secrets {
            let secret = settings[name].as_str().expect("secrets are texts");
            let Provider { message, .. } = destination(channel).provider(&reply(400, format!("no such {secret}")));
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
    let shown = Destination::shown("telegram_bot", &json!({"token": "1:abcdefghijkl", "chat_id": -5, "x": null}));
    assert_eq!(json!(shown), json!({"token": "…ijkl", "chat_id": -5}));
}

#[test]
fn urls_lead_to_the_vendor_whatever_they_look_like() {
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
            let refused = Destination::parse(channel, &settings).expect_err(&disguise);
            assert_eq!(refused.field, "settings.url", "{disguise}");
        }
    }
}

#[test]
fn an_unknown_channel_is_answered_with_the_known_ones() {
    let refused = Destination::parse("feishu", &json!({})).expect_err("refused");
    assert_eq!(refused.to_string(), format!("channel must be one of {}", NAMES.join(", ")));
}
