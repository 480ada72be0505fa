//! Sentences for the data of timeline entries.
//!
//! The API's `detail` is the English sentence. A page passes its own functions for moments and for the codes of
//! reasons.

use alerting::base::moment::Moment;
use alerting::incident::detail::{Detail, HeldBy, Left, Remark, Unreached};
use alerting::people::destination::Language;

use crate::text::Text;
use crate::{incident, sentence};

texts! {
    NOBODY: "nobody is told: {reason}" | "未通知任何人：{reason}";
    NOBODY_UNTIL: "nobody is told until {until}: {reason}" | "在 {until} 之前不通知任何人：{reason}";
    RECOVERED_BEFORE: "the alert had recovered before its incident was made" | "生成故障之前告警已恢复";
    NO_RULE: "no escalation rule matches, and the space has no destinations" | "没有匹配的升级规则，且协作空间没有通知目标";
    SILENCE: "silence {name} ({id})" | "静默 {name}（{id}）";
    FLAPPING: "flapping" | "频繁抖动，已静音";

    ALERTS: "{count} alerts" | "{count} 条告警";
    SEVERE_AGAIN: "it had been less severe meanwhile" | "期间级别曾降低";
    REPEATED: "{time} of {times}" | "第 {time} 次，共 {times} 次";
    UNTIL: "until {until}" | "至 {until}";

    // A level of an escalation rule, and why somebody is not notified.
    LEVEL: "{rule}, level {level}" | "{rule}，第 {level} 级";
    STARTS_AT: "{level} at {time}" | "{level}，于 {time} 开始";
    OF_RULE: "{rule}: {remarks}" | "{rule}：{remarks}";
    LEVEL_REACHES_NOBODY: "level {level} reaches nobody ({why})" | "第 {level} 级无人可通知（{why}）";
    NAMES_NOBODY: "it names nobody" | "其中未指定任何人";
    NO_LEVEL: "{rule} has no level {level}" | "{rule} 没有第 {level} 级";
    SCHEDULE_DELETED: "the schedule {id} was deleted" | "排班 {id} 已被删除";
    NOBODY_ON_CALL: "nobody is on call in {schedule}" | "{schedule} 当前无人值班";
    TEAM_DELETED: "the team {id} was deleted" | "团队 {id} 已被删除";
    TEAM_EMPTY: "the team {team} has no members" | "团队 {team} 没有成员";
    MEMBER_DELETED: "the member {id} was deleted" | "成员 {id} 已被删除";
    NO_CONTACT: "{member} has no contact for this severity" | "{member} 没有适用于此严重程度的联系方式";
    SPACE_DELETED: "the space was deleted" | "协作空间已被删除";
    ALERT_GONE: "its alert is gone" | "其告警已不再保留";

    // A contact that failed.
    CONTACT_FAILED: "{name} could not be notified by {contact} ({reason}); {left}" | "未能通过 {contact} 通知 {name}（{reason}）；{left}";
    GROUP_FAILED: "{name} could not be notified ({reason}); {left}" | "未能通知 {name}（{reason}）；{left}";
    NEXT: "next: {contacts}" | "接下来：{contacts}";
    OTHERS: "others of the level were notified" | "已通知同一层级的其他人";
    NO_CONTACT_LEFT: "no contact is left" | "已没有其他联系方式";

    // What people changed.
    TITLE_WAS: "title was: {title}" | "原标题：{title}";
    SEVERITY_WAS: "severity was: {severity}" | "原严重程度：{severity}";
    FIXED: "fixed as it is" | "已固定为当前值";
    MERGED_INTO: "into INC #{num}" | "合入 INC #{num}";
    MERGED_ONE: "INC #{num}, 1 alert" | "INC #{num}，1 条告警";
    MERGED: "INC #{num}, {count} alerts" | "INC #{num}，{count} 条告警";
}

/// The language and the formats of one reader.
#[derive(Clone, Copy)]
pub struct Voice<'a> {
    pub language: Language,
    /// Writes a moment.
    pub time: &'a dyn Fn(Moment) -> String,
    /// Writes the code of a reason.
    pub reason: &'a dyn Fn(&str) -> String,
}

/// The English sentence of the API.
pub fn english(detail: &Detail) -> String {
    in_api(Language::English).detail(detail)
}

/// The formats of the API: moments as RFC 3339, reasons by their codes.
pub fn in_api(language: Language) -> Voice<'static> {
    Voice { language, time: &|at| at.rfc3339(), reason: &str::to_owned }
}

