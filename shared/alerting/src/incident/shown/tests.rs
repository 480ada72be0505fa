use serde_json::Value;

use super::links::{Piece, SafeLink, pieces};
use super::*;

// Proves: finding E4
#[test]
fn the_state_in_a_recorded_title_is_not_shown() {
    let recorded = include_str!("../../../../../tests/fixtures/feishu/expected.json");
    let recorded: Value = serde_json::from_str(recorded).expect("JSON");
    let cleaned = [
        ("[prod][FIRING:1] NodeDown", "[prod] NodeDown"),
        ("[prod][RESOLVED:1] NodeDown", "[prod] NodeDown"),
        ("[prod]NodeDown [1] Firing", "[prod]NodeDown [1]"),
        ("[prod]NodeDown [1] Resolved", "[prod]NodeDown [1]"),
        ("[告警] 主机 host-3 CPU > 90%", "主机 host-3 CPU > 90%"),
        ("[恢复] 主机 host-3 CPU > 90%", "主机 host-3 CPU > 90%"),
        ("【报警】 动态线程池告警", "动态线程池告警"),
        ("[FIRING] disk full", "disk full"),
        ("[RESOLVED] disk full", "disk full"),
    ];
    for body in recorded.as_object().expect("an object").values() {
        let title = body["title"].as_str().expect("a title");
        let expected = cleaned.iter().find(|(sent, _)| *sent == title).map_or(title, |(_, shown)| shown);
        assert_eq!(without_state(title), expected);
    }
    let titles = || recorded.as_object().into_iter().flatten().filter_map(|(_, body)| body["title"].as_str());
    for (sent, _) in cleaned {
        assert!(titles().any(|title| title == sent), "no recorded body has {sent}");
    }
}

#[test]
fn the_state_in_the_first_line_of_a_recorded_text_is_not_shown() {
    for (sent, shown) in [
        ("[FIRING] High CPU on web-01", "High CPU on web-01"),
        ("[RESOLVED] Pod demo/shop-7f restarting", "Pod demo/shop-7f restarting"),
        ("[霜之哀伤监控平台][错误日志突增][恢复]", "[霜之哀伤监控平台][错误日志突增]"),
        ("[故障] Nginx: nginx-1 服务: cashier", "Nginx: nginx-1 服务: cashier"),
        ("[已恢复]: 服务: cashier", "服务: cashier"),
        ("DAG recovered: etl_orders succeeded", "DAG recovered: etl_orders succeeded"),
        ("NodeDiskFull resolved critical db-01:9100", "NodeDiskFull resolved critical db-01:9100"),
    ] {
        assert_eq!(without_state(sent), shown);
    }
}

// Proves: finding E4
#[test]
fn only_marks_are_taken_out_of_a_title() {
    for (sent, shown) in [
        ("FIRING disk full on db-1", "disk full on db-1"),
        ("[FIRING:2, RESOLVED:1] DiskFull Ops", "DiskFull Ops"),
        ("🚨 [FIRING] disk full", "disk full"),
        ("🔥 FIRING: disk full", "disk full"),
        ("✅ RESOLVED | disk full", "disk full"),
        ("Problem: Disk space is low", "Disk space is low"),
        ("Resolved in 5m 0s: Disk space is low", "Disk space is low"),
        ("恢复：磁盘使用率过高", "磁盘使用率过高"),
        ("disk full - RESOLVED", "disk full"),
        ("disk full（已恢复）", "disk full"),
        ("[FIRING] [FIRING] disk full", "disk full"),
        // These words are part of a sentence.
        ("Recovery of the backup failed", "Recovery of the backup failed"),
        ("Problem with disk", "Problem with disk"),
        ("Resolved in time: never", "never"),
        ("OK button is missing", "OK button is missing"),
        ("告警通道不可用", "告警通道不可用"),
        ("故障恢复演练失败", "故障恢复演练失败"),
        ("resolved was not restarted", "resolved was not restarted"),
        ("[db-1] disk full", "[db-1] disk full"),
        // These titles are only a mark.
        ("[FIRING]", "[FIRING]"),
        ("RESOLVED", "RESOLVED"),
        ("", ""),
    ] {
        assert_eq!(without_state(sent), shown);
    }
}

