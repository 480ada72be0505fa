//! The sentences of the trace of a message: why a person was notified, or was not.

texts! {
    // Parts of sentences.
    IN_SPACE: "in {space}: {text}" | "在“{space}”中：{text}";
    MORE: "{values} and {count} more" | "{values} 等另外 {count} 个";

    // Conditions of a filter.
    TAKES_EVERYTHING: "it takes everything" | "它匹配所有内容";
    MATCHES: "{field} matches {values}" | "{field} 匹配 {values}";
    BEGINNING_MATCHES_NOT: "the first 8 KiB of {field} do not match {values}; the rest is not searched" | "{field} 的前 8 KiB 不匹配 {values}，其余部分未检索";
    MATCHES_NOT: "{field} does not match {values}" | "{field} 不匹配 {values}";
    NOT_SET: "{field} is not set" | "{field} 未设置";
    LEFT_OUT: "a text that it needs does not occur" | "消息中没有它所需的文本";
    NOT_REACHED: "{decided} had decided before it" | "{decided} 已先行决定";
    NOT_JUDGED: "nothing came of the message before it" | "消息在此之前已终止";
    NOT_NOW: "it does not hold at {at}" | "在 {at} 它不生效";
    UNUSABLE: "it cannot be used: {problem}" | "它无法使用：{problem}";
    BAD_PATTERN: "a pattern of it does not compile" | "其中的正则表达式无法编译";
    TOO_COSTLY: "asking it costs more work than one message may make" | "判断它的开销超出单条消息的限额";

    // The intake.
    SIZE: "the body is over 256 KiB" | "消息体超过 256 KiB";
    RATE: "more messages came than the integration's limits allow" | "消息数量超过集成的限流设置";
    SOURCE: "the sender's address is not on the integration's list" | "发送方地址不在集成的允许列表中";
    NO_SOURCES: "the integration has no list of source addresses" | "集成没有设置来源地址列表";
    JSON: "the body is not a JSON object" | "消息体不是 JSON 对象";
    SIGNATURE: "the signature does not match, or its time is more than an hour off" | "签名不匹配，或时间相差超过一小时";
    NO_SECRET: "the integration has no secret" | "集成没有设置签名密钥";
    BY_HAND: "not asked: the message was taken in again by hand" | "未检查：该消息由人工重新投递";
    MESSAGE_TYPE: "the integration does not take this type of message (setting message_types)" | "集成不接收该消息类型（设置 message_types）";
    CONTENT: "the message has no readable content of its type" | "消息没有该类型可读的内容";
    KEYWORD: "it holds none of the integration's keywords" | "消息不包含集成设置的任何关键词";
    NO_KEYWORDS: "the integration asks for no keyword" | "集成没有要求关键词";
    CHECK_REFUSED: "the message was refused at {decided}" | "消息已在 {decided} 处被拒绝";

    // The push mode.
    EACH_MESSAGE: "every message opens an alert of its own" | "每条消息都触发新的告警";
    BY_TITLE: "the title is the alert key" | "以标题作为告警标识";
    UNMATCHED_DISCARD: "no rule matched, and the integration discards such messages" | "没有规则匹配，集成设置为丢弃此类消息";
    UNMATCHED_TRIGGER: "no rule matched, and the integration lets such messages trigger" | "没有规则匹配，集成设置为仍触发告警";
    UNMATCHED_DOUBT: "no rule matched, but one of them cannot be judged: in doubt the alert is kept" | "没有规则匹配，但有规则无法判断：存疑时保留告警";
    RULES_TOO_COSTLY: "the rules cost more work than one message may make: in doubt the alert is kept" | "规则开销超出单条消息的限额：存疑时保留告警";
    KEY_FOUND: "{field} gives “{key}”" | "从 {field} 得到“{key}”";
    KEY_EMPTY: "{field} matches {values}, but what it finds is empty" | "{field} 匹配 {values}，但取得的内容为空";
    KEY_TITLE: "no extractor found a key, so the title is the alert key" | "没有提取规则取得标识，因此以标题作为告警标识";

    // The pipeline and the routes.
    CHANGED: "it was carried out: {filter}" | "已执行：{filter}";
    UNCHANGED: "it was carried out ({filter}), and everything is as it was" | "已执行（{filter}），但没有任何变化";
    DROPPED: "it drops the message: {filter}" | "它丢弃该消息：{filter}";
    FOUND_NOTHING: "its pattern or mapping table has nothing for this alert" | "其正则表达式或映射表对该告警没有结果";
    TEMPLATE_FAILED: "its template could not be rendered, so it was left out" | "其模板无法渲染，因此跳过";
    ONE_SPACE: "the integration belongs to this space" | "集成专属于该协作空间";
    ROUTE_STOPPED: "{decided} matched and says stop" | "{decided} 已匹配且设置为停止";
    DEFAULT_TAKES: "no route matched" | "没有路由匹配";
    DEFAULT_NOT: "a route matched" | "已有路由匹配";
    FOLLOWS: "the alert stays in the spaces that it was routed to when it was triggered, by message {opened_by}" | "告警留在触发时（消息 {opened_by}）路由到的协作空间";
    CLOSES: "what closes an alert is not routed" | "关闭告警的消息不经过路由";

    // Silences.
    SILENCE_NONE: "no silence took it" | "没有静默规则命中";
    SILENCE_KEPT: "the incident was made, and held back: {by}" | "已生成故障，但通知被抑制：{by}";
    SILENCE_MUTED: "the alert opens and closes again and again, and the space mutes such alerts for a time" | "告警频繁抖动，协作空间在一段时间内将其静音";
    SILENCE_DROPPED: "{silence} made no incident of it" | "{silence} 命中，未生成故障";

    // Grouping.
    GROUPING_OFF: "the space does not group alerts" | "协作空间未启用告警聚合";
    GROUPING_ALONE: "the alert lacks a value that alerts are grouped by, so it is an incident of its own" | "告警缺少聚合所需的值，因此单独成为故障";
    GROUPING_FIRST: "no open incident of its group took it, so it made one" | "同组没有可并入的未关闭故障，因此新建故障";
    GROUPING_JOINED: "it joined the incident {num}, which is open and equal in these values" | "已并入取值相同且未关闭的故障 {num}";

    // Changes since the message was judged.
    INTEGRATION_GONE: "The integration was deleted since; its rules cannot be asked any more." | "集成已被删除，无法再查询其规则。";
    INTEGRATION_SAVED: "The integration was saved again since: it judged the message in version {then}, and is now in version {now}." | "集成此后被修改：判断消息时为版本 {then}，现在为版本 {now}。";
    SPACE_GONE: "The space {space} was deleted since." | "协作空间 {space} 此后被删除。";
    SPACE_SAVED: "The space {space} was saved again since: it decided in version {then}, and is now in version {now}." | "协作空间 {space} 此后被修改：决定时为版本 {then}，现在为版本 {now}。";
    INTAKE_DIFFERS: "Taken in again, the message is {now}; recorded is {then}." | "重新接收时，消息为 {now}；记录为 {then}。";
    MESSAGE_DIFFERS: "Read again, the message has the title “{now}”; recorded is “{then}”." | "重新解析时，消息标题为“{now}”；记录为“{then}”。";
    DECISION_DIFFERS: "Judged again, the message comes to {now}; recorded is {then}." | "重新判断时，结果为 {now}；记录为 {then}。";
    ALERT_DIFFERS: "Judged again, the alert would differ in {fields} from the one that was recorded." | "重新判断时，告警的 {fields} 会与记录不同。";
    SILENCE_DIFFERS: "Asked again, the silences of {space} come to {now}; recorded is {then}." | "重新查询时，{space} 的静默结果为 {now}；记录为 {then}。";
    RULE_DIFFERS: "Asked again, the escalation rules of {space} come to {now}; recorded is {then}." | "重新查询时，{space} 的升级规则结果为 {now}；记录为 {then}。";
    WHAT_STANDS: "What is recorded stands; what was tried is shown as the configuration of now would try it." | "以记录为准；尝试过程按现在的配置展示。";
    NOTHING: "none" | "无";
    ACCEPTED: "accepted" | "已接收";
    REFUSED: "refused ({reason})" | "已拒绝（{reason}）";
    DISCARDED: "discarded ({rule})" | "丢弃（{rule}）";
    KEYED: "{rule} with the key {key}" | "{rule}，标识 {key}";

    // Parts that cannot be explained any more.
    BODY_GONE: "The body of the message was not kept whole, so it cannot be read and judged again: only what is recorded is shown." | "消息体未完整保留，无法重新解析和判断：仅展示记录。";
    ALERT_GONE: "The alert is not kept any more: where it went is not known." | "告警已不再保留，无法得知其去向。";
    ALERT_MOVED_ON: "What the alert looked like when it was opened is not kept: silences and escalation rules are not asked again." | "告警触发时的内容未保留：不再重新查询静默与升级规则。";

    // The summary.
    S_WAITING: "Nothing is recorded of this message at this integration yet: if it was accepted, it waits to be judged; else nobody received it" | "该集成还没有此消息的记录：若已被接收，则正在等待判断；否则并未收到";
    S_REFUSED: "Nobody was told: the intake refused the message, because {reason}" | "未通知任何人：接收端拒绝了该消息，因为{reason}";
    S_UNMATCHED: "Nobody was told: no rule matched the message, and the integration discards such messages" | "未通知任何人：没有规则匹配该消息，集成设置为丢弃此类消息";
    S_DROPPED: "Nobody was told: the step {rule} dropped the message" | "未通知任何人：步骤 {rule} 丢弃了该消息";
    S_NOTHING_OPEN: "Nobody was told: the message says that “{key}” is over, and no such alert was open" | "未通知任何人：消息表示“{key}”已恢复，但没有对应的未关闭告警";
    S_DELETED: "Nobody was told: the integration was deleted before the message was judged" | "未通知任何人：消息被判断之前集成已被删除";
    S_DISCARDED: "Nobody was told: the message was discarded ({reason})" | "未通知任何人：消息被丢弃（{reason}）";
    S_SUPERSEDED: "Nobody was told of this message: a newer one of the key “{key}” was applied before it" | "未就此消息通知任何人：标识“{key}”的更新消息先行生效";
    S_UPDATED: "Nobody was told: the message updated an open alert, and an update alone tells nobody" | "未通知任何人：消息更新了未关闭的告警，仅更新不会通知";
    S_CAP: "As many alerts are open as the integration may have, so the message went into the one that stands for all others" | "未关闭告警数已达集成上限，消息归入代表其余告警的那一条";
    S_RAISED: "the message raised the severity" | "消息提升了严重程度";
    S_RECOVERED: "the message closed the alert" | "消息关闭了告警";
    S_NOBODY_RECOVERED: "Nobody was told of the recovery: nobody had been told of the alert, or its incident is still open or was closed before" | "恢复未通知任何人：此前未通知过该告警，或其故障仍未关闭、或已先行关闭";
    S_IN_NO_SPACE: "Nobody was notified: the alert is in no space; either no route took the message that opened it, or that message is still being worked on" | "未通知任何人：告警不在任何协作空间；触发它的消息没有路由接收，或仍在处理中";
    S_UNROUTED: "Nobody was told: no route took the alert, and there is no default" | "未通知任何人：没有路由接收该告警，也没有默认路由";
    S_NO_PLACE: "Nobody is known to have been told: where the alert went is not kept any more" | "无法得知是否通知：告警去向已不再保留";
    S_SPACE_GONE: "nobody was told, because the space was deleted" | "未通知任何人，因为该协作空间已被删除";
    S_NO_INCIDENT: "nobody was told, because no incident is recorded" | "未通知任何人，因为没有故障记录";
    S_SILENCED: "nobody was told, because {silence} made no incident of it" | "未通知任何人，因为 {silence} 命中且不生成故障";
    S_HELD: "nobody is told yet, because {by} holds it back" | "尚未通知任何人，因为 {by} 正在抑制通知";
    S_HELD_UNTIL: "nobody is told until {until}, because {by} holds it back" | "在 {until} 之前不通知，因为 {by} 正在抑制通知";
    S_HELD_OVER: "nobody was told, because it was over before what held it back ended" | "未通知任何人，因为在抑制结束之前已恢复或关闭";
    S_JOINED: "nobody was told, because the alert joined the open incident {num}, and an alert that joins tells nobody" | "未通知任何人，因为告警并入了未关闭的故障 {num}，并入不会通知";
    S_JOINED_TOLD: "the alert joined the open incident {num}: {told}" | "告警并入了未关闭的故障 {num}：{told}";
    S_WAITS: "nobody is told until {until}, because level {level} of the escalation rule {rule} waits that long" | "在 {until} 之前不通知，因为升级规则 {rule} 的第 {level} 级需等待";
    S_WAITED_OVER: "nobody was told, because it was over before level {level} of the escalation rule {rule} was due" | "未通知任何人，因为在升级规则 {rule} 的第 {level} 级到期之前已恢复或关闭";
    S_NOBODY_AT_ALL: "nobody was told, because nobody was there to be told" | "未通知任何人，因为没有可通知的对象";
    S_BY_RULE: "by the escalation rule {rule}, at level {level}: {told}" | "按升级规则 {rule}，第 {level} 级：{told}";
    S_BY_OWN: "no escalation rule matched, so the space's own destinations hear of it: {told}" | "没有升级规则匹配，由协作空间自身的通知目标接收：{told}";
    S_BY_ONLY: "the space has no escalation rules, so its own destinations hear of it: {told}" | "协作空间没有升级规则，由其自身的通知目标接收：{told}";
    S_TOLD: "told {names}" | "已通知 {names}";
    S_FAILED: "could not tell {names}" | "无法通知 {names}";
    S_PENDING: "still to tell {names}" | "尚待通知 {names}";
    WHOM: "{name} ({channel})" | "{name}（{channel}）";
    WHOM_WHY: "{name} ({channel}: {reason})" | "{name}（{channel}：{reason}）";
}
