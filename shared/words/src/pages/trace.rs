//! Texts about the trace of a message.

texts! {
    // Headings.
    TRACE_TITLE: "Why was someone notified, or not?" | "为什么通知了，或没有通知？";
    TRACE_CHANGED: "Changed since" | "此后已更改";
    TRACE_NOTES: "What cannot be explained any more" | "已无法解释的部分";
    MESSAGE: "Message" | "消息";
    TRACE_RECEIVED: "Received" | "接收时间";
    TRACE_OUTCOME: "Outcome" | "结果";
    TRACE_KEY: "Alert key" | "告警标识";
    TRACE_INTAKE: "Intake" | "接入检查";
    TRACE_PUSH_MODE: "Push mode" | "推送模式";
    TRACE_PIPELINE: "Pipeline" | "处理流水线";
    TRACE_ROUTES: "Routes" | "路由";
    TRACE_SILENCE: "Silence" | "静默";
    TRACE_GROUPING: "Grouping" | "聚合";
    TRACE_ESCALATION: "Escalation" | "升级";
    TRACE_NOTICES: "Notices" | "通知";
    TRACE_NOBODY: "Nobody was notified because of this message." | "此消息没有通知任何人。";

    // Results, outcomes and push modes.
    RESULT_PASSED: "passed" | "通过";
    RESULT_FAILED: "failed" | "未通过";
    RESULT_NOT_ASKED: "not asked for" | "未要求";
    RESULT_NOT_REACHED: "not reached" | "未执行";
    RESULT_MATCH: "match" | "匹配";
    RESULT_NO_MATCH: "no match" | "不匹配";
    RESULT_UNUSABLE: "unusable" | "不可用";
    RESULT_TOO_COSTLY: "too costly" | "开销过大";
    RESULT_FOUND: "found" | "已找到";
    RESULT_FOUND_NOTHING: "found nothing" | "未找到";
    RESULT_FOUND_EMPTY: "found an empty text" | "找到的内容为空";
    RESULT_CHANGED: "changed" | "已更改";
    RESULT_UNCHANGED: "unchanged" | "未更改";
    RESULT_DROPPED: "dropped" | "已丢弃";
    RESULT_TEMPLATE_FAILED: "the template failed" | "模板失败";
    RESULT_DISCARD: "discard" | "丢弃";
    RESULT_TRIGGER: "trigger" | "触发";
    RESULT_NOT_NOW: "not at that time" | "当时不生效";
    OUTCOME_TRIGGERED: "Triggered" | "触发";
    OUTCOME_UPDATED: "Updated" | "更新";
    OUTCOME_RECOVERED: "Recovered" | "恢复";
    OUTCOME_SUPERSEDED: "Superseded by a newer one" | "已被更新的消息取代";
    OUTCOME_DISCARDED: "Discarded" | "丢弃";
    OUTCOME_REFUSED: "Refused" | "拒绝";
    OUTCOME_WAITING: "Waiting" | "等待处理";
    MODE_EACH_MESSAGE: "each message" | "每条消息";
    MODE_BY_TITLE: "by title" | "按标题";
    MODE_BY_RULES: "by rules" | "按规则";
}
