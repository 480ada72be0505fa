//! Texts about dead letters.

texts! {
    DEAD_LETTERS: "Dead letters" | "死信";
    DEAD_LETTERS_ARE: "Messages, notices and due work that were given up. Remove the cause, then send them again." | "已放弃处理的消息、通知和定时任务。请先排除原因，然后重新发送。";
    NO_DEAD_LETTERS: "Nothing is stuck." | "没有积压的内容。";
    DEAD_MESSAGE: "Message" | "消息";
    DEAD_NOTICE: "Notice" | "通知";
    DEAD_TIMER: "Due work" | "定时任务";
    DEAD_REASON: "Reason" | "原因";
    SEND_AGAIN: "Send again" | "重新发送";
    PICK: "Select" | "选择";
    SEND_PICKED_AGAIN: "Send selected again" | "重新发送所选";
    DELETE_PICKED: "Delete selected" | "删除所选";
    DELETE_REASON: "Reason for deleting" | "删除原因";
    WRONG_REASON: "Enter a reason of 1 to 200 characters." | "请输入 1 至 200 个字符的原因。";
    DEAD_NONE_PICKED: "Nothing was selected." | "未选择任何内容。";
    DEAD_SENT_AGAIN: "Queued again: {n}." | "已重新排队：{n} 条。";
    DEAD_DELETED: "Deleted: {n}." | "已删除：{n} 条。";
    DEAD_NOT_SENT: "Not sent again: {n}. The reason stands beside each." | "未能重新发送：{n} 条，原因见各条。";
    DEAD_GONE: "It is not here any more." | "该条已不存在。";
    DEAD_SUPERSEDED: "A newer notice was delivered there. Delete this one instead." | "更新的通知已送达该目标，请删除此条。";
}
