//! A template as a person may write it, and an alert: `template`, `title`, `description` and `label` in sections.
//!
//! Whatever both hold, every channel writes a message that its vendor takes by its size, with the link in it; a template
//! that may not be saved, or fails, gives way to the usual one.

#![no_main]

use alerting::people::destination::{Language, TimeZone};
use alerting::incident::timeline::EntryKind;
use channels::content;
use channels::registry::{Destination, NAMES};
use channels::post::{Form, Post};
use fuzz::{CANARY, LongLinks, NOW, notice, sections, settings};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let parts = sections(&text);
    let part = |n: usize| parts.get(n).copied().unwrap_or_default();
    let template = part(0);
    let may_be_saved = content::check(template).is_ok();
    let labels = [("host".to_owned(), part(3).to_owned()), (part(2).chars().take(20).collect(), "x".to_owned())];
    let one = [notice(EntryKind::Triggered, part(1), part(2), labels.into())];
    let two = [one[0].clone(), notice(EntryKind::Recovered, part(2), part(1), Default::default())];
    for channel in NAMES {
        let (settings, provider) = settings(channel);
        let destination = Destination::parse(channel, &settings, provider.as_ref()).expect("valid settings");
        for (notices, language, form) in [
            (&one[..], Language::English, Form::Rich),
            (&one[..], Language::Chinese, Form::Plain),
            (&two[..], Language::English, Form::Rich),
        ] {
            let time_zone = &TimeZone::Offset { minutes: 480 };
            let template = Some(template);
            let post = Post { notices, links: &LongLinks, language, time_zone, form, template, card: None };
            let request = destination.request(&post, NOW).expect("there is always a message");
            assert!(request.size.used <= request.size.of.max, "{channel}: {:?}", request.size);
            assert!(request.shown >= 1, "{channel}");
            if notices.len() == 1 && !may_be_saved {
                assert!(request.template.is_some(), "{channel}: nothing is said of a template that may not be saved");
            }
            let body = request.body().to_string();
            assert!(body.contains("https://larkspur.example/links/v1.681."), "{channel}: the link is gone: {body}");
            assert!(!format!("{request:?}").contains(CANARY), "{channel}");
        }
    }
});
