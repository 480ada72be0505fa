//! Dead letters.

texts! {
    DEAD_LETTERS: "Dead letters" | "死信";
    DEAD_LETTERS_ARE: "Messages, notices and due work that were given up. Remove the cause, then send them again." | "已放弃处理的消息、通知和定时任务。请先排除原因，然后重新发送。";
    NO_DEAD_LETTERS: "There are none." | "暂无。";
    DEAD_MESSAGE: "Message" | "消息";
    DEAD_NOTICE: "Notice" | "通知";
    DEAD_TIMER: "Due work" | "定时任务";
    DEAD_REASON: "Reason" | "原因";
    SEND_AGAIN: "Send again" | "重新发送";
    DELETE: "Delete" | "删除";
}
