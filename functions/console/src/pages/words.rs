//! Every text of the pages, in English and in Chinese. Templates name them `t.key`.

mod dead_letters;
mod incidents;
mod people;
mod trace;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use alerting::people::destination::Language;

/// Key, English, Chinese.
type Row = (&'static str, &'static str, &'static str);

/// By the file that uses them.
const TABLES: &[&[Row]] = &[
    FRAME,
    ERRORS,
    trace::TRACE,
    trace::RESULTS,
    ME,
    people::SIGN_IN,
    people::SET_UP,
    people::CONFIRM,
    people::FIELDS,
    people::MEMBERS,
    dead_letters::DEAD_LETTERS,
    incidents::INCIDENTS,
    incidents::LINKS,
    incidents::ACTIONS,
    incidents::STORY,
];

const FRAME: &[Row] = &[
    ("incidents", "Incidents", "事件"),
    ("members", "Members", "成员"),
    ("my_notifications", "My notifications", "我的通知"),
    ("my_account", "My account", "我的账号"),
    ("sign_in", "Sign in", "登录"),
    ("sign_out", "Sign out", "退出登录"),
    ("skip_to_content", "Skip to content", "跳到正文"),
];

const ERRORS: &[Row] = &[
    ("session_ended", "You are not signed in any more.", "您已退出登录。"),
    ("sign_in_again", "Nothing was changed. Sign in and do it again.", "没有任何更改。请登录后重试。"),
    ("not_allowed", "Your role does not allow that.", "您的角色不允许此操作。"),
    (
        "ask_an_administrator",
        "Nothing was changed. An administrator can change your role.",
        "没有任何更改。管理员可以更改您的角色。",
    ),
    ("foreign_form", "This form is not valid any more.", "此表单已失效。"),
    (
        "open_the_page_again",
        "Nothing was changed. Open the page again and repeat it there.",
        "没有任何更改。请重新打开页面再试。",
    ),
    ("not_found", "There is no such page.", "页面不存在。"),
    (
        "it_may_be_deleted",
        "The address may be incomplete, or what it showed was deleted.",
        "地址可能不完整，或其内容已被删除。",
    ),
    ("refused", "That could not be done.", "无法完成此操作。"),
    ("refused_closed", "The incident is closed.", "事件已关闭，请先重新打开。"),
    ("refused_not_closed", "The incident is not closed.", "事件尚未关闭。"),
    ("refused_not_acknowledged", "Nobody has acknowledged the incident.", "尚无人认领此事件。"),
    ("refused_merged", "The incident was merged into another one.", "事件已合并到另一事件，请在那里操作。"),
    ("refused_no_rule", "There is no level to escalate to.", "此事件没有升级规则，请改派给其他人。"),
    ("refused_nobody_there", "The next level reaches nobody.", "下一级没有可通知的人。"),
    (
        "refused_people",
        "These people can't be notified.",
        "未选择成员或团队，或所选的人没有适用于此严重程度的联系方式。请选择其他人，或先在其偏好中添加联系方式。",
    ),
    ("refused_minutes", "This length of time is not possible.", "此时长无效。"),
    ("refused_text", "This comment can't be saved.", "评论为空或过长。"),
    ("refused_title", "This title can't be saved.", "标题为空或过长。"),
    ("nothing_changed", "Nothing was changed.", "没有任何更改。"),
    ("our_failure", "Something failed on our side.", "我们这边出错了。"),
    ("try_again", "Try again in a moment.", "请稍后再试。"),
    ("back_to_incidents", "Go to the incidents", "前往事件列表"),
];

const ME: &[Row] = &[
    ("me_saved", "Saved.", "已保存。"),
    ("me_code_sent", "The code is on its way. It works for ten minutes.", "验证码已发送，十分钟内有效。"),
    ("me_address_verified", "Confirmed. Notifications go there from now on.", "已验证。今后的通知将发送到此处。"),
    ("me_name", "Name", "姓名"),
    ("me_role", "Role", "角色"),
    ("me_email", "Email", "邮箱"),
    ("me_phone", "Phone", "手机号"),
    ("me_phone_hint", "With + and country code, such as +8613800000000.", "以 + 和国家代码开头，例如 +8613800000000。"),
    ("me_language", "Language", "语言"),
    ("me_time_zone", "Time zone", "时区"),
    ("me_time_zone_hint", "By its name, such as Asia/Shanghai.", "时区名称，例如 Asia/Shanghai。"),
    ("me_how", "How I am notified", "通知方式"),
    (
        "me_how_hint",
        "The first way is tried first, the next one if it fails. Only confirmed addresses are used.",
        "先使用第一种方式，失败后使用下一种。仅使用已验证的地址。",
    ),
    ("me_severity_Critical", "Critical", "严重"),
    ("me_severity_Warning", "Warning", "警告"),
    ("me_severity_Info", "Info", "提醒"),
    ("me_first", "First", "首选"),
    ("me_then", "Then", "其次"),
    ("me_default", "By email, if there is one", "邮件（如有）"),
    ("me_nobody", "Do not notify me", "不通知我"),
    ("me_nothing", "Nothing further", "无"),
    ("me_save", "Save", "保存"),
    ("me_addresses", "My addresses", "我的联系地址"),
    ("me_confirmed", "Confirmed", "已验证"),
    ("me_confirmed_by", "Confirmed by", "已验证，由以下管理员担保："),
    (
        "me_unconfirmed",
        "Not confirmed: nothing is sent here until you enter the code.",
        "未验证：输入验证码之前，不会向此处发送任何通知。",
    ),
    (
        "me_pending",
        "Asked for, not confirmed: it replaces the address above once you enter its code.",
        "已申请更换，尚未验证：输入验证码后将取代上面的地址。",
    ),
    ("me_discard", "Keep the old one", "保留原地址"),
    (
        "me_asked_for",
        "Saved. Confirm the new address below; until then the old one stays.",
        "已保存。请在下方验证新地址，在此之前原地址继续有效。",
    ),
    ("me_no_channel", "This deployment sends nothing to phone numbers yet.", "当前部署尚不能向手机号发送消息。"),
    ("me_no_addresses", "None yet. Enter one above and save.", "暂无。请在上方填写并保存。"),
    ("me_send_code", "Send a code", "发送验证码"),
    ("me_code", "Code from the message", "收到的验证码"),
    ("me_confirm", "Confirm", "验证"),
    ("me_sessions", "Where I am signed in", "登录的设备"),
    ("me_unknown_browser", "A browser that gives no name", "未知浏览器"),
    ("me_this_session", "this session", "当前会话"),
    ("me_session_since", "Signed in", "登录时间："),
    ("me_session_seen", "last used", "最近使用："),
    ("me_end_session", "Sign out there", "退出该会话"),
    ("me_end_other_sessions", "Sign out everywhere else", "退出所有其他会话"),
    ("me_signed_out", "Signed out there.", "已退出。"),
];

/// All texts in one language.
pub(crate) fn words(language: Language) -> &'static BTreeMap<&'static str, &'static str> {
    static ENGLISH: LazyLock<BTreeMap<&str, &str>> =
        LazyLock::new(|| all().map(|(key, text, _)| (key, text)).collect());
    static CHINESE: LazyLock<BTreeMap<&str, &str>> =
        LazyLock::new(|| all().map(|(key, _, text)| (key, text)).collect());
    match language {
        Language::English => &ENGLISH,
        Language::Chinese => &CHINESE,
    }
}

fn all() -> impl Iterator<Item = Row> {
    TABLES.iter().flat_map(|table| table.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_there_once_and_has_two_texts() {
        assert_eq!(words(Language::English).len(), all().count(), "a key is there twice");
        for (key, english, chinese) in all() {
            assert!(!english.is_empty() && !chinese.is_empty() && english != chinese, "{key}");
        }
    }
}
