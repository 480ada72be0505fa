//! Requests that a chat vendor makes to the deployment: a pressed button, a message to the app, an event.
//!
//! In: the request as it came, and the settings of the account that its path names. Out: a [`Callback`] that the vendor
//! has signed, or [`Refused`]. Example: a press of "Acknowledge" in Slack → [`Callback::Press`] with the button's value,
//! the user and the message.
//!
//! A callback says who pressed what. It gives no authority to act: the caller finds the member who is linked to the
//! user.

/// A request as it came. Nothing in it is true before it is verified.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// The rest of the path behind the account, without a slash in front: `actions`. Empty if there is none.
    pub route: &'a str,
    /// Names in any case.
    pub headers: &'a [(&'a str, &'a str)],
    /// The decoded parameters of the query.
    pub query: &'a [(String, String)],
    pub body: &'a [u8],
}

/// A verified request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Callback {
    /// The vendor checks that the address is ours, and wants this answer.
    Check(Answer),
    Press(Pressed),
    /// A member of the chat wrote to the app.
    Message(Said),
    /// The app was removed from its workspace, or its permission was withdrawn.
    Removed,
    /// Verified, and of no concern.
    Other,
}

/// A pressed button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pressed {
    /// The value of the button: [`alerting::incident::press::Press`] if this deployment made it.
    pub value: String,
    pub user: ChatUser,
    /// The message of the button, in the form of the channel's receipts.
    pub receipt: String,
    /// The same for the same press when the vendor sends it again, and different for every other press.
    pub replay: String,
}

/// What a user wrote to the app in a private chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub text: String,
    pub user: ChatUser,
    /// The private chat.
    pub chat: String,
    /// See [`Pressed::replay`].
    pub replay: String,
}

/// A user of the chat, as the vendor names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatUser {
    pub id: String,
    /// Empty if the vendor does not say it.
    pub name: String,
}

/// An HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub content_type: &'static str,
    pub body: String,
}

/// The request is not the vendor's, or it is too old. The reason is for the log; the answer says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub &'static str);

impl Incoming<'_> {
    /// The value of a header; its name is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}