// Proves: finding E4
#[test]
fn a_text_does_not_repeat_its_title_and_shows_no_rules() {
    for (title, sent, shown) in [
        ("[FIRING] disk full", "[FIRING] disk full\nused 96%", "used 96%"),
        ("disk full", "\n[RESOLVED] disk full\nused 41%", "used 41%"),
        ("disk full", "used 96%\ndisk full", "used 96%\ndisk full"),
        ("t", "a\n---\n\nb\n-----\n", "a\n\nb"),
        ("t", "t", ""),
        ("t", "a - b\n--", "a - b\n--"),
    ] {
        assert_eq!(text(title, sent), shown);
    }
}

fn urls(text: &str) -> Vec<String> {
    let links = pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Link(link) => Some(link.url),
        Piece::Text(_) => None,
    });
    links.collect()
}

// Proves: finding E2
#[test]
fn an_address_that_a_sender_wrote_is_a_link_that_shows_its_host() {
    let link = |url: &str, shown: &str| Piece::Link(SafeLink { url: url.to_owned(), shown: shown.to_owned() });
    assert_eq!(
        pieces("see NodeDown (https://Prom.example.com/g?x=1), now"),
        [
            Piece::Text("see NodeDown ("),
            link("https://prom.example.com/g?x=1", "prom.example.com/g?x=1"),
            Piece::Text("), now"),
        ]
    );
    for (text, url) in [
        ("详情https://a.example/c点击", "https://a.example/c"),
        ("看板：http://10.0.0.8:3000/d/x_y。", "http://10.0.0.8:3000/d/x_y"),
        ("<https://a.example/b>", "https://a.example/b"),
        ("[runbook](https://a.example/b)", "https://a.example/b"),
        ("https://a.example/wiki/Disk_(full).", "https://a.example/wiki/Disk_%28full%29"),
        ("https://a.example/?q='*~[x]", "https://a.example/?q=%27%2A%7E%5Bx%5D"),
        ("HTTPS://A.EXAMPLE/B", "https://a.example/B"),
        ("https://a.example", "https://a.example"),
    ] {
        assert_eq!(urls(text), [url], "{text}");
    }
    let long = format!("https://a.example/{}", "x".repeat(100));
    let [Piece::Link(link)] = &pieces(&long)[..] else { panic!("one link") };
    assert!(link.shown.starts_with("a.example/xxx") && link.shown.chars().count() <= 61, "{}", link.shown);
}

// Proves: finding E2
#[test]
fn what_could_deceive_or_act_is_no_link() {
    for text in [
        "javascript:alert(1)",
        "javascript://a.example/%0aalert(1)",
        "data:text/html,x",
        "ftp://a.example/",
        "file:///etc/passwd",
        "xhttps://a.example/",
        "https://bank.example@evil.example/",
        "https://user:word@evil.example/",
        "https://",
        "https:///path",
        "https://[::1]/",
        "https://a..b/",
        "https://a.example:99999/",
        "https://еxample.com/",
        "https://a.exаmple",
        "https://a.example/cut…",
        "www.example.com",
    ] {
        assert_eq!(urls(text), Vec::<String>::new(), "{text}");
    }
    assert!(urls(&format!("https://a.example/{}", "x".repeat(2000))).is_empty());
    assert_eq!(urls(&"https://a.example/ ".repeat(30)).len(), 20);
}

// Proves: finding E2
#[test]
fn nothing_in_a_link_ends_the_markup_of_any_vendor() {
    let every: String = (0x21..0x7F_u8).map(char::from).collect();
    for url in urls(&format!("https://a.example/{every} https://a.example/?{every}#{every}")) {
        assert!(!url.contains(['(', ')', '[', ']', '<', '>', '"', '\'', '`', '|', '\\', '*', '~', ' ']), "{url}");
    }
}
