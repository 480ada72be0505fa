use alerting::base::severity::Severity;
use alerting::incident::detail::Time;
use alerting::incident::timeline::Entry;

use super::*;

fn time(text: &str) -> Time {
    Time(Moment::parse_rfc3339(text).expect("a moment"))
}

fn failed(by: Option<&str>, left: Left) -> Detail {
    let (name, reason) = ("Li".to_owned(), "bad_destination".to_owned());
    Detail::ContactFailed { name, by: by.map(str::to_owned), reason, left }
}

fn skipped() -> Remark {
    let (schedule, member) = ("empty".to_owned(), "mem_gone".parse().expect("valid"));
    Remark::LevelReachesNobody {
        level: 1,
        why: vec![Remark::NobodyOnCall { schedule }, Remark::MemberDeleted { member }],
    }
}

/// Checks for each entry the English sentence, which earlier versions stored and the API keeps, and the Chinese one.
#[test]
fn an_entry_is_the_same_sentence_in_the_api_and_has_one_in_chinese() {
    let until = || time("2026-11-22T05:00:00Z");
    let silence = || HeldBy::Silence { id: "sil_1".parse().expect("valid"), name: "Backups".to_owned() };
    let level = |starts_at, remarks| Detail::Level { rule: "Night".to_owned(), level: 2, starts_at, remarks };
    let unreached =
        |rule: Option<&str>, remarks| Detail::Unreached(Unreached { rule: rule.map(str::to_owned), remarks });
    let rows = [
        (Detail::Comment { text: "on it".to_owned() }, "on it", "on it"),
        (Detail::Alerts { count: 100 }, "100 alerts", "100 条告警"),
        (Detail::SevereAgain, "it had been less severe meanwhile", "期间级别曾降低"),
        (
            Detail::RecoveredBefore,
            "nobody is told: the alert had recovered before its incident was made",
            "未通知任何人：生成故障之前告警已恢复",
        ),
        (
            Detail::Held { until: Some(until()), by: silence() },
            "nobody is told until 2026-11-22T05:00:00Z: silence Backups (sil_1)",
            "在 11-22 05:00 之前不通知任何人：静默 Backups（sil_1）",
        ),
        (
            Detail::Held { until: None, by: HeldBy::Flapping },
            "nobody is told: flapping",
            "未通知任何人：频繁抖动，已静音",
        ),
        (
            Detail::NoRule,
            "nobody is told: no escalation rule matches, and the space has no destinations",
            "未通知任何人：没有匹配的升级规则，且协作空间没有通知目标",
        ),
        (
            unreached(Some("Payments"), vec![skipped()]),
            "nobody is told: Payments: level 1 reaches nobody (nobody is on call in empty, the member mem_gone was deleted)",
            "未通知任何人：Payments：第 1 级无人可通知（empty 当前无人值班、成员 mem_gone 已被删除）",
        ),
        (
            unreached(Some("Night"), vec![Remark::NoLevel { rule: "Night".to_owned(), level: 3 }]),
            "nobody is told: Night: Night has no level 3",
            "未通知任何人：Night：Night 没有第 3 级",
        ),
        (
            unreached(None, vec![Remark::SpaceDeleted]),
            "nobody is told: the space was deleted",
            "未通知任何人：协作空间已被删除",
        ),
        (
            unreached(None, vec![Remark::AlertGone]),
            "nobody is told: its alert is gone",
            "未通知任何人：其告警已不再保留",
        ),
        (level(None, vec![]), "Night, level 2", "Night，第 2 级"),
        (
            level(Some(until()), vec![skipped(), Remark::NoContact { member: "Li".to_owned() }]),
            "Night, level 2 at 2026-11-22T05:00:00Z; level 1 reaches nobody (nobody is on call in empty, the \
             member mem_gone was deleted); Li has no contact for this severity",
            "Night，第 2 级，于 11-22 05:00 开始；第 1 级无人可通知（empty 当前无人值班、成员 mem_gone 已被删除）；\
             Li 没有适用于此严重程度的联系方式",
        ),
        (
            level(None, vec![Remark::LevelReachesNobody { level: 1, why: vec![] }]),
            "Night, level 2; level 1 reaches nobody (it names nobody)",
            "Night，第 2 级；第 1 级无人可通知（其中未指定任何人）",
        ),
        (Detail::Repeated { time: 1, times: 3 }, "1 of 3", "第 1 次，共 3 次"),
        (
            failed(Some("email"), Left::Next { contacts: vec!["sms".to_owned(), "dst_1".to_owned()] }),
            "Li could not be notified by email (bad_destination); next: sms, dst_1",
            "未能通过 email 通知 Li（地址不存在）；接下来：sms、dst_1",
        ),
        (
            failed(None, Left::Others),
            "Li could not be notified (bad_destination); others of the level were notified",
            "未能通知 Li（地址不存在）；已通知同一层级的其他人",
        ),
        (
            failed(Some("email"), Left::Nobody),
            "Li could not be notified by email (bad_destination); no contact is left",
            "未能通过 email 通知 Li（地址不存在）；已没有其他联系方式",
        ),
        (Detail::SnoozedUntil { until: until() }, "until 2026-11-22T05:00:00Z", "至 11-22 05:00"),
        (
            Detail::Edited { title_was: Some("disk".to_owned()), severity_was: Some(Severity::Warning) },
            "title was: disk; severity was: Warning",
            "原标题：disk；原严重程度：警告",
        ),
        (Detail::Edited { title_was: None, severity_was: None }, "fixed as it is", "已固定为当前值"),
        (Detail::MergedInto { num: "7KQ2MD".to_owned() }, "into INC #7KQ2MD", "合入 INC #7KQ2MD"),
        (Detail::Merged { num: "7KQ2MD".to_owned(), alerts: 1 }, "INC #7KQ2MD, 1 alert", "INC #7KQ2MD，1 条告警"),
        (Detail::Merged { num: "7KQ2MD".to_owned(), alerts: 2 }, "INC #7KQ2MD, 2 alerts", "INC #7KQ2MD，2 条告警"),
        (
            Detail::Several { parts: vec![Detail::Alert { title: "disk full".to_owned() }, level(None, vec![])] },
            "disk full; Night, level 2",
            "disk full；Night，第 2 级",
        ),
        (Detail::Sentence("1 of 3".to_owned()), "1 of 3", "1 of 3"),
    ];
    let page = Voice {
        language: Language::Chinese,
        time: &|at| at.rfc3339()[5..16].replace('T', " "),
        reason: &|code| if code == "bad_destination" { "地址不存在".to_owned() } else { code.to_owned() },
    };
    for (detail, expected, chinese) in rows {
        assert_eq!(english(&detail), expected);
        assert_eq!(page.detail(&detail), chinese);
    }
}

