//! Texts of what was given up.

use super::Row;

pub(super) const DEAD_LETTERS: &[Row] = &[
    ("dead_letters", "Dead letters", "死信"),
    (
        "dead_letters_are",
        "Messages, notices and due work that were given up. Remove the cause, then send them again.",
        "已放弃处理的消息、通知和定时任务。请先排除原因，然后重新发送。",
    ),
    ("no_dead_letters", "There are none.", "暂无。"),
    ("dead_message", "Message", "消息"),
    ("dead_notice", "Notice", "通知"),
    ("dead_timer", "Due work", "定时任务"),
    ("dead_incident", "Incident", "事件"),
    ("dead_reason", "Reason", "原因"),
    (
        "reason_received_too_often",
        "tried too often without success; the function's log says why",
        "多次处理均未成功，原因见函数日志",
    ),
    ("send_again", "Send again", "重新发送"),
    ("delete", "Delete", "删除"),
];
