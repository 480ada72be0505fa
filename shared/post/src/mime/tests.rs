use alerting::incident::notice::Notice;
use alerting::incident::timeline::EntryKind;
use channels::request::Transport;
use channels::samples::{self, described, notice, post};

use super::*;

#[test]
fn an_address_is_valid_in_the_settings_exactly_if_it_is_valid_for_the_library_that_writes_it() {
    let library = |text: &str| text.parse::<lettre::Address>().ok();
    for text in [
        "ops@example.com",
        "ops",
        "ops@",
        "@example.com",
        "a@b@example.com",
        "\"a b\"@example.com",
        "a b@example.com",
        "运维@example.com",
        "ops@例子.测试",
        "ops@[127.0.0.1]",
        "ops@127.0.0.1",
        "ops@[::1]",
        "ops@exa mple.com",
        ".a@example.com",
        "a..b@example.com",
        "a@-example.com",
        "a@example",
        "a@example.com.",
        "a+b@example.com",
        "a@example.com,b@example.com",
        "Ops <ops@example.com>",
        "<ops@example.com>",
        "ops@xn--zzzz--.com",
        "a@..",
    ] {
        let (ours, theirs) = (Address::parse(text), library(text));
        assert_eq!(ours.as_ref().map(Address::as_str), theirs.as_ref().map(AsRef::as_ref), "{text}");
        assert_eq!(ours.as_ref().map(Address::domain), theirs.as_ref().map(lettre::Address::domain), "{text}");
    }
}

#[test]
fn a_name_is_read_from_the_settings_as_the_library_that_writes_it_reads_it() {
    for text in [
        "alerts@example.com",
        " alerts@example.com ",
        "<alerts@example.com>",
        "Larkspur <alerts@example.com>",
        "Larkspur<alerts@example.com>",
        "Larkspur  告警\t x <alerts@example.com>",
        "Larkspur Inc. <alerts@example.com>",
        "A.B.C. Ltd <alerts@example.com>",
        "\"Larkspur, Inc.\" <alerts@example.com>",
        "Larkspur, Inc. <a@example.com>",
        "\"a \\\"quoted\\\" one\" <a@example.com>",
        "\"open <a@example.com>",
        "\"a  b \" c <a@example.com>",
        "\"值班\"组 <a@example.com>",
        "a@b.c <a@example.com>",
        "(x) <a@example.com>",
        "a: b; <a@example.com>",
        "Larkspur",
        "Larkspur <alerts>",
        "Larkspur <alerts@example.com",
        "Larkspur alerts@example.com>",
        "a@example.com, b@example.com",
        "<<a@example.com>>",
        "\"\" <a@example.com>",
        ". <a@example.com>",
        "x <a@[127.0.0.1]>",
        "a b@example.com",
        "x < a@example.com>",
        "R&D (on call) <a@example.com>",
        "",
    ] {
        let theirs = text.parse::<lettre::message::Mailbox>().ok();
        let ours = Mailbox::parse(text).map(|ours| mailbox(&ours).expect("the library takes it"));
        assert_eq!(ours, theirs, "{text}");
    }
}

/// A notice as the encoded message.
fn wire(notice: &Notice) -> String {
    let notices = std::slice::from_ref(notice);
    let request = samples::destination("email").request(&post(notices), samples::NOW).expect("renders");
    let Transport::Email { relay, mail } = request.transport else { panic!("mail is no HTTP") };
    String::from_utf8(written(&mail, &relay, samples::NOW).expect("valid")).expect("ASCII")
}

/// Header lines, unfolded.
fn headers(mime: &str) -> Vec<String> {
    let head = mime.split("\r\n\r\n").next().expect("a head");
    head.replace("\r\n ", " ").split("\r\n").map(str::to_owned).collect()
}

#[test]
fn nothing_in_an_alert_becomes_a_header() {
    let injected = described("full\r\nBcc: evil@example.com\r\n\r\nhello", "x\r\n.\r\nMAIL FROM:<evil@example.com>");
    let names: Vec<String> =
        headers(&wire(&injected)).iter().map(|line| line.split(':').next().expect("a name").to_owned()).collect();
    let known = [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "X-Auto-Response-Suppress",
        "In-Reply-To",
        "References",
        "Importance",
        "MIME-Version",
        "Content-Type",
    ];
    assert_eq!(names, known);
}

#[test]
fn every_message_is_ascii_with_short_lines_so_that_any_server_takes_it() {
    let mime = wire(&described(&"磁盘满了😀".repeat(80), &"告".repeat(2000)));
    assert!(mime.is_ascii());
    assert!(mime.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])));
}

#[test]
fn messages_of_an_incident_refer_to_the_same_and_every_notice_has_an_id_of_its_own() {
    let header = |notice: &Notice, name: &str| {
        let found = headers(&wire(notice)).into_iter().find(|line| line.starts_with(&format!("{name}: ")));
        found.unwrap_or_else(|| panic!("no {name}"))
    };
    let (first, second) = (notice(EntryKind::Triggered), Notice { n: 2, ..notice(EntryKind::Recovered) });
    for name in ["References", "In-Reply-To"] {
        assert_eq!(header(&first, name), format!("{name}: <{}@example.com>", first.incident));
        assert_eq!(header(&first, name), header(&second, name));
    }
    assert_eq!(header(&first, "Message-ID"), header(&first, "Message-ID"));
    assert_ne!(header(&first, "Message-ID"), header(&second, "Message-ID"));
    assert!(header(&first, "Message-ID").ends_with("@example.com>"));
}

#[test]
fn a_trigger_is_important_and_a_recovery_is_not() {
    let important = |kind| wire(&notice(kind)).contains("\r\nImportance: high\r\n");
    assert_eq!([EntryKind::Triggered, EntryKind::Recovered].map(important), [true, false]);
}
