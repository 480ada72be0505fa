//! Texts of signing in, of one-time links, and of the members.

use super::Row;

pub(super) const SIGN_IN: &[Row] = &[
    ("email", "Email address", "邮箱地址"),
    ("password", "Password", "密码"),
    ("sign_in_with", "Sign in with", "使用以下方式登录："),
    ("or_with_a_password", "Or with a password", "或使用密码登录"),
    (
        "forgot_password",
        "Forgot your password? An administrator can make you a link.",
        "忘记密码？请管理员为您生成链接。",
    ),
    ("wrong_password", "The email address or the password is wrong.", "邮箱地址或密码错误。"),
    ("too_many_tries", "Too many tries.", "尝试次数过多。"),
    ("wait_before", "Try again in", "请在"),
    ("wait_after", "min.", "分钟后重试。"),
    (
        "oidc_stale",
        "This sign-in took too long, or began in another browser.",
        "登录超时，或是在另一个浏览器中开始的。",
    ),
    ("sign_in_anew", "Sign in once more.", "请重新登录。"),
    ("oidc_refused", "The sign-in provider did not let you in.", "身份提供方拒绝了登录。"),
    ("oidc_unreachable", "The sign-in provider cannot be reached.", "无法连接身份提供方。"),
    ("oidc_invalid", "What the sign-in provider answered does not hold.", "身份提供方的应答无效。"),
    (
        "oidc_check_settings",
        "Try again in a moment. If it stays so, an administrator should look at the settings.",
        "请稍后再试。如果问题持续，请管理员检查设置。",
    ),
    (
        "oidc_unverified",
        "The sign-in provider has not verified your email address.",
        "身份提供方尚未验证您的邮箱地址。",
    ),
    ("oidc_verify", "Have it verified there, then sign in once more.", "请先在那里完成验证，然后重新登录。"),
    ("oidc_unknown", "Nobody here has your email address.", "这里没有使用您邮箱地址的成员。"),
    ("ask_to_be_added", "Ask an administrator to add you.", "请联系管理员将您添加为成员。"),
];

pub(super) const SET_UP: &[Row] = &[
    ("first_administrator", "The first administrator", "首位管理员"),
    (
        "first_administrator_does",
        "Nobody can sign in yet. You will be able to add members and everything else.",
        "目前还没有人可以登录。您将可以添加成员并管理一切。",
    ),
    ("choose_a_password", "Choose a password", "设置密码"),
    ("password_length", "12 to 256 characters; any will do.", "12 至 256 个字符，任意字符均可。"),
    ("link_is_gone", "This link is not valid any more.", "此链接已失效。"),
    (
        "ask_for_a_new_link",
        "It was used, replaced by a newer one, or is too old. Ask for a new one, or sign in.",
        "它已被使用、被新链接取代或已过期。请索取新链接，或直接登录。",
    ),
    ("new_password", "New password", "新密码"),
    ("old_password", "Current password", "当前密码"),
    ("wrong_old_password", "The current password is wrong.", "当前密码错误。"),
    (
        "other_sessions_end",
        "Wherever else you are signed in, you will be signed out.",
        "您在其他地方的登录将全部退出。",
    ),
    ("save", "Save", "保存"),
];

pub(super) const MEMBERS: &[Row] = &[
    ("name", "Name", "姓名"),
    ("phone", "Phone", "电话"),
    ("role", "Role", "角色"),
    ("role_administrator", "Administrator", "管理员"),
    ("role_responder", "Responder", "处理人"),
    ("role_viewer", "Viewer", "观察者"),
    ("language", "Language", "语言"),
    ("time_zone", "Time zone", "时区"),
    ("no_email", "no email address", "无邮箱地址"),
    ("can_sign_in", "has a password", "已设密码"),
    ("cannot_sign_in", "has no password", "未设密码"),
    ("add_member", "Add a member", "添加成员"),
    ("make_link", "Make a sign-in link", "生成登录链接"),
    ("invitation", "Sign-in link", "登录链接"),
    ("link_for", "For", "成员："),
    (
        "link_is_shown_once",
        "Whoever opens this link can choose the password, once. It is shown only here; send it to them safely.",
        "打开此链接的人可以设置一次密码。它仅在此显示，请安全地发送给对方。",
    ),
    ("link", "Link", "链接"),
    ("valid_until", "Valid until", "有效期至"),
    ("back_to_members", "Back to the members", "返回成员列表"),
];
