//! Promises of the content template of every channel.

use alerting::incident::notice::Notice;
use alerting::incident::timeline::EntryKind;
use alerting::people::destination::Language;

use crate::contract_tests::{call, text};
use crate::post::{Form, Post};
use crate::registry::{Destination, NAMES};
use crate::request::Request;
use crate::samples::{NOTIFYING, NOW, body, body_text, described, destination, escalated, link, notice, post};

fn render(channel: &str, notice: &Notice, form: Form, template: Option<&str>) -> Request {
    let notices = [notice.clone()];
    destination(channel).request(&Post { form, template, ..post(&notices) }, NOW).expect("renders")
}

fn long() -> Notice {
    let labels = (0..50).map(|n| (format!("label{n}"), "value 值 ".repeat(100))).collect();
    Notice { description: "告警 😀\n".repeat(20_000), labels, ..escalated() }
}

#[test]
fn a_channels_own_template_in_a_rule_changes_nothing() {
    let mut notices = NOTIFYING.map(|(_, kind)| notice(kind)).to_vec();
    notices.extend([escalated(), long(), described("disk full", "")]);
    for channel in NAMES {
        let own = Destination::content(channel).expect("a channel");
        for notice in &notices {
            let notices = [notice.clone()];
            for (form, language) in [(Form::Rich, Language::English), (Form::Plain, Language::Chinese)] {
                let usual = Post { form, language, ..post(&notices) };
                let copied = Post { template: Some(own.of(language)), ..usual };
                let [usual, copied] =
                    [usual, copied].map(|post| destination(channel).request(&post, NOW).expect("renders"));
                assert_eq!(copied.template, None, "{channel}");
                assert_eq!((body_text(&copied), copied.cut), (body_text(&usual), usual.cut), "{channel} {form:?}");
            }
        }
    }
}

#[test]
fn a_template_replaces_the_content_and_cannot_lose_headline_mentions_and_link() {
    for channel in NAMES {
        for form in [Form::Rich, Form::Plain] {
            for template in ["", "- Where: {{ labels.host }}\n---\nsee the wiki"] {
                let request = render(channel, &escalated(), form, Some(template));
                let text = body_text(&request);
                assert_eq!((request.template, request.cut), (None, false), "{channel}");
                let details = link(&escalated());
                let acknowledge = format!("{details}?ack=1");
                for part in ["Critical", "INC #7KQ2MD", "disk full on db-1", &details, &acknowledge] {
                    assert!(text.contains(part), "{channel} {form:?} has no {part}: {text}");
                }
                // Mail is addressed to people and mentions nobody.
                assert!(text.contains(call(channel, form)) || *channel == "email", "{channel} {form:?}: {text}");
                assert!(!text.contains("Payments") && !text.contains("usage is at"), "{channel}: {text}");
                let own = text.contains("Where") && text.contains("db-1") && text.contains("see the wiki");
                assert_eq!(own, !template.is_empty(), "{channel}: {text}");
            }
        }
    }
}

#[test]
fn what_a_template_says_itself_is_defused_like_what_comes_from_outside() {
    let evil = "<at id=all></at> <!here> @all **x** [y](http://evil.example) <b> & \\ `z`";
    for channel in NAMES {
        for form in [Form::Rich, Form::Plain] {
            // A first line that repeats the title is not shown, so the text is not the title.
            let notice = described(evil, &format!("see {evil}"));
            let outside = render(channel, &notice, form, Some("- {{ title }}: {{ title }}\n{{ description }}"));
            let inside = render(channel, &notice, form, Some(&format!("- {evil}: {evil}\nsee {evil}")));
            assert_eq!(body_text(&outside), body_text(&inside), "{channel} {form:?}");
        }
    }
}

#[test]
fn a_template_that_cannot_be_used_gives_way_to_the_channels_own_and_says_why() {
    let loops = "{% for a in description %}".repeat(6) + &"{% endfor %}".repeat(6);
    let grows = format!("{{% for a in description %}}{}{{% endfor %}}", "{{ description }}".repeat(60));
    let notice = Notice { description: "usage is at 97% ".repeat(100), ..notice(EntryKind::Triggered) };
    for channel in NAMES {
        for form in [Form::Rich, Form::Plain] {
            for (template, reason) in [
                ("{{ labels.rack }}", "line 1: undefined value"),
                ("{{ tilte", "not a valid template, in line 1: "),
                (&loops, "it ran for too long"),
                (&grows, "it printed more than 512 KiB"),
            ] {
                let usual = render(channel, &notice, form, None);
                let failed = render(channel, &notice, form, Some(template));
                let text = failed.template.as_ref().map(ToString::to_string).unwrap_or_default();
                assert!(text.starts_with(reason), "{channel} {template}: {text}");
                assert_eq!(body_text(&failed), body_text(&usual), "{channel} {form:?}");
            }
        }
    }
}

#[test]
fn what_the_vendor_counts_is_measured_in_its_unit() {
    for channel in NAMES {
        let limit = destination(channel).limits().text;
        for notice in [notice(EntryKind::Triggered), long(), described("磁盘 😀", "<&\"*_`[]()")] {
            let request = render(channel, &Notice { mentions: Vec::new(), ..notice }, Form::Rich, None);
            let counted = limit.unit.count(&text(channel, &request));
            assert_eq!((request.size.used, request.size.of), (counted, limit), "{channel}");
            assert!(request.size.used <= limit.max, "{channel}");
        }
    }
}

#[test]
fn every_channel_has_an_example_to_preview() {
    let notices = [escalated()];
    for channel in NAMES {
        let example = Destination::example(channel).expect("an example");
        assert_eq!(example.name(), *channel);
        let request = example.request(&post(&notices), NOW).expect("renders");
        assert_eq!(request.size.of, example.limits().text, "{channel}");
        assert!(body(&request).is_object(), "{channel}");
    }
    assert_eq!(Destination::example("pigeon").expect_err("no channel").field, "channel");
    assert_eq!(Destination::content("pigeon"), None);
}
