//! Texts about incidents, links to them, and the actions.

texts! {
    // List and details.
    PROGRESS: "Progress" | "处理进度";
    ALL: "All" | "全部";
    SHOW: "Show" | "显示";
    SPACE: "Space" | "协作空间";
    ALERTS: "Alerts" | "告警";
    NONE_MATCH: "No incident matches." | "没有符合条件的故障。";
    NO_INCIDENTS: "No incidents yet. Alerts show up here as soon as an integration receives a message." | "还没有故障。集成收到消息后，告警会显示在这里。";
    OLDER: "Older" | "更早";
    TIMES_ARE_IN: "Times are in" | "时间所用时区：";
    CLOSED_BY_MESSAGE: "Closed by the message" | "关闭该告警的消息";
    TRIGGERED_AT: "Triggered" | "触发时间";
    ACKNOWLEDGED_AT: "Acknowledged" | "认领时间";
    SNOOZED_UNTIL: "Snoozed until" | "暂缓至";
    CLOSED_AT: "Closed" | "关闭时间";
    ESCALATION_RULE: "Escalation rule" | "升级规则";
    INCIDENT: "Incident" | "故障";
    LEVEL: "level" | "层级";
    LEVEL_WAITS_UNTIL: "Level is notified at" | "该层级通知时间";
    SILENCED_BY: "Nobody is notified because of" | "未通知任何人，原因";
    SILENCED_UNTIL: "Until" | "截止";
    FLAPPING: "Flapping" | "频繁抖动";
    FLAPPING_MEANING: "opens and closes again and again" | "反复触发与恢复";
    ASSIGNED_TO: "Assigned to" | "分派给";
    WORKS_ON_IT: "works on it" | "正在处理";
    NOBODY: "nobody" | "无";
    MESSAGES: "messages" | "消息数";
    LABELS: "Labels" | "标签";
    WHY_TOLD: "Why someone was, or was not, notified" | "为何通知或未通知某人";
    MORE_ALERTS: "More alerts that are not shown" | "未显示的其他告警";
    WHO_WAS_TOLD: "Who was notified" | "通知了谁";
    NOBODY_TOLD: "Nobody has been notified." | "尚未通知任何人。";
    NOBODY_WAS_NOTIFIED: "Nobody was notified." | "未通知到任何人。";
    TIMELINE: "Timeline" | "时间线";
    OLDER_ENTRIES: "Show older entries" | "显示更早的记录";
    NOTIFICATIONS_MEANING: "Incidents that are assigned to you, or of which one of your own contacts was notified. Newest incidents looked through:" | "分派给您、或通过您自己的联系方式通知过您的故障。已查看的最新故障数：";
    NO_NOTIFICATIONS: "There are no notifications for you yet." | "还没有给您的通知。";
    ASSIGNED_TO_YOU: "assigned to you" | "已分派给您";

    // Links.
    WORKING_ON_IT: "Working on it" | "正在处理";
    ALERTS_STAY_CLOSED: "All of its alerts are closed: it was reopened by hand, and stays open until somebody closes it." | "其全部告警均已关闭：该故障由人工重新打开，需有人将其关闭。";
    IT_WAS_MERGED: "It was merged into another incident." | "该故障已合并至另一故障。";
    IT_IS_CLOSED: "It is closed already." | "该故障已关闭。";
    YOU_WORK_ON_IT: "You have acknowledged it already." | "您已认领该故障。";
    VIEWERS_ONLY_LOOK: "Your role allows you to look only." | "您的角色只能查看。";
    LINK_UNKNOWN: "This link is not valid." | "此链接无效。";
    LINK_UNKNOWN_REMEDY: "Nothing was changed. It may have been cut, or belong to another deployment; open the message again." | "没有任何更改。链接可能不完整，或属于其他部署；请重新打开消息。";
    LINK_EXPIRED: "This link has expired." | "此链接已过期。";
    LINK_EXPIRED_REMEDY: "Nothing was changed. Find the incident in the list instead." | "没有任何更改。请在故障列表中查找。";
    LINK_USED: "This link has been used already." | "此链接已使用过。";
    LINK_USED_REMEDY: "Nothing was changed now. Sign in to do more." | "本次没有任何更改。如需更多操作，请登录。";
    REOPENED_SINCE: "The incident was reopened since." | "该故障此后已重新打开。";
    SINCE_THEN: "What happened since:" | "此后发生的事：";
    SIGN_IN_TO_SEE: "Sign in to see the incident" | "登录以查看故障";
    ACKNOWLEDGE_AS: "You acknowledge as" | "您将以此身份认领：";

    // Actions.
    ACTIONS: "What you can do" | "可执行的操作";
    UNACKNOWLEDGE: "Unacknowledge" | "取消认领";
    REOPEN: "Reopen" | "重新打开";
    ESCALATE: "Escalate" | "升级";
    TWO_HOURS: "2 hours" | "2 小时";
    FOUR_HOURS: "4 hours" | "4 小时";
    TWELVE_HOURS: "12 hours" | "12 小时";
    COMMENT: "Comment" | "评论";
    ADD_COMMENT: "Add comment" | "添加评论";
    ASSIGN: "Assign to others" | "分派给他人";
    MEMBERS_AND_TEAMS: "Members and teams" | "成员与团队";
    TEAMS: "Teams" | "团队";
    ADD_RESPONDERS: "Add responders" | "添加处理人";
    REASSIGN: "Reassign" | "重新分派";
    EDIT: "Edit title and severity" | "修改标题与严重程度";
    TITLE: "Title" | "标题";
    SEVERITY: "Severity" | "严重程度";
    SILENCE: "Silence alerts like this" | "静默同类告警";
    SILENCE_MEANING: "Alerts with the same title and labels notify nobody for:" | "标题与标签相同的告警在以下时间内不通知任何人：";
    DONE_ACKNOWLEDGE: "You have acknowledged it." | "您已认领。";
    DONE_UNACKNOWLEDGE: "The acknowledgement is taken back." | "已取消认领。";
    DONE_CLOSE: "It is closed." | "已关闭。";
    DONE_REOPEN: "It is open again." | "已重新打开。";
    DONE_ESCALATE: "The next level is notified." | "已通知下一层级。";
    DONE_SNOOZE: "It is snoozed." | "已暂缓。";
    DONE_COMMENT: "Your comment is on the timeline." | "评论已加入时间线。";
    DONE_REASSIGN: "It is assigned again." | "已重新分派。";
    DONE_RESPONDERS: "They are added." | "已添加处理人。";
    DONE_EDIT: "It is saved." | "已保存。";
    DONE_SILENCE: "Alerts like this are silenced." | "同类告警已静默。";
    DONE_LINK_OF_EARLIER_EPISODE: "This link was sent before the incident was reopened. Here is how it stands now." | "此链接发送于故障重新打开之前；当前状态如下。";

    // Beside a field.
    WRONG_TEXT: "Enter a comment of 1 to 4,000 characters." | "请输入 1 至 4,000 个字符的评论。";
    WRONG_TITLE: "Enter a title of 1 to 512 characters." | "请输入 1 至 512 个字符的标题。";
    WRONG_PEOPLE: "Choose members or teams that have a contact for this severity." | "请选择有适用于此严重程度的联系方式的成员或团队。";
}
