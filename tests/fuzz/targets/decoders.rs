//! Decoders of data from queues, tables and links: they do not panic, and decoded data is encoded unchanged.

#![no_main]

use alerting::incident::link::Link;
use alerting::rules::message::Received;
use alerting::base::moment::Moment;
use alerting::incident::notice::NoticeRecord;
use alerting::rules::pattern::Pattern;
use alerting::incident::timer::Timer;
use fuzz::NOW;
use fuzz::links::LinkKeys;
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    same_again::<Received>(&text);
    same_again::<NoticeRecord>(&text);
    same_again::<Timer>(&text);
    let keys = LinkKeys::of("c4nary-0123456789abcdef0123456789abcdef");
    assert!(keys.open(&text, NOW).is_err(), "nobody else can sign {text:?}");
    if let Ok(link) = text.parse::<Link>() {
        assert_eq!(link.to_string().parse(), Ok(link.clone()));
        let token = keys.sign(&link, NOW);
        let opened = keys.open(&token, NOW);
        assert!(opened.is_ok() || link.expires_at <= NOW || token.len() > alerting::incident::link::TOKEN_BYTES, "{opened:?}");
    }
    if let Some(moment) = Moment::parse_rfc3339(&text) {
        let _ = moment.to_string();
    }
    if let Ok(pattern) = Pattern::parse(&text) {
        let _ = format!("{pattern:?}");
    }
});

fn same_again<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(text: &str) {
    if let Ok(read) = serde_json::from_str::<T>(text) {
        let written = serde_json::to_string(&read).expect("JSON");
        assert_eq!(serde_json::from_str::<T>(&written).expect("it is read again"), read);
    }
}
