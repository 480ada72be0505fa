//! Texts about members, and errors of their fields.

texts! {
    // Members.
    NAME: "Name" | "姓名";
    PHONE: "Phone" | "手机号";
    ROLE: "Role" | "角色";
    ROLE_ADMINISTRATOR: "Administrator" | "管理员";
    ROLE_RESPONDER: "Responder" | "处理人";
    ROLE_VIEWER: "Viewer" | "观察者";
    LANGUAGE: "Language" | "语言";
    // Each language is named in that language.
    LANGUAGE_EN: "English" | "English";
    LANGUAGE_ZH: "中文" | "中文";
    TIME_ZONE: "Time zone" | "时区";
    NO_EMAIL: "no email address" | "无邮箱地址";
    CAN_SIGN_IN: "has a password" | "已设密码";
    CANNOT_SIGN_IN: "has no password" | "未设密码";
    ADD_MEMBER: "Add a member" | "添加成员";
    VOUCH_FOR_EMAIL: "I vouch that this address is the member's own. Notifications and the sign-in provider need that." | "我担保此邮箱地址属于该成员本人（通知和身份提供方登录需要）。";
    MAKE_LINK: "Make a sign-in link" | "生成登录链接";
    INVITATION: "Sign-in link" | "登录链接";
    LINK_FOR: "For" | "成员：";
    LINK_IS_SHOWN_ONCE: "The person who opens this link can choose the password, once. It is shown only here; send it to them safely." | "打开此链接的人可以设置一次密码。它仅在此显示，请安全地发送给对方。";
    LINK: "Link" | "链接";
    VALID_UNTIL: "Valid until" | "有效期至";
    BACK_TO_MEMBERS: "Back to the members" | "返回成员列表";

    // Beside a field.
    WRONG_NAME: "Enter a name of 1 to 128 characters." | "请输入 1 至 128 个字符的名称。";
    WRONG_EMAIL: "Enter an email address such as ada@example.org." | "请输入邮箱地址，例如 ada@example.org。";
    WRONG_EMAIL_TAKEN: "Another member has this email address. An administrator can change that." | "此邮箱地址已被其他成员使用。管理员可以更改。";
    WRONG_PHONE: "Enter +, the country code and the number, such as +8613800000000." | "请输入 +、国家代码和号码，例如 +8613800000000。";
    WRONG_TIME_ZONE: "There is no such time zone. Enter its name, such as Asia/Shanghai." | "没有此时区。请输入时区名称，例如 Asia/Shanghai。";
    WRONG_PREFERENCE: "This way of being notified cannot be used: the address is missing, or it is chosen twice." | "无法使用此通知方式：缺少相应地址，或重复选择。";
    WRONG_PASSWORD: "Enter 12 to 256 characters." | "请输入 12 至 256 个字符。";
    WRONG_CODE: "That is not the code. Look at the newest message, or have a new code sent." | "验证码不正确。请查看最新的消息，或重新发送验证码。";
}
