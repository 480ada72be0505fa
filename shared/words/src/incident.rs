//! Texts about an incident: the same in messages, on pages and in the timeline.

use alerting::base::severity::Severity;
use alerting::incident::timeline::EntryKind;

use crate::text::Text;

texts! {
    // Links and buttons in messages and on pages.
    DETAILS: "Details" | "查看详情";
    ACKNOWLEDGE: "Acknowledge" | "认领";
    TAKE_BACK: "Take back" | "取消认领";
    SNOOZE: "Snooze" | "暂缓";
    SNOOZE_HOURS: "Snooze {hours} h" | "暂缓 {hours} 小时";
    CLOSE: "Close" | "关闭";

    // Severity.
    SEVERITY_CRITICAL: "Critical" | "严重";
    SEVERITY_WARNING: "Warning" | "警告";
    SEVERITY_INFO: "Info" | "提醒";

    // Progress.
    PROGRESS_TRIGGERED: "Triggered" | "待处理";
    PROGRESS_PROCESSING: "Processing" | "处理中";
    PROGRESS_CLOSED: "Closed" | "已关闭";
    // A silence or the mute of a flapping alert holds it.
    HELD: "On hold" | "已静默";

    // An alert of an incident.
    ALERT_OPEN: "Open" | "未恢复";
    ALERT_CLOSED: "Recovered or closed" | "已恢复或关闭";

    // Kinds of timeline entries.
    KIND_TRIGGERED: "Triggered" | "触发";
    KIND_SEVERITY_RAISED: "Severity raised" | "级别升高";
    KIND_RECOVERED: "Recovered" | "已恢复";
    KIND_ACKNOWLEDGED: "Acknowledged" | "已认领";
    KIND_UNACKNOWLEDGED: "Acknowledgement withdrawn" | "已取消认领";
    KIND_SNOOZED: "Snoozed" | "已暂缓";
    KIND_SNOOZE_ENDED: "Snooze ended" | "暂缓结束";
    KIND_CLOSED: "Closed" | "已关闭";
    KIND_AUTO_CLOSED: "Closed automatically" | "已自动关闭";
    KIND_REOPENED: "Reopened" | "重新打开";
    KIND_ALERT_JOINED: "Alert joined" | "告警合入";
    KIND_ALERT_RECOVERED: "Alert recovered" | "告警恢复";
    KIND_STORM_WARNING: "Alert storm" | "告警风暴";
    KIND_ESCALATED: "Escalated" | "已升级";
    KIND_REPEATED: "Notified again" | "再次通知";
    KIND_REASSIGNED: "Reassigned" | "已重新分派";
    KIND_RESPONDER_ADDED: "Responder added" | "新增处理人";
    KIND_COMMENTED: "Commented" | "评论";
    KIND_MERGED: "Another incident merged in" | "合入其他故障";
    KIND_MERGED_AWAY: "Merged into another incident" | "已合并至其他故障";
    KIND_EDITED: "Edited" | "已修改";
    KIND_SILENCE_CHANGED: "Silence changed" | "静默已变更";
    KIND_SILENCE_ENDED: "Silence ended" | "静默结束";
    KIND_CONTACT_FAILED: "A person could not be reached" | "有人未能通知到";
    KIND_NOBODY_REACHED: "Nobody reached" | "无人可通知";

    // Why nobody was notified.
    UNNOTIFIED_ALL_FAILED: "Every delivery failed: see below who should have been notified and why it failed." | "所有通知均发送失败：应通知的对象及失败原因见下文。";
    UNNOTIFIED_NO_RULE: "No escalation rule matched, and the space has no destinations of its own." | "没有匹配的升级规则，且该协作空间没有配置通知目标。";
    UNNOTIFIED_NOBODY_REACHED: "No level of its escalation rule reaches anybody: the timeline says why." | "升级规则的任何层级都无法通知到人：原因见时间线。";

    // State of a delivery.
    DELIVERY_DELIVERED: "delivered" | "已送达";
    DELIVERY_FOLDED: "delivered in a message with others" | "已与其他通知合并送达";
    DELIVERY_ACCEPTED: "taken by the provider, not confirmed yet" | "对方已接收，尚未确认送达";
    DELIVERY_FAILED: "failed" | "失败";
    DELIVERY_PENDING: "on its way" | "发送中";

    // Result of an attempt.
    ATTEMPT_DELIVERED: "Notified" | "已通知";
    ATTEMPT_ACCEPTED: "Taken by the provider, not confirmed yet" | "对方已接收，尚未确认送达";
    ATTEMPT_RETRY: "Could not be notified; tried again" | "未能通知，将重试";
    ATTEMPT_REJECTED: "Could not be notified" | "未能通知";
    ATTEMPT_UNKNOWN: "Sent, but no answer came" | "已发送，但未收到回应";

    // Reason of an attempt that failed, and of a dead letter.
    REASON_RATE_LIMITED: "too fast for the provider" | "超出对方频率限制";
    REASON_BAD_DESTINATION: "the bot, chat or address does not exist" | "机器人、会话或地址不存在";
    REASON_UNAUTHORIZED: "the provider refused the credentials or its security settings keep the message out" | "凭证被拒绝，或对方安全设置拦截了消息";
    REASON_TOO_LARGE: "the message was too large" | "消息过大";
    REASON_REFUSED: "the provider did not take the message" | "对方拒绝了该消息";
    REASON_PROVIDER_DOWN: "the provider could not be reached" | "无法连接到对方服务";
    REASON_TIMED_OUT: "no answer in time" | "等待回应超时";
    REASON_UNREADABLE: "the answer was not the provider's" | "回应并非来自该服务";
    REASON_NO_ADDRESS: "no such address is known" | "没有此类联系方式";
    REASON_NOT_VERIFIED: "nobody has confirmed that the address is the person's own" | "该联系方式尚未验证";
    REASON_NOT_CONFIGURED: "the channel is not configured in this deployment" | "此部署未配置该渠道";
    REASON_QUOTA_EXHAUSTED: "the account's quota or balance is used up" | "账号额度或余额已用尽";
    REASON_CARD_GONE: "the card can no longer be changed" | "卡片已无法更新";
    REASON_CONTENT_REFUSED: "the provider's filter refused the words of the message" | "消息内容被对方过滤";
    REASON_NOT_ANSWERED: "the call was not answered" | "呼叫无人接听";
    REASON_UNDELIVERED: "the provider could not deliver the message" | "对方未能送达";
    REASON_RECEIVED_TOO_OFTEN: "tried too often without success; the function's log says why" | "多次处理均未成功，原因见函数日志";
}

