//! Texts that only messages use.

use alerting::incident::timeline::EntryKind;

use crate::incident;
use crate::text::Text;

texts! {
    ACKNOWLEDGED: "acknowledged" | "已认领";
    OVER: "over" | "已结束";
    // The headline of an incident that is notified again.
    STILL_OPEN: "Still open" | "仍未处理";
    SHORTENED: "… (shortened, open the details for all of it)" | "…（内容过长已截断，请查看详情）";

    // A change, and who made it.
    EVENT_BY: "{event} by {actor}" | "{event}（{actor}）";
    EVENT_ALERTS: "{event} ({alerts})" | "{event}（{alerts}）";
    ALERTS_STAY_CLOSED: "its alerts stay closed" | "其告警仍为关闭";
    NOTE: " ({parts})" | "（{parts}）";
    AFTER: "after {duration}" | "历时 {duration}";
    UNTIL: "until {time}" | "至 {time}";

    // A notice that only tests whether messages arrive.
    TEST_SPACE: "Test" | "测试";
    TEST_TITLE: "Test notice from Larkspur" | "来自 Larkspur 的测试通知";
    TEST_DESCRIPTION: "If you can read this, alerts arrive here. Nothing is wrong, and nobody has to act." | "如果您能看到此消息，说明告警可以送达这里。没有发生故障，无需处理。";

    // A length of time.
    DAYS: "{count}d" | "{count} 天";
    HOURS: "{count}h" | "{count} 小时";
    MINUTES: "{count}m" | "{count} 分";
    SECONDS: "{count}s" | "{count} 秒";

    // Several changes in one message, and notes about omitted parts.
    ONE_MORE_LABEL: "… and 1 more label" | "… 另有 1 个标签";
    MORE_LABELS: "… and {count} more labels" | "… 另有 {count} 个标签";
    CHANGES: "{count} changes" | "{count} 条变更";
    MORE_CHANGES: "… and {count} more in the next message" | "… 另有 {count} 条，见下一条消息";
}

/// The change in a headline.
pub const fn event(kind: EntryKind) -> Text {
    match kind {
        // A message shows the state; the timeline shows the action.
        EntryKind::Repeated => STILL_OPEN,
        kind => incident::kind(kind),
    }
}
