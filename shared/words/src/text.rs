//! One text of the catalogue.

use alerting::people::destination::Language;

/// One text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    pub en: &'static str,
    pub zh: &'static str,
}

impl Text {
    pub const fn of(self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::Chinese => self.zh,
        }
    }

    /// The text with its placeholders replaced.
    pub fn fill(self, language: Language, with: &[(&str, &str)]) -> String {
        let mut rest = self.of(language);
        let mut filled = String::with_capacity(rest.len());
        // In one pass, because a value may contain braces.
        while let Some((before, (name, after))) = rest.split_once('{').and_then(|(b, a)| Some((b, a.split_once('}')?)))
        {
            filled.push_str(before);
            let value = with.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            filled.push_str(value.unwrap_or_default());
            rest = after;
        }
        filled.push_str(rest);
        filled
    }
}
