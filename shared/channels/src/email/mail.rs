//! A mail before it is written in MIME.

use serde::Serialize;

use super::address::Address;

#[derive(Debug, Clone, Serialize)]
pub struct Mail {
    pub to: Address,
    /// `<hash@example.com>`
    pub message_id: String,
    /// The common reference of all messages about one incident. `None`: several incidents.
    pub thread: Option<String>,
    #[serde(flatten)]
    pub content: MailBody,
}

/// Subject and texts of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MailBody {
    pub subject: String,
    /// Whether somebody has to act now.
    pub important: bool,
    pub text: String,
    pub html: Option<String>,
}
