//! What is written to an address that is, or was, a member's: short, in the member's language, with nothing to click
//! that acts.

use alerting::base::moment::Moment;
use alerting::people::code::LIFE;
use alerting::people::destination::Language;
use alerting::people::{AddressedBy, Member};
use channels::Letter;

/// It may hold a code, so it is never printed.
pub(super) struct Text {
    subject: &'static str,
    text: String,
}

impl Text {
    pub(super) fn letter<'a>(&'a self, id: &'a str) -> Letter<'a> {
        Letter { id, subject: self.subject, text: &self.text }
    }
}

/// The code first: it is what a locked screen shows.
pub(super) fn code(language: Language, code: &str, who: &str, base: &str) -> Text {
    let minutes = LIFE.as_secs() / 60;
    match language {
        Language::English => Text {
            subject: "Larkspur: confirm this address",
            text: format!(
                "{code} is the code that confirms this address. It works for {minutes} minutes.\n\nEnter it in your \
                 account: {base}/me\n\n{who} asked for it. If you expect nothing of the kind, do nothing: without the \
                 code, no notification comes here. Nobody of Larkspur will ever ask you for it.\n"
            ),
        },
        Language::Chinese => Text {
            subject: "Larkspur：验证此地址",
            text: format!(
                "{code} 是用于验证此地址的验证码，{minutes} 分钟内有效。\n\n请在您的账号页面输入：{base}/me\n\n\
                 请求人：{who}。如果您对此并不知情，请忽略：没有验证码，任何通知都不会发送到这里。\
                 Larkspur 的任何人都不会向您索要验证码。\n"
            ),
        },
    }
}

/// To the address that was replaced.
pub(super) fn changed(member: &Member, by: AddressedBy, who: &str, now: Moment) -> Text {
    let (name, at) = (&member.name, now.rfc3339());
    match member.language {
        Language::English => {
            let what = match by {
                AddressedBy::Email => "email address",
                AddressedBy::Phone => "phone number",
            };
            Text {
                subject: "Larkspur: your address was changed",
                text: format!(
                    "{who} replaced or removed this {what} of {name} at {at}. No notification comes here any \
                     more.\n\nIf that was not you and you did not ask for it, tell an administrator at once.\n"
                ),
            }
        }
        Language::Chinese => {
            let what = match by {
                AddressedBy::Email => "邮箱地址",
                AddressedBy::Phone => "手机号",
            };
            Text {
                subject: "Larkspur：您的地址已被更改",
                text: format!(
                    "{who} 于 {at} 更换或移除了 {name} 的此{what}。今后的通知不再发送到这里。\n\n\
                     如果这不是您本人的操作，也不是您要求的，请立即告知管理员。\n"
                ),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_stands_at_the_beginning_in_both_languages() {
        for language in [Language::English, Language::Chinese] {
            let text = code(language, "483920", "Ada", "https://larkspur.example").text;
            assert!(text.starts_with("483920 ") && text.contains("https://larkspur.example/me"), "{text}");
            assert!(text.contains("10") && text.contains("Ada"), "{text}");
        }
    }
}
