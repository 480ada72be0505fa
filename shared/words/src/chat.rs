//! Private answers of a chat app to its users.

texts! {
    NOT_LINKED:
        "Nothing was changed: Larkspur does not know who you are. Sign in at {base}/me, open \"Chat apps\", make a code, and send it to me here: linkUser CODE"
        | "未做任何更改：Larkspur 还不知道您是谁。请登录 {base}/me，打开“聊天应用”，生成验证码，并在此发送给我：linkUser 验证码";
    HOW_TO_LINK:
        "I send alerts of Larkspur. To act on them here, sign in at {base}/me, open \"Chat apps\", make a code, and send it to me: linkUser CODE"
        | "我会发送 Larkspur 的告警。要在此处理告警，请登录 {base}/me，打开“聊天应用”，生成验证码并发送给我：linkUser 验证码";
    LINKED_TO: "You are linked to {name}. Buttons on cards act as {name}." | "您已关联到 {name}。卡片上的按钮将以 {name} 的身份操作。";
    NOW_LINKED: "You are now linked to {name}. Buttons on cards act as {name}." | "已关联到 {name}。卡片上的按钮将以 {name} 的身份操作。";
    NOT_A_CODE:
        "This code is unknown, was used, or has expired. Make a new one at {base}/me and send it to me: linkUser CODE"
        | "此验证码不存在、已使用或已过期。请在 {base}/me 生成新的验证码并发送给我：linkUser 验证码";
    UNKNOWN_CARD: "Nothing was changed: this card is not known any more. Open the incident by its details." | "未做任何更改：该卡片已失效。请通过“查看详情”打开故障。";
    VIEWER: "Nothing was changed: you may read incidents, but not act on them. An administrator can change your role." | "未做任何更改：您只能查看故障，不能操作。管理员可以更改您的角色。";
    NOT_YOURS: "Nothing was changed: somebody else acknowledged it, and only they take it back." | "未做任何更改：该故障由他人认领，只有认领人可以取消。";
}
