//! The fixed words of a message, English and Chinese.

use std::time::Duration;

use alerting::base::severity::Severity;
use alerting::incident::notice::Notice;
use alerting::incident::timeline::EntryKind;

use alerting::people::destination::Language;

use super::{Tone, clean_line};

/// Words in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Words(Language);

macro_rules! words {
    ($($name:ident: $english:literal | $chinese:literal;)+) => {
        impl Words {
            $(pub(crate) const fn $name(self) -> &'static str {
                match self.0 {
                    Language::English => $english,
                    Language::Chinese => $chinese,
                }
            })+
        }
    };
}

words! {
    lang: "en" | "zh-CN";
    details: "Details" | "查看详情";
    acknowledge: "Acknowledge" | "认领";
    shortened: "… (shortened, open the details for all of it)" | "…（内容过长已截断，请查看详情）";
    colon: ": " | "：";
    comma: ", " | "、";
    acknowledged: "acknowledged" | "已认领";
    over: "over" | "已结束";
}

impl Words {
    pub(crate) const fn of(language: Language) -> Self {
        Self(language)
    }

    pub(crate) const fn severity(self, severity: Severity) -> &'static str {
        match (self.0, severity) {
            (Language::English, severity) => severity.as_str(),
            (Language::Chinese, Severity::Critical) => "严重",
            (Language::Chinese, Severity::Warning) => "警告",
            (Language::Chinese, Severity::Info) => "提醒",
        }
    }

    /// What happened, in a word or two.
    pub(crate) const fn event(self, kind: EntryKind) -> &'static str {
        let (english, chinese) = match kind {
            EntryKind::Triggered => ("Triggered", "触发"),
            EntryKind::SeverityRaised => ("Severity raised", "级别升高"),
            EntryKind::Recovered => ("Recovered", "已恢复"),
            EntryKind::Acknowledged => ("Acknowledged", "已认领"),
            EntryKind::Unacknowledged => ("Acknowledgement withdrawn", "已取消认领"),
            EntryKind::Snoozed => ("Snoozed", "已暂缓"),
            EntryKind::SnoozeEnded => ("Snooze ended", "暂缓结束"),
            EntryKind::Closed => ("Closed", "已关闭"),
            EntryKind::AutoClosed => ("Closed automatically", "已自动关闭"),
            EntryKind::Reopened => ("Reopened", "重新打开"),
            EntryKind::AlertJoined => ("Alert joined", "告警合入"),
            EntryKind::StormWarning => ("Alert storm", "告警风暴"),
            EntryKind::Escalated => ("Escalated", "已升级"),
            EntryKind::Repeated => ("Still open", "仍未处理"),
            EntryKind::Reassigned => ("Reassigned", "已重新分派"),
            EntryKind::ResponderAdded => ("Responder added", "新增处理人"),
            EntryKind::Commented => ("Commented", "评论"),
            EntryKind::Merged => ("Another incident merged in", "合入其他故障"),
            EntryKind::MergedAway => ("Merged into another incident", "已合并至其他故障"),
            EntryKind::Edited => ("Edited", "已修改"),
            EntryKind::AlertRecovered => ("Alert recovered", "告警恢复"),
            EntryKind::SilenceChanged => ("Silence changed", "静默已变更"),
            EntryKind::SilenceEnded => ("Silence ended", "静默结束"),
            EntryKind::ContactFailed => ("A person could not be reached", "有人未能通知到"),
            EntryKind::NobodyReached => ("Nobody reached", "无人可通知"),
        };
        match self.0 {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }

    /// What happened, and who did it if a person or an API key did.
    pub(crate) fn status_of(self, notice: &Notice) -> String {
        let happened = self.happened(notice);
        match (self.alerts(notice.kind), self.0) {
            (Some(alerts), Language::English) => format!("{happened} ({alerts})"),
            (Some(alerts), Language::Chinese) => format!("{happened}（{alerts}）"),
            (None, _) => happened,
        }
    }

    /// What became of the alerts of a reopened incident: nothing.
    fn alerts(self, kind: EntryKind) -> Option<&'static str> {
        (kind == EntryKind::Reopened).then_some(match self.0 {
            Language::English => "its alerts stay closed",
            Language::Chinese => "其告警仍为关闭",
        })
    }

    fn happened(self, notice: &Notice) -> String {
        let event = self.event(notice.kind);
        match (self.0, person(notice)) {
            (_, "") => event.to_owned(),
            (Language::English, actor) => format!("{event} by {actor}"),
            (Language::Chinese, actor) => format!("{event}（{actor}）"),
        }
    }

    /// Who did it and how long after the trigger, for the end of a headline; of a trigger empty.
    pub(crate) fn note(self, notice: &Notice) -> String {
        let lasted = notice.closed_at.unwrap_or(notice.at).since(notice.triggered_at);
        let actor = Some(clean_line(person(notice))).filter(|actor| !actor.is_empty());
        let after = (lasted >= Duration::from_secs(1)).then(|| match self.0 {
            Language::English => format!("after {}", self.duration(lasted)),
            Language::Chinese => format!("历时 {}", self.duration(lasted)),
        });
        let alerts = self.alerts(notice.kind).map(str::to_owned);
        let parts: Vec<String> = actor.into_iter().chain(after).chain(alerts).collect();
        match (self.0, notice.kind) {
            (_, EntryKind::Triggered) => String::new(),
            _ if parts.is_empty() => String::new(),
            (Language::English, _) => format!(" ({})", parts.join(", ")),
            (Language::Chinese, _) => format!("（{}）", parts.join("，")),
        }
    }

    /// How many changes are of which kind: `3 Critical, 1 acknowledged, 2 over`.
    pub(crate) fn counts(self, tones: impl Iterator<Item = Tone>) -> String {
        let tones: Vec<Tone> = tones.collect();
        let kinds = [
            (Tone::Critical, self.severity(Severity::Critical)),
            (Tone::Warning, self.severity(Severity::Warning)),
            (Tone::Info, self.severity(Severity::Info)),
            (Tone::Acknowledged, self.acknowledged()),
            (Tone::Closed, self.over()),
        ];
        let counted = kinds.map(|(tone, name)| (tones.iter().filter(|other| **other == tone).count(), name));
        let counted = counted.into_iter().filter(|(count, _)| *count > 0);
        counted.map(|(count, name)| format!("{count} {name}")).collect::<Vec<_>>().join(self.comma())
    }

    /// The two largest units: `2d 3h`, `5m 20s`.
    pub(crate) fn duration(self, lasted: Duration) -> String {
        let units = match self.0 {
            Language::English => ["d", "h", "m", "s"],
            Language::Chinese => [" 天", " 小时", " 分", " 秒"],
        };
        let secs = lasted.as_secs();
        let counts = [secs / 86_400, secs / 3600 % 24, secs / 60 % 60, secs % 60];
        let first = counts.iter().position(|count| *count > 0).unwrap_or(3);
        let shown = counts.iter().zip(units).skip(first).take(2).filter(|(count, _)| **count > 0);
        let parts: Vec<String> = shown.map(|(count, unit)| format!("{count}{unit}")).collect();
        if parts.is_empty() { format!("0{}", units[3]) } else { parts.join(" ") }
    }

    pub(crate) fn more_labels(self, count: usize) -> String {
        match self.0 {
            Language::English if count == 1 => "… and 1 more label".to_owned(),
            Language::English => format!("… and {count} more labels"),
            Language::Chinese => format!("… 另有 {count} 个标签"),
        }
    }

    pub(crate) fn changes(self, count: usize) -> String {
        match self.0 {
            Language::English => format!("{count} changes"),
            Language::Chinese => format!("{count} 条变更"),
        }
    }

    pub(crate) fn more_changes(self, count: usize) -> String {
        match self.0 {
            Language::English => format!("… and {count} more in the next message"),
            Language::Chinese => format!("… 另有 {count} 条，见下一条消息"),
        }
    }
}

/// The name of the member or API key who did it; empty: it happened by itself.
fn person(notice: &Notice) -> &str {
    let is_person = match &notice.by {
        Some(by) => by.is_person(),
        // A notice that an earlier version queued has the name alone.
        None => !matches!(notice.actor.as_str(), "source" | "timer"),
    };
    if is_person { &notice.actor } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_shows_its_two_largest_units() {
        let words = Words::of(Language::English);
        for (secs, text) in [(0, "0s"), (45, "45s"), (320, "5m 20s"), (3600, "1h"), (3605, "1h"), (183_600, "2d 3h")] {
            assert_eq!(words.duration(Duration::from_secs(secs)), text);
        }
        assert_eq!(Words::of(Language::Chinese).duration(Duration::from_secs(320)), "5 分 20 秒");
    }
}
