//! Texts of signing in, of one-time links, and of the members.

use super::Row;

pub(super) const SIGN_IN: &[Row] = &[
    ("email", "Email address", "邮箱地址"),
    ("password", "Password", "密码"),
    ("sign_in_with", "Sign in with", "使用以下方式登录："),
    ("or_with_a_password", "Or with a password", "或使用密码登录"),
    ("nobody_can_sign_in", "Nobody can sign in yet.", "目前还没有人可以登录。"),
    (
        "set_up_meaning",
        "A set-up link makes its holder the first administrator. Only whoever runs this deployment can get one:",
        "持有初始设置链接的人将成为第一位管理员。只有部署的运维者可以取得该链接：",
    ),
    (
        "set_up_local",
        "On one machine, Larkspur prints the link each time it starts. Restart it to get a new one.",
        "单机运行时，Larkspur 每次启动都会打印该链接。重新启动即可获得新链接。",
    ),
    (
        "set_up_aws",
        "On AWS, run the command in the stack's output FirstAdministrator.",
        "在 AWS 上，运行堆栈输出 FirstAdministrator 中的命令。",
    ),
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
    ("oidc_unconfirmed", "You have not confirmed your email address here.", "您尚未在此处验证邮箱地址。"),
    (
        "oidc_confirm_first",
        "Sign in with a password and confirm it under your name, or ask an administrator to vouch for it.",
        "请使用密码登录并在账号页面验证，或请管理员为其担保。",
    ),
    (
        "oidc_pinned",
        "The member with your email address is another person at the sign-in provider.",
        "使用您邮箱地址的成员已绑定到身份提供方的另一个账号。",
    ),
    (
        "oidc_ask_to_forget",
        "If it is you, ask an administrator to forget the old sign-in of this member.",
        "如果确实是您，请管理员清除该成员原有的登录绑定。",
    ),
    ("oidc_not_again", "The sign-in provider did not ask you again who you are.", "身份提供方没有要求您重新登录。"),
    ("oidc_sign_out_there", "Sign out there, then confirm once more.", "请先在身份提供方退出登录，然后再次确认。"),
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
    (
        "ask_for_another_link",
        "It was used, replaced by a newer one, or is too old. You are signed in already.",
        "它已被使用、被新链接取代或已过期。您已经登录。",
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

/// Beside a field that cannot be so.
pub(super) const FIELDS: &[Row] = &[
    ("wrong_name", "Enter a name of 1 to 128 characters.", "请输入 1 至 128 个字符的名称。"),
    ("wrong_email", "Enter an email address such as ada@example.org.", "请输入邮箱地址，例如 ada@example.org。"),
    (
        "wrong_email_taken",
        "Another member has this email address. An administrator can change that.",
        "此邮箱地址已被其他成员使用。管理员可以更改。",
    ),
    (
        "wrong_phone",
        "Enter +, the country code and the number, such as +8613800000000.",
        "请输入 +、国家代码和号码，例如 +8613800000000。",
    ),
    (
        "wrong_time_zone",
        "There is no such time zone. Enter its name, such as Asia/Shanghai.",
        "没有此时区。请输入时区名称，例如 Asia/Shanghai。",
    ),
    (
        "wrong_preference",
        "This way of being notified cannot be used: the address is missing, or it is chosen twice.",
        "无法使用此通知方式：缺少相应地址，或重复选择。",
    ),
    (
        "wrong_code",
        "That is not the code. Look at the newest message, or have a new code sent.",
        "验证码不正确。请查看最新的消息，或重新发送验证码。",
    ),
];

pub(super) const CONFIRM: &[Row] = &[
    ("confirm_it_is_you", "Confirm that it is you", "请确认是您本人"),
    (
        "confirm_why",
        "What you are about to change would outlast this sign-in. Nothing has been changed yet.",
        "您要更改的内容在退出登录后仍然有效，因此需要再次确认。目前没有任何更改。",
    ),
    ("confirm_and_go_on", "Confirm and continue", "确认并继续"),
    (
        "confirm_then_repeat",
        "You come back to the page afterwards; enter it there again.",
        "之后您将返回该页面，请在那里重新填写。",
    ),
    (
        "confirm_no_way",
        "You have no password and there is no sign-in provider. Ask an administrator for a sign-in link.",
        "您没有密码，也没有可用的身份提供方。请向管理员索取登录链接。",
    ),
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
    (
        "vouch_for_email",
        "I vouch that this address is the member's own. Notifications and the sign-in provider need that.",
        "我担保此邮箱地址属于该成员本人（通知和身份提供方登录需要）。",
    ),
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
