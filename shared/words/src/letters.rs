//! Letters to a present or former address of a member. Their links change nothing when they are opened.

texts! {
    CODE_SUBJECT: "Larkspur: confirm this address" | "Larkspur：验证此地址";
    // The code comes first, because a locked screen shows only the beginning.
    CODE:
        "{code} is the code that confirms this address. It works for {minutes} minutes.\n\nEnter it in your account: {base}/me\n\n{who} asked for it. If you expect nothing of the kind, do nothing: without the code, no notification comes here. Nobody of Larkspur will ever ask you for it.\n"
        | "{code} 是用于验证此地址的验证码，{minutes} 分钟内有效。\n\n请在您的账号页面输入：{base}/me\n\n请求人：{who}。如果您对此并不知情，请忽略：没有验证码，任何通知都不会发送到这里。Larkspur 的任何人都不会向您索要验证码。\n";

    CHANGED_SUBJECT: "Larkspur: your address was changed" | "Larkspur：您的地址已被更改";
    CHANGED:
        "{who} replaced or removed this {what} of {name} at {at}. No notification comes here any more.\n\nIf that was not you and you did not ask for it, tell an administrator at once.\n"
        | "{who} 于 {at} 更换或移除了 {name} 的此{what}。今后的通知不再发送到这里。\n\n如果这不是您本人的操作，也不是您要求的，请立即告知管理员。\n";
    EMAIL_ADDRESS: "email address" | "邮箱地址";
    PHONE_NUMBER: "phone number" | "手机号";
}
