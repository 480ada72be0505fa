//! The letters to an address that is, or was, a member's: short, in the member's language, without a link that acts.

use alerting::base::moment::Moment;
use alerting::people::code::LIFE;
use alerting::people::destination::Language;
use alerting::people::{AddressedBy, Member};
use channels::post::Letter;
use words::letters;

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

/// The letter with a code that confirms an address.
pub(super) fn code(language: Language, code: &str, who: &str, base: &str) -> Text {
    let minutes = (LIFE.as_secs() / 60).to_string();
    let with = [("code", code), ("minutes", &minutes), ("base", base), ("who", who)];
    Text { subject: letters::CODE_SUBJECT.of(language), text: letters::CODE.fill(language, &with) }
}

/// To the address that was replaced.
pub(super) fn changed(member: &Member, by: AddressedBy, who: &str, now: Moment) -> Text {
    let what = match by {
        AddressedBy::Email => letters::EMAIL_ADDRESS,
        AddressedBy::Phone => letters::PHONE_NUMBER,
    };
    let with = [("who", who), ("what", what.of(member.language)), ("name", &member.name), ("at", &now.rfc3339())];
    let (subject, text) = (letters::CHANGED_SUBJECT, letters::CHANGED);
    Text { subject: subject.of(member.language), text: text.fill(member.language, &with) }
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