impl Voice<'_> {
    pub fn detail(self, detail: &Detail) -> String {
        match detail {
            Detail::Comment { text } | Detail::Alert { title: text } | Detail::Sentence(text) => text.clone(),
            Detail::Alerts { count } => self.say(ALERTS, &[("count", &count.to_string())]),
            Detail::SevereAgain => self.say(SEVERE_AGAIN, &[]),
            Detail::RecoveredBefore => self.nobody(RECOVERED_BEFORE.of(self.language)),
            Detail::Held { until, by } => match until {
                None => self.nobody(&self.held_by(by)),
                Some(until) => {
                    self.say(NOBODY_UNTIL, &[("until", &(self.time)(until.0)), ("reason", &self.held_by(by))])
                }
            },
            Detail::NoRule => self.nobody(NO_RULE.of(self.language)),
            Detail::Unreached(unreached) => self.nobody(&self.unreached(unreached)),
            Detail::Level { rule, level, starts_at, remarks } => {
                let mut text = self.say(LEVEL, &[("rule", rule), ("level", &level.to_string())]);
                if let Some(at) = starts_at {
                    text = self.say(STARTS_AT, &[("level", &text), ("time", &(self.time)(at.0))]);
                }
                self.join(std::iter::once(text).chain(remarks.iter().map(|one| self.remark(one))), sentence::SEMICOLON)
            }
            Detail::Repeated { time, times } => {
                self.say(REPEATED, &[("time", &time.to_string()), ("times", &times.to_string())])
            }
            Detail::ContactFailed { name, by, reason, left } => self.failed(name, by.as_deref(), reason, left),
            Detail::SnoozedUntil { until } => self.say(UNTIL, &[("until", &(self.time)(until.0))]),
            Detail::Edited { title_was: None, severity_was: None } => self.say(FIXED, &[]),
            Detail::Edited { title_was, severity_was } => {
                let title = title_was.iter().map(|title| self.say(TITLE_WAS, &[("title", title)]));
                let severity = severity_was.map(|one| incident::severity(one).of(self.language));
                let severity = severity.map(|severity| self.say(SEVERITY_WAS, &[("severity", severity)]));
                self.join(title.chain(severity), sentence::SEMICOLON)
            }
            Detail::MergedInto { num } => self.say(MERGED_INTO, &[("num", num)]),
            Detail::Merged { num, alerts: 1 } => self.say(MERGED_ONE, &[("num", num)]),
            Detail::Merged { num, alerts } => self.say(MERGED, &[("num", num), ("count", &alerts.to_string())]),
            Detail::Several { parts } => self.join(parts.iter().map(|one| self.detail(one)), sentence::SEMICOLON),
        }
    }

    /// Why an incident notifies nobody for now.
    pub fn held_by(self, by: &HeldBy) -> String {
        match by {
            HeldBy::Silence { id, name } => self.say(SILENCE, &[("name", name), ("id", id.as_str())]),
            HeldBy::Flapping => self.say(FLAPPING, &[]),
            HeldBy::Other(text) => text.clone(),
        }
    }

    /// Why no level reaches anybody.
    pub fn unreached(self, unreached: &Unreached) -> String {
        let remarks = self.join(unreached.remarks.iter().map(|one| self.remark(one)), sentence::SEMICOLON);
        match &unreached.rule {
            Some(rule) => self.say(OF_RULE, &[("rule", rule), ("remarks", &remarks)]),
            None => remarks,
        }
    }

    fn remark(self, remark: &Remark) -> String {
        match remark {
            Remark::LevelReachesNobody { level, why } => {
                let why = match why.as_slice() {
                    [] => NAMES_NOBODY.of(self.language).to_owned(),
                    why => self.join(why.iter().map(|one| self.remark(one)), sentence::LIST),
                };
                self.say(LEVEL_REACHES_NOBODY, &[("level", &level.to_string()), ("why", &why)])
            }
            Remark::NoLevel { rule, level } => self.say(NO_LEVEL, &[("rule", rule), ("level", &level.to_string())]),
            Remark::ScheduleDeleted { schedule } => self.say(SCHEDULE_DELETED, &[("id", schedule.as_str())]),
            Remark::NobodyOnCall { schedule } => self.say(NOBODY_ON_CALL, &[("schedule", schedule)]),
            Remark::TeamDeleted { team } => self.say(TEAM_DELETED, &[("id", team.as_str())]),
            Remark::TeamEmpty { team } => self.say(TEAM_EMPTY, &[("team", team)]),
            Remark::MemberDeleted { member } => self.say(MEMBER_DELETED, &[("id", member.as_str())]),
            Remark::NoContact { member } => self.say(NO_CONTACT, &[("member", member)]),
            Remark::SpaceDeleted => self.say(SPACE_DELETED, &[]),
            Remark::AlertGone => self.say(ALERT_GONE, &[]),
        }
    }

    fn failed(self, name: &str, by: Option<&str>, reason: &str, left: &Left) -> String {
        let left = match left {
            Left::Next { contacts } => {
                let contacts = self.join(contacts.iter().cloned(), sentence::LIST);
                self.say(NEXT, &[("contacts", &contacts)])
            }
            Left::Others => self.say(OTHERS, &[]),
            Left::Nobody => self.say(NO_CONTACT_LEFT, &[]),
        };
        let reason = (self.reason)(reason);
        let with = [("name", name), ("contact", by.unwrap_or_default()), ("reason", &reason), ("left", &left)];
        self.say(if by.is_some() { CONTACT_FAILED } else { GROUP_FAILED }, &with)
    }

    fn nobody(self, reason: &str) -> String {
        self.say(NOBODY, &[("reason", reason)])
    }

    fn say(self, text: Text, with: &[(&str, &str)]) -> String {
        text.fill(self.language, with)
    }

    fn join(self, parts: impl Iterator<Item = String>, between: Text) -> String {
        parts.collect::<Vec<_>>().join(between.of(self.language))
    }
}

#[cfg(test)]
mod tests;
