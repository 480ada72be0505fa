//! Texts about the reader's own account.

texts! {
    ME_SAVED: "Saved." | "已保存。";
    ME_CODE_SENT: "The code is on its way. It works for ten minutes." | "验证码已发送，十分钟内有效。";
    ME_ADDRESS_VERIFIED: "Confirmed. Notifications go there from now on." | "已验证。今后的通知将发送到此处。";
    ME_EMAIL: "Email" | "邮箱";
    ME_PHONE_HINT: "With + and country code, such as +8613800000000." | "以 + 和国家代码开头，例如 +8613800000000。";
    ME_TIME_ZONE_HINT: "By its name, such as Asia/Shanghai." | "时区名称，例如 Asia/Shanghai。";
    ME_HOW: "How I am notified" | "通知方式";
    ME_HOW_HINT: "The first way is tried first, the next one if it fails. Only confirmed addresses are used." | "先使用第一种方式，失败后使用下一种。仅使用已验证的地址。";
    ME_FIRST: "First" | "首选";
    ME_THEN: "Then" | "其次";
    ME_DEFAULT: "By email, if there is one" | "邮件（如有）";
    ME_NOBODY: "Do not notify me" | "不通知我";
    ME_NOTHING: "Nothing further" | "无";
    ME_ADDRESSES: "My addresses" | "我的联系地址";
    ME_CONFIRMED: "Confirmed" | "已验证";
    ME_CONFIRMED_BY: "Confirmed by" | "已验证，由以下管理员担保：";
    ME_UNCONFIRMED: "Not confirmed: nothing is sent here until you enter the code." | "未验证：输入验证码之前，不会向此处发送任何通知。";
    ME_PENDING: "Asked for, not confirmed: it replaces the address above once you enter its code." | "已申请更换，尚未验证：输入验证码后将取代上面的地址。";
    ME_DISCARD: "Keep the old one" | "保留原地址";
    ME_ASKED_FOR: "Saved. Confirm the new address below; until then the old one stays." | "已保存。请在下方验证新地址，在此之前原地址继续有效。";
    ME_NO_CHANNEL: "This deployment sends nothing to phone numbers yet." | "当前部署尚不能向手机号发送消息。";
    ME_NO_ADDRESSES: "None yet. Enter one above and save." | "暂无。请在上方填写并保存。";
    ME_SEND_CODE: "Send a code" | "发送验证码";
    ME_CODE: "Code from the message" | "收到的验证码";
    ME_CONFIRM: "Confirm" | "验证";
    ME_CHATS: "Chat apps" | "聊天应用";
    ME_CHATS_HINT: "Buttons on cards act as you once your chat user is linked." | "关联聊天用户后，卡片上的按钮将以您的身份操作。";
    ME_NOT_LINKED: "not linked" | "未关联";
    ME_MAKE_CODE: "Make a code" | "生成验证码";
    ME_SEND_TO_APP: "Send this to the app in a private chat within 15 minutes:" | "请在 15 分钟内，通过私聊将以下内容发送给应用：";
    ME_UNLINK: "Unlink" | "解除关联";
    ME_UNLINKED: "Unlinked: buttons on cards do not act as you any more." | "已解除关联：卡片上的按钮不再以您的身份操作。";
    ME_SESSIONS: "Where I am signed in" | "登录的设备";
    ME_UNKNOWN_BROWSER: "A browser that gives no name" | "未知浏览器";
    ME_THIS_SESSION: "this session" | "当前会话";
    ME_SESSION_SINCE: "Signed in" | "登录时间：";
    ME_SESSION_SEEN: "last used" | "最近使用：";
    ME_END_SESSION: "Sign out there" | "退出该会话";
    ME_END_OTHER_SESSIONS: "Sign out everywhere else" | "退出所有其他会话";
    ME_SIGNED_OUT: "Signed out there." | "已退出。";
}
