//! The frame of every page, and the page of errors.

texts! {
    // Frame.
    INCIDENTS: "Incidents" | "故障";
    MEMBERS: "Members" | "成员";
    MY_NOTIFICATIONS: "My notifications" | "我的通知";
    MY_ACCOUNT: "My account" | "我的账号";
    SIGN_IN: "Sign in" | "登录";
    SIGN_OUT: "Sign out" | "退出登录";
    SKIP_TO_CONTENT: "Skip to content" | "跳到正文";
    MENU: "Menu" | "菜单";
    SECTIONS: "Sections" | "栏目";
    CLEAR_FILTERS: "Clear the filters" | "清除筛选";

    // Relative times.
    AGO_NOW: "just now" | "刚刚";
    AGO_MINUTES: "{n} min ago" | "{n} 分钟前";
    AGO_HOURS: "{n} h ago" | "{n} 小时前";
    AGO_DAYS: "{n} d ago" | "{n} 天前";
    IN_NOW: "in a moment" | "即将";
    IN_MINUTES: "in {n} min" | "{n} 分钟后";
    IN_HOURS: "in {n} h" | "{n} 小时后";
    IN_DAYS: "in {n} d" | "{n} 天后";

    // Errors.
    SESSION_ENDED: "You are not signed in any more." | "您已退出登录。";
    SIGN_IN_AGAIN: "Nothing was changed. Sign in and do it again." | "没有任何更改。请登录后重试。";
    NOT_ALLOWED: "Your role does not allow that." | "您的角色不允许此操作。";
    ASK_AN_ADMINISTRATOR: "Nothing was changed. An administrator can change your role." | "没有任何更改。管理员可以更改您的角色。";
    FOREIGN_FORM: "This form is not valid any more." | "此表单已失效。";
    OPEN_THE_PAGE_AGAIN: "Nothing was changed. Open the page again and repeat it there." | "没有任何更改。请重新打开页面再试。";
    NOT_FOUND: "There is no such page." | "页面不存在。";
    IT_MAY_BE_DELETED: "The address may be incomplete, or what it showed was deleted." | "地址可能不完整，或其内容已被删除。";
    FORM_TOO_LARGE: "a form has at most {size} KiB" | "表单不得超过 {size} KiB";
    REFUSED: "That could not be done." | "无法完成此操作。";
    REFUSED_CLOSED: "The incident is closed." | "故障已关闭，请先重新打开。";
    REFUSED_NOT_CLOSED: "The incident is not closed." | "故障尚未关闭。";
    REFUSED_NOT_ACKNOWLEDGED: "Nobody has acknowledged the incident." | "尚无人认领此故障。";
    REFUSED_MERGED: "The incident was merged into another one." | "故障已合并到另一故障，请在那里操作。";
    REFUSED_NO_RULE: "There is no level to escalate to." | "此故障没有升级规则，请改派给其他人。";
    REFUSED_NOBODY_THERE: "The next level reaches nobody." | "下一级没有可通知的人。";
    REFUSED_PEOPLE: "These people can't be notified." | "未选择成员或团队，或所选的人没有适用于此严重程度的联系方式。请选择其他人，或先在其偏好中添加联系方式。";
    REFUSED_MINUTES: "This length of time is not possible." | "此时长无效。";
    REFUSED_TEXT: "This comment can't be saved." | "评论为空或过长。";
    REFUSED_TITLE: "This title can't be saved." | "标题为空或过长。";
    NOTHING_CHANGED: "Nothing was changed." | "没有任何更改。";
    NOT_SHOWN: "This page could not be shown." | "无法显示此页面。";
    OUR_FAILURE: "Something failed on our side." | "我们这边出错了。";
    TRY_AGAIN: "Try again in a moment." | "请稍后再试。";
    BACK_TO_INCIDENTS: "Go to the incidents" | "前往故障列表";
}