/// Checks recorded tables of a version that stored sentences.
#[test]
fn what_an_earlier_version_stored_is_shown_as_it_was() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/upgrade/2026-11-22-people-and-pages/alerts.jsonl");
    let rows = std::fs::read_to_string(path).expect("recorded");
    let documents = rows.lines().flat_map(|row| {
        let item: serde_json::Map<String, serde_json::Value> = serde_json::from_str(row).expect("an item");
        let texts = item.into_iter().filter_map(|(_, value)| value["S"].as_str().map(str::to_owned));
        texts.filter_map(|text| serde_json::from_str::<serde_json::Value>(&text).ok()).collect::<Vec<_>>()
    });
    let entries = documents.flat_map(|document| match &document["timeline"] {
        serde_json::Value::Array(entries) => entries.clone(),
        // An entry that was moved out of its incident is an item of its own.
        _ if document["kind"].is_string() && document["actor"].is_string() => vec![document],
        _ => Vec::new(),
    });
    let mut shown = 0;
    for stored in entries {
        let entry: Entry = serde_json::from_value(stored.clone()).expect("an entry");
        if let Some(sentence) = stored["detail"].as_str() {
            assert_eq!(entry.detail.as_ref().map(english).as_deref(), Some(sentence));
            shown += 1;
        }
        assert_eq!(serde_json::to_value(&entry).expect("JSON")["data"], stored["detail"], "stored again as it was");
    }
    assert!(shown > 100, "{shown} sentences");
}
