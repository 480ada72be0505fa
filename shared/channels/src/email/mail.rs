//! A mail before it is written in MIME.

use serde::Serialize;

use super::address::Address;

#[derive(Debug, Clone, Serialize)]
pub struct Mail {
    pub to: Address,
    /// `<hash@example.com>`
    pub message_id: String,
    /// What all messages about the incident refer to; of several incidents none.
    pub thread: Option<String>,
    #[serde(flatten)]
    pub content: Content,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Content {
    pub subject: String,
    /// Somebody has to act now.
    pub important: bool,
    pub text: String,
    pub html: Option<String>,
}
