//! Every text of the pages, in English and in Chinese. Templates name them `t.key`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use alerting::destination::Language;

/// Key, English, Chinese.
type Row = (&'static str, &'static str, &'static str);

/// By the file that uses them.
const TABLES: &[&[Row]] = &[FRAME, ERRORS];

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
    ("nothing_changed", "Nothing was changed.", "没有任何更改。"),
    ("our_failure", "Something failed on our side.", "我们这边出错了。"),
    ("try_again", "Try again in a moment.", "请稍后再试。"),
    ("back_to_incidents", "Go to the incidents", "前往事件列表"),
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
