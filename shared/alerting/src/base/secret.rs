//! Texts that must not be printed: webhook URLs, bot tokens, signing secrets.

use std::fmt;

use serde::Deserialize;

/// A text that prints as `[redacted]` and cannot be serialised. Read it only where it is used.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. Reviewers check every call: the text may be sent only to the service that the secret is for.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The hint that a list may show: `…last4`, or only the dots if four characters are a large part of the secret.
    pub fn hint(&self) -> String {
        let characters: Vec<char> = self.0.chars().collect();
        match characters.len() {
            0..=11 => "…".to_owned(),
            len => format!("…{}", characters[len - 4..].iter().collect::<String>()),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A secret encrypted with the deployment's data key, in its stored form: base64. Only the function that needs the
/// secret decrypts it.
#[derive(Clone, PartialEq, Eq, serde::Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub String);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[sealed]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Proves: fault 112
    #[test]
    fn debug_of_a_secret_prints_redacted() {
        assert_eq!(format!("{:?}", Secret::new("SEC0123456789abcdef")), "[redacted]");
    }

    #[test]
    fn a_hint_never_shows_much_of_a_short_secret() {
        assert_eq!(Secret::new("hunter2").hint(), "…");
        assert_eq!(Secret::new("0123456789abcdef").hint(), "…cdef");
    }
}
