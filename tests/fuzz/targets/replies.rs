//! Any answer of any provider: three digits of status, a line of `Retry-After`, a line of `Date`, and the body. Each
//! channel makes one of its outcomes of it: waits stay within reason, and its words are one line without our secrets.

#![no_main]

use std::time::Duration;

use channels::outcome::Outcome;
use channels::reply::Reply;
use channels::registry::{Destination, NAMES};
use fuzz::{CANARY, NOW, settings};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((status, rest)) = data.split_first_chunk::<3>() else { return };
    let status = std::str::from_utf8(status).ok().and_then(|status| status.parse().ok()).unwrap_or(200);
    let mut lines = rest.splitn(4, |byte| *byte == b'\n').skip(1);
    let mut line = || lines.next().unwrap_or_default();
    let mut header = |name| (name, String::from_utf8_lossy(line()).into_owned());
    let headers = ["retry-after", "date"].map(&mut header).into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let reply = Reply { status, headers, body: line().to_vec(), at: NOW };
    for channel in NAMES {
        let (settings, provider) = settings(channel);
        let destination = Destination::parse(channel, &settings, provider.as_ref()).expect("valid settings");
        match destination.outcome(&reply) {
            Outcome::Delivered { .. } => assert!((200..300).contains(&status), "{channel}: {status} is no success"),
            Outcome::Retry { after: Some(after), .. } => {
                let reasonable = Duration::from_secs(1)..=Duration::from_secs(15 * 60);
                assert!(reasonable.contains(&after), "{channel}: {after:?}");
            }
            Outcome::Accepted { .. } | Outcome::Retry { after: None, .. } | Outcome::Rejected { .. } => {}
        }
        let said = destination.provider(&reply);
        assert!(said.message.chars().count() <= 250, "{channel}: {} characters", said.message.chars().count());
        assert!(!said.message.contains(char::is_control), "{channel}: {:?}", said.message);
        let code = said.code.unwrap_or_default();
        assert!(code.len() <= 250 && !code.contains(char::is_control), "{channel}: {code:?}");
        let secret = settings.get("secret").or(settings.get("token")).and_then(|secret| secret.as_str());
        assert!(!secret.is_some_and(|secret| said.message.contains(secret)), "{channel}: {CANARY} in {}", said.message);
    }
});
