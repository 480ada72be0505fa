//! Texts about signing in, one-time links, and confirming an identity.

texts! {
    // Sign in.
    EMAIL: "Email address" | "邮箱地址";
    PASSWORD: "Password" | "密码";
    SIGN_IN_WITH: "Sign in with" | "使用以下方式登录：";
    OR_WITH_A_PASSWORD: "Or with a password" | "或使用密码登录";
    NOBODY_CAN_SIGN_IN: "Nobody can sign in yet." | "目前还没有人可以登录。";
    SET_UP_MEANING: "A set-up link makes its holder the first administrator. Only the operator of this deployment can get one:" | "持有初始设置链接的人将成为第一位管理员。只有部署的运维者可以取得该链接：";
    SET_UP_LOCAL: "On one machine, Larkspur prints the link each time it starts. Restart it to get a new one." | "单机运行时，Larkspur 每次启动都会打印该链接。重新启动即可获得新链接。";
    SET_UP_AWS: "On AWS, run the command in the stack's output FirstAdministrator." | "在 AWS 上，运行堆栈输出 FirstAdministrator 中的命令。";
    FORGOT_PASSWORD: "Forgot your password? An administrator can make you a link." | "忘记密码？请管理员为您生成链接。";
    WRONG_EMAIL_OR_PASSWORD: "The email address or the password is wrong." | "邮箱地址或密码错误。";
    TOO_MANY_TRIES: "Too many tries." | "尝试次数过多。";
    WAIT_BEFORE: "Try again in" | "请在";
    WAIT_AFTER: "min." | "分钟后重试。";
    OIDC_STALE: "This sign-in took too long, or began in another browser." | "登录超时，或是在另一个浏览器中开始的。";
    SIGN_IN_ANEW: "Sign in again." | "请重新登录。";
    OIDC_REFUSED: "The sign-in provider did not let you in." | "身份提供方拒绝了登录。";
    OIDC_UNREACHABLE: "The sign-in provider cannot be reached." | "无法连接身份提供方。";
    OIDC_INVALID: "What the sign-in provider answered does not hold." | "身份提供方的应答无效。";
    OIDC_CHECK_SETTINGS: "Try again in a moment. If it stays so, an administrator should look at the settings." | "请稍后再试。如果问题持续，请管理员检查设置。";
    OIDC_UNVERIFIED: "The sign-in provider has not verified your email address." | "身份提供方尚未验证您的邮箱地址。";
    OIDC_VERIFY: "Have it verified there, then sign in once more." | "请先在那里完成验证，然后重新登录。";
    OIDC_UNCONFIRMED: "You have not confirmed your email address here." | "您尚未在此处验证邮箱地址。";
    OIDC_CONFIRM_FIRST: "Sign in with a password and confirm it under your name, or ask an administrator to vouch for it." | "请使用密码登录并在账号页面验证，或请管理员为其担保。";
    OIDC_PINNED: "The member with your email address is another person at the sign-in provider." | "使用您邮箱地址的成员已绑定到身份提供方的另一个账号。";
    OIDC_ASK_TO_FORGET: "If it is you, ask an administrator to forget the old sign-in of this member." | "如果确实是您，请管理员清除该成员原有的登录绑定。";
    OIDC_NOT_AGAIN: "The sign-in provider did not ask you again who you are." | "身份提供方没有要求您重新登录。";
    OIDC_SIGN_OUT_THERE: "Sign out there, then confirm once more." | "请先在身份提供方退出登录，然后再次确认。";
    OIDC_UNKNOWN: "Nobody here has your email address." | "这里没有使用您邮箱地址的成员。";
    ASK_TO_BE_ADDED: "Ask an administrator to add you." | "请联系管理员将您添加为成员。";

    // One-time links.
    FIRST_ADMINISTRATOR: "The first administrator" | "首位管理员";
    FIRST_ADMINISTRATOR_DOES: "Nobody can sign in yet. You will be able to add members and everything else." | "目前还没有人可以登录。您将可以添加成员并管理一切。";
    CHOOSE_A_PASSWORD: "Choose a password" | "设置密码";
    PASSWORD_LENGTH: "12 to 256 characters; any will do." | "12 至 256 个字符，任意字符均可。";
    LINK_IS_GONE: "This link is not valid any more." | "此链接已失效。";
    ASK_FOR_A_NEW_LINK: "It was used, replaced by a newer one, or is too old. Ask for a new one, or sign in." | "它已被使用、被新链接取代或已过期。请索取新链接，或直接登录。";
    ASK_FOR_ANOTHER_LINK: "It was used, replaced by a newer one, or is too old. You are signed in already." | "它已被使用、被新链接取代或已过期。您已经登录。";
    NEW_PASSWORD: "New password" | "新密码";
    OLD_PASSWORD: "Current password" | "当前密码";
    WRONG_OLD_PASSWORD: "The current password is wrong." | "当前密码错误。";
    OTHER_SESSIONS_END: "Wherever else you are signed in, you will be signed out." | "您在其他地方的登录将全部退出。";
    SAVE: "Save" | "保存";

    // Confirm.
    CONFIRM_IT_IS_YOU: "Confirm that it is you" | "请确认是您本人";
    CONFIRM_WHY: "What you are about to change would outlast this sign-in. Nothing has been changed yet." | "您要更改的内容在退出登录后仍然有效，因此需要再次确认。目前没有任何更改。";
    CONFIRM_AND_GO_ON: "Confirm and continue" | "确认并继续";
    CONFIRM_THEN_REPEAT: "You come back to the page afterwards; enter it there again." | "之后您将返回该页面，请在那里重新填写。";
    CONFIRM_NO_WAY: "You have no password and there is no sign-in provider. Ask an administrator for a sign-in link." | "您没有密码，也没有可用的身份提供方。请向管理员索取登录链接。";
}