/// The name of a severity.
pub const fn severity(severity: Severity) -> Text {
    match severity {
        Severity::Critical => SEVERITY_CRITICAL,
        Severity::Warning => SEVERITY_WARNING,
        Severity::Info => SEVERITY_INFO,
    }
}

/// The kind of a change, in a word or two.
pub const fn kind(kind: EntryKind) -> Text {
    match kind {
        EntryKind::Triggered => KIND_TRIGGERED,
        EntryKind::SeverityRaised => KIND_SEVERITY_RAISED,
        EntryKind::Recovered => KIND_RECOVERED,
        EntryKind::Acknowledged => KIND_ACKNOWLEDGED,
        EntryKind::Unacknowledged => KIND_UNACKNOWLEDGED,
        EntryKind::Snoozed => KIND_SNOOZED,
        EntryKind::SnoozeEnded => KIND_SNOOZE_ENDED,
        EntryKind::Closed => KIND_CLOSED,
        EntryKind::AutoClosed => KIND_AUTO_CLOSED,
        EntryKind::Reopened => KIND_REOPENED,
        EntryKind::AlertJoined => KIND_ALERT_JOINED,
        EntryKind::AlertRecovered => KIND_ALERT_RECOVERED,
        EntryKind::StormWarning => KIND_STORM_WARNING,
        EntryKind::Escalated => KIND_ESCALATED,
        EntryKind::Repeated => KIND_REPEATED,
        EntryKind::Reassigned => KIND_REASSIGNED,
        EntryKind::ResponderAdded => KIND_RESPONDER_ADDED,
        EntryKind::Commented => KIND_COMMENTED,
        EntryKind::Merged => KIND_MERGED,
        EntryKind::MergedAway => KIND_MERGED_AWAY,
        EntryKind::Edited => KIND_EDITED,
        EntryKind::SilenceChanged => KIND_SILENCE_CHANGED,
        EntryKind::SilenceEnded => KIND_SILENCE_ENDED,
        EntryKind::ContactFailed => KIND_CONTACT_FAILED,
        EntryKind::NobodyReached => KIND_NOBODY_REACHED,
    }
}
